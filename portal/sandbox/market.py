"""The stock market: NSE's equities, its hours, and prices that are lively but repeatable.

A price is a pure function of scrip and time. The closes of a scrip walk round its base close on a path that comes back
to where it began, so it never runs away; within a day the price walks from the open to that day's close in steps of
half a minute and moves evenly between them. So the first moment at which a price reaches a limit can be reckoned
beforehand (`next_time`), and nobody need watch it.

Hours are NSE's cash market's, 09:15 to 15:30 Indian time on days that are no holiday (providers.md 6.3). A world at
pace `fast` whose clock nobody has set to a moment trades round the clock instead, so that an evening's demonstration is
not a closed shop; outside the hours it plays the last session again. `POST /_control/market` sets one or the other.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from hashlib import shake_256
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from .clock import at_ist, business_day_on_or_before, business_index, ist, next_business_day, previous_business_day
from .web import Problem
from .world import World

DATA = Path(__file__).with_name("data")
TICK = Decimal("0.05")
TICK_F = 0.05
OPENS, CLOSES = (9, 15), (15, 30)
SESSION_S = 22_500
STEP_S = 30
STEPS = SESSION_S // STEP_S
CYCLE_DAYS = 1024
YEAR_DAYS = 247
BASE_DAY = dt.date(2025, 5, 26)
DAILY_MOVE, INTRADAY_MOVE, CIRCUIT = 0.012, 0.007, Decimal("0.10")
LEVEL_VALUE, DAY_VALUE = 400_000, 900_000_000
HOURS = ("auto", "always", "exchange")


@dataclass(frozen=True, slots=True)
class Security:
    """One equity. `code` is NSE's token, which 5paisa and ODIN use too; `bse_code` is None when BSE's is not known."""

    symbol: str
    isin: str
    name: str
    series: str
    code: int
    bse_code: int | None
    base: Decimal

    @property
    def odin_token(self) -> int:
        return self.code

    def code_on(self, exchange: str) -> int | None:
        """The scrip code at `N` (NSE) or `B` (BSE)."""
        return self.code if exchange == "N" else self.bse_code


class Level(NamedTuple):
    """One line of the order book: rupees, shares, orders."""

    price: Decimal
    quantity: int
    orders: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What the market shows at one moment. Money in rupees, quantities in shares; bids and asks best first."""

    security: Security
    at: float
    last: Decimal
    previous_close: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    lower_circuit: Decimal
    upper_circuit: Decimal
    year_high: Decimal
    year_low: Decimal
    total_qty: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


# -- securities ----------------------------------------------------------------------------------------------------


@cache
def _all() -> tuple[Security, ...]:
    with gzip.open(DATA / "securities.csv.gz", "rt", encoding="utf-8") as file:
        return tuple(
            Security(
                row["symbol"], row["isin"], row["name"], row["series"], int(row["code"]),
                int(row["bse_code"]) if row["bse_code"] else None, Decimal(row["base"]),
            )
            for row in csv.DictReader(file)
        )  # fmt: skip


def securities(world: World | None = None) -> tuple[Security, ...]:
    """Every equity of the world, by symbol."""
    return _all()


@cache
def _index() -> dict[tuple[str, str], Security]:
    found: dict[tuple[str, str], Security] = {}
    for one in _all():
        keys = [("N", str(one.code)), ("N", one.symbol), ("N", f"{one.symbol}_EQ"), ("N", one.isin)]
        if one.bse_code:
            keys += [("B", str(one.bse_code)), ("B", one.symbol), ("B", f"{one.symbol}_EQ"), ("B", one.isin)]
        found |= dict.fromkeys(keys, one)
    return found


def find(key: object, exchange: str = "N") -> Security | None:
    """A security by symbol, `SYMBOL_EQ`, ISIN or scrip code of that exchange (`N` or `B`)."""
    return _index().get((exchange, str(key).strip().upper()))


# -- hours ---------------------------------------------------------------------------------------------------------


