"""Orders of an executed basket, and the messages about them that go to the publisher.

    18 AMO submitted -> 5 pending -> 7 executed
            |               |------> 6 cancelled
            |------> 19 AMO cancelled
    10 rejected by the broker's OMS

Every change is an ORD_NRML message, every trade a TRD_MSG, all numbered in one running sequence. They are sent as they
happen and can be asked for again with the sync call. The document names no signature for them; `sInitiatorAppToken`
is the one thing that only the two sides know.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .. import market, notices
from ..clock import ist
from ..web import Problem, dumps
from ..world import World
from .lines import AT_MARKET, EXCHANGES, IOC, SEGMENTS, STOP_LIMIT, STOP_MARKET
from .sessions import APP_TOKEN

PENDING, CANCELLED, EXECUTED, OMS_REJECT, AMO, AMO_CANCELLED = 5, 6, 7, 10, 18, 19
OPEN = (PENDING, AMO)
STATES = {
    PENDING: "PENDING",
    CANCELLED: "CANCELLED",
    EXECUTED: "EXECUTED",
    OMS_REJECT: "REJECTED",
    AMO: "AMO",
    AMO_CANCELLED: "CANCELLED",
}
FILL_AFTER_S = 1.5
OPENS, FILLS, ENDS = "odin.opens", "odin.fills", "odin.ends"
PAISE = 100
OUTCOMES = ("placed", "filled", "partial", "unfilled", "pending", "rejected", "low_funds", "amo", "user_cancelled")
REJECTIONS = {"rejected": "Rejected by the broker's risk system", "low_funds": "Insufficient funds"}


def paise(rupees: Decimal) -> int:
    return int(rupees * PAISE)


def find(world: World, order_id: int) -> sqlite3.Row:
    return world.the("SELECT * FROM odin_orders WHERE id = ?", order_id)


def by_code(world: World, code: str) -> sqlite3.Row:
    """Raises Problem 404."""
    row = world.one("SELECT * FROM odin_orders WHERE code = ?", code)
    if row is None:
        raise Problem(404, "no such order")
    return row


def of_basket(world: World, basket: int) -> list[sqlite3.Row]:
    return world.all("SELECT * FROM odin_orders WHERE basket = ? ORDER BY id", basket)


def quote(world: World, row: sqlite3.Row) -> market.Quote:
    return market.quote(world, row["symbol"], world.moment(), SEGMENTS[row["segment"]])


# -- placing ---------------------------------------------------------------------------------------------------------


def place(world: World, basket: sqlite3.Row, outcome: str) -> None:
    """Sends every line of the basket; `outcome` is how it ends, `placed` leaves that to the market."""
    with world.transaction():
        for line in json.loads(basket["lines"]):
            now = world.moment()
            order = world.insert(
                "odin_orders", **line, code=f"OD{secrets.randbelow(10**10):010d}", basket=basket["seq"],
                status=PENDING, entered_at=now, changed_at=now,
            )  # fmt: skip
            _begin(world, find(world, order), outcome)


def _begin(world: World, row: sqlite3.Row, outcome: str) -> None:
    reason = REJECTIONS.get(outcome) or (_out_of_limits(world, row) if outcome == "placed" else "")
    if reason:
        change(world, row, status=OMS_REJECT, reason=reason)
    elif outcome == "amo" or (outcome == "placed" and not market.is_open(world)):
        change(world, row, status=AMO, amo_id=f"AMO{row['id']:09d}")
        world.schedule(market.next_open(world.moment()), OPENS, row["id"])
    else:
        row = _reaches_the_exchange(world, row)
        _end_at_once(world, row, outcome)


def _out_of_limits(world: World, row: sqlite3.Row) -> str:
    """Why the broker turns a price down: beyond the day's circuit limits (a price in rupees, most often)."""
    shown = quote(world, row)
    low, high = paise(shown.lower_circuit), paise(shown.upper_circuit)
    wrong = [value for value in (row["price"], row["trigger"]) if value and not low <= value <= high]
    return f"Price {wrong[0]} is outside the circuit limits {low} to {high} paise" if wrong else ""


