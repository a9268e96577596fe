"""The truth of the world: every order with its reference, how often it was received, its state and payments."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from .fp import payments
from .fp.common import number, stamp
from .schemes import fund_schemes
from .web import Problem
from .world import World

TIMES = ("created_at", "confirmed_at", "submitted_at", "succeeded_at", "failed_at", "reversed_at", "cancelled_at")
TEXTS = (
    "tenant", "account_id", "kind", "type", "status", "isin", "folio_number", "trade_date", "investment_date",
    "bank_account_id",
    "mandate_id", "sip_id", "failure_code",
)  # fmt: skip
NUMBERS = ("amount", "units", "reverse_amount", "reverse_units", "price")
LIMIT = 1000


def _payments(world: World, order_id: int) -> list[dict[str, Any]]:
    link = "fp_payment_orders o ON o.payment_id = p.id"
    sql = f"SELECT p.* FROM fp_payments p JOIN {link} WHERE o.order_id = ? ORDER BY p.id"  # noqa: S608
    return [payments.document(world, row) for row in world.all(sql, order_id)]


def _entry(world: World, row: sqlite3.Row) -> dict[str, Any]:
    sql = "SELECT times FROM fp_refs WHERE tenant = ? AND space = 'orders' AND ref = ?"
    times = world.scalar(sql, row["tenant"], row["source_ref_id"]) if row["source_ref_id"] else None
    extra = json.loads(row["extra"])
    return {
        "id": row["id"], "source_ref_id": row["source_ref_id"], "received": times or 1,
        **{name: row[name] for name in TEXTS},
        **{name: number(row[name]) for name in NUMBERS}, **{name: stamp(row[name]) for name in TIMES},
        "scheme": fund_schemes()[row["isin"]].name, "consent": extra.get("consent"), "extra": extra,
        "payments": _payments(world, row["id"]),
    }  # fmt: skip


def fp(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """`ref`, `state`, `account`, `tenant` narrow it; `limit` and `offset` page it, oldest first. Raises Problem 400."""
    where, args = "1 = 1", []
    for name, column in (
        ("ref", "source_ref_id"),
        ("state", "status"),
        ("account", "account_id"),
        ("tenant", "tenant"),
        ("id", "id"),
    ):
        if given.get(name):
            where += f" AND {column} = ?"
            args.append(str(given[name]).upper() if name == "state" else given[name])
    try:
        limit, offset = min(int(given.get("limit", LIMIT)), LIMIT), int(given.get("offset", 0))
    except ValueError:
        raise Problem(400, "limit and offset are numbers") from None
    total = world.scalar(f"SELECT count(*) FROM fp_orders WHERE {where}", *args)  # noqa: S608
    rows = world.all(f"SELECT * FROM fp_orders WHERE {where} ORDER BY seq LIMIT ? OFFSET ?", *args, limit, offset)  # noqa: S608
    return {"total": total, "orders": [_entry(world, row) for row in rows], "refused_only": _never_taken(world, given)}


def _never_taken(world: World, given: dict[str, Any]) -> list[dict[str, Any]]:
    """References that were received but never became an order."""
    sql = (
        "SELECT r.tenant, r.ref, r.times FROM fp_refs r "
        "LEFT JOIN fp_orders o ON o.tenant = r.tenant AND o.source_ref_id = r.ref "
        "WHERE r.space = 'orders' AND o.id IS NULL"
    )
    args = [given["ref"]] if given.get("ref") else []
    rows = world.all(sql + (" AND r.ref = ?" if args else "") + " LIMIT 1000", *args)
    return [{"tenant": row["tenant"], "source_ref_id": row["ref"], "received": row["times"]} for row in rows]
