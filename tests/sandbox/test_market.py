"""The market: real scrips, NSE's hours, prices that repeat, and limits that are reached when the market says so."""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from decimal import Decimal

import pytest

from portal.sandbox import market, walk
from portal.sandbox.clock import IST, parse_moment
from portal.sandbox.world import World
from tests.sandbox.api import Caller

MONDAY = "2026-11-23T11:00:00+05:30"


@pytest.fixture
def world(tmp_path):
    one = World(tmp_path / "world.sqlite", "fast")
    market.set_hours(one, "exchange")
    yield one
    one.close()


def at(text: str) -> float:
    return parse_moment(text)


def test_securities_are_nses_with_real_codes_where_they_are_known(world):
    assert len(market.securities(world)) > 1600
    itc = market.find("ITC")
    assert (itc.code, itc.odin_token, itc.bse_code, itc.isin) == (1660, 1660, 500875, "INE154A01025")
    assert itc is market.find(1660) is market.find("itc_eq") is market.find("500875", "B") is market.find(itc.isin)
    assert market.find(1660, "B") is None
    codes = [one.code for one in market.securities(world)]
    assert len(set(codes)) == len(codes)
    assert len({one.isin for one in market.securities(world)}) == len(codes)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T09:14:59+05:30", False),
        ("2026-11-23T09:15:00+05:30", True),
        ("2026-11-23T15:29:59+05:30", True),
        ("2026-11-23T15:30:00+05:30", False),
        ("2026-11-21T11:00:00+05:30", False),  # a Saturday
        ("2026-11-24T11:00:00+05:30", False),  # Guru Nanak Jayanti
    ],
)
def test_the_market_keeps_nses_hours_and_holidays(world, moment, is_open):
    assert market.is_open(world, at(moment)) is is_open


def test_the_next_session_is_after_the_weekend_and_the_holiday(world):
    assert market.next_open(at("2026-11-20T15:30:00+05:30")) == at("2026-11-23T09:15:00+05:30")
    assert market.next_open(at("2026-11-23T16:00:00+05:30")) == at("2026-11-25T09:15:00+05:30")
    assert market.next_close(at(MONDAY)) == at("2026-11-23T15:30:00+05:30")
    assert market.next_close(at("2026-11-23T15:30:00+05:30")) == at("2026-11-25T15:30:00+05:30")


def test_a_world_at_pace_fast_trades_round_the_clock_until_its_clock_is_set(caller: Caller, served):
    saturday = at("2026-11-21T22:00:00+05:30")
    assert market.is_open(served.sandbox.world, saturday)
    caller.control("POST", "/clock", {"at": MONDAY})
    assert not market.is_open(served.sandbox.world, saturday)
    assert caller.control("POST", "/market", {"hours": "always"})["open"]
    assert market.is_open(served.sandbox.world, saturday)
    assert caller.raw("POST", "/_control/market?hours=sometimes").status == 400


def test_a_price_repeats_and_moves(world, tmp_path):
    other = World(tmp_path / "other.sqlite", "market")
    moments = [at(MONDAY) + 7 * n for n in range(200)]
    first = [market.quote(world, "ITC", moment) for moment in moments]
    walk.session.cache_clear()
    walk._closes.cache_clear()
    assert first == [market.quote(other, 1660, moment) for moment in reversed(moments)][::-1]
    assert len({q.last for q in first}) > 10
    other.close()


def test_a_quote_holds_together(world):
    for one, hour in itertools.product(market.securities(world)[::40], range(10, 16)):
        q = market.quote(world, one, at(f"2026-11-23T{hour}:07:11+05:30"))
        assert q.lower_circuit <= q.low <= min(q.open, q.last) <= max(q.open, q.last) <= q.high <= q.upper_circuit
        assert q.year_low <= q.low
        assert q.high <= q.year_high
        assert all(value % market.TICK == 0 for value in (q.last, q.open, q.high, q.low, q.previous_close))
        assert len(q.bids) == len(q.asks) == 5
        assert q.bids[0].price < q.asks[0].price
        assert list(q.asks) == sorted(q.asks)
        assert list(q.bids) == sorted(q.bids, key=lambda b: -b.price)
        assert min(level.quantity for level in q.bids + q.asks) >= 1


def test_the_day_ends_at_the_close_that_the_next_day_starts_from(world):
    closing = market.quote(world, "TCS", at("2026-11-23T18:00:00+05:30"))
    assert closing.last == market.quote(world, "TCS", at("2026-11-25T09:00:00+05:30")).last
    following = market.quote(world, "TCS", at("2026-11-25T10:00:00+05:30"))
    assert following.previous_close == closing.last
    assert market.quote(world, "ITC", at("2025-05-26T15:30:00+05:30")).last == Decimal("440.00")


def test_high_and_low_are_those_of_the_day_so_far(world):
    moments = [at("2026-11-23T09:15:00+05:30") + 60 * n for n in range(375)]
    quotes = [market.quote(world, "SBIN", moment) for moment in moments]
    assert all(
        b.high >= a.high and b.low <= a.low and b.total_qty >= a.total_qty for a, b in itertools.pairwise(quotes)
    )
    assert max(q.last for q in quotes) <= quotes[-1].high


def test_prices_stay_round_their_base_for_years(world):
    lasts = [market.quote(world, "ITC", at("2025-05-26T12:00:00+05:30") + 86_400 * 30 * n).last for n in range(60)]
    assert Decimal(200) < min(lasts) < statistics.mean(lasts) < max(lasts) < Decimal(1000)


def test_the_moment_a_limit_is_reached_is_the_first_such_moment(world):
    itc, now = market.find("ITC"), at(MONDAY)
    limit = market.quote(world, itc, now).last - Decimal("0.60")
    hit = market.next_time(world, itc, now, now + 5 * 86_400, limit, upwards=False)
    assert hit
    assert market.quote(world, itc, hit).last <= limit
    assert all(
        market.quote(world, itc, now + n).last > limit for n in range(int(hit - now)) if market.is_open(world, now + n)
    )
    assert market.next_time(world, itc, now, now + 3600, Decimal(100_000), upwards=True) is None


def test_a_limit_is_reached_only_while_the_market_is_open(world):
    itc, evening = market.find("ITC"), at("2026-11-23T20:00:00+05:30")
    hit = market.next_time(world, itc, evening, evening + 3 * 86_400, Decimal(100_000), upwards=False)
    assert dt.datetime.fromtimestamp(hit, IST).isoformat() == "2026-11-25T09:15:00+05:30"
