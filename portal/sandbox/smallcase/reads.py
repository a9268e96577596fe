"""What a partner's server reads: a transaction's details, and the orders that came of it."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..web import Problem, Request, Response, json_response
from ..world import World
from . import accounts, auth, batches, transactions
from .transactions import utc


def _success(data: Any) -> Response:
    return json_response({"success": True, "errors": None, "data": data})


def result(world: World, row: sqlite3.Row) -> dict[str, Any]:
    """What the SDK resolves with: the account that was used and what was done with it."""
    answer: dict[str, Any] = {
        "success": True, "transactionId": row["id"], "smallcaseAuthToken": auth.issue(world, row["account"]),
        "broker": row["broker"], "notes": row["notes"],
    }  # fmt: skip
    if (batch := batches.of_transaction(world, row["id"])) is not None:
        answer["orderBatches"] = [batches.document(world, batch)]
    if row["intent"] == "HOLDINGS_IMPORT":
        answer["holdings"] = accounts.holdings_document(world, row["account"])
    return answer


def details_document(world: World, row: sqlite3.Row) -> dict[str, Any]:
    error = {"message": row["error"], "code": row["error_code"]} if row["error"] else None
    done = row["status"] in ("PROCESSING", "COMPLETED")
    return {
        "transactionId": row["id"], "gateway": auth.GATEWAY, "intent": row["intent"], "status": row["status"],
        "expireAt": utc(row["expires_at"]), "expired": transactions.expired(world, row),
        "createdAt": utc(row["created_at"]), "notes": row["notes"], "broker": row["broker"],
        "smallcaseAuthId": row["account"],
        "authToken": auth.issue(world, row["account"]) if row["account"] else None,
        "success": result(world, row) if done else None, "error": error,
    }  # fmt: skip


def visible(world: World, request: Request, key: str) -> sqlite3.Row | None:
    """The transaction, when there is one to be seen by this user: a connected one sees only its own."""
    row = transactions.find(world, key)
    if row is None or row["seq"] in world.hidden(transactions.KIND):
        return None
    owner = row["account"] or row["auth_id"]
    return None if request.tenant and owner and owner != request.tenant else row


def details(world: World, request: Request, gateway: str) -> Response:
    key = request.query.get("transactionId", "")
    if not key:
        raise Problem(400, "transactionId is missing")
    row = visible(world, request, key)
    if row is None:
        raise Problem(404, "invalid_transactionId")
    return _success(details_document(world, row))


def _order_document(world: World, row: sqlite3.Row, batch: sqlite3.Row) -> dict[str, Any]:
    shared = {"transactionId": row["id"], "broker": row["broker"], "notes": row["notes"]}
    return batches.document(world, batch) | shared


def order_details(world: World, request: Request, gateway: str) -> Response:
    """The batch object of one transaction, or a list of those of several; an empty list when nothing was placed."""
    keys = [key.strip() for key in request.query.get("transactionId", "").split(",") if key.strip()]
    if not keys:
        raise Problem(400, "transactionId is missing")
    found = []
    for key in keys:
        row = visible(world, request, key)
        batch = batches.of_transaction(world, key) if row is not None else None
        if row is not None and batch is not None:
            found.append(_order_document(world, row, batch))
    return _success(found[0] if len(keys) == 1 and found else found)


ROUTES = [
    ("GET", "/v1/{gateway}/engine/transactiondetails", details),
    ("GET", "/v1/{gateway}/engine/orders/sst", order_details),
]
