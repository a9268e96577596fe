"""PlaceOrderRequest, ModifyOrderRequest, CancelOrderRequest; for the SDKs also OrderRequest and the two bulk calls."""

from __future__ import annotations

import re
import sqlite3
from decimal import Decimal
from typing import Any

from .. import market
from ..clock import at_ist, ist
from ..world import World
from . import accounts, life, money
from .envelope import INVALID_INPUT, Door, Fields, Refusal, Visit, date

CLOSED, NO_MONEY, NO_SHARES, LATE, NOT_APPROVED = -15, -3, -4, -16, -17
SIDES = {"B": "B", "BUY": "B", "S": "S", "SELL": "S"}
EXCHANGES = {"N": "N", "NSE": "N", "B": "B", "BSE": "B"}
MILLISECONDS = 10**11
REF_LENGTH = 50
NOT_THERE = "Order does not exist"
BLANK: dict[str, Any] = {
    "BrokerOrderID": 0, "Exch": "?", "ExchOrderID": "0", "ExchType": "?", "LocalOrderID": 0, "RMSResponseCode": 0,
    "RemoteOrderID": "", "ScripCode": 0, "Time": "",
}  # fmt: skip
CANCEL_BLANK = {k: v for k, v in BLANK.items() if k != "RemoteOrderID"} | {"ClientCode": ""}
MISSING = {"Exch": "N", "ExchType": "C"}


def security_of(fields: Fields, exch: str) -> market.Security | None:
    """By ScripCode, or by ScripData or Symbol when there is none (document, ScripData format)."""
    code = fields.text("ScripCode", "Token")
    if code and code != "0":
        return market.find(code, exch) if code.isdecimal() else None
    name = fields.text("ScripData", "Symbol")
    return market.find(name, exch) if name else None


def exchange_of(fields: Fields) -> str:
    return EXCHANGES.get(fields.text("Exchange", "Exch").upper(), "")


def paise(fields: Fields, *names: str) -> int:
    """An amount of rupees as paise; raises Refusal 2 when it is negative or finer than a paisa."""
    amount = (fields.number(*names) or Decimal(0)) * 100
    if amount < 0 or amount != amount.to_integral_value():
        raise Refusal(2, INVALID_INPUT)
    return int(amount)


def moment_of(text: str) -> float | None:
    """`/Date(1725516056000)/`; the SDK sends seconds instead of milliseconds (providers.md 4.8)."""
    hit = re.match(r"/Date\((\d{1,15})", text)
    if not hit:
        return None
    number = int(hit[1])
    return number / 1000 if number > MILLISECONDS else float(number)


def _validity(body: Fields) -> int:
    """`iOrderValidity`; the JavaScript SDK says it by flags of its own."""
    if body.flag("IsIOCOrder") or body.flag("IOCOrder"):
        return life.IOC
    return body.whole("iOrderValidity") or 0


def _read(body: Fields) -> life.Wish:
    exch, side = exchange_of(body), SIDES.get(body.text("OrderType").upper(), "")
    security, qty = security_of(body, exch), body.whole("Qty") or 0
    dis_qty, validity = body.whole("DisQty") or 0, _validity(body)
    cash = body.text("ExchangeType", "ExchType").upper() == "C"
    if not (security and side and cash and 0 < qty <= 10**7 and 0 <= dis_qty <= qty and 0 <= validity <= life.FOK):
        raise Refusal(2, INVALID_INPUT)
    return life.Wish(
        exch, security, side, qty, money.INTRADAY if body.flag("IsIntraday") else money.DELIVERY, dis_qty,
        paise(body, "Price"), paise(body, "StopLossPrice"), validity, moment_of(body.text("ValidTillDate")),
        body.flag("AHPlaced") or body.flag("IsAHOrder"), body.text("RemoteOrderID")[:REF_LENGTH],
    )  # fmt: skip


# -- the broker's own checks ---------------------------------------------------------------------------------------


def _too_late(world: World, wish: life.Wish) -> bool:
    now = world.now()
    if wish.product != money.INTRADAY or market.trades_round_the_clock(world) or not market.is_open(world, now):
        return False
    return now >= at_ist(ist(now).date(), *life.SQUARE_OFF)


