"""Background entries of orders: ids in, one operation."""

from __future__ import annotations

from datetime import date, datetime

import structlog
from celery import shared_task

from orders import approval_tasks as approval_tasks
from orders import audiences as audiences
from orders import case_words as case_words
from orders import commission_tasks as commission_tasks
from orders import personal  # noqa: F401 - it registers what orders know about keeping and erasing
from orders import plan_tasks as plan_tasks
from orders import statement_tasks as statement_tasks
from orders.models import MfOrder
from orders.operations import (
    missing,
    nav_fetch,
    navs,
    news,
    schemes,
    securities,
    sending,
    stock_arrivals,
    syncing,
    version_notices,
)
from orders.queries import plans, promises
from orders.queries.schemes import holidays
from portal import case_terms, clock, jobs
from portal.attempts import claim_due
from portal.errors import Failure
from portal.gateway.errors import GatewayError

log = structlog.get_logger(__name__)

case_terms.closed_on(holidays)
SWEEP = "orders"


def _find(at: datetime) -> list[int]:
    return claim_due(MfOrder, at=at, pace=news.PACE_S)


def _advance(order_id: int, at: datetime) -> None:
    sending.advance(order_id=order_id, at=at)


jobs.register_sweep(SWEEP, jobs.Sweep(find=_find, advance=_advance, task="orders.advance"))


@shared_task(name="orders.advance")
def advance(*, row_id: int, **_: object) -> None:
    """Do what the row of an order says remains to be done: send it, look it up, or ask FP what it says now."""
    jobs.advance(SWEEP, row_id, clock.now())


@shared_task(name="orders.poll")
@jobs.singleton
def poll(**_: object) -> None:
    """Compare open orders with FP's list: the newest each time, all of them every ten minutes or so."""
    try:
        syncing.poll(at=clock.now())
    except GatewayError as error:
        log.warning("poll_failed", error=str(error))


@shared_task(name="orders.ingest_navs")
@jobs.singleton
def ingest_navs(*, asked: bool = False, **_: object) -> None:
    """Take in AMFI's newest file, if something is missing or somebody asked. A refused file is a case already."""
    now = clock.now()
    try:
        if asked or nav_fetch.is_due(at=now):
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


@shared_task(name="orders.fetch_nav_day")
@jobs.singleton
def fetch_nav_day(*, on: str, **_: object) -> None:
    """Fetch all NAVs of one day from AMFI's history."""
    day = date.fromisoformat(on)
    try:
        navs.fetch_history(first=day, last=day, codes=frozenset(), at=clock.now())
    except (GatewayError, navs.NavFileRefused) as error:
        log.warning("nav_day_not_fetched", on=on, error=str(error))


@shared_task(name="orders.sync_schemes")
@jobs.singleton
def sync_schemes(**_: object) -> None:
    """Bring fund houses and schemes up to FP's list. What failed today is tried again tomorrow, or by the command."""
    try:
        schemes.sync(at=clock.now())
    except (GatewayError, schemes.SyncIncomplete) as error:
        log.warning("schemes_not_synced", error=str(error))


@shared_task(name="orders.sync_securities")
@jobs.singleton
def sync_securities(**_: object) -> None:
    """Bring shares up to NSE's list. What failed today is tried again tomorrow, or by the command."""
    try:
        securities.sync(at=clock.now())
    except (GatewayError, Failure) as error:
        log.warning("securities_not_synced", error=str(error))


@shared_task(name="orders.tell_of_versions")
@jobs.singleton
def tell_of_versions(**_: object) -> None:
    """Tell those who follow a basket of its newest version, or that it is no longer offered."""
    version_notices.tell(at=clock.now())
    version_notices.tell_of_ends(at=clock.now())


@shared_task(name="orders.remind_of_arrivals")
@jobs.singleton
def remind_of_arrivals(**_: object) -> None:
    """Remind those whose shares should be in their demat account by now (T+1), or whose order lacks something."""
    stock_arrivals.remind(at=clock.now())
    missing.remind(at=clock.now())


@shared_task(name="orders.refresh_prices")
@jobs.singleton
def refresh_prices(**_: object) -> None:
    """Take in NSE's newest closing prices, if we have not got them."""
    try:
        securities.refresh_prices(at=clock.now())
    except (GatewayError, Failure) as error:
        log.warning("prices_not_refreshed", error=str(error))


@shared_task(name=promises.score.task)
@jobs.singleton
def count_promises(**_: object) -> None:
    """How many of the last weeks' promises were kept, for the first page of operations."""
    promises.score.refresh(clock.now())


@shared_task(name=plans.book.task)
@jobs.singleton
def count_plans(**_: object) -> None:
    """The SIP book in three numbers, for the first page of operations."""
    plans.book.refresh(clock.now())
