"""The stock market: NSE's equities, its hours, and prices that are lively but repeatable.

A price is a pure function of scrip and time (`walk.py`), so the first moment at which it reaches a limit can be
reckoned beforehand (`next_time`), and nobody need watch it.

Hours are NSE's cash market's, 09:15 to 15:30 Indian time on days that are no holiday (providers.md 6.3). A world at
pace `fast` whose clock nobody has set to a moment trades round the clock instead, so that an evening's demonstration is
not a closed shop; outside the hours it plays the last session again. `POST /_control/market` sets one or the other.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from hashlib import shake_256
from pathlib import Path
from typing import NamedTuple

from . import walk
from .clock import at_ist, business_day_on_or_before, business_index, ist, next_business_day
from .walk import SESSION_S, STEP_S, TICK, ticks
from .web import Problem
from .world import World

DATA = Path(__file__).with_name("data")
OPENS, CLOSES = (9, 15), (15, 30)
CIRCUIT = Decimal("0.10")
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


# -- quotes --------------------------------------------------------------------------------------------------------


def _place(world: World, at: float) -> tuple[int, float]:
    """The session that shows at `at` and how many seconds of it are over."""
    day, opening = _session(at)
    over = at - opening
    if over >= SESSION_S:
        over = over % SESSION_S if trades_round_the_clock(world) else SESSION_S
    return day, over


def _levels(best: int, direction: int, price: float, draws: bytes) -> tuple[Level, ...]:
    """Five lines from `best` (in ticks) outwards."""
    size = LEVEL_VALUE / price
    return tuple(
        Level(max(1, best + direction * n) * TICK, max(1, int(size * (0.3 + draw / 160))), 1 + draw % 17)
        for n, draw in enumerate(draws)
    )


def quote(world: World, key: Security | str | int, at: float | None = None, exchange: str = "N") -> Quote:
    """The market in one security at `at` (epoch seconds; now by default). Raises Problem 404 for an unknown key."""
    one = key if isinstance(key, Security) else find(key, exchange)
    if one is None:
        raise Problem(404, f"{key} is not listed")
    at = world.now() if at is None else at
    day, over = _place(world, at)
    session, step = walk.session(one.symbol, one.base, day), int(over // STEP_S)
    price = session.price(over)
    last = ticks(price)
    high, low = ticks(max(price, session.highs[step])), ticks(min(price, session.lows[step]))
    before = ticks(walk.close(one.symbol, one.base, day - 1))
    year_low, year_high = walk.year(one.symbol, one.base, day)
    draws = shake_256(f"book {one.symbol} {int(at // STEP_S)}".encode()).digest(10)
    band = int(before * CIRCUIT)
    traded = DAY_VALUE / price * (0.5 + (one.code * day) % 97 / 97)
    return Quote(
        one, at, last * TICK, before * TICK, ticks(session.prices[0]) * TICK, high * TICK, low * TICK,
        max(1, before - band) * TICK, (before + band) * TICK,
        max(year_high, high) * TICK, min(year_low, low) * TICK,
        int(traded * over / SESSION_S), _levels(last, -1, price, draws[:5]), _levels(last + 1, 1, price, draws[5:]),
    )  # fmt: skip


def last(world: World, one: Security) -> Decimal:
    """The last price of a security now, in rupees: what `quote` says, without its book of bids and asks."""
    day, over = _place(world, world.now())
    return ticks(walk.session(one.symbol, one.base, day).price(over)) * TICK


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


def next_time(world: World, one: Security, at: float, until: float, edge: Decimal, *, upwards: bool) -> float | None:
    """The first moment from `at` to `until` at which the last price is at `edge` or past it (`upwards`: over it)."""
    whole = math.ceil(edge / TICK) if upwards else int(edge // TICK)
    for start, end, day, over in _stretches(world, at, until):
        session = walk.session(one.symbol, one.base, day)
        hit = session.first_second(over, over + end - start, whole, upwards=upwards)
        if hit is not None:
            return start + hit - over
    return None
