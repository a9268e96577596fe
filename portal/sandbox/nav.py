"""NAVs: real on the AMFI days, a seeded random walk between and after them.

The NAV is a pure function of scheme and day. Each scheme moves with its market (equity, rates, gold, overseas), with
its family (all plans of one scheme) and with a steady drift; between two real days the walk is a bridge that meets
both. The walk is built by halving intervals, so any day costs about fourteen draws and none depends on another.
On days off liquid and overnight funds have a NAV too, on the straight way from the business day before to that after.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from hashlib import blake2b

from .clock import (
    business_day_on_or_before,
    business_index,
    is_business_day,
    last_published_day,
    next_business_day,
)
from .schemes import FundScheme, Listing, listings

BASE_DAY = dt.date(2025, 5, 26)
TRADING_DAYS = 247
LEVELS = 14
# words in AMFI's section line: market, yearly volatility and drift, share of the movement that is the market's
TEMPERS: tuple[tuple[str, tuple[str, float, float, float]], ...] = (
    ("Overnight", ("rates", 0.0002, 0.062, 0.2)), ("Liquid", ("rates", 0.0005, 0.066, 0.3)),
    ("Money Market", ("rates", 0.001, 0.069, 0.4)), ("Ultra Short", ("rates", 0.0015, 0.069, 0.5)),
    ("Low Duration", ("rates", 0.003, 0.070, 0.6)), ("Floater", ("rates", 0.008, 0.072, 0.7)),
    ("Floating", ("rates", 0.008, 0.07, 0.7)),
    ("Gilt", ("rates", 0.035, 0.070, 0.9)), ("Long Duration", ("rates", 0.045, 0.070, 0.9)),
    ("Dynamic Bond", ("rates", 0.028, 0.071, 0.8)),
    ("Credit Risk", ("rates", 0.018, 0.078, 0.4)), ("Debt Scheme", ("rates", 0.014, 0.072, 0.8)),
    ("Income", ("rates", 0.014, 0.07, 0.8)),
    ("Arbitrage", ("equity", 0.006, 0.067, 0.1)), ("Equity Savings", ("equity", 0.05, 0.085, 0.8)),
    ("Conservative", ("equity", 0.04, 0.080, 0.7)), ("Dynamic Asset", ("equity", 0.08, 0.10, 0.9)),
    ("Multi Asset", ("equity", 0.085, 0.11, 0.8)), ("Hybrid Scheme", ("equity", 0.11, 0.11, 0.9)),
    ("Solution Oriented", ("equity", 0.10, 0.10, 0.9)), ("Gold", ("gold", 0.14, 0.11, 0.99)),
    ("Overseas", ("overseas", 0.17, 0.11, 0.7)),
    ("Small Cap", ("equity", 0.19, 0.14, 0.75)), ("Mid Cap", ("equity", 0.17, 0.13, 0.85)),
    ("Sectoral", ("equity", 0.19, 0.12, 0.65)),
    ("Index Funds", ("equity", 0.15, 0.115, 0.95)), ("ETF", ("equity", 0.15, 0.115, 0.95)),
    ("", ("equity", 0.15, 0.12, 0.9)),
)  # fmt: skip


def _draw(seed: bytes, point: int) -> float:
    """A bell-shaped number of mean 0 and variance 1: four uniform ones added."""
    bits = int.from_bytes(blake2b(point.to_bytes(4, "big"), digest_size=8, key=seed).digest(), "big")
    total = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
    return (total / 65535 - 2) * math.sqrt(3)


@lru_cache(maxsize=100_000)
def walk(name: str, index: int) -> float:
    """A random walk of unit daily variance at business day `index`."""
    seed = name.encode()[-64:]
    low, high, at_low = 0, 1 << LEVELS, 0.0
    at_high = _draw(seed, high) * math.sqrt(high)
    while low < index < high:
        middle = (low + high) // 2
        value = (at_low + at_high) / 2 + _draw(seed, middle) * math.sqrt(high - low) / 2
        if index < middle:
            high, at_high = middle, value
        else:
            low, at_low = middle, value
    return at_low if index <= low else at_high


def _temper(listing: Listing) -> tuple[str, float, float, float]:
    market, volatility, drift, share = next(t for word, t in TEMPERS if word in listing.section)
    name = listing.name.lower()
    if market == "rates" and "daily" in name and ("idcw" in name or "dividend" in name):
        return market, 0.0, 0.0, share
    if "direct" in name:
        drift += 0.003 if market == "rates" else 0.007
    return market, volatility, drift, share


def _path(listing: Listing, index: int) -> float:
    """Logarithm of the scheme's free path; only differences of it mean anything."""
    market, volatility, drift, share = _temper(listing)
    own = math.sqrt(1 - share * share)
    moved = share * walk(f"market {market}", index) + own * walk(f"family {listing.family}", index)
    return drift * index / TRADING_DAYS + volatility / math.sqrt(TRADING_DAYS) * moved