def trades_round_the_clock(world: World) -> bool:
    hours = world.meta("market_hours", "auto")
    return hours == "always" or (hours == "auto" and world.pace == "fast" and not world.meta("clock_set"))


def set_hours(world: World, mode: str) -> str:
    """`exchange`: NSE's hours; `always`: round the clock; `auto`: see the head of this file. Raises Problem 400."""
    if mode not in HOURS:
        raise Problem(400, f"hours is one of {', '.join(HOURS)}")
    world.set_meta("market_hours", mode)
    return mode


@lru_cache(maxsize=4096)
def _opening_on_or_before(day: dt.date) -> tuple[int, float]:
    day = business_day_on_or_before(day)
    return business_index(day), at_ist(day, *OPENS)


def _session(at: float) -> tuple[int, float]:
    """Business index and opening moment of the last session that began by `at`."""
    today = ist(at).date()
    found = _opening_on_or_before(today)
    return found if found[1] <= at else _opening_on_or_before(today - dt.timedelta(days=1))


def is_open(world: World, at: float | None = None) -> bool:
    at = world.now() if at is None else at
    return trades_round_the_clock(world) or at - _session(at)[1] < SESSION_S


def next_open(at: float) -> float:
    """The opening of the first session after `at` by NSE's hours."""
    today = ist(at).date()
    opening = at_ist(today, *OPENS)
    if opening > at and business_day_on_or_before(today) == today:
        return opening
    return at_ist(next_business_day(today), *OPENS)


def next_close(at: float) -> float:
    """The close, by NSE's hours, of the session that is on at `at`, or of the next one."""
    closing = _session(at)[1] + SESSION_S
    return closing if at < closing else next_open(at) + SESSION_S


def trading_day(at: float) -> dt.date:
    """The day of the last session that began by `at`."""
    return ist(_session(at)[1]).date()


def settlement(day: dt.date) -> dt.date:
    """T+1: the business day after a trade's (providers.md 6.3)."""
    return next_business_day(day)


def previous_day(day: dt.date) -> dt.date:
    return previous_business_day(day)


# -- the walk ------------------------------------------------------------------------------------------------------


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


def _close(one: Security, day: int) -> float:
    return _closes(one.symbol, one.base)[day % CYCLE_DAYS]


@dataclass(frozen=True, slots=True)
class Day:
    """One session of one security in half minutes: prices, and the highest and lowest so far."""

    prices: array[float]
    highs: array[float]
    lows: array[float]


@lru_cache(maxsize=4096)
def _day(one: Security, day: int) -> Day:
    prices = _path(one, day)
    return Day(prices, array("d", accumulate(prices, max)), array("d", accumulate(prices, min)))


def _path(one: Security, day: int) -> array[float]:
    """Prices of one session, one every half minute, from the open to the close of the day."""
    before, close = _close(one, day - 1), _close(one, day)
    path = _bridge(f"day {one.symbol} {day}", STEPS)
    opening = before * (1 + 0.25 * (close / before - 1)) * (1 + 0.002 * _steps(f"gap {one.symbol} {day}", 1)[0])
    slope, scale = (close - opening) / STEPS, INTRADAY_MOVE / math.sqrt(STEPS)
    return array("d", ((opening + slope * n) * (1 + scale * value) for n, value in enumerate(path)))


def _ticks(price: float) -> int:
    return max(1, round(price / TICK_F))


def _place(world: World, at: float) -> tuple[int, float]:
    """The session that shows at `at` and how many seconds of it are over."""
    day, opening = _session(at)
    over = at - opening
    if over >= SESSION_S:
        over = over % SESSION_S if trades_round_the_clock(world) else SESSION_S
    return day, over


def _at(path: array[float], over: float) -> float:
    step, rest = divmod(over, STEP_S)
    n = int(step)
    return path[n] if n >= STEPS else path[n] + (path[n + 1] - path[n]) * rest / STEP_S


