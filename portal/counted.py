"""Figures over a whole table: counted on the spot while it is small, else by a worker, and shown with their time.

    score = counted.Figure("orders.count_promises", "orders_mforder", _score)
    score.read(at)       # Found, or None while nobody has counted yet
    score.refresh(at)    # what the background task of that name does

A page must answer in the time of a page, however many rows there are; who counts them is asked for by whoever looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection

from portal import hints, jobs

# PostgreSQL counts so many rows within a page's time.
SMALL_ROWS = 20_000
# A figure is counted anew after a minute, and so seldom that a worker spends a twentieth of its time on it at most.
AGAIN_AFTER_S, SHARE = 60.0, 20
KEPT_S = 7 * 86_400.0


@dataclass(frozen=True)
class Found:
    """The rows of a figure, when they were counted, and how long that took."""

    rows: list[Any]
    at: datetime
    took_s: float = 0.0

    def is_old(self, at: datetime) -> bool:
        """Is it time to count again? Also where the sandbox's clock was set back."""
        again_after = timedelta(seconds=max(AGAIN_AFTER_S, SHARE * self.took_s))
        return not timedelta(0) <= at - self.at <= again_after


@dataclass(frozen=True)
class Figure:
    """`task` is the registered task that calls `refresh`; `table` tells how much there is to count."""

    task: str
    table: str
    count: Callable[[datetime], list[Any]]

    def __post_init__(self) -> None:
        _tables.add(self.table)

    def read(self, at: datetime) -> Found | None:
        """The figure now where that is quick; else as it was counted last, and a worker counts anew."""
        if _sizes(at).get(self.table, 0) < SMALL_ROWS:
            return Found(self.count(at), at)
        found: Found | None = hints.get(self.task)
        if (found is None or found.is_old(at)) and hints.first(f"{self.task}:asked", AGAIN_AFTER_S):
            jobs.nudge(self.task)
        return found

    def refresh(self, at: datetime) -> None:
        """Count, and keep it for whoever looks."""
        began = time.monotonic()
        rows = self.count(at)
        hints.put(self.task, Found(rows, at, time.monotonic() - began), KEPT_S)


# The tables of all figures: a page with several of them asks for their sizes once.
_tables: set[str] = set()


@lru_cache(maxsize=8)
def _sizes(at: datetime) -> dict[str, float]:
    """Rows of each table at this moment, as PostgreSQL estimated when it looked through the table last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples FROM pg_class WHERE relname = ANY(%s)", [sorted(_tables)])
        return dict(cursor.fetchall())
