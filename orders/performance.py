"""Returns of a fund from its NAVs. Pure.

One year is the plain change; longer periods are compounded per year, over years of 365 days (SEBI's advertisement code
for mutual funds: returns of more than a year as CAGR). A period is left out unless there is a NAV at both ends: the
beginning may fall on a day off, so the last NAV within a week before it counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

PERIODS = (1, 3, 5)
NEAR = timedelta(days=7)
YEAR_DAYS = Decimal(365)
HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Return:
    """What a NAV did between two days, in percent: in all for one year, per year for more."""

    years: int
    percent: Decimal
    from_on: date
    to_on: date


def years_before(day: date, years: int) -> date:
    """The same date `years` earlier; 29 February becomes 28 February."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def returns(series: Sequence[tuple[date, Decimal]]) -> list[Return]:
    """The returns up to the last NAV of `series` (by date, ascending) for every period that it covers."""
    if not series:
        return []
    days = [day for day, _ in series]
    to_on, last = series[-1]
    found = []
    for years in PERIODS:
        wanted = years_before(to_on, years)
        place = bisect_right(days, wanted) - 1
        if place < 0 or wanted - days[place] > NEAR or not series[place][1]:
            continue
        from_on, first = series[place]
        growth = last / first
        if years > 1:
            growth **= YEAR_DAYS / Decimal((to_on - from_on).days)
        found.append(Return(years, (growth - 1) * HUNDRED, from_on, to_on))
    return found
