"""Background entries of brokers: ids in, one operation."""

from __future__ import annotations

from datetime import datetime

import structlog
from celery import shared_task
from django.conf import settings

from brokers.operations import changes, codes, holdings, journeys, linking, placing
from brokers.operations import quotes as quote_calls
from orders import lifecycle
from orders.models import BasketOrder, Depth, Quote, StockChange, StockOrder
from orders.operations import stock_changes, stock_news
from portal import clock, jobs
from portal.attempts import claim_due
from portal.errors import Failure
from portal.gateway.errors import GatewayError

log = structlog.get_logger(__name__)

SWEEP, LINES, CHANGES = "brokers", "broker_lines", "broker_changes"
# A due share that nobody could do anything about comes back so many seconds later.
LINE_PACE_S = {lifecycle.PENDING: 30.0}


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


@shared_task(name="brokers.refresh_holdings")
def refresh_holdings(*, investor_id: int, **_: object) -> None:
    """Ask an investor's brokers what they hold: their page of shares is open."""
    holdings.refresh(investor_id=investor_id, at=clock.now())


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


# --- Shares that we place ourselves -----------------------------------------------------------------------------------


def _find_lines(at: datetime) -> list[int]:
    return claim_due(StockOrder, at=at, pace=LINE_PACE_S)


def _advance_line(line_id: int, at: datetime) -> None:
    # The sweep may run ahead of the clock; the shares after the first one take their time.
    placing.advance(line_id=line_id, now=lambda: max(at, clock.now()))


jobs.register_sweep(LINES, jobs.Sweep(find=_find_lines, advance=_advance_line, task="brokers.line"))


def _find_changes(at: datetime) -> list[int]:
    return claim_due(StockChange, at=at, pace=stock_changes.PACE_S)


def _advance_change(change_id: int, at: datetime) -> None:
    changes.advance(change_id=change_id, at=at)


jobs.register_sweep(CHANGES, jobs.Sweep(find=_find_changes, advance=_advance_change, task="brokers.change"))


@shared_task(name="brokers.place")
def place(*, row_id: int, **_: object) -> None:
    """Place the shares of a journey, one after the other, then read what became of them."""
    placing.place_all(order_id=row_id, now=clock.now)
    jobs.nudge("brokers.advance", row_id=row_id, delay_s=1)


@shared_task(name="brokers.line")
def line(*, row_id: int, **_: object) -> None:
    """Look up a share whose answer was lost, or go on placing."""
    jobs.advance(LINES, row_id, clock.now())


@shared_task(name="brokers.change")
def change(*, row_id: int, **_: object) -> None:
    """Send an instruction about an open share, or look up what became of it."""
    jobs.advance(CHANGES, row_id, clock.now())
