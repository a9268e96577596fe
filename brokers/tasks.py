"""Background entries of brokers: ids in, one operation."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task

from brokers.operations import journeys, linking
from orders.models import BasketOrder
from orders.operations import stock_news
from portal import clock, jobs
from portal.attempts import claim_due

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