def rms_refusal(world: World, client: str, wish: life.Wish) -> tuple[int, str]:
    """RMSResponseCode and words when the broker does not take the order; (1, "") when it does."""
    if not wish.after_hours and not market.is_open(world):
        return CLOSED, "Exchange is closed. Cannot place your order."
    if _too_late(world, wish):
        return LATE, "Intraday orders are not taken after 15:20."
    if wish.side == "S" and wish.product == money.DELIVERY:
        if not accounts.may_sell(world, client):
            return NOT_APPROVED, "Sale is not authorised: no POA, and no TPIN authorisation of today (eDIS)."
        free = money.sellable(world, client, wish.security.isin)
        return (1, "") if free >= wish.qty else (NO_SHARES, f"Holding is short: {max(free, 0)} shares can be sold.")
    needed = wish.qty * life.block_rate(world, client, wish, wish.price_paise or wish.trigger_paise)
    short = needed - money.funds(world, client).available
    return (1, "") if short <= 0 else (NO_MONEY, f"Margin shortage of Rs {Decimal(short) / 100:.2f}.")


# -- the answers ---------------------------------------------------------------------------------------------------


def _answer(
    world: World, row: sqlite3.Row, rms: int, message: str = "Success", exch_id: str | None = None
) -> dict[str, Any]:
    return {
        "BrokerOrderID": row["id"], "Exch": row["exch"], "ExchType": "C",
        "ExchOrderID": row["exch_id"] if exch_id is None else exch_id, "LocalOrderID": 0, "Message": message,
        "RMSResponseCode": rms, "RemoteOrderID": row["remote_id"], "ScripCode": row["code"],
        "Status": 0 if message == "Success" else 1, "Time": date(world.now()),
    }  # fmt: skip


def _count(world: World, client: str, ref: str) -> None:
    if ref:
        sql = "INSERT INTO fivepaisa_refs VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1"
        world.run(sql, client, ref)


def place(world: World, visit: Visit) -> dict[str, Any]:
    """Status 0 means that the broker took the order, not that it was executed; the exchange's number comes later."""
    ref = visit.body.text("RemoteOrderID")[:REF_LENGTH]
    try:
        wish = _read(visit.body)
    except Refusal:
        _count(world, visit.client, ref)
        raise
    with world.transaction():
        _count(world, visit.client, ref)
        rms, words = rms_refusal(world, visit.client, wish)
        amo = "Y" if wish.after_hours and not market.is_open(world) else "N"
        row = life.create(world, visit.client, wish, amo=amo, refusal=words)
    visit.request.created.append(("fivepaisa_order", row["id"]))
    return _answer(world, row, rms, words or "Success", exch_id="0")


def _find(world: World, visit: Visit, blank: dict[str, Any]) -> sqlite3.Row:
    """By the exchange's number under either key; the SDK's wins, for it leaves old keys lying about."""
    key = visit.body.text("ExchOrderID", "ExchangeOrderID")
    row = world.one("SELECT * FROM fivepaisa_orders WHERE exch_id = ? AND exch_id <> '0'", key)
    if row is None or row["client"] != visit.client or row["id"] in world.hidden("fivepaisa_order"):
        raise Refusal(1, NOT_THERE, **blank)
    return row


def _refuse(world: World, row: sqlite3.Row, verb: str) -> dict[str, Any] | None:
    """An answer that says why nothing can be changed, or nothing."""
    if row["status"] not in ("Placed", "Pending", "Modified"):
        return _answer(world, row, -1, f"Order is {row['status']}. Cannot {verb} your order.")
    if row["amo"] != "Y" and not market.is_open(world):
        return _answer(world, row, CLOSED, f"Exchange is closed. Cannot {verb} your order.")
    return None


def _changes(row: sqlite3.Row, body: Fields) -> dict[str, int]:
    """Only what the call names changes; Price 0 makes it an order at the market."""
    qty = body.whole("Qty") or row["qty"]
    price, trigger = body.get("Price") is not None, body.get("StopLossPrice") is not None
    given = {
        "price_paise": paise(body, "Price") if price else row["price_paise"],
        "trigger_paise": paise(body, "StopLossPrice") if trigger else row["trigger_paise"],
        "dis_qty": min(row["dis_qty"], qty) if body.get("DisQty") is None else body.whole("DisQty") or 0,
    }  # fmt: skip
    if not row["traded"] < qty <= 10**7 or not 0 <= given["dis_qty"] <= qty:
        raise Refusal(2, INVALID_INPUT)
    return given | {"qty": qty, "pending": qty - row["traded"]}


def _wish_of(row: sqlite3.Row) -> life.Wish:
    security = market.find(row["code"], row["exch"])
    if security is None:
        raise Refusal(1, NOT_THERE)
    return life.Wish(row["exch"], security, row["side"], row["qty"], row["product"])


