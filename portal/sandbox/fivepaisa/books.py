"""OrderStatus, OrderBook and TradeBook.

The versions differ as the documents do: V4/OrderBook (`orderBook`, numbers of the broker as text, times written out)
and the V3 and V2 that the SDKs call (`OrderBookDetail`, `/Date()/`, `Y` and `N`).
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from typing import Any

from ..world import World
from . import life
from .envelope import Door, Fields, Refusal, Visit, date, rupees, written

MOST_AT_ONCE = 50
MOST_SECONDS = 600
NO_ORDER = "No Order found for this Client."
NO_RECORD = "No record found."


def average(row: sqlite3.Row) -> Decimal:
    """Rupees a share, to four places."""
    return (rupees(row["traded_paise"]) / row["traded"]).quantize(Decimal("0.0001")) if row["traded"] else Decimal(0)


def shown_rate(row: sqlite3.Row) -> Decimal:
    return rupees(row["price_paise"])


# -- order status --------------------------------------------------------------------------------------------------


def _status(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "AveragePrice": average(row), "Exch": row["exch"], "ExchOrderID": int(row["exch_id"]),
        "ExchOrderTime": date(row["exchange_at"] or row["created_at"]), "ExchType": "C", "OrderQty": row["qty"],
        "OrderRate": shown_rate(row), "PendingQty": row["pending"], "ScripCode": row["code"],
        "Status": row["status"], "Symbol": row["symbol"], "TradedQty": row["traded"],
    }  # fmt: skip


def _asked(world: World, visit: Visit, item: Fields, hidden: set[int]) -> list[dict[str, Any]]:
    sql = "SELECT * FROM fivepaisa_orders WHERE client = ? AND remote_id = ? AND exch = ? ORDER BY id"
    rows = world.all(sql, visit.client, item.text("RemoteOrderID"), (item.text("Exch") or "N")[:1].upper())
    return [_status(row) for row in rows if row["id"] not in hidden]


def order_status(world: World, visit: Visit) -> dict[str, Any]:
    """Orders by our reference, in the order of the question; what is not known is left out, as documented."""
    wanted = visit.body.rows("OrdStatusReqList")
    if len(wanted) > MOST_AT_ONCE:
        raise Refusal(2, f"Maximum {MOST_AT_ONCE} orders are allowed.")
    hidden = world.hidden("fivepaisa_order")
    found = [one for item in wanted if item.text("RemoteOrderID") for one in _asked(world, visit, item, hidden)]
    return {"Message": "Success", "OrdStatusResLst": found, "Status": 0}


# -- order book ----------------------------------------------------------------------------------------------------


def _entry_v4(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "Exch": row["exch"], "ExchType": "C", "ScripCode": row["code"], "ScripName": row["symbol"],
        "ExchOrderID": row["exch_id"], "BrokerOrderId": str(row["id"]), "RemoteOrderID": row["remote_id"],
        "BrokerOrderTime": written(row["created_at"]),
        "ExchOrderTime": written(row["exchange_at"] or row["created_at"]),
        "BuySell": row["side"], "Qty": row["qty"], "Rate": shown_rate(row), "AveragePrice": average(row),
        "TriggerRate": rupees(row["trigger_paise"]), "TradedQty": row["traded"], "PendingQty": row["pending"],
        "OrderStatus": row["status"], "Reason": row["reason"], "AtMarket": row["price_paise"] == 0,
        "AfterHours": row["amo"], "AHProcess": "Y" if row["amo"] == "Y" and row["status"] != "Placed" else "N",
        "DisClosedQty": row["dis_qty"], "OrderRequesterCode": row["placed_by"],
        "OldOrderQty": row["old_qty"] or row["qty"], "DelvIntra": row["product"], "OrderValidity": row["validity"],
    }  # fmt: skip


def _entry_v3(row: sqlite3.Row) -> dict[str, Any]:
    stop = row["trigger_paise"] > 0
    return _entry_v4(row) | {
        "BrokerOrderId": row["id"], "BrokerOrderTime": date(row["created_at"]),
        "ExchOrderTime": date(row["exchange_at"] or row["created_at"]), "AtMarket": "N" if row["price_paise"] else "Y",
        "MarketLot": 1, "OldorderQty": row["old_qty"], "OrderValidUpto": date(row["valid_until"]),
        "RequestType": "M" if row["old_qty"] else "P", "SLTriggerRate": rupees(row["trigger_paise"]),
        "SLTriggered": "Y" if row["triggered"] else "N", "WithSL": "Y" if stop else "N",
        "SMOProfitRate": 0, "SMOSLLimitRate": 0, "SMOSLTriggerRate": 0, "SMOTrailingSL": 0, "TerminalId": 0,
    }  # fmt: skip


def _rows(world: World, visit: Visit) -> list[sqlite3.Row]:
    """Orders of the trading day and those still open; with `updatedInLastSeconds` only what changed since."""
    seconds = visit.body.whole("updatedInLastSeconds") or 0
    if not 0 <= seconds <= MOST_SECONDS:
        raise Refusal(1, f"updatedInLastSeconds should be in range from 0 to {MOST_SECONDS}")
    today = life.business_date(world, world.now()).isoformat()
    since = world.now() - seconds if seconds else 0.0
    today_or_open = (
        "SELECT * FROM fivepaisa_orders WHERE client = ?1 AND day >= ?2 "
        "UNION ALL SELECT * FROM fivepaisa_orders WHERE client = ?1 AND live = 1 AND +day < ?2 ORDER BY id"
    )
    changed = "SELECT * FROM fivepaisa_orders WHERE client = ? AND updated_at >= ? ORDER BY id"
    rows = world.all(changed, visit.client, since) if seconds else world.all(today_or_open, visit.client, today)
    hidden = world.hidden("fivepaisa_order")
    return [row for row in rows if row["id"] not in hidden and (row["live"] or row["day"] >= today)]


def _book(container: str, entry: Any) -> Any:
    def run(world: World, visit: Visit) -> dict[str, Any]:
        rows = _rows(world, visit)
        message = "Success" if rows else NO_ORDER
        return {"Status": 0 if rows else 1, "Message": message, container: [entry(row) for row in rows]}

    return run


# -- trades --------------------------------------------------------------------------------------------------------


def trade_number(row: sqlite3.Row) -> str:
    return f"{row['id']:08}"


def _trade(row: sqlite3.Row) -> dict[str, Any]:
    at = dt.datetime.fromtimestamp(row["at"], dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "Exch": row["exch"], "ExchType": "C", "ScripCode": row["code"], "ScripName": row["symbol"],
        "BuySell": row["side"], "Qty": row["qty"], "PendingQty": row["pending"], "OrgQty": row["order_qty"],
        "Rate": rupees(row["price_paise"]), "ExchOrderID": row["exch_id"], "ExchangeTradeID": trade_number(row),
        "ExchangeTradeTime": at, "DelvIntra": row["product"], "TradeType": "Online", "Multiplier": 1,
    }  # fmt: skip


TRADES = (
    "SELECT t.*, o.exch, o.code, o.symbol, o.side, o.product, o.exch_id, o.qty AS order_qty "
    "FROM fivepaisa_trades t JOIN fivepaisa_orders o ON o.id = t.order_id WHERE "
)


def _trades(world: World, where: str, *args: Any) -> list[dict[str, Any]]:
    hidden = world.hidden("fivepaisa_order")
    return [_trade(row) for row in world.all(f"{TRADES}{where} ORDER BY t.id", *args) if row["order_id"] not in hidden]


def trade_book(world: World, visit: Visit) -> dict[str, Any]:
    today = life.business_date(world, world.now()).isoformat()
    found = _trades(world, "t.client = ? AND t.day >= ?", visit.client, today)
    return {"Status": 0 if found else 1, "Message": "" if found else NO_RECORD, "TradeBookDetail": found}


def trade_history(world: World, visit: Visit) -> dict[str, Any]:
    """Trades of one order; the SDK's `get_trade_history`."""
    key = visit.body.text("ExchOrderID", "ExchangeOrderID")
    found = _trades(world, "t.client = ? AND o.exch_id = ? AND o.exch_id <> '0'", visit.client, key)
    return {"Status": 0 if found else 1, "Message": "Success" if found else NO_RECORD, "TradeHistoryData": found}


