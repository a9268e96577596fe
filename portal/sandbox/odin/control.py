"""ODIN in the control room: finish a basket, move an order, mint a session, see the truth."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from ..clock import ist
from ..control_parts import SHOWN, button, row_of, state, table
from ..pages import esc
from ..web import Handler, Problem, Request, Response, arguments, json_response
from ..world import World
from . import button as buttons
from . import landing, orders, sessions

LEDGER_LIMIT = 1000
# What may be done to an open order: the word, and its status in the messages.
ENDS = {"cancelled": orders.CANCELLED, "rejected": orders.OMS_REJECT}
ACTS_ON_ORDERS = ("executed", "partial", "opened", *ENDS)
VERBS = ("get", "post")


def _whole(given: dict[str, Any], name: str) -> int | None:
    text = str(given.get(name) or "")
    if text and not (text.isdecimal() and len(text) < 16):
        raise Problem(400, f"{name} is a whole number")
    return int(text) if text else None


def finish(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Stands for the person at the basket page. Raises Problem 400, 404 or 409."""
    outcome = str(given.get("outcome") or "")
    if outcome not in orders.OUTCOMES:
        raise Problem(400, f"outcome is one of {', '.join(orders.OUTCOMES)}")
    basket = buttons.by_reco(world, str(given.get("sRecoId") or ""))
    if basket is None:
        raise Problem(404, "no such basket")
    callback = landing.execute(world, basket, outcome)
    return {"sRecoId": basket["reco_id"], "callback": callback, **_entry(world, _again(world, basket))}


def _again(world: World, basket: sqlite3.Row) -> sqlite3.Row:
    return world.the("SELECT * FROM odin_baskets WHERE seq = ?", basket["seq"])


def move(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Moves one order by its UniqueCode; `quantity` and `price` (paise) belong to trades. Raises Problem."""
    row, act = orders.by_code(world, str(given.get("order") or "")), str(given.get("status") or "")
    if act not in ACTS_ON_ORDERS:
        raise Problem(400, f"status is one of {', '.join(ACTS_ON_ORDERS)}")
    if row["status"] not in orders.OPEN:
        raise Problem(400, f"the order is {orders.STATES[row['status']]}")
    with world.transaction():
        if act in ENDS:
            orders.end(world, row, ENDS[act], str(given.get("reason") or "By hand"))
        elif act == "opened":
            orders.open_amo(world, row)
        else:
            left = row["quantity"] - row["traded"]
            quantity = _whole(given, "quantity") or (left if act == "executed" else max(left // 2, 1))
            orders.trade(world, row, quantity, _whole(given, "price"))
    return _order(orders.by_code(world, row["code"]))


def mint(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """What a login would have sent to the callback."""
    partner = str(given.get("sPartnerId") or sessions.FIRST_PARTNER)
    return landing.login_fields(sessions.log_in(world, partner, str(given.get("user") or "DEMO02")))


def _set(world: World, given: dict[str, Any]) -> dict[str, Any]:
    verb = str(given.get("callback_method") or "").lower()
    if verb not in VERBS:
        raise Problem(400, "callback_method is get or post")
    world.set_meta("odin_callback", verb)
    return {"callback_method": verb}


# -- the ledger ------------------------------------------------------------------------------------------------------


def _order(row: sqlite3.Row) -> dict[str, Any]:
    average = row["traded_value"] // row["traded"] if row["traded"] else 0
    return {
        "UniqueCode": row["code"], "symbol": row["symbol"], "token": row["token"], "side": row["side"],
        "type": row["type"], "quantity": row["quantity"], "traded": row["traded"], "price_paise": row["price"],
        "average_price_paise": average, "traded_value_paise": row["traded_value"], "status": row["status"],
        "state": orders.STATES[row["status"]], "reason": row["reason"],
    }  # fmt: skip


def _entry(world: World, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["seq"], "reference": row["reco_id"], "received": row["received"], "state": row["status"],
        "client": row["client"], "partner": row["partner"], "product": row["product"],
        "created_at": ist(row["created_at"]).isoformat(), "asked": buttons.lines_of(row),
        "orders": [_order(order) for order in orders.of_basket(world, row["seq"])],
    }  # fmt: skip


def ledger(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """`ref` (sRecoId), `state` and `client` narrow it; oldest first, `limit` and `offset` page it."""
    where, args = "1 = 1", []
    for name, column in (("ref", "reco_id"), ("state", "status"), ("client", "client")):
        if given.get(name):
            where += f" AND {column} = ?"
            args.append(str(given[name]))
    limit, offset = _whole(given, "limit") or LEDGER_LIMIT, _whole(given, "offset") or 0
    total = world.scalar(f"SELECT count(*) FROM odin_baskets WHERE {where}", *args)  # noqa: S608
    sql = f"SELECT * FROM odin_baskets WHERE {where} ORDER BY seq LIMIT ? OFFSET ?"  # noqa: S608
    rows = world.all(sql, *args, min(limit, LEDGER_LIMIT), offset)
    return {"total": total, "orders": [_entry(world, row) for row in rows]}


def _call(work: Callable[[World, dict[str, Any]], dict[str, Any]]) -> Handler:
    def handler(world: World, request: Request) -> Response:
        return json_response(work(world, arguments(request)))

    return handler


ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/odin/complete", _call(finish)),
    ("POST", "/odin/event", _call(move)),
    ("POST", "/odin/session", _call(mint)),
    ("POST", "/odin/settings", _call(_set)),
    ("GET", "/ledger/odin", _call(ledger)),
]


# -- the page --------------------------------------------------------------------------------------------------------


def _order_row(world: World, order: sqlite3.Row) -> str:
    words = () if order["status"] not in orders.OPEN else ACTS_ON_ORDERS
    acts = "".join(
        button("odin_order", word, order=order["code"], status=word)
        for word in words
        if word != "opened" or order["status"] == orders.AMO
    )
    side = "buy" if order["side"] == 1 else "sell"
    what = f"{side} {order['traded']}/{order['quantity']} {esc(order['symbol'])} {esc(order['reason'])}"
    return f"{what} {state(orders.STATES[order['status']])}{row_of(acts)}"


def section(world: World) -> str:
    rows = []
    for row in world.all("SELECT * FROM odin_baskets ORDER BY seq DESC LIMIT ?", SHOWN):
        found = "".join(_order_row(world, order) for order in orders.of_basket(world, row["seq"]))
        asked = ", ".join(esc(line["symbol"]) for line in buttons.lines_of(row))
        words = orders.OUTCOMES if row["status"] == buttons.WAITING else ()
        acts = "".join(button("odin", word.replace("_", " "), ref=row["reco_id"], outcome=word) for word in words)
        rows.append((esc(row["reco_id"]), esc(row["client"]), found or asked, state(row["status"]), row_of(acts)))
    head = ("sRecoId", "client", "orders", "state", "what may happen next")
    return "<section><h2>ODIN baskets</h2>" + table(head, rows) + "</section>"


def _act(world: World, form: dict[str, str]) -> str:
    done = finish(world, {"sRecoId": form["ref"], "outcome": form["outcome"]})
    return f"basket {done['sRecoId']} is {done['state']}"


def _act_on_order(world: World, form: dict[str, str]) -> str:
    done = move(world, dict(form))
    return f"order {done['UniqueCode']} is {done['state']}"


ACTS: dict[str, Callable[[World, dict[str, str]], str]] = {"odin": _act, "odin_order": _act_on_order}