# -- quotes --------------------------------------------------------------------------------------------------------


def _levels(best: int, direction: int, price: float, draws: bytes) -> tuple[Level, ...]:
    """Five lines from `best` (in ticks) outwards."""
    size = LEVEL_VALUE / price
    return tuple(
        Level(max(1, best + direction * n) * TICK, max(1, int(size * (0.3 + draw / 160))), 1 + draw % 17)
        for n, draw in enumerate(draws)
    )


@lru_cache(maxsize=4096)
def _year(one: Security, day: int) -> tuple[int, int]:
    """Lowest and highest close of the 52 weeks before `day`, in ticks."""
    window = [_close(one, n) for n in range(day - YEAR_DAYS, day)]
    return _ticks(min(window)), _ticks(max(window))


def quote(world: World, key: Security | str | int, at: float | None = None, exchange: str = "N") -> Quote:
    """The market in one security at `at` (epoch seconds; now by default). Raises Problem 404 for an unknown key."""
    one = key if isinstance(key, Security) else find(key, exchange)
    if one is None:
        raise Problem(404, f"{key} is not listed")
    at = world.now() if at is None else at
    day, over = _place(world, at)
    session, step = _day(one, day), int(over // STEP_S)
    price = _at(session.prices, over)
    last = _ticks(price)
    high, low = _ticks(max(price, session.highs[step])), _ticks(min(price, session.lows[step]))
    before = _ticks(_close(one, day - 1))
    year_low, year_high = _year(one, day)
    draws = shake_256(f"book {one.symbol} {int(at // STEP_S)}".encode()).digest(10)
    band = int(before * CIRCUIT)
    traded = DAY_VALUE / price * (0.5 + (one.code * day) % 97 / 97)
    return Quote(
        one, at, last * TICK, before * TICK, _ticks(session.prices[0]) * TICK, high * TICK, low * TICK,
        max(1, before - band) * TICK, (before + band) * TICK,
        max(year_high, high) * TICK, min(year_low, low) * TICK,
        int(traded * over / SESSION_S), _levels(last, -1, price, draws[:5]), _levels(last + 1, 1, price, draws[5:]),
    )  # fmt: skip


# -- when a price will be reached ----------------------------------------------------------------------------------


def _stretches(world: World, at: float, until: float) -> Iterator[tuple[float, float, int, float]]:
    """(from, to, session, seconds of it over at `from`) of the trading time between two moments."""
    while at < until:
        day, over = _place(world, at)
        following = next_open(at)
        if not is_open(world, at):
            at = following
            continue
        end = min(at + SESSION_S - over, following, until)
        yield at, end, day, over
        at = end


def _first_second(session: Day, over: float, end: float, edge: int, upwards: bool) -> float | None:
    """The whole second of a session, from `over` on, at which the price first is at the edge (in ticks) or past it."""
    prices, sign = session.prices, 1 if upwards else -1
    if _ticks(max(prices) if upwards else min(prices)) * sign < edge * sign:
        return None
    near = edge * TICK_F * sign - TICK_F  # one tick of slack: the ticks themselves are compared below
    for n in range(int(over // STEP_S), min(STEPS, math.ceil(end / STEP_S))):
        if prices[n] * sign < near and prices[n + 1] * sign < near:
            continue
        for moment in range(n * STEP_S, (n + 1) * STEP_S + 1):
            if over <= moment <= end and _ticks(_at(prices, moment)) * sign >= edge * sign:
                return float(moment)
    return None


def next_time(world: World, one: Security, at: float, until: float, edge: Decimal, *, upwards: bool) -> float | None:
    """The first moment from `at` to `until` at which the last price is at `edge` or past it (`upwards`: over it)."""
    ticks = math.ceil(edge / TICK) if upwards else int(edge // TICK)
    for start, end, day, over in _stretches(world, at, until):
        hit = _first_second(_day(one, day), over, over + end - start, ticks, upwards)
        if hit is not None:
            return start + hit - over
    return None