def _known_days(listing: Listing) -> list[tuple[int, float]]:
    known = [(business_index(day), math.log(float(nav))) for day, nav in listing.anchors if day < listing.nav_day]
    return [*known, (business_index(listing.nav_day), math.log(float(listing.nav)))]


def _logarithm(listing: Listing, index: int) -> float:
    known = _known_days(listing)
    after = next((n for n, (day, _) in enumerate(known) if index < day), len(known))
    if 0 < after < len(known):
        (d0, v0), (d1, v1) = known[after - 1], known[after]
        part = (index - d0) / (d1 - d0)
        bend = _path(listing, index) - (1 - part) * _path(listing, d0) - part * _path(listing, d1)
        return v0 + part * (v1 - v0) + bend
    day, value = known[min(after, len(known) - 1)]
    return value + _path(listing, index) - _path(listing, day)


def _logarithm_on(listing: Listing, day: dt.date) -> float:
    value = _logarithm(listing, business_index(day))
    if is_business_day(day) or not listing.every_day:
        return value
    before, after = business_day_on_or_before(day), next_business_day(day)
    return value + (_logarithm(listing, business_index(after)) - value) * ((day - before) / (after - before))


def nav(listing: Listing, day: dt.date) -> str | None:
    """The NAV of `day` as AMFI would print it; None before the launch, or after the end of a scheme that is no more."""
    if not listing.live:
        return listing.nav if day >= listing.nav_day else None
    if listing.launched and day < listing.launched:
        return None
    if day == listing.nav_day or (not listing.every_day and business_index(day) == business_index(listing.nav_day)):
        return listing.nav
    places = max(len(listing.nav.partition(".")[2]), 2)
    quantum = Decimal(1).scaleb(-places)
    return str(Decimal(math.exp(_logarithm_on(listing, day))).quantize(quantum, ROUND_HALF_UP))


@lru_cache(maxsize=len(listings()))
def lag(listing: Listing) -> int:
    """Business days by which the scheme's NAV comes after the others' (funds of overseas funds)."""
    return max(0, business_index(BASE_DAY) - business_index(listing.nav_day)) if listing.live else 0


def day_before(day: dt.date, business_days: int) -> dt.date:
    """The business day `business_days` before `day` (0: the last one on or before it)."""
    from .clock import _calendar

    return _calendar()[business_index(day) - business_days]


def day_shown(listing: Listing, day: dt.date) -> dt.date:
    """The day of the newest NAV of a scheme when the file of calendar day `day` is out."""
    return day if listing.every_day else day_before(day, lag(listing))


def latest(scheme: FundScheme, moment: float) -> tuple[dt.date, Decimal]:
    """Day and value of the last NAV published by `moment` of the world's clock."""
    listing = scheme.listing
    if not listing.live:
        return listing.nav_day, Decimal(listing.nav if listing.nav[0].isdigit() else "0")
    day = day_shown(listing, last_published_day(moment))
    return day, on_day(scheme, day)


def on_day(scheme: FundScheme, day: dt.date) -> Decimal:
    """NAV of a day; of the business day before a day off, unless the scheme has one for each day."""
    value = nav(scheme.listing, day)
    return Decimal(value if value and value[0].isdigit() else "0")
