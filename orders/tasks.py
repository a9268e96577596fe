"""Background entries of orders: ids in, one operation."""

from __future__ import annotations

from datetime import datetime

import structlog
from celery import shared_task

from orders.models import MfOrder
from orders.operations import news, notices, sending
from portal import clock, gates, jobs
from portal.attempts import claim_due
from portal.gateway.errors import GatewayError

log = structlog.get_logger(__name__)


@shared_task(name="orders.submit")
def submit(*, order_id: int, **_: object) -> None:
    """Send a placed order to FP."""
    _advance(order_id, clock.now())


@shared_task(name="orders.settle")
def settle(*, order_id: int, **_: object) -> None:
    """Look up an order whose outcome is unknown."""
    _advance(order_id, clock.now())


@shared_task(name="orders.refresh")
def refresh(*, order_id: int, **_: object) -> None:
    """Ask FP what it says about an order now."""
    _advance(order_id, clock.now())


@shared_task(name="orders.tell_allotted")
def tell_allotted(*, order_id: int, **_: object) -> None:
    """Write to the investor that the units are there, once."""
    notices.tell_allotted(order_id=order_id, at=clock.now())


@shared_task(name="orders.poll")
@jobs.singleton
def poll(**_: object) -> None:
    """Compare every open order with FP's list."""
    try:
        sending.poll(at=clock.now())
    except GatewayError as error:
        log.warning("poll_failed", error=str(error))


@jobs.sweep("orders")
def sweep(at: datetime) -> int:
    """Advance every order that is due."""
    due = claim_due(MfOrder, at=at, pace=news.PACE_S)
    for order_id in due:
        _advance(order_id, at)
    return len(due)


def _advance(order_id: int, at: datetime) -> None:
    """One order; trouble with the provider is logged, and the row comes back when it is due."""
    try:
        sending.advance(order_id=order_id, at=at)
    except (GatewayError, gates.GateClosed) as error:
        log.warning("order_not_advanced", order=order_id, error=str(error))
