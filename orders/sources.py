"""Files and lists of others: how each was read last, and on which days nothing came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Max, Q

from orders import calendar
from orders.models import FileRun, NavRun
from orders.operations import nav_fetch, navs
from orders.queries import schemes

NAVS = "navs"
# A day of the market has so many lines of the calendar.
CALENDAR_DAYS, GRID_DAYS = 30, 10


@dataclass(frozen=True)
class Source:
    """One file or list: who publishes it, which task reads it, and after how long without one somebody should look."""

    key: str
    label: str
    task: str
    late_after: timedelta
    # What it is for, and what a day without it means.
    words: str
    # The broker without which nobody reads it.
    broker: str = ""


_DAY = timedelta(days=1)
# AMFI and NSE publish on business days only; after a long weekend with holidays the newest is five days old.
_LONG_WEEKEND = 5 * _DAY
SOURCES = (
    Source(
        NAVS,
        "NAVs (AMFI)",
        "orders.ingest_navs",
        _LONG_WEEKEND,
        "Prices of all schemes, each evening. A day that is missing can be fetched.",
    ),
    Source(
        FileRun.Pipeline.SCHEMES,
        FileRun.Pipeline.SCHEMES.label,
        "orders.sync_schemes",
        2 * _DAY,
        "What can be bought, with its bounds. Each list is whole: a missing day needs nothing.",
    ),
    Source(
        FileRun.Pipeline.SHARES,
        FileRun.Pipeline.SHARES.label,
        "orders.sync_securities",
        2 * _DAY,
        "Shares, names and ISINs. Each list is whole: a missing day needs nothing.",
    ),
    Source(
        FileRun.Pipeline.CLOSES,
        FileRun.Pipeline.CLOSES.label,
        "orders.refresh_prices",
        _LONG_WEEKEND,
        "Only the newest close is kept: a day that is past needs nothing.",
    ),
    Source(
        FileRun.Pipeline.CODES,
        FileRun.Pipeline.CODES.label,
        "brokers.refresh_codes",
        2 * _DAY,
        "How brokers call a share. Each list is whole: a missing day needs nothing.",
        "5paisa",
    ),
)


@dataclass(frozen=True)
class Standing:
    """How a source stands: its newest good run, and the refusal that came after it."""

    source: Source
    at: datetime | None = None
    lines: int = 0
    changed: int = 0
    ignored: int = 0
    unreadable: int = 0
    refused_at: datetime | None = None
    refusal: str = ""

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Lines, what they changed, what was left out, what could not be read."""
        return self.lines, self.changed, self.ignored, self.unreadable

    def is_late(self, at: datetime) -> bool:
        """Should something have come by now?"""
        return self.at is None or at - self.at > self.source.late_after


def here() -> list[Source]:
    """The sources that are read in this installation."""
    return [each for each in SOURCES if not each.broker or each.broker in settings.BROKERS]


def source(key: str) -> Source | None:
    """The source of a key; None for one that there is not."""
    return next((each for each in here() if each.key == key), None)


def standings() -> list[Standing]:
    """How each of the sources stands, in their order."""
    good, refused = _newest(Q(refusal="")), _newest(~Q(refusal=""))
    return [
        _of_navs(each) if each.key == NAVS else _of_file(each, good.get(each.key), refused.get(each.key))
        for each in here()
    ]


def _newest(which: Q) -> dict[str, FileRun]:
    found = FileRun.objects.filter(which).order_by("pipeline", "-last_at").distinct("pipeline")
    return {run.pipeline: run for run in found}


def _of_file(its: Source, good: FileRun | None, refused: FileRun | None) -> Standing:
    values: dict[str, Any] = {}
    if good:
        values = {name: getattr(good, name) for name in ("lines", "changed", "ignored", "unreadable")}
        values["at"] = good.last_at
    if refused and (good is None or refused.last_at > good.last_at):
        values |= {"refused_at": refused.last_at, "refusal": refused.refusal}
    return Standing(its, **values)


def _of_navs(its: Source) -> Standing:
    """Of the day's file; the history that fills gaps is no sign of life of it."""
    daily = NavRun.objects.filter(source__startswith=f"{navs.DAILY} ").order_by("-started_at")
    good = daily.filter(finished_at__isnull=False).first()
    # A file that is none at all was not recognised as one of a day.
    refused = NavRun.objects.filter(finished_at__isnull=True).order_by("-started_at").first()
    values: dict[str, Any] = {}
    if good:
        left_out = good.lines - good.accepted - good.unreadable
        values = {"at": good.finished_at, "lines": good.lines, "changed": good.changed}
        values |= {"unreadable": good.unreadable, "ignored": max(left_out, 0)}
    if refused and (good is None or refused.started_at > good.started_at):
        why = refused.bad_lines[0]["why"] if refused.bad_lines else ""
        values |= {"refused_at": refused.started_at, "refusal": why}
    return Standing(its, **values)


# --- Days -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NavDay:
    """A business day and how many NAVs of it are held; `usual` is what the fullest of the days has."""

    on: date
    held: int
    usual: int

    @property
    def is_missing(self) -> bool:
        """Nobody's NAV is held."""
        return self.held == 0

    @property
    def is_whole(self) -> bool:
        """Nine schemes in ten have theirs; the others have not published, or have ended."""
        return not self.is_missing and self.held >= nav_fetch.ENOUGH * self.usual


def business_days(at: datetime, many: int = CALENDAR_DAYS) -> list[date]:
    """The last business days whose files should be there, newest first."""
    holidays = schemes.holidays()
    days = [nav_fetch.expected_on(at, holidays)]
    while len(days) < many:
        days.append(calendar.previous_business_day(days[-1], holidays))
    return days


def nav_days(days: list[date]) -> list[NavDay]:
    """How many NAVs are held of each of these days; days before the first file of a day was taken in are left out."""
    first = NavRun.objects.filter(source__startswith=f"{navs.DAILY} ", newest_on__isnull=False).order_by("started_at")
    begins = first.values_list("newest_on", flat=True).first()
    asked = [day for day in days if begins and day >= begins]
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [asked])
        held: Mapping[date, int] = dict(cursor.fetchall())
    usual = max(held.values(), default=0)
    return [NavDay(day, held.get(day, 0), usual) for day in asked]


_HELD = 'SELECT "on", count(*) FROM orders_nav WHERE "on" = ANY(%s::date[]) GROUP BY "on"'


def read_days(days: list[date]) -> dict[tuple[str, date], datetime]:
    """(source, day) -> when the file was last taken in; a file about a day counts for that day."""
    runs = FileRun.objects.filter(refusal="", read_on__gte=min(days))
    found = runs.order_by().values_list("pipeline", "read_on", "about_on").annotate(last=Max("last_at"))
    return {(pipeline, about_on or read_on): last for pipeline, read_on, about_on, last in found}


def fetchable(text: str, at: datetime) -> date | None:
    """The day of the calendar that a form names; None for any other text."""
    return next((day for day in business_days(at) if day.isoformat() == text), None)
