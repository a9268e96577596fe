"""Control of 5paisa for programs: a request token, an order moved by hand, money, and the ledger."""

from __future__ import annotations

import re
import sqlite3
from decimal import Decimal, InvalidOperation
from typing import Any

from .. import market
from ..clock import ist
from ..web import Handler, Problem, Request, Response, arguments, json_response
from ..world import World
from . import accounts, auth, books, life, money
from .envelope import rupees

LIMIT = 1000
BY_HAND = {
    "Placed": ("Xmitted", "Fully Executed", "Cancelled", "Rejected By 5P", "Rejected by Exch"),
    "Pending": ("Xmitted", "Fully Executed", "Cancelled", "Rejected by Exch"),
    "Modified": ("Xmitted", "Fully Executed", "Cancelled", "Rejected by Exch"),
    "Xmitted": ("Pending", "Fully Executed", "Cancelled", "Rejected By 5P", "Rejected by Exch"),
}
FILTERS = {"ref": "remote_id", "state": "status", "account": "client", "client_code": "client", "id": "id"}


def request_token(world: World, request: Request) -> Response:
    """A RequestToken as the login page would send it."""
    code = str(arguments(request).get("client_code") or "50000001")
    if accounts.find(code) is None:
        raise Problem(404, "client_code is 50000001 or another number of the form 5000NNNN")
    accounts.ensure(world, code)
    return json_response({"RequestToken": auth.request_token(world, code), "client_code": code})


def approve_sales(world: World, request: Request) -> Response:
    """A client without a power of attorney approves today's sales with the depository's TPIN."""
    code = str(arguments(request).get("client_code") or "")
    if accounts.find(code) is None:
        raise Problem(404, "client_code is not known")
    accounts.approve_sales(world, code)
    return json_response({"client_code": code, "may_sell": accounts.may_sell(world, code)})


# -- orders --------------------------------------------------------------------------------------------------------


def find(world: World, key: str) -> sqlite3.Row:
    """An order by the broker's number, the exchange's number, or our reference (the latest); raises Problem 404."""
    number = int(key) if key.isdecimal() and len(key) < 16 else -1
    sql = "SELECT * FROM fivepaisa_orders WHERE {} ORDER BY id DESC LIMIT 1"
    for where, value in (("id = ?", number), ("exch_id = ?", key), ("remote_id = ?", key)):
        if row := world.one(sql.format(where), value):
            return row
    raise Problem(404, "Order does not exist")


def _state(word: str) -> str:
    """The state as the document spells it, however it is given."""
    plain = re.sub(r"[^a-z0-9]", "", word.lower())
    known = {re.sub(r"[^a-z0-9]", "", one.lower()): one for moves in BY_HAND.values() for one in moves}
    return known.get(plain, word)


def _price(world: World, row: sqlite3.Row, given: Any) -> int:
    """Paise: as given, else the order's limit, else the market's."""
    try:
        price = Decimal(str(given)) * 100 if given not in (None, "") else Decimal(row["price_paise"])
    except InvalidOperation:
        raise Problem(400, "price is a number of rupees") from None
    if not price.is_finite() or price < 0:
        raise Problem(400, "price is a number of rupees")
    return int(price or market.quote(world, row["code"], world.moment(), row["exch"]).last * 100)


def move(world: World, row: sqlite3.Row, to: str, qty: Any = None, price: Any = None) -> sqlite3.Row:
    """Moves an order by hand. `Fully Executed` with a smaller `qty` trades only that. Raises Problem 400."""
    to = _state(to)
    if to not in BY_HAND.get(row["status"], ()):
        raise Problem(400, f"{row['status']} cannot move to {to}")
    with world.transaction():
        if to == "Fully Executed":
            wanted = int(qty) if str(qty or "").isdecimal() else row["pending"]
            if not 0 < wanted <= row["pending"]:
                raise Problem(400, f"qty is from 1 to {row['pending']}")
            if row["exch_id"] == "0":
                row = life.change(world, row["id"], exch_id=life.exchange_id(row), exchange_at=world.moment())
            return life.trade(world, row, wanted, _price(world, row, price))
        reason = "" if to in life.OPEN_STATES else "By hand in the control room"
        row = life.change(world, row["id"], status=to, reason=reason)
        life.look(world, row["id"])
    return life.order(world, row["id"])


