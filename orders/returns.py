"""Arithmetic of what is held: value, gain, day change, XIRR. Pure: values in, values out.

    value        units x NAV, rounded half up to the paisa, holding by holding
    gain         value - what the units still held have cost (stamp duty included: it was paid)
    day change   units x (NAV - the NAV before it)
    XIRR         the yearly rate at which every rupee that went in has grown to the value (Excel's XIRR, 365-day years)

Money is Decimal. Only the solver of the XIRR works in floats: a rate is no money, and it is rounded on its way out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

import pyxirr

from orders import calendar
from portal import money
from portal.clock import IST

# NAVs of a business day come out that evening, stragglers (overseas funds, funds of funds) the next morning by ten
# (SEBI circular of 20 Sep 2019 on uploading of NAVs; AMFI's page).
STRAGGLERS_ARE_IN_BY = time(10, 0)
A_YEAR = timedelta(days=365)
# Beyond this a yearly rate is only the echo of a short time.
READABLE_PERCENT = Decimal(1000)

# Beyond this the figure has more digits than a Decimal rounds; a day of luck, compounded for a year, says nothing.
NO_RATE_BEYOND = 1e12


class NoRate(StrEnum):
    """Why there is no XIRR."""

    NOTHING = "NOTHING"
    SAME_DAY = "SAME_DAY"
    ONE_SIDED = "ONE_SIDED"
    UNSOLVED = "UNSOLVED"


@dataclass(frozen=True)
class Rate:
    """A yearly return in percent and the days it rests on, or why there is none."""

    percent: Decimal | None
    days: int = 0
    why_not: NoRate | None = None

    @property
    def is_young(self) -> bool:
        """Less than a year old: shown, with a caveat."""
        return self.percent is not None and self.days < A_YEAR.days


def percent_of(part: Decimal, whole: Decimal) -> Decimal | None:
    """`part` in percent of `whole`; None when there is no whole."""
    return part / whole * 100 if whole > 0 else None


def newest_nav_due(at: datetime, holidays: frozenset[date]) -> date:
    """The newest business day whose NAV must be out at `at`: yesterday's, and before ten the one before it."""
    local = at.astimezone(IST)
    day = local.date() if local.time() >= STRAGGLERS_ARE_IN_BY else local.date() - calendar.ONE_DAY
    return calendar.previous_business_day(day, holidays)


def xirr(flows: Iterable[tuple[date, Decimal]]) -> Rate:
    """The yearly rate of `flows`: what went in is negative, what came out and what is there now is positive.

    Flows of one day are added first, so a purchase that was reversed the same day leaves no trace.
    """
    by_day: dict[date, Decimal] = {}
    for on, amount in flows:
        by_day[on] = by_day.get(on, money.ZERO) + amount
    by_day = {on: amount for on, amount in by_day.items() if amount}
    if not by_day:
        return Rate(None, why_not=NoRate.NOTHING)
    days = (max(by_day) - min(by_day)).days
    if not days:
        return Rate(None, why_not=NoRate.SAME_DAY)
    if min(by_day.values()) > 0 or max(by_day.values()) < 0:
        return Rate(None, days, NoRate.ONE_SIDED)
    rate = pyxirr.xirr(list(by_day), [float(amount) for amount in by_day.values()], silent=True)
    if rate is None or not math.isfinite(rate) or abs(rate) > NO_RATE_BEYOND:
        return Rate(None, days, NoRate.UNSOLVED)
    return Rate(money.to_paise(Decimal(repr(rate)) * 100), days)
