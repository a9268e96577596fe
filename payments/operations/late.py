"""A success that arrives after the payment had failed, and a second collection for an order that was paid already.

Banks and payment services find debits minutes or days after they have reported a failure. So a payment that has ended
is watched, ever more slowly, for as long as a late success is thinkable; the terminal state is left by this stronger
evidence only, and a person is told each time (feature F36).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from orders.operations import news as order_news
from payments import lifecycle
from payments.gateway import PaymentSnapshot
from payments.models import Payment, PaymentLine
from payments.operations import chasing, rows

LATE_SUCCESS_CASE = "payment_succeeded_after_all"
PAID_TWICE_CASE = "order_paid_twice"
# RBI's circular of 20 Sep 2019 (DPSS.CO.PD No. 629/02.01.014/2019-20) gives banks five days to put right a debit whose
# merchant was never told; two more for those that are late.
WATCHED_FOR = timedelta(days=7)
SLOWEST = timedelta(hours=12)
SOONEST = timedelta(seconds=60)


def watch(payment: Payment, at: datetime) -> None:
    """Set the next look at a payment that has ended: after as long again as it has been ended, or never more.

    After that it is looked at for its refund only (`chasing.py`).
    """
    age = at - payment.state_since
    soon = at + min(max(age, SOONEST), SLOWEST)
    payment.due_at = soon if age < WATCHED_FOR else chasing.next_look(payment, at)
    payment.save(update_fields=["due_at"])


def take_in(payment: Payment, snapshot: PaymentSnapshot, *, at: datetime) -> None:
    """The locked payment, which had failed, has collected: its orders are paid by it, and somebody is told."""
    was = payment.failure_code or "ended"
    chasing.settled(payment, at=at)
    rows.open_case(payment, LATE_SUCCESS_CASE, f"collected after we held it as failed ({was})", snapshot, at=at)
    for line in payment.lines.select_for_update().order_by("order_id"):
        _give_up_unused(line, at=at)
        if not PaymentLine.objects.filter(order_id=line.order_id, is_live=True).exists():
            line.is_live = True
            line.save(update_fields=["is_live"])


def _give_up_unused(line: PaymentLine, *, at: datetime) -> None:
    """A newer page for the same order that the investor has not opened is given up before it can be paid."""
    unused = Payment.objects.select_for_update().filter(
        lines__order_id=line.order_id,
        lines__is_live=True,
        handed_over_at__isnull=True,
        state=lifecycle.AWAITING_INVESTOR,
    )
    for other in unused.exclude(pk=line.payment_id):
        rows.fail(other, lifecycle.EXPIRED, code="paid_by_another", text="", at=at)


def look_for_a_second(payment: Payment, snapshot: PaymentSnapshot, *, at: datetime) -> None:
    """When another payment has collected for one of these orders, the investor has paid twice: a case for a refund.

    The orders are locked first: of two collections at the same moment one waits, and sees the other.
    """
    for order in rows.locked_orders(payment):
        others = Payment.objects.filter(lines__order=order, state__in=lifecycle.COLLECTED)
        first = others.exclude(pk=payment.pk).order_by("pk").first()
        if first is None:
            continue
        what = f"order {order.code} is paid twice: {first.code} has collected as well. Refund one of them"
        rows.open_case(payment, PAID_TWICE_CASE, what, snapshot, at=at)
        order_news.note_payment(order_id=order.pk, event="paid_twice", at=at, payment=payment.code)
