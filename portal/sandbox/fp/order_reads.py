"""Reads of orders: lists of an account and of the tenant, one order, purchases, sells, switches.

The lists show successful orders unless states are named, as the document says.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from ..schemes import fund_schemes
from ..web import Problem, Request, Response, json_response
from ..world import World
from .accounts import account_row
from .common import envelope, number, one_of, paging, self_link, stamp, words

STATES = ("PENDING", "SUBMITTED", "SUCCESSFUL", "CANCELLED", "PAYMENT_CONFIRMED", "FAILED", "REVERSED")
TYPES = ("PURCHASE", "ADDITIONAL_PURCHASE", "REDEMPTION", "REDEEM_ALL", "SWITCH")
TIMES = ("confirmed_at", "submitted_at", "succeeded_at", "reversed_at", "failed_at", "created_at")
REDEMPTION = ("redemption_mode", "redemption_bank_account_number", "redemption_bank_account_ifsc_code")


def document(row: sqlite3.Row) -> dict[str, Any]:
    """An order; a failed one also carries the `failure_code` of the newer API, which the document does not show."""
    failure = {"failure_code": row["failure_code"]} if row["failure_code"] else {}
    return failure | {
        "id": row["id"], "type": row["type"], "status": row["status"],
        **{name: number(row[name]) for name in ("amount", "reverse_amount", "reverse_units", "price")},
        "trade_date": row["trade_date"], "investment_date": row["investment_date"], "folio_number": row["folio_number"],
        "bank_account_id": row["bank_account_id"], "source_ref_id": row["source_ref_id"], "sip_id": row["sip_id"],
        **{name: stamp(row[name]) for name in TIMES}, **{name: row[name] for name in REDEMPTION},
        "fund_scheme": fund_schemes()[row["isin"]].brief(),
    }  # fmt: skip


def _ids(scope: str, states: list[str], more: str, order: str, upto: int) -> str:
    """Ids in order, read from the index alone: one branch for each state, each stopping where the page ends."""
    branch = f"SELECT id, investment_date, seq FROM fp_orders WHERE {scope} = ? AND status = ?{more}"  # noqa: S608
    if len(states) == 1:
        return branch
    ordered = f"SELECT * FROM ({branch} ORDER BY {order} LIMIT {upto})"  # noqa: S608
    return " UNION ALL ".join([ordered] * len(states))


def _list(world: World, request: Request, scope: str, key: object) -> Response:
    page, size = paging(request)
    states = list(dict.fromkeys(words(request, "state", STATES) or ["SUCCESSFUL"]))
    types = words(request, "type", TYPES)
    one_of(request, "sort", ("investment_date", "order_date"), "investment_date")
    direction = one_of(request, "direction", ("asc", "desc"), "desc")
    more = f" AND type IN ({','.join('?' * len(types))})" if types else ""
    if hidden := world.hidden("order"):
        more += f" AND id NOT IN ({','.join(map(str, hidden))})"
    args = [value for state in states for value in (key, state, *types)]
    order = f"investment_date {direction}, seq {direction}"
    ids = f"{_ids(scope, states, more, order, (page + 1) * size)} ORDER BY {order} LIMIT ? OFFSET ?"
    last = f"p.investment_date {direction}, p.seq {direction}"
    sql = f"SELECT o.* FROM fp_orders o JOIN ({ids}) p ON p.id = o.id ORDER BY {last}"  # noqa: S608
    rows = world.all(sql, *args, size, page * size)
    return _answer(request, rows, _count(world, scope, key, states, types, more), page, size)


def _count(world: World, scope: str, key: object, states: list[str], types: list[str], more: str) -> int:
    where = f"{scope} = ? AND status IN ({','.join('?' * len(states))}){more}"
    if scope == "tenant" and not world.hidden("order"):
        return int(world.scalar(f"SELECT total(number) FROM fp_order_counts WHERE {where}", key, *states, *types))  # noqa: S608
    return int(world.scalar(f"SELECT count(*) FROM fp_orders WHERE {where}", key, *states, *types))  # noqa: S608


def _answer(request: Request, rows: list[sqlite3.Row], total: int, page: int, size: int) -> Response:
    body = envelope("amc_orders", [document(row) for row in rows], total, page, size)
    return json_response(body | {"_links": self_link(request)})


def of_tenant(world: World, request: Request) -> Response:
    return _list(world, request, "tenant", request.tenant)


def of_account(world: World, request: Request, account_id: str) -> Response:
    return _list(world, request, "account_id", account_row(world, request.tenant, account_id)["id"])


def one(world: World, request: Request, account_id: str, order_id: str) -> Response:
    account = account_row(world, request.tenant, account_id)
    row = world.one("SELECT * FROM fp_orders WHERE id = ? AND account_id = ?", int(order_id), account["id"])
    if row is None or row["id"] in world.hidden("order"):
        raise Problem(404, "Order not found")
    return json_response(document(row))


def _of_kind(world: World, request: Request, account_id: str, kind: str) -> Response:
    """All states of one kind, newest first."""
    page, size = paging(request)
    account = account_row(world, request.tenant, account_id)
    where = "account_id = ? AND kind = ?"
    if hidden := world.hidden("order"):
        where += f" AND id NOT IN ({','.join(map(str, hidden))})"
    total = world.scalar(f"SELECT count(*) FROM fp_orders WHERE {where}", account["id"], kind)  # noqa: S608
    sql = f"SELECT * FROM fp_orders WHERE {where} ORDER BY investment_date DESC, seq DESC LIMIT ? OFFSET ?"  # noqa: S608
    return _answer(request, world.all(sql, account["id"], kind, size, page * size), total, page, size)


def purchases(world: World, request: Request, account_id: str) -> Response:
    return _of_kind(world, request, account_id, "purchase")


def sells(world: World, request: Request, account_id: str) -> Response:
    return _of_kind(world, request, account_id, "redemption")


def switches(world: World, request: Request, account_id: str) -> Response:
    return _of_kind(world, request, account_id, "switch")


ACCOUNT = "/api/oms/investment_accounts/{account_id:int}/orders"
ROUTES = [
    ("GET", "/api/oms/orders", of_tenant),
    ("GET", ACCOUNT, of_account),
    ("GET", f"{ACCOUNT}/purchase", purchases),
    ("GET", f"{ACCOUNT}/sell", sells),
    ("GET", f"{ACCOUNT}/switch", switches),
    ("GET", ACCOUNT + "/{order_id:int}", one),
]
