"""The walk of share prices: a pure function of scrip and day.

The closes of a scrip walk round its base close on a path that comes back to where it began, so it never runs away.
Within a day the price walks from the open to that day's close in steps of half a minute, and evenly between them.
"""

from __future__ import annotations

import datetime as dt
import math
from array import array
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import shake_256
from itertools import accumulate

from .clock import business_index

TICK = Decimal("0.05")
SESSION_S = 22_500
STEP_S = 30
STEPS = SESSION_S // STEP_S
CYCLE_DAYS = 1024
YEAR_DAYS = 247
BASE_DAY = dt.date(2025, 5, 26)
DAILY_MOVE, INTRADAY_MOVE = 0.012, 0.007


def ticks(price: float) -> int:
    """A price as whole ticks, at least one."""
    return max(1, round(price / float(TICK)))


def _steps(seed: str, count: int) -> list[float]:
    """`count` draws of mean 0 and variance 1."""
    return [(byte - 127.5) / 73.9 for byte in shake_256(seed.encode()).digest(count)]


def _bridge(seed: str, count: int) -> list[float]:
    """A random walk of `count` unit steps that ends where it began, at 0; `count` + 1 points."""
    path = list(accumulate(_steps(seed, count), initial=0.0))
    drift = path[-1] / count
    return [value - drift * n for n, value in enumerate(path)]


@lru_cache(maxsize=2048)
def _closes(symbol: str, base: Decimal) -> array[float]:
    """Closes of one turn of the cycle, at the base close on BASE_DAY."""
    path = _bridge(f"closes {symbol}", CYCLE_DAYS)
    origin = path[business_index(BASE_DAY) % CYCLE_DAYS]
    return array("d", (float(base) * math.exp(DAILY_MOVE * (value - origin)) for value in path[:-1]))


def close(symbol: str, base: Decimal, day: int) -> float:
    """The close of a business day, by its index."""
    return _closes(symbol, base)[day % CYCLE_DAYS]


@lru_cache(maxsize=4096)
def year(symbol: str, base: Decimal, day: int) -> tuple[int, int]:
    """Lowest and highest close of the 52 weeks before a business day, in ticks."""
    window = [close(symbol, base, n) for n in range(day - YEAR_DAYS, day)]
    return ticks(min(window)), ticks(max(window))


@dataclass(frozen=True, slots=True)
class Day:
    """One session of one scrip in half minutes: prices, and the highest and lowest so far."""

    prices: array[float]
    highs: array[float]
    lows: array[float]

    def price(self, over: float) -> float:
        """The price when `over` seconds of the session are over."""
        step, rest = divmod(over, STEP_S)
        n = int(step)
        at = self.prices
        return at[n] if n >= STEPS else at[n] + (at[n + 1] - at[n]) * rest / STEP_S

    def first_second(self, over: float, end: float, edge: int, *, upwards: bool) -> float | None:
        """The whole second, from `over` to `end`, at which the price first is at the edge (in ticks) or past it."""
        prices, sign = self.prices, 1 if upwards else -1
        if ticks(self.highs[-1] if upwards else self.lows[-1]) * sign < edge * sign:
            return None
        near = (edge * sign - 1) * float(TICK)  # one tick of slack: the ticks themselves are compared below
        for n in range(int(over // STEP_S), min(STEPS, math.ceil(end / STEP_S))):
            if prices[n] * sign < near and prices[n + 1] * sign < near:
                continue
            for moment in range(n * STEP_S, (n + 1) * STEP_S + 1):
                if over <= moment <= end and ticks(self.price(moment)) * sign >= edge * sign:
                    return float(moment)
        return None


@lru_cache(maxsize=4096)
def session(symbol: str, base: Decimal, day: int) -> Day:
    """Prices of one session, one every half minute, from the open to the close of the day."""
    before, after = close(symbol, base, day - 1), close(symbol, base, day)
    path = _bridge(f"day {symbol} {day}", STEPS)
    opening = before * (1 + 0.25 * (after / before - 1)) * (1 + 0.002 * _steps(f"gap {symbol} {day}", 1)[0])
    slope, scale = (after - opening) / STEPS, INTRADAY_MOVE / math.sqrt(STEPS)
    prices = array("d", ((opening + slope * n) * (1 + scale * value) for n, value in enumerate(path)))
    return Day(prices, array("d", accumulate(prices, max)), array("d", accumulate(prices, min)))