def _reaches_the_exchange(world: World, row: sqlite3.Row) -> sqlite3.Row:
    return change(world, row, status=PENDING, number=1_000_000_000_000_000 + secrets.randbelow(10**15))


def _end_at_once(world: World, row: sqlite3.Row, outcome: str) -> None:
    if outcome == "filled":
        trade(world, row, row["quantity"])
    elif outcome == "partial":
        if half := row["quantity"] // 2:
            row = trade(world, row, half)
        change(world, row, status=CANCELLED, reason="Rest cancelled by the exchange")
    elif outcome == "unfilled":
        change(world, row, status=CANCELLED, reason="No counter orders")
    elif outcome == "placed":
        _leave_to_the_market(world, row)


def _leave_to_the_market(world: World, row: sqlite3.Row) -> None:
    """Asks to be filled when the price gets there, and to be cancelled when the day ends first."""
    now = world.moment()
    end, at = market.next_close(now), _fill_time(world, row, now)
    if row["validity"] == IOC and (at is None or at > now):
        change(world, row, status=CANCELLED, reason="Immediate or cancel")
    elif at is not None:
        world.schedule(at + FILL_AFTER_S, FILLS, row["id"])
    else:
        world.schedule(end, ENDS, row["id"])


def _fill_time(world: World, row: sqlite3.Row, now: float) -> float | None:
    """When the day's prices reach the trigger, where there is one, and then the limit, where there is one."""
    security, end, buys = quote(world, row).security, market.next_close(now), row["side"] == 1
    at: float | None = now
    if row["type"] in (STOP_LIMIT, STOP_MARKET):
        trigger = Decimal(row["trigger"]) / PAISE
        at = market.next_time(world, security, now, end, trigger, upwards=buys)
    if at is None or row["type"] in (AT_MARKET, STOP_MARKET):
        return at
    limit = Decimal(row["price"]) / PAISE
    return market.next_time(world, security, at, end, limit, upwards=not buys)


# -- changing --------------------------------------------------------------------------------------------------------


def change(world: World, row: sqlite3.Row, **values: Any) -> sqlite3.Row:
    """Writes what changed and tells the publisher."""
    world.update("odin_orders", row["id"], changed_at=world.moment(), **values)
    again = find(world, row["id"])
    _tell(world, order_message(world, again), again)
    return again


def trade(world: World, row: sqlite3.Row, quantity: int, price: int | None = None) -> sqlite3.Row:
    """A trade of `quantity` shares at `price` paise, or at the market. Raises Problem 400 beyond what is pending."""
    if not 0 < quantity <= row["quantity"] - row["traded"]:
        raise Problem(400, f"quantity is 1 to {row['quantity'] - row['traded']}")
    price = price or _trade_price(world, row)
    traded = row["traded"] + quantity
    number = secrets.randbelow(10**9) + 1
    _tell(world, _trade_message(world, row, quantity, price, number), row)
    status = EXECUTED if traded == row["quantity"] else PENDING
    return change(
        world, row, status=status, traded=traded, traded_value=row["traded_value"] + quantity * price, reason=""
    )


def _trade_price(world: World, row: sqlite3.Row) -> int:
    """The market's price, but never worse than the limit."""
    last, limit = paise(quote(world, row).last), row["price"]
    if not limit:
        return last
    return min(last, limit) if row["side"] == 1 else max(last, limit)


def end(world: World, row: sqlite3.Row, status: int, reason: str) -> sqlite3.Row:
    """Raises Problem 400 unless the order is open."""
    if row["status"] not in OPEN:
        raise Problem(400, f"the order is {STATES[row['status']]}")
    if (row["status"], status) == (AMO, CANCELLED):
        status = AMO_CANCELLED
    return change(world, row, status=status, reason=reason)


def open_amo(world: World, row: sqlite3.Row) -> None:
    """The market opens: an after-market order goes to the exchange."""
    _leave_to_the_market(world, _reaches_the_exchange(world, row))


