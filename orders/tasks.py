"""Background entries of orders: ids in, one operation."""

from __future__ import annotations

from datetime import datetime

import structlog
from celery import shared_task

from orders.models import MfOrder
from orders.operations import nav_fetch, navs, news, notices, schemes, sending
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


@shared_task(name="orders.ingest_navs")
@jobs.singleton
def ingest_navs(**_: object) -> None:
    """Take in AMFI's newest file, if something is missing. A file that was refused is a case already."""
    now = clock.now()
    try:
        if nav_fetch.is_due(at=now):
            nav_fetch.fetch_day(at=now)
    except (GatewayError, navs.NavFileRefused) as error:
        log.warning("navs_not_fetched", error=str(error))


@shared_task(name="orders.fetch_nav_history")
def fetch_nav_history(*, amfi_code: int, **_: object) -> None:
    """Fetch the past of one scheme, for its chart."""
    try:
        nav_fetch.fetch_past(amfi_code=amfi_code, at=clock.now())
    except (GatewayError, navs.NavFileRefused) as error:
        log.warning("nav_history_not_fetched", amfi_code=amfi_code, error=str(error))


@shared_task(name="orders.sync_schemes")
@jobs.singleton
def sync_schemes(**_: object) -> None:
    """Bring fund houses and schemes up to FP's list. What failed today is tried again tomorrow, or by the command."""
    try:
        schemes.sync(at=clock.now())
    except (GatewayError, schemes.SyncIncomplete) as error:
        log.warning("schemes_not_synced", error=str(error))


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
