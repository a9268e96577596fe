"""Money that has left the bank while its order stands still: we know it before the investor writes (A1, I-33).

    the bank was debited, and the order     a case after
    still waits for its payment             30 minutes: news has contradicted itself, or an event was lost
    has ended without units                 30 minutes: the money must come back, and somebody follows it
    is paid                                 the day on which the money should have been at the fund house is over
    is with the fund house                  a business day after the units were expected

The case stands in the order's timeline, where the investor reads it, and is closed by itself when the order moves.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import islice

from django.db import transaction

from orders import calendar, lifecycle, timeline
from orders.models import MfOrder
from orders.operations import notices
from orders.queries import schemes as scheme_queries
from payments import lifecycle as paying
from payments.models import PaymentLine
from payments.operations import rows
from portal import audit, cases
from portal.clock import IST
from portal.models import Case

CASE = "money_not_moving"
MOVES_WITHIN = timedelta(minutes=30)
AT_ONCE = 500
ENDED = (lifecycle.REJECTED, lifecycle.EXPIRED, lifecycle.CANCELLED)
WATCHED = (lifecycle.AWAITING_PAYMENT, lifecycle.PAID, lifecycle.PLACED, *ENDED)
WORDS: dict[str, str] = {
    lifecycle.AWAITING_PAYMENT: "Your bank was debited, but the order has not moved since.",
    lifecycle.PAID: "Your money should have been with the fund house by now.",
    lifecycle.PLACED: "Your units should have been there by now.",
    **dict.fromkeys(ENDED, "Your bank was debited, but the order ended without units: the money must come back."),
}


def watch(at: datetime) -> int:
    """Every order whose money stands still for too long has its case, and no other has. Returns how many are new."""
    _close_moved(at)
    known = Case.objects.filter(kind=CASE, state="OPEN").values_list("subject_id", flat=True)
    lines = (
        PaymentLine.objects.filter(
            payment__state__in=paying.COLLECTED,
            payment__state_since__lte=at - MOVES_WITHIN,
            order__state__in=WATCHED,
            order__state_since__lte=at - MOVES_WITHIN,
            # An end that somebody has looked at once is not looked at for ever.
            order__state_since__gt=at - timedelta(days=30),
        )
        .exclude(order_id__in=[int(key) for key in known])
        .select_related("order__scheme", "order__folio", "order__bank_account", "payment")
    )
    # Most are in time, so the limit is for those that are not; an order that was paid twice is told of once.
    late = (
        line for line in lines.iterator(chunk_size=AT_ONCE) if at > moves_by(line.order, line.payment.debited_at, at)
    )
    once = {line.order_id: line for line in islice(late, AT_ONCE)}
    return sum(_open(line.order, line.payment.debited_at, at) for line in once.values())


def moves_by(order: MfOrder, debited_at: datetime | None, at: datetime) -> datetime:
    """Until when the order may stand where it stands."""
    holidays, book = scheme_queries.holidays(), scheme_queries.book()
    if order.state not in (lifecycle.PAID, lifecycle.PLACED):
        return order.state_since + MOVES_WITHIN
    dates = timeline.expected(order, paid_at=debited_at or order.state_since, at=at, holidays=holidays, book=book)
    last = dates.counts_on if order.state == lifecycle.PAID else calendar.next_business_day(dates.units_by, holidays)
    return datetime.combine(last, time.max, tzinfo=IST)


def _open(order: MfOrder, debited_at: datetime | None, at: datetime) -> bool:
    words = WORDS[order.state]
    if order.state in ENDED and cases.was_ever(subject=order, kinds=(CASE,)):
        return False
    with transaction.atomic():
        case = cases.open_case(
            kind=CASE,
            subject=order,
            title=f"Order {order.code}: money was debited, and {rows.on_record(at)} the order stood at "
            f"{order.get_state_display()}",
            detail=f"Debited {debited_at:%d %b %Y %H:%M %Z}. {words}" if debited_at else words,
            at=at,
            rupees=order.amount,
        )
        told = f"{words} Case {case.code}."
        audit.record(order, "order.case_opened", actor=None, at=at, case=case.code, words=told)
        notices.tell(order, "order.case_opened", at=at, about=case.code, why=told)
    return True


def _close_moved(at: datetime) -> None:
    """A case ends when its order has moved on since it was opened; of an order that has ended, a person closes it."""
    for case in Case.objects.filter(kind=CASE, state="OPEN"):
        order = MfOrder.objects.select_related("scheme", "folio", "bank_account").get(pk=case.subject_id)
        if order.state_since > case.opened_at and order.state not in ENDED:
            cases.close(case=case, resolution="The order has moved on.", actor=None, at=at)
            told = f"Case {case.code} is closed: the order has moved on."
            audit.record(order, "order.case_closed", actor=None, at=at, words=told)