def _opens_due(world: World, ref: str, details: dict[str, Any]) -> None:
    row = find(world, int(ref))
    if row["status"] == AMO:
        open_amo(world, row)


def _fills_due(world: World, ref: str, details: dict[str, Any]) -> None:
    row = find(world, int(ref))
    if row["status"] == PENDING:
        trade(world, row, row["quantity"] - row["traded"])


def _ends_due(world: World, ref: str, details: dict[str, Any]) -> None:
    row = find(world, int(ref))
    if row["status"] in OPEN:
        change(world, row, status=CANCELLED, reason="End of the day")


DUE: dict[str, Callable[[World, str, dict[str, Any]], None]] = {
    OPENS: _opens_due, FILLS: _fills_due, ENDS: _ends_due,
}  # fmt: skip


# -- messages --------------------------------------------------------------------------------------------------------


def stamp(moment: float) -> str:
    """`15Jun2019 15.25.15`, Indian time."""
    at: dt.datetime = ist(moment)
    return f"{at:%d%b%Y %H.%M.%S}"


def _common(world: World, row: sqlite3.Row) -> dict[str, Any]:
    """What names the order in both kinds of message: the exchange's names, and the publisher's own."""
    basket = world.the("SELECT * FROM odin_baskets WHERE seq = ?", row["basket"])
    return {
        "OrderNumber": row["number"], "Exchange": EXCHANGES[row["segment"]], "ScripCode": row["token"],
        "Symbol": row["symbol"], "Series": "EQ", "InstrumentName": "EQUITIES", "ExpiryDate": "", "StrikePrice": 0,
        "Option_Type": "", "Buy_Sell": row["side"], "sThirdpartyUserId": basket["client"],
        "sThirdpartyProductCode": basket["product"], "sInitiatorAppToken": APP_TOKEN,
        "sThirdpartyRecoId": basket["reco_id"], "sPartnerId": basket["partner"], "UniqueCode": row["code"],
        "UCC": basket["client"][:12], "DecimalLocator": PAISE,
    }  # fmt: skip


def order_message(world: World, row: sqlite3.Row) -> dict[str, Any]:
    left = row["quantity"] - row["traded"] if row["status"] in OPEN else 0
    return {
        "MessageType": "ORD_NRML", **_common(world, row),
        "OrderOriginalQty": row["quantity"], "PendingQty": left, "TradedQTY": row["traded"],
        "OrderPrice": row["price"], "OrderStatus": row["status"], "Reason": row["reason"],
        "OrderEntryTime": stamp(row["entered_at"]), "LastModifiedTime": stamp(row["changed_at"]),
        "UserRemarks": "", "Misc": "", "DQ": row["disclosed"], "DQRemaining": min(row["disclosed"], left),
        "TriggerPrice": row["trigger"], "OrderType": row["type"], "Days": 0, "ProCli": 1, "CP_ID": "",
        "Product": row["product"], "SpreadFlag": 0, "SpreadPrice": 0, "AMOOrderID": row["amo_id"],
        "GTDOrderStatus": "",
    }  # fmt: skip


def _trade_message(world: World, row: sqlite3.Row, quantity: int, price: int, number: int) -> dict[str, Any]:
    return {
        "MessageType": "TRD_MSG", **_common(world, row), "TradeQty": quantity, "TradedPrice": price,
        "TradeNumber": number, "TradeTime": stamp(world.moment()), "OrderPrice": row["price"],
        "OrderOriginalQty": row["quantity"], "TradedQTY": row["traded"] + quantity,
    }  # fmt: skip


def _tell(world: World, message: dict[str, Any], row: sqlite3.Row) -> None:
    """Numbers a message, keeps it for the sync call and queues it for the publisher."""
    seq = world.insert("odin_events", basket=row["basket"], body="{}")
    message["MessageSequenceNumber"] = seq
    world.run("UPDATE odin_events SET body = ? WHERE seq = ?", dumps(message).decode(), seq)
    notices.send(world, "odin", message, "sInitiatorAppToken")
