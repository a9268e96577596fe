"""Background entries of payments: ids in, one operation."""

from __future__ import annotations

from datetime import datetime

import structlog
from celery import shared_task

from payments import operations
from payments.models import Payment
from portal import clock, gates, jobs
from portal.attempts import claim_due
from portal.gateway.errors import GatewayError

log = structlog.get_logger(__name__)


@shared_task(name="payments.start")
def start(*, order_id: int, again: bool = False, **_: object) -> None:
    """Start collecting money for an order that waits for it."""
    operations.start(order_id=order_id, at=clock.now(), again=again)


@shared_task(name="payments.open")
def open_page(*, payment_id: int, **_: object) -> None:
    """Have FP make the page on which the investor pays."""
    _advance(payment_id, clock.now())


@shared_task(name="payments.settle")
def settle(*, payment_id: int, **_: object) -> None:
    """Look up a payment whose start has an unknown outcome."""
    _advance(payment_id, clock.now())


@shared_task(name="payments.refresh")
def refresh(*, payment_id: int, **_: object) -> None:
    """Ask FP what it says about a payment now."""
    _advance(payment_id, clock.now())


@shared_task(name="payments.refresh_of_order")
def refresh_of_order(*, order_id: int, **_: object) -> None:
    """Ask FP about the newest payment of an order that somebody is looking at."""
    payment = operations.newest(order_id)
    if payment:
        _advance(payment.pk, clock.now())


@jobs.sweep("payments")
def sweep(at: datetime) -> int:
    """Advance every payment that is due, and start the ones whose nudge was lost."""
    for order_id in operations.orders_without_payment():
        operations.start(order_id=order_id, at=at)
    due = claim_due(Payment, at=at, pace=operations.PACE_S)
    for payment_id in due:
        _advance(payment_id, at)
    return len(due)


def _advance(payment_id: int, at: datetime) -> None:
    """One payment; trouble with the provider is logged, and the row comes back when it is due."""
    try:
        operations.advance(payment_id=payment_id, at=at)
    except (GatewayError, gates.GateClosed) as error:
        log.warning("payment_not_advanced", payment=payment_id, error=str(error))
