"""The one clock of the world, business days, and the durations people advance it by.

The world's time is real time plus an offset; advancing changes the offset. Times inside are seconds since the epoch.
"""

from __future__ import annotations

import bisect
import csv
import datetime as dt
import re
import time
from functools import cache, lru_cache
from pathlib import Path

IST = dt.timezone(dt.timedelta(hours=5, minutes=30))
DATA = Path(__file__).with_name("data")
DAY_S = 86_400
DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
CALENDAR_START = dt.date(2000, 1, 3)
CALENDAR_DAYS = 14_000


def real_now() -> float:
    """Real seconds since the epoch."""
    return time.time()


def parse_duration(text: str) -> float:
    """Seconds of an ISO-8601 duration such as `P1D` or `PT1H30M`; raises ValueError."""
    hit = DURATION.fullmatch(text.strip().upper())
    if not hit or not any(hit.groups()):
        raise ValueError(f"{text!r} is not a duration such as P1D or PT1H")
    return dt.timedelta(**{unit: float(n) for unit, n in hit.groupdict().items() if n}).total_seconds()


def parse_moment(text: str) -> float:
    """Epoch seconds of an ISO-8601 moment; without a zone it is Indian time. Raises ValueError."""
    moment = dt.datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=IST)).timestamp()


def ist(moment: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(moment, IST)


def at_ist(day: dt.date, hour: int, minute: int = 0) -> float:
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=IST).timestamp()


@cache
def holidays() -> frozenset[dt.date]:
    """Weekdays on which the exchange is closed; past the last listed year only the fixed national days."""
    with open(DATA / "nse_holidays_2017_2026.csv", encoding="utf-8") as file:
        listed = {dt.date.fromisoformat(row["date"]) for row in csv.DictReader(file)}
    fixed = [(1, 26), (5, 1), (8, 15), (10, 2), (12, 25)]
    later = {dt.date(year, m, d) for year in range(max(listed).year + 1, 2041) for m, d in fixed}
    return frozenset(listed | later)


@lru_cache(maxsize=20_000)
def is_business_day(day: dt.date) -> bool:
    return day.weekday() < 5 and day not in holidays()


def next_business_day(day: dt.date) -> dt.date:
    """The first business day after `day`."""
    day += dt.timedelta(days=1)
    while not is_business_day(day):
        day += dt.timedelta(days=1)
    return day


def business_day_on_or_before(day: dt.date) -> dt.date:
    while not is_business_day(day):
        day -= dt.timedelta(days=1)
    return day


def business_day_on_or_after(day: dt.date) -> dt.date:
    while not is_business_day(day):
        day += dt.timedelta(days=1)
    return day


def previous_business_day(day: dt.date) -> dt.date:
    return business_day_on_or_before(day - dt.timedelta(days=1))


@cache
def _calendar() -> list[dt.date]:
    days = (CALENDAR_START + dt.timedelta(days=n) for n in range(CALENDAR_DAYS))
    return [day for day in days if is_business_day(day)]


def business_index(day: dt.date) -> int:
    """How many business days lie between the start of the calendar and `day` (the last one on or before it)."""
    return bisect.bisect_right(_calendar(), day) - 1


def last_published_day(moment: float) -> dt.date:
    """The latest calendar day whose NAVs are published: AMFI's file is complete at 23:00 Indian time."""
    now = ist(moment)
    return now.date() if now.hour >= 23 else now.date() - dt.timedelta(days=1)


def last_nav_day(moment: float) -> dt.date:
    """The latest business day whose NAVs are published."""
    return business_day_on_or_before(last_published_day(moment))
