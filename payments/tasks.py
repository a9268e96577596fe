"""Background entries of payments: ids in, one operation."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task

from payments import case_words as case_words
from payments import operations
from payments.models import Payment
from payments.operations import watching
from portal import clock, jobs
from portal.attempts import claim_due


@shared_task(name="payments.start")
def start(*, order_id: int, again: bool = False, method: str = "", **_: object) -> None:
    """Start collecting money for an order that waits for it."""
    operations.start(order_id=order_id, at=clock.now(), again=again, method=method)


SWEEP = "payments"


def _find(at: datetime) -> list[int]:
    for order_id in operations.orders_without_payment():
        operations.start(order_id=order_id, at=at)
    return claim_due(Payment, at=at, pace=operations.PACE_S)


def _advance(payment_id: int, at: datetime) -> None:
    operations.advance(payment_id=payment_id, at=at)


jobs.register_sweep(SWEEP, jobs.Sweep(find=_find, advance=_advance, task="payments.advance"))


@shared_task(name="payments.advance")
def advance(*, row_id: int, **_: object) -> None:
    """Do what the row of a payment says remains to be done: have its page made, look it up, or ask FP."""
    jobs.advance(SWEEP, row_id, clock.now())


@shared_task(name="payments.refresh_of_order")
def refresh_of_order(*, order_id: int, **_: object) -> None:
    """Ask FP about the newest payment of an order that somebody is looking at."""
    payment = operations.newest(order_id)
    if payment:
        jobs.advance(SWEEP, payment.pk, clock.now())


@shared_task(name="payments.watch_money")
@jobs.singleton
def watch_money(**_: object) -> None:
    """Money that stands still becomes a case before its owner writes to us."""
    watching.watch(clock.now())
