"""Market data: snapshot, feed, depth, market status, and the scrip master."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .. import market
from ..web import Request, Response
from ..world import World
from . import orders
from .envelope import INVALID_INPUT, TEXT_TYPE, Door, Fields, Refusal, Visit, date

MOST_AT_ONCE = 50
CACHE_S = 1
NAME = re.compile(r"[A-Za-z0-9_&.-]*")
LEVELS = 5
COLUMNS = (
    "Exch", "ExchType", "ScripCode", "Name", "Expiry", "ScripType", "StrikeRate", "FullName", "TickSize", "LotSize",
    "QtyLimit", "Multiplier", "SymbolRoot", "BOCOAllowed", "ISIN", "ScripData", "Series",
)  # fmt: skip
SEGMENTS = {"all": "NB", "nse_eq": "N", "bse_eq": "B", "nse_fo": "", "bse_fo": "", "ncd_fo": "", "mcx_fo": ""}


def _asked(body: Fields, *names: str) -> list[Fields]:
    """The scrips of a call; at most fifty (document, Market Snapshot and Market Feed)."""
    wanted = body.rows(*names)
    if not wanted:
        raise Refusal(2, INVALID_INPUT)
    if len(wanted) > MOST_AT_ONCE:
        raise Refusal(2, f"Maximum {MOST_AT_ONCE} scrips are allowed.")
    return wanted


def _quote(world: World, item: Fields) -> tuple[str, market.Quote] | None:
    exch = orders.exchange_of(item)
    security = orders.security_of(item, exch)
    if security is None or (item.text("ExchangeType", "ExchType") or "C").upper() != "C":
        return None
    return exch, market.quote(world, security)


def _found(world: World, wanted: list[Fields], write: Callable[[str, market.Quote], Any]) -> dict[str, Any]:
    data = [write(*hit) for item in wanted if (hit := _quote(world, item))]
    return {"Status": 0 if data else 1, "Message": "Success" if data else "No data found.", "Data": data}


# -- snapshot and feed ---------------------------------------------------------------------------------------------


def _snapshot(exch: str, quote: market.Quote) -> dict[str, Any]:
    return {
        "Exchange": exch, "ExchangeType": "C", "ScripCode": quote.security.code_on(exch),
        "LastTradedPrice": quote.last, "High": quote.high, "Low": quote.low, "Open": quote.open,
        "PreviousClose": quote.previous_close, "OpenInterest": 0, "PrevOpenInterest": 0, "Volume": quote.total_qty,
        "FiftyTwoWeekHigh": quote.year_high, "FiftyTwoWeekLow": quote.year_low,
        "UpperCircuitLimit": quote.upper_circuit, "LowerCircuitLimit": quote.lower_circuit,
    }  # fmt: skip


def snapshot(world: World, visit: Visit) -> dict[str, Any]:
    return _found(world, _asked(visit.body, "Data"), _snapshot)


def _tick(exch: str, quote: market.Quote) -> dict[str, Any]:
    """Under the names of both of the document's tables."""
    change = quote.last - quote.previous_close
    code, at = quote.security.code_on(exch), date(quote.at)
    return {
        "Exch": exch, "ExchType": "C", "Token": code, "ScripCode": code, "Symbol": quote.security.symbol,
        "LastRate": quote.last, "LTP": quote.last, "TotalQty": quote.total_qty, "High": quote.high, "Low": quote.low,
        "PClose": quote.previous_close, "Chg": change, "ChgPcnt": round(change * 100 / quote.previous_close, 4),
        "TickDt": at, "Time": at,
    }  # fmt: skip


def feed(world: World, visit: Visit) -> dict[str, Any]:
    found = _found(world, _asked(visit.body, "MarketFeedData"), _tick)
    return found | {"CacheTime": CACHE_S, "TimeStamp": date(world.now())}


# -- depth ---------------------------------------------------------------------------------------------------------


def _lines(levels: tuple[market.Level, ...]) -> list[dict[str, Any]]:
    filled = [{"Price": one.price, "Quantity": one.quantity, "NumberOfOrders": one.orders} for one in levels]
    return filled or [{"Price": 0, "Quantity": 0, "NumberOfOrders": 0} for _ in range(LEVELS)]