def _shortage(world: World, row: sqlite3.Row, new: dict[str, int], rate: int) -> tuple[int, str]:
    more = new["pending"] - row["pending"]
    if row["side"] == "S" and row["product"] == money.DELIVERY:
        short = more > money.sellable(world, row["client"], row["isin"])
        return (NO_SHARES, "Holding is short of the new quantity.") if short else (1, "")
    needed = new["pending"] * rate - row["pending"] * row["block_paise"]
    short_by = needed - money.funds(world, row["client"]).available
    return (NO_MONEY, f"Margin shortage of Rs {Decimal(short_by) / 100:.2f}.") if short_by > 0 else (1, "")


def modify(world: World, visit: Visit) -> dict[str, Any]:
    with world.transaction():
        row = _find(world, visit, MISSING)
        if refusal := _refuse(world, row, "Modify"):
            return refusal
        new = _changes(row, visit.body)
        rate = life.block_rate(world, row["client"], _wish_of(row), new["price_paise"] or new["trigger_paise"])
        rms, words = _shortage(world, row, new, rate)
        words = words or life.exchange_refusal(world, {**dict(row), **new})
        if words:
            return _answer(world, row, rms if rms < 0 else -1, words)
        status = row["status"] if row["status"] == "Placed" else "Modified"
        old = {"old_qty": row["qty"], "version": row["version"] + 1, "block_paise": rate}
        life.change(world, row["id"], **new, **old, status=status)
        life.look(world, row["id"])
    return _answer(world, row, 1)


def cancel(world: World, visit: Visit) -> dict[str, Any]:
    if not visit.body.text("ExchOrderID", "ExchangeOrderID"):
        raise Refusal(2, INVALID_INPUT)
    with world.transaction():
        row = _find(world, visit, MISSING)
        refusal = _refuse(world, row, "Cancel")
        if not refusal:
            life.change(world, row["id"], status="Cancelled", reason="Cancelled by the client")
    answer = refusal or _answer(world, row, 0)
    answer.pop("RemoteOrderID")
    return answer | {"ClientCode": visit.client}


def cancel_many(world: World, visit: Visit) -> dict[str, Any]:
    """Each order of the list by itself; the SDK's `cancel_bulk_order`."""
    answers = []
    for item in visit.body.rows("ExchOrderIDs"):
        try:
            answers.append(cancel(world, Visit(visit.client, item, visit.request)))
        except Refusal as refusal:
            answers.append(CANCEL_BLANK | {"Message": refusal.message, "Status": refusal.status} | refusal.more)
    return {"Status": 0, "Message": "Success", "BulkOrderResponse": answers}


def act(world: World, visit: Visit) -> dict[str, Any]:
    """`OrderRequest` of the oldest SDK: one call for all three, told by `OrderFor`."""
    acts = {"P": place, "M": modify, "C": cancel}
    what = acts.get(visit.body.text("OrderFor").upper())
    if what is None:
        raise Refusal(2, INVALID_INPUT)
    return BLANK | what(world, visit)


def place_many(world: World, visit: Visit) -> dict[str, Any]:
    """Each order of the list by itself; the SDK's `place_order_bulk`."""
    answers = []
    for item in visit.body.rows("OrderList"):
        try:
            answers.append(place(world, Visit(visit.client, item, visit.request)))
        except Refusal as refusal:
            answers.append(BLANK | {"Message": refusal.message, "Status": refusal.status} | refusal.more)
    return {"Status": 0, "Message": "Success", "BulkOrderResponse": answers}


PLACE = Door("5PPlaceOrdReqV1", place, str, BLANK, "body", client=False, wrong_client=(9, "Invalid Session"))
MODIFY = Door("5PModifyOrdReqV1", modify, str, BLANK, "text", client=False, wrong_client=(9, "Invalid Session"))
CANCEL = Door("5PCancelOrdReqV1", cancel, str, CANCEL_BLANK, "body", client=False, wrong_client=(9, "Invalid Session"))
ACT = Door("5POrdReq", act, str, BLANK, "body", client=False, wrong_client=(9, "Invalid Session"))
PLACE_MANY = Door("5PPlaceOrdBulk", place_many, str, {"BulkOrderResponse": []})
CANCEL_MANY = Door("5PCancelOrdBulk", cancel_many, str, {"BulkOrderResponse": []})
