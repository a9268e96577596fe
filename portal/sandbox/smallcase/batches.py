"""Batches of orders: placed at the broker, filled or not by the exchange, told to the partner by webhook.

A batch is PLACED until every stock in it is final. Outside the market's hours it is `amo` and waits for the next
opening. Stock-level states are the truth; the batch's own is reckoned from them (the document, "Response structure").
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .. import market, notices
from ..world import World
from . import accounts, auth, transactions
from .transactions import utc

FILL_AFTER_S = 1.5
FILL = "smallcase.fill"
UNPLACED = "ERROR"
# The person's or the exchange's ending: for each order, given its place and number, what becomes of it.
REASONS = {
    "unfilled": ("CANCELLED", "orderUnmatched", "No sellers or buyers at the moment"),
    "low_funds": ("REJECTED", "marginsExceeded", "Insufficient funds"),
    "cancelled": ("CANCELLED AMO", None, "Cancelled by the user before execution"),
    "no_holdings": ("REJECTED", "checkHoldings", "Not enough shares in the account"),
}
NEVER_THERE = ("REJECTED", "CANCELLED AMO")


def _orders(world: World, batch_id: str) -> list[sqlite3.Row]:
    return world.all("SELECT * FROM sc_orders WHERE batch_id = ? ORDER BY id", batch_id)


def of_transaction(world: World, key: str) -> sqlite3.Row | None:
    return world.one("SELECT * FROM sc_batches WHERE transaction_id = ?", key)


def status_of(orders: list[sqlite3.Row]) -> str:
    """The batch-level word for its orders' states."""
    states = [order["status"] for order in orders]
    if all(state == UNPLACED for state in states):
        return "UNPLACED"
    if "PLACED" in states:
        return "PARTIALLYPLACED" if UNPLACED in states else "PLACED"
    if all(state == "COMPLETE" for state in states):
        return "COMPLETED"
    if any(order["filled"] for order in orders):
        return "PARTIALLYFILLED"
    return "CANCELLED" if all(state == "CANCELLED AMO" for state in states) else "UNFILLED"


# -- placing ---------------------------------------------------------------------------------------------------------


def place(world: World, row: sqlite3.Row, lines: list[dict[str, Any]], *, amo: bool, reached: bool = True) -> str:
    """Puts the lines (ticker, quantity, type) at the broker and returns the batch; `reached` False: none gets there."""
    key, now = secrets.token_hex(12), world.now()
    variety = "amo" if amo else "regular"
    with world.transaction():
        world.insert("sc_batches", id=key, transaction_id=row["id"], variety=variety, status="PLACED", placed_at=now)
        for line in lines:
            _place_line(world, key, line, variety if reached else "")
        transactions.update(world, row, status="PROCESSING")
        if reached:
            world.schedule(market.next_open(now) if amo else now + FILL_AFTER_S, FILL, key)
        _changed(world, key)
    return key


def _exchange_id() -> str:
    return f"1{secrets.randbelow(10**15):015d}"


def _place_line(world: World, batch_id: str, line: dict[str, Any], variety: str) -> None:
    """Only what reaches the exchange has an id there: not an after-market order, nor what the broker never got."""
    values: dict[str, Any] = {"status": "PLACED", "message": ""}
    if variety == "regular":
        values["exchange_order_id"] = _exchange_id()
    elif not variety:
        values = {"status": UNPLACED, "error_code": "adapterError", "message": "The broker could not be reached"}
    world.insert(
        "sc_orders", batch_id=batch_id, ticker=line["ticker"], side=line["type"], quantity=line["quantity"], **values
    )


# -- ending ----------------------------------------------------------------------------------------------------------


