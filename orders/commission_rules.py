"""Trail commission in arithmetic: which rate holds on a day, what a day brings, and what a month comes to.

    a day      units at its end x the NAV that held x per cent a year / 36,500; unrounded
    a month    the sum of its days, rounded half up once, to the paisa
    a rate     of the scheme, else of its category, else of the fund house; of these the newest that has begun

A leap year has 36,500 below the line like any other.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any, Protocol, TypeVar

from portal import money

# Days of a year, times a hundred for the per cent.
DIVISOR = 36_500
# Units, NAV and rate have eleven decimals together, so a sum lies on the half of a paisa, or further from it than this.
_EXACT = Decimal("1e-17")
# Digits of a product of the three columns, and of a division that loses nothing of it.
_DIGITS = 60


class Rate(Protocol):
    """What this module asks of a row of rates."""

    scheme_id: Any
    category: Any
    valid_from: Any


AnyRate = TypeVar("AnyRate", bound=Rate)


def rate_on(day: date, rates: Iterable[AnyRate]) -> AnyRate | None:
    """The rate that holds for a scheme on a day; `rates` are those of the scheme, its category and its fund house."""
    begun = [rate for rate in rates if rate.valid_from <= day]
    return max(begun, key=lambda rate: (rate.scheme_id is not None, rate.category != "", rate.valid_from), default=None)


def trail(*, units: Decimal, nav: Decimal, percent: Decimal) -> Decimal:
    """What one day brings, in rupees, unrounded."""
    with localcontext(prec=_DIGITS):
        return units * nav * percent / DIVISOR


def together(days: Iterable[Decimal | None]) -> Decimal:
    """What a month comes to: the sum of its days, rounded half up to the paisa. A day without an amount brings none."""
    with localcontext(prec=_DIGITS):
        # A part of 36,500 may have no end, and several may add up to a hair below half a paisa where half is exact.
        return money.to_paise(sum((each for each in days if each is not None), money.ZERO).quantize(_EXACT))


def last_day(month: date, *, upto: date | None = None) -> date:
    """The last day of the month that begins on `month`, or `upto` where that lies in it."""
    end = month.replace(day=monthrange(month.year, month.month)[1])
    return min(end, upto) if upto else end


def days_of(month: date, *, upto: date | None = None) -> Sequence[date]:
    """The days of a month, in order, up to and with `upto`."""
    return [month + timedelta(days=n) for n in range((last_day(month, upto=upto) - month).days + 1)]