def move_order(world: World, request: Request, key: str) -> Response:
    given = arguments(request)
    row = move(world, find(world, key), str(given.get("status") or ""), given.get("qty"), given.get("price"))
    return json_response(entry(world, row))


# -- the ledger ----------------------------------------------------------------------------------------------------


def _stamp(moment: float | None) -> str | None:
    return None if moment is None else ist(moment).isoformat(timespec="milliseconds")


def entry(world: World, row: sqlite3.Row) -> dict[str, Any]:
    times = "SELECT times FROM fivepaisa_refs WHERE client = ? AND ref = ?"
    received = world.scalar(times, row["client"], row["remote_id"]) if row["remote_id"] else 1
    trades = world.all("SELECT * FROM fivepaisa_trades WHERE order_id = ? ORDER BY id", row["id"])
    return {
        "id": row["id"], "RemoteOrderID": row["remote_id"], "received": received or 1, "client": row["client"],
        "status": row["status"], "reason": row["reason"], "ExchOrderID": row["exch_id"], "symbol": row["symbol"],
        "isin": row["isin"], "exchange": row["exch"], "scrip_code": row["code"], "side": row["side"],
        "product": row["product"], "quantity": row["qty"], "traded": row["traded"], "pending": row["pending"],
        "price": rupees(row["price_paise"]), "trigger": rupees(row["trigger_paise"]),
        "average_price": books.average(row), "amount": rupees(row["traded_paise"]), "after_hours": row["amo"],
        "trades": [{"qty": t["qty"], "price": rupees(t["price_paise"]), "at": _stamp(t["at"])} for t in trades],
        "created_at": _stamp(row["created_at"]), "updated_at": _stamp(row["updated_at"]),
    }  # fmt: skip


def ledger(world: World, request: Request) -> Response:
    """Every order, oldest first; `ref`, `state`, `account` and `id` narrow it, `limit` and `offset` page it."""
    given = arguments(request)
    used = {column: given[name] for name, column in FILTERS.items() if given.get(name)}
    where = " AND ".join(f"{column} = ?" for column in used) or "1 = 1"
    try:
        limit, offset = min(int(given.get("limit", LIMIT)), LIMIT), int(given.get("offset", 0))
    except ValueError:
        raise Problem(400, "limit and offset are numbers") from None
    total = world.scalar(f"SELECT count(*) FROM fivepaisa_orders WHERE {where}", *used.values())  # noqa: S608
    sql = f"SELECT * FROM fivepaisa_orders WHERE {where} ORDER BY id LIMIT ? OFFSET ?"  # noqa: S608
    rows = world.all(sql, *used.values(), limit, offset)
    answer = {"total": total, "orders": [entry(world, row) for row in rows]}
    return json_response(answer | {"refused_only": _never_taken(world, given.get("ref")), "clients": _clients(world)})


def _never_taken(world: World, ref: Any) -> list[dict[str, Any]]:
    """References that were received but never became an order."""
    sql = (
        "SELECT r.* FROM fivepaisa_refs r LEFT JOIN fivepaisa_orders o ON o.client = r.client AND o.remote_id = r.ref "
        "WHERE o.id IS NULL AND (?1 IS NULL OR r.ref = ?1) LIMIT 1000"
    )
    rows = world.all(sql, ref)
    return [{"client": row["client"], "RemoteOrderID": row["ref"], "received": row["times"]} for row in rows]


def _clients(world: World) -> list[dict[str, Any]]:
    found = []
    for row in world.all("SELECT code FROM fivepaisa_clients ORDER BY code"):
        funds = money.funds(world, row["code"])
        found.append({"client": row["code"], "cash": funds.ledger / 100, "available": funds.available / 100})
    return found


ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/5paisa/request_token", request_token),
    ("POST", "/5paisa/approve_sales", approve_sales),
    ("POST", "/5paisa/orders/{key}", move_order),
    ("GET", "/ledger/5paisa", ledger),
]
