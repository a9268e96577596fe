"""Background entries of brokers: ids in, one operation."""

from __future__ import annotations

from datetime import datetime

import structlog
from celery import shared_task
from django.conf import settings

from brokers.operations import codes, journeys, linking
from brokers.operations import quotes as quote_calls
from orders.models import BasketOrder, Depth, Quote
from orders.operations import stock_news
from portal import clock, jobs
from portal.attempts import claim_due
from portal.errors import Failure
from portal.gateway.errors import GatewayError

log = structlog.get_logger(__name__)

SWEEP = "brokers"


def _find(at: datetime) -> list[int]:
    return claim_due(BasketOrder, at=at, pace=stock_news.PACE_S)


def _advance(order_id: int, at: datetime) -> None:
    journeys.advance(order_id=order_id, at=at)


jobs.register_sweep(SWEEP, jobs.Sweep(find=_find, advance=_advance, task="brokers.advance"))


@shared_task(name="brokers.advance")
def advance(*, row_id: int, **_: object) -> None:
    """Ask a broker what became of a journey."""
    jobs.advance(SWEEP, row_id, clock.now())


@shared_task(name="brokers.forget_sessions")
@jobs.singleton
def forget_sessions(**_: object) -> None:
    """Wipe the sessions at brokers whose day is over."""
    linking.forget_old(at=clock.now())


@shared_task(name="brokers.refresh_quotes")
def refresh_quotes(*, quotes: list[int], depths: list[int], investor_id: int | None = None, **_: object) -> None:
    """Ask for the prices that somebody's look has claimed."""
    quote_calls.refresh(asked={Quote: quotes, Depth: depths}, investor_id=investor_id, at=clock.now())


@shared_task(name="brokers.refresh_codes")
@jobs.singleton
def refresh_codes(**_: object) -> None:
    """Bring the brokers' codes up to today's master. What failed is tried again tomorrow, or by the command."""
    if "5paisa" not in settings.BROKERS:
        return
    try:
        codes.refresh(at=clock.now())
    except (GatewayError, Failure) as error:
        log.warning("codes_not_refreshed", error=str(error))
