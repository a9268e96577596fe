"""Transactions: made by the partner's server, triggered once in the browser, ended by a result or an error.

    INITIALIZED -> USED -> PROCESSING -> COMPLETED
         |          |
         +----------+----> ERRORED (with the SDK's error name and number)

INITIALIZED until the person has logged in with a broker, USED until orders are placed, PROCESSING while orders are
open. An id serves one journey and ends 15 minutes (orders) or 5 minutes (everything else) after it was made.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import sqlite3
from typing import Any

from .. import market
from ..web import Problem, Request, Response, dumps, json_response
from ..world import World

KIND = "sc_transactions"
ORDERS = "TRANSACTION"
INTENTS = (ORDERS, "CONNECT", "HOLDINGS_IMPORT")
LIFE_S = {ORDERS: 15 * 60}
OTHER_LIFE_S = 5 * 60
NOTES_LIMIT = 256
MOST_SHARES = 10**9
SIDES = ("BUY", "SELL")
OPEN = ("INITIALIZED", "USED")
# The SDK's errors (providers.md 1.6); those whose number nobody has published have none.
ERRORS: dict[str, int | None] = {
    "user_mismatch": 1001, "transaction_expired": 1005, "user_cancelled": 1010, "api_error": 2000,
    "market_closed": None, "order_pending": None, "order_in_queue": None, "internal_error": None,
    "consent_denied": None, "insufficient_holdings": None, "no_broker": None, "no_order": None,
}  # fmt: skip
LEFT_BEFORE_LOGIN = 1011
USED_OR_OLD = 3001


class Rejected(Exception):
    """The journey ends with an SDK error: its name and number."""

    def __init__(self, message: str, code: int | None) -> None:
        super().__init__(message)
        self.message, self.code = message, code


def utc(moment: float | None) -> str | None:
    """`2020-06-26T08:33:54.803Z`."""
    if moment is None:
        return None
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- making one ------------------------------------------------------------------------------------------------------


def _refuse(message: str) -> Problem:
    return Problem(400, message)


def _checked_line(line: Any) -> dict[str, Any]:
    if not isinstance(line, dict):
        raise _refuse("orderConfig.securities holds objects")
    found = market.find(line["ticker"]) if isinstance(line.get("ticker"), str) else None
    if found is None or found.symbol != line["ticker"].strip().upper():
        raise _refuse(f"{line.get('ticker')!r} is not an NSE ticker")
    kept: dict[str, Any] = {"ticker": found.symbol}
    if (quantity := line.get("quantity")) is not None:
        if isinstance(quantity, bool) or not isinstance(quantity, int) or not 1 <= quantity <= MOST_SHARES:
            raise _refuse(f"quantity of {found.symbol} is a whole number from 1 to {MOST_SHARES}")
        kept["quantity"] = quantity
    if (side := line.get("type")) is not None:
        if side not in SIDES:
            raise _refuse(f"type of {found.symbol} is BUY or SELL")
        kept["type"] = side
    return kept


def _checked_config(config: Any) -> dict[str, Any]:
    """An order's configuration; keys that are not ours (a basket's name and logo) are kept as they came."""
    if not isinstance(config, dict):
        raise _refuse("orderConfig is missing")
    if config.get("type") != "SECURITIES":
        raise _refuse("orderConfig.type is SECURITIES")
    lines = config.get("securities")
    if not isinstance(lines, list) or not lines:
        raise _refuse("orderConfig.securities names at least one security")
    kept = [_checked_line(line) for line in lines]
    for name in ("quantity", "type"):
        if 0 < sum(name in line for line in kept) < len(kept):
            raise _refuse(f"{name} is given for all securities or for none")
    return {**config, "securities": kept}


def _checked(body: Any) -> tuple[str, dict[str, Any], str | None]:
    """Intent, configuration and notes of a call; raises Problem 400."""
    if not isinstance(body, dict):
        raise _refuse("a JSON object is expected")
    intent, notes = body.get("intent"), body.get("notes")
    if intent not in INTENTS:
        raise _refuse(f"intent is one of {', '.join(INTENTS)}")
    if notes is not None and (not isinstance(notes, str) or len(notes) > NOTES_LIMIT):
        raise _refuse(f"notes is text of at most {NOTES_LIMIT} characters")
    config = _checked_config(body.get("orderConfig")) if intent == ORDERS else body.get("assetConfig") or {}
    return intent, config, notes


def create(world: World, request: Request, gateway: str) -> Response:
    intent, config, notes = _checked(request.json)
    key, now = f"TRX_{secrets.token_hex(16)}", world.now()
    expires = now + LIFE_S.get(intent, OTHER_LIFE_S)
    seq = world.insert(
        "sc_transactions", id=key, intent=intent, config=dumps(config).decode(), notes=notes, status="INITIALIZED",
        auth_id=request.tenant or None, created_at=now, expires_at=expires,
    )  # fmt: skip
    request.created.append((KIND, seq))
    data = {"transactionId": key, "expireAt": utc(expires)}
    return json_response({"success": True, "errors": None, "data": data})


# -- its life --------------------------------------------------------------------------------------------------------


def find(world: World, key: str) -> sqlite3.Row | None:
    return world.one("SELECT * FROM sc_transactions WHERE id = ?", key)


def known(world: World, key: str) -> sqlite3.Row:
    """One that is there; raises LookupError."""
    return world.the("SELECT * FROM sc_transactions WHERE id = ?", key)


def lines(row: sqlite3.Row) -> list[dict[str, Any]]:
    """What the partner asked to be traded; quantity and side may be left to the person."""
    found: list[dict[str, Any]] = json.loads(row["config"]).get("securities", [])
    return found


def expired(world: World, row: sqlite3.Row) -> bool:
    return row["status"] in OPEN and world.now() >= row["expires_at"]


def update(world: World, row: sqlite3.Row, **values: Any) -> sqlite3.Row:
    pairs = ", ".join(f"{name} = ?" for name in values)
    world.run(f"UPDATE sc_transactions SET {pairs} WHERE seq = ?", *values.values(), row["seq"])  # noqa: S608
    return known(world, row["id"])


def fail(world: World, row: sqlite3.Row, message: str, code: int | None) -> Rejected:
    """Ends the journey with an SDK error, unless it has ended already; returns the error to raise."""
    if row["status"] in OPEN:
        update(world, row, status="ERRORED", error=message, error_code=code)
    return Rejected(message, code)


def trigger(world: World, key: str, user: str, *, amo: bool) -> sqlite3.Row:
    """The SDK opens the transaction; an id serves once. Raises Rejected."""
    with world.transaction():
        row = find(world, key)
        if row is None:
            raise Rejected("invalid_transactionId", None)
        if row["triggered_at"] is not None or row["status"] != "INITIALIZED":
            raise Rejected("transaction_expired", USED_OR_OLD)
        old = expired(world, row)
        row = update(world, row, triggered_at=world.now(), auth_id=user or row["auth_id"], amo=int(amo))
        if not old:
            return row
        error = fail(world, row, "transaction_expired", USED_OR_OLD)
    raise error


def going_on(world: World, key: str) -> sqlite3.Row:
    """A triggered transaction that may still go on. Raises Rejected, once its time is over with number 1005."""
    row = find(world, key)
    if row is None:
        raise Rejected("invalid_transactionId", None)
    if row["status"] == "ERRORED":
        raise Rejected(row["error"], row["error_code"])
    if expired(world, row):
        raise fail(world, row, "transaction_expired", ERRORS["transaction_expired"])
    return row


def cancel(world: World, row: sqlite3.Row) -> Rejected:
    """The person closes the journey: before a broker was chosen, or after."""
    code = LEFT_BEFORE_LOGIN if row["broker"] else ERRORS["user_cancelled"]
    return fail(world, row, "user_cancelled", code)


ROUTES = [("POST", "/gateway/{gateway}/transaction", create)]
