"""5paisa's market data in the words of `orders`: a day, and an order book, by our security id (document 004)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brokers.fivepaisa import messages
from brokers.fivepaisa.auth import Session
from brokers.fivepaisa.client import client
from brokers.fivepaisa.requests import Exchange, Scrip
from orders.models import Depth, Quote

Read = Callable[[Session, Mapping[int, str]], dict[int, dict[str, Any]]]
LEVELS = 5


def quotes(session: Session, codes: Mapping[int, str]) -> dict[int, dict[str, Any]]:
    """Fields of `Quote` by security id, for those that 5paisa knows. One call for up to fifty; gateway errors."""
    ours = {code: pk for pk, code in codes.items()}
    found = client().fetch_snapshots(session, _scrips(codes))
    return {ours[each.scrip_code]: _day(each) for each in found if each.scrip_code in ours and each.last_traded_price}


def depths(session: Session, codes: Mapping[int, str]) -> dict[int, dict[str, Any]]:
    """Fields of `Depth` by security id. One call for up to fifty; gateway errors."""
    ours = {code: pk for pk, code in codes.items()}
    found = client().fetch_depth(session, _scrips(codes))
    return {ours[each.scrip_code]: _book(each) for each in found if each.scrip_code in ours}


READS: dict[type[Quote] | type[Depth], Read] = {Quote: quotes, Depth: depths}


def _scrips(codes: Mapping[int, str]) -> list[Scrip]:
    return [Scrip(exchange=Exchange.NSE, code=int(code)) for code in codes.values()]


def _day(said: messages.Snapshot) -> dict[str, Any]:
    return {
        "last": said.last_traded_price,
        "previous_close": said.previous_close,
        "high": said.high,
        "low": said.low,
        "year_high": said.fifty_two_week_high,
        "year_low": said.fifty_two_week_low,
        "upper_circuit": said.upper_circuit_limit,
        "lower_circuit": said.lower_circuit_limit,
        "volume": said.volume,
    }


def _book(said: messages.Depth) -> dict[str, Any]:
    return {"bids": _levels(said.bids), "asks": _levels(said.asks)}


def _levels(levels: tuple[messages.Level, ...]) -> list[list[Any]]:
    """The lines in which somebody waits: 5paisa fills up with zeros."""
    return [[str(each.price), each.quantity, each.number_of_orders] for each in levels[:LEVELS] if each.quantity]