def trade_information(world: World, visit: Visit) -> dict[str, Any]:
    """Trades of several orders by the exchange's number, or by our reference; the SDKs' `fetch_trade_info`."""
    wanted = visit.body.rows("TradeInformationList", "TradeDetailList")[:MOST_AT_ONCE]
    found = [one for item in wanted for one in _trades_of(world, visit.client, item)]
    return {"Status": 0 if found else 1, "Message": "Success" if found else NO_RECORD, "TradeDetail": found}


def _trades_of(world: World, client: str, item: Fields) -> list[dict[str, Any]]:
    if number := item.text("ExchOrderID", "ExchangeOrderID"):
        return _trades(world, "t.client = ? AND o.exch_id = ? AND o.exch_id <> '0'", client, number)
    return _trades(world, "t.client = ? AND o.remote_id = ? AND o.remote_id <> ''", client, item.text("RemoteOrderID"))


NO_CLIENT = (3, "Invalid ClientCode")
STATUS_V2 = Door("5POrdStatusV2", order_status, str, {"OrdStatusResLst": []})
STATUS_V3 = Door("5POrdStatusV3", order_status, str, {"OrdStatusResLst": []})
BOOK_V4 = Door("5POrdBkV4", _book("orderBook", _entry_v4), int, {"orderBook": []}, wrong_client=NO_CLIENT)
BOOK_V3 = Door("5POrdBkV3", _book("OrderBookDetail", _entry_v3), str, {"OrderBookDetail": []}, wrong_client=NO_CLIENT)
BOOK_V2 = Door("5POrdBkV2", _book("OrderBookDetail", _entry_v3), str, {"OrderBookDetail": []}, wrong_client=NO_CLIENT)
TRADE_BOOK = Door("5PTrdBkV1", trade_book, int, {"TradeBookDetail": []}, session_words="Invalid session")
TRADE_INFORMATION = Door("5PTrdInfo", trade_information, str, {"TradeDetail": []})
TRADE_HISTORY = Door("5PTrdHis", trade_history, str, {"TradeHistoryData": []})