def _depth(world: World, item: Fields) -> dict[str, Any]:
    """Five lines a side; zeros for a scrip that is not known (document, MarketDepth, Key Notes)."""
    if not NAME.fullmatch(item.text("ScripData", "Symbol")):
        raise Refusal(1, INVALID_INPUT)
    hit = _quote(world, item)
    exch, quote = hit or (orders.exchange_of(item), None)
    given = item.text("ScripCode")
    number = int(given) if given.isdecimal() and len(given) < 16 else 0
    stamp = dt.datetime.fromtimestamp(world.now(), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Exch": exch, "ExchType": "C", "TimeStamp": stamp,
        "ScripCode": quote.security.code_on(exch) if quote else number,
        "Bids": _lines(quote.bids if quote else ()), "Asks": _lines(quote.asks if quote else ()),
    }  # fmt: skip


def depth_many(world: World, visit: Visit) -> dict[str, Any]:
    found = [_depth(world, item) for item in _asked(visit.body, "MarketDepthData", "Data")]
    return {"Status": 0, "Message": "Success", "MarketDepthData": found}


def depth_data(world: World, visit: Visit) -> dict[str, Any]:
    """Without a version, for older SDKs: they look under `Data`."""
    found = depth_many(world, visit)
    return found | {"Data": found["MarketDepthData"]}


def depth_one(world: World, visit: Visit) -> dict[str, Any]:
    """V2: one scrip, bids and asks in one list; 66 and 83 are the letters B and S."""
    found = _depth(world, visit.body)
    lines = [{"BbBuySellFlag": 66, **line} for line in found["Bids"]]
    lines += [{"BbBuySellFlag": 83, **line} for line in found["Asks"]]
    return {
        "Status": 0, "Message": "Success", "Exchange": found["Exch"], "ExchangeType": found["ExchType"],
        "ScripCode": found["ScripCode"], "TimeStamp": date(world.now()), "MarketDepthData": lines,
    }  # fmt: skip


# -- the market itself ---------------------------------------------------------------------------------------------


def status(world: World, visit: Visit) -> dict[str, Any]:
    word = "Open" if market.is_open(world) else "Closed"
    data = [
        {"Exch": exch, "ExchDescription": f"{name} Cash", "ExchType": "C", "MarketStatus": word}
        for exch, name in (("N", "NSE"), ("B", "BSE"))
    ]
    return {"Status": 0, "Message": "Success", "Data": data}


@lru_cache(maxsize=8)
def scrip_master(segment: str) -> bytes:
    """The CSV of a segment, packed (providers.md 4.6); only shares are traded here, so the others hold no row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for exch in SEGMENTS[segment]:
        for one in market.securities():
            code, root = one.code_on(exch), one.symbol
            if code:
                name, data, series = one.name.upper(), f"{root}_EQ", one.series if exch == "N" else "EQ"
                writer.writerow(
                    [exch, "C", code, root, "", "EQ", 0, name, market.TICK, 1, 0, 1, root, "Y", one.isin, data, series]
                )
    return gzip.compress(text.getvalue().encode(), 6, mtime=0)


def scrips(world: World, request: Request, segment: str) -> Response:
    if segment.lower() not in SEGMENTS:
        return Response(400, f"Invalid segment {segment}".encode(), TEXT_TYPE)
    packed = scrip_master(segment.lower())
    if "gzip" in request.headers.get("accept-encoding", "").lower():
        return Response(200, packed, "text/csv;charset=UTF-8", {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    return Response(200, gzip.decompress(packed), "text/csv;charset=UTF-8")


NOTHING: dict[str, Any] = {"Data": []}
NO_FEED: dict[str, Any] = {"Data": [], "CacheTime": CACHE_S, "TimeStamp": ""}
NO_DEPTH: dict[str, Any] = {"MarketDepthData": []}
SNAPSHOT = Door("5PMarketSnapshotV1", snapshot, int, NOTHING, key=False)
FEED_V1 = Door("5PMFV1", feed, int, NO_FEED, key=False, client=False)
FEED = Door("5PMF", feed, str, NO_FEED, key=False, client=False)
DEPTH_V3 = Door("5PMDV3", depth_many, int, NO_DEPTH, key=False, client=False)
DEPTH_V2 = Door("5PMDV2", depth_one, str, NO_DEPTH, key=False, client=False)
DEPTH_V1 = Door("5PMDV1", depth_many, str, NO_DEPTH, key=False, client=False)
DEPTH = Door("5PMD", depth_data, str, NO_DEPTH | NOTHING, key=False, client=False)
STATUS = Door("5PMktStatus", status, str, NOTHING, client=False)
