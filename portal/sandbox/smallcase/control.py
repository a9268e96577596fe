"""smallcase in the control room: finish a journey, see the truth, press what may happen next."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from ..clock import ist
from ..control_parts import SHOWN, button, row_of, state, table
from ..pages import esc
from ..web import Problem, Request, Response, arguments, json_response
from ..world import World
from . import batches, brokers, journey, reads, transactions
from .transactions import Rejected

LEDGER_LIMIT = 1000
NEXT = {
    "INITIALIZED": ("filled", "partial", "unfilled", "amo", "placed", "low_funds", "unplaced", "user_cancelled",
                    "user_mismatch", "expired"),
    "USED": ("filled", "partial", "unfilled", "amo", "low_funds", "user_cancelled", "expired"),
    "PROCESSING": ("filled", "half", "partial", "unfilled", "low_funds", "cancelled"),
}  # fmt: skip


def finish(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """What the SDK would hand to the page: a result, or an error with its number. Raises Problem 400 or 404."""
    key, broker = str(given.get("transactionId") or ""), str(given.get("broker") or brokers.DEFAULT)
    try:
        row = journey.complete(world, key, str(given.get("outcome") or ""), broker, str(given.get("user") or ""))
    except Rejected as error:
        status = transactions.known(world, key)["status"]
        return {"transactionId": key, "status": status, "error": {"message": error.message, "code": error.code}}
    return {"transactionId": key, "status": row["status"], "result": reads.result(world, row)}


def _complete(world: World, request: Request) -> Response:
    return json_response(finish(world, arguments(request)))


# -- the ledger ------------------------------------------------------------------------------------------------------


def _received(world: World, row: sqlite3.Row) -> int:
    """How often a transaction with these notes, the partner's own reference, was asked for."""
    if row["notes"] is None:
        return 1
    return int(world.scalar("SELECT count(*) FROM sc_transactions WHERE notes = ?", row["notes"]))


def _entry(world: World, row: sqlite3.Row) -> dict[str, Any]:
    batch = batches.of_transaction(world, row["id"])
    return {
        "id": row["id"], "reference": row["notes"], "received": _received(world, row), "intent": row["intent"],
        "state": row["status"], "error": row["error"], "error_code": row["error_code"], "broker": row["broker"],
        "smallcaseAuthId": row["account"], "created_at": ist(row["created_at"]).isoformat(),
        "asked": transactions.lines(row), "batch": batches.document(world, batch) if batch is not None else None,
    }  # fmt: skip


def ledger(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """`id`, `ref` (the notes) and `state` narrow it; oldest first, `limit` and `offset` page it. Raises Problem 400."""
    where, args = "1 = 1", []
    for name, column in (("id", "id"), ("ref", "notes"), ("state", "status")):
        if given.get(name):
            where += f" AND {column} = ?"
            args.append(str(given[name]))
    try:
        limit, offset = min(int(given.get("limit", LEDGER_LIMIT)), LEDGER_LIMIT), int(given.get("offset", 0))
    except ValueError:
        raise Problem(400, "limit and offset are numbers") from None
    total = world.scalar(f"SELECT count(*) FROM sc_transactions WHERE {where}", *args)  # noqa: S608
    sql = f"SELECT * FROM sc_transactions WHERE {where} ORDER BY seq LIMIT ? OFFSET ?"  # noqa: S608
    return {"total": total, "orders": [_entry(world, row) for row in world.all(sql, *args, limit, offset)]}


def _ledger(world: World, request: Request) -> Response:
    return json_response(ledger(world, arguments(request)))


ROUTES = [("POST", "/smallcase/complete", _complete), ("GET", "/ledger/smallcase", _ledger)]


# -- the page --------------------------------------------------------------------------------------------------------


def _what(world: World, row: sqlite3.Row) -> str:
    batch = batches.of_transaction(world, row["id"])
    if batch is None:
        return ", ".join(f"{esc(line['ticker'])}" for line in transactions.lines(row)) or esc(row["intent"].lower())
    doc = batches.document(world, batch)
    return "<br>".join(
        f"{esc(o['transactionType'].lower())} {o['filledQuantity']}/{o['quantity']} {esc(o['tradingsymbol'])} "
        f"{esc(o['status'].lower())}"
        for o in doc["orders"] + doc["unplaced"]
    )


def section(world: World) -> str:
    rows = []
    for row in world.all("SELECT * FROM sc_transactions ORDER BY seq DESC LIMIT ?", SHOWN):
        words = NEXT.get(row["status"], ())
        acts = "".join(button("smallcase", word.replace("_", " "), id=row["id"], outcome=word) for word in words)
        why = f" {esc(row['error'])} {row['error_code'] or ''}" if row["error"] else ""
        rows.append((
            f"<small>{esc(row['id'])}</small>", esc(row["notes"]), _what(world, row), esc(row["broker"]),
            state(row["status"]) + why, row_of(acts),
        ))  # fmt: skip
    head = ("id", "notes", "orders", "broker", "state", "what may happen next")
    return "<section><h2>smallcase transactions</h2>" + table(head, rows) + "</section>"


def _act(world: World, form: dict[str, str]) -> str:
    done = finish(world, {"transactionId": form["id"], "outcome": form["outcome"]})
    return f"transaction is {done['status']}" + (f": {done['error']['message']}" if "error" in done else "")


ACTS: dict[str, Callable[[World, dict[str, str]], str]] = {"smallcase": _act}
