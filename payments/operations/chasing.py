"""The chase for money of a payment that failed: begun by itself, once its day to be back has passed (screens.md F33).

The day is that of the refund clock which the investor has read since the failure (`orders/payment_failures.py`). Where
money may have left the bank, FP is asked once more after it, and a case opens that the investor sees; once a payment.
What certainly stayed in the bank has no clock, and what failed after a confirmed debit has a case already. A page that
was opened and left is nobody's work while FP says, on that day too, that nothing came of it: most pages end so.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.db import transaction

from orders import calendar, payment_failures
from orders.queries import schemes as scheme_queries
from payments import lifecycle
from payments.models import Payment
from payments.operations import rows
from portal import audit, cases
from portal.clock import IST
from portal.lifecycle import Verdict

CASE = "refund_overdue"
# FP did not answer when it was asked once more, or with something that cannot be.
AGAIN = timedelta(hours=12)


def next_look(payment: Payment, at: datetime) -> datetime | None:
    """When an ended payment, long since no late success, must be looked at for the chase; None: never more."""
    overdue_from = _overdue_from(payment)
    if overdue_from is None or at < overdue_from:
        return overdue_from
    return None if _is_followed(payment) else at + AGAIN


def chase(*, payment_id: int, said: Verdict, at: datetime) -> bool:
    """A case about the money of the payment is on record, and its orders tell of it. FP has just been asked: `said`.

    False where it is too soon, there is nothing to chase, somebody follows the money already, or somebody looks what
    FP can have meant: then nobody knows that nothing was collected. A page that was left is not looked at any more.
    """
    with transaction.atomic():
        payment = rows.locked(payment_id)
        overdue_from = _overdue_from(payment) if payment.state in lifecycle.ENDED else None
        if overdue_from is None or at < overdue_from or _is_followed(payment):
            return False
        if payment.pk in cases.subjects_of(rows.CONFLICT_CASE):
            return False
        if payment_failures.was_left(payment.failure_code) and said != Verdict.STALE:
            _let_go(payment, at)
            return False
        clock = _clock(payment, at)
        words = f"If your bank was debited, the money was to be back by {calendar.short(clock.by)} ({clock.source})."
        case = cases.open_case(
            kind=CASE,
            subject=payment,
            title=f"Payment {payment.code}: is the money back?",
            detail=f"{words} {_asked(payment, said, at)}",
            at=at,
            rupees=payment.amount,
        )
        rows.tell_orders(payment, "refund_overdue", at=at, words=f"{words} Case {case.code}.")
    return True


def _let_go(payment: Payment, at: datetime) -> None:
    """Nobody tried to pay, as far as FP knows. A success that it still reports is found by the daily comparison."""
    payment.due_at = None
    payment.save(update_fields=["due_at"])
    audit.record(payment, "payment.let_go", actor=None, at=at, why="the page was left, and FP has collected nothing")


def _asked(payment: Payment, said: Verdict, at: datetime) -> str:
    """What FP said, and when: it may say something else by the time at which it is read."""
    what = "it still waits for the payment" if said == Verdict.STALE else "nothing was collected"
    return f"FP said {rows.on_record(at)} that {what} ({payment.failure_code or payment.state})."


def settled(payment: Payment, *, at: datetime) -> None:
    """The locked payment has collected after all: its money is where it belongs, and nobody looks for it."""
    cases.close_cases(subject=payment, kinds=(CASE,), resolution="The payment was collected after all.", at=at)


def _is_followed(payment: Payment) -> bool:
    return cases.was_ever(subject=payment, kinds=(CASE, rows.REVERSED_CASE))


def _overdue_from(payment: Payment) -> datetime | None:
    """The moment from which on the money should be back; None where none can have left."""
    why = payment_failures.of(payment.failure_code, payment.failure_text, was_out=payment.was_out)
    if why.money == payment_failures.Money.STAYED:
        return None
    return datetime.combine(_clock(payment, payment.state_since).by + calendar.ONE_DAY, time.min, tzinfo=IST)


def _clock(payment: Payment, at: datetime) -> payment_failures.Clock:
    return payment_failures.clock(
        method=payment.method,
        failed_on=payment.state_since.astimezone(IST).date(),
        today=at.astimezone(IST).date(),
        holidays=scheme_queries.holidays(),
    )
