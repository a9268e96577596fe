"""By when a person must have looked at a case, and by when it must be settled: one row per kind of case.

    money_not_moving     15 minutes      4 hours           money has left, and its NAV day goes by
    investor_asks        1 working day   5 working days    SEBI gives 21 days

The rows are `data/case_terms.csv`, each with the rule that it comes from, or `ours`. Minutes and hours run day and
night, because money does; a working day ends at six in the evening, and the day of the opening does not count. A case
keeps both moments from when it opens (`portal/models.py`): another row of the table changes no clock that runs.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

from portal.clock import IST

SOURCE = Path(__file__).resolve().parent / "data" / "case_terms.csv"
DAY_ENDS = time(18)
SATURDAY = 5
ONE_DAY = timedelta(days=1)
_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_holidays: list[Callable[[], frozenset[date]]] = []


@dataclass(frozen=True)
class Within:
    """A length of time as it is written: `15 minutes`, `1 working day`."""

    count: int
    unit: str

    @classmethod
    def read(cls, words: str) -> Within:
        """Raises ValueError for other words than minutes, hours and working days."""
        count, _, unit = words.partition(" ")
        unit = unit.removesuffix("s")
        if unit not in (*_LENGTHS, "working day"):
            raise ValueError(words)
        return cls(int(count), unit)

    def after(self, at: datetime) -> datetime:
        """The moment at which it is over."""
        if length := _LENGTHS.get(self.unit):
            return at + self.count * length
        return datetime.combine(_working_day(at.astimezone(IST).date(), self.count), DAY_ENDS, tzinfo=IST)


class Term(NamedTuple):
    """What one kind of case asks for, and by which rule."""

    look: Within
    settle: Within
    source: str


def _read() -> dict[str, Term]:
    with SOURCE.open(encoding="utf-8") as lines:
        return {
            row["kind"]: Term(Within.read(row["look_within"]), Within.read(row["settle_within"]), row["source"])
            for row in csv.DictReader(lines)
        }


TERMS = _read()
# A kind that nobody has written down is looked at soon; a test finds it before that (`tests/ops/test_case_terms.py`).
NOT_WRITTEN = Term(Within(15, "minute"), Within(4, "hour"), "")


def of(kind: str) -> Term:
    """What a kind of case asks for."""
    return TERMS.get(kind, NOT_WRITTEN)


def moments(kind: str, opened_at: datetime) -> tuple[datetime, datetime]:
    """(to be looked at by, to be settled by)."""
    term = of(kind)
    return term.look.after(opened_at), term.settle.after(opened_at)


def closed_on(holidays: Callable[[], frozenset[date]]) -> None:
    """From now on these days are no working days either. The app that keeps the list says so; the kernel has none."""
    _holidays[:] = [holidays]


def _working_day(day: date, count: int) -> date:
    closed = _holidays[0]() if _holidays else frozenset()
    while count:
        day += ONE_DAY
        count -= day.weekday() < SATURDAY and day not in closed
    return day