def settle(world: World, batch_id: str, ending: str) -> None:
    """Gives every open order of the batch its final state; nothing happens when none is open.

    Half: each trades half of its shares and stays open, as on a day on which the market does not take all.
    """
    with world.transaction():
        orders = _orders(world, batch_id)
        still_open = [order for order in orders if order["status"] == "PLACED"]
        if not still_open:
            return
        for place_in_batch, order in enumerate(still_open):
            if ending == "half":
                _trade(world, order, order["quantity"] // 2)
                continue
            filled = max(order["filled"], _filled(order, ending, place_in_batch, len(still_open)))
            _end(world, order, filled, ending)
        _changed(world, batch_id)


def _filled(order: sqlite3.Row, ending: str, place_in_batch: int, count: int) -> int:
    """How many of the order's shares the ending trades. Partial: half of the orders, or half of a single one."""
    quantity: int = order["quantity"]
    if ending == "filled":
        return quantity
    if ending != "partial":
        return 0
    if count == 1:
        return quantity // 2
    return quantity if place_in_batch < count // 2 else 0


def _end(world: World, order: sqlite3.Row, filled: int, ending: str) -> None:
    status, code, message = REASONS.get(ending, REASONS["unfilled"])
    if filled == order["quantity"]:
        status, code, message = "COMPLETE", None, ""
    _trade(world, order, filled)
    world.update(
        "sc_orders", order["id"], status=status, error_code=code, message=message,
        exchange_order_id=None if status in NEVER_THERE else order["exchange_order_id"] or _exchange_id(),
    )  # fmt: skip


def _trade(world: World, order: sqlite3.Row, filled: int) -> None:
    """So many shares of the order are traded in all, at today's price."""
    more = filled - order["filled"]
    if more > 0:
        price = market.quote(world, order["ticker"], world.moment()).last
        world.update("sc_orders", order["id"], filled=filled, price=str(price))
        row = _transaction_of(world, order["batch_id"])
        accounts.add_trade(world, row["account"], order["ticker"], order["side"], more, price)


def _transaction_of(world: World, batch_id: str) -> sqlite3.Row:
    sql = "SELECT t.* FROM sc_transactions t JOIN sc_batches b ON b.transaction_id = t.id WHERE b.id = ?"
    return world.the(sql, batch_id)


def _changed(world: World, batch_id: str) -> None:
    """Writes the batch's own state, completes the transaction when all is final, and tells the partner."""
    status = status_of(_orders(world, batch_id))
    done = status not in ("PLACED", "PARTIALLYPLACED")
    world.update("sc_batches", batch_id, status=status, completed_at=world.moment() if done else None)
    row = _transaction_of(world, batch_id)
    if done:
        row = transactions.update(world, row, status="COMPLETED")
    _tell(world, row)


def _fill_due(world: World, ref: str, details: dict[str, Any]) -> None:
    settle(world, ref, "filled")


DUE: dict[str, Callable[[World, str, dict[str, Any]], None]] = {FILL: _fill_due}


# -- documents -------------------------------------------------------------------------------------------------------


def _order_document(order: sqlite3.Row) -> dict[str, Any]:
    return {
        "tradingsymbol": order["ticker"], "transactionType": order["side"], "orderType": "MARKET",
        "status": order["status"], "quantity": order["quantity"], "filledQuantity": order["filled"],
        "averagePrice": Decimal(order["price"]), "product": "CNC", "exchange": "NSE",
        "exchangeOrderId": order["exchange_order_id"], "errorCode": order["error_code"],
        "statusMessage": order["message"],
    }  # fmt: skip


def _amount(orders: list[sqlite3.Row], side: str) -> Decimal:
    return sum((Decimal(o["price"]) * o["filled"] for o in orders if o["side"] == side), Decimal(0))


def document(world: World, batch: sqlite3.Row) -> dict[str, Any]:
    """The batch object that SDK, webhook and API share."""
    orders = _orders(world, batch["id"])
    return {
        "batchId": batch["id"], "variety": batch["variety"], "quantity": len(orders),
        "filled": sum(order["status"] == "COMPLETE" for order in orders),
        "buyAmount": _amount(orders, "BUY"), "sellAmount": _amount(orders, "SELL"),
        "completedDate": utc(batch["completed_at"]), "status": batch["status"],
        "orders": [_order_document(order) for order in orders if order["status"] != UNPLACED],
        "unplaced": [_order_document(order) for order in orders if order["status"] == UNPLACED],
    }  # fmt: skip


def checksum(stamp: str, subject: str) -> str:
    """HMAC-SHA256 of the timestamp and, right behind it, the smallcaseAuthId, with the API secret, in hex."""
    return hmac.new(auth.API_SECRET.encode(), f"{stamp}{subject}".encode(), hashlib.sha256).hexdigest()


def signed(world: World, row: sqlite3.Row, body: dict[str, Any]) -> dict[str, Any]:
    """A notice's body with what is added to every one of them."""
    stamp = utc(world.now()) or ""
    return {
        **body, "transactionId": row["id"], "notes": row["notes"], "broker": row["broker"],
        "smallcaseAuthId": row["account"], "timestamp": stamp, "checksum": checksum(stamp, row["account"]),
    }  # fmt: skip


def _tell(world: World, row: sqlite3.Row) -> None:
    batch = world.the("SELECT * FROM sc_batches WHERE transaction_id = ?", row["id"])
    notices.send(world, "smallcase", signed(world, row, document(world, batch)), "checksum")
