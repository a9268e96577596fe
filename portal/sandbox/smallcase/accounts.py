"""Broker accounts: one smallcaseAuthId each, with the shares that the world has seen it buy."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import sqlite3
from decimal import Decimal
from typing import Any

from .. import market
from ..clock import ist
from ..web import Problem, Request, Response, json_response
from ..world import World
from . import brokers

PAISA = Decimal("0.01")


def auth_id(broker: str, user: str) -> str:
    """The same login at the same broker is always the same id."""
    return hashlib.sha256(f"{broker}/{user.strip().upper()}".encode()).hexdigest()[:24]


def new_user() -> str:
    return "SB" + secrets.token_hex(3).upper()


def account(world: World, key: str) -> sqlite3.Row:
    """An account by its id; one never seen is taken to be somebody's account at the default broker."""
    row = world.one("SELECT * FROM sc_accounts WHERE id = ?", key)
    return row if row is not None else _made(world, key, brokers.DEFAULT, f"SB{key[:6].upper()}")


def log_in(world: World, broker: str, user: str) -> sqlite3.Row:
    key = auth_id(broker, user)
    row = world.one("SELECT * FROM sc_accounts WHERE id = ?", key)
    return row if row is not None else _made(world, key, broker, user.strip().upper())


def _made(world: World, key: str, broker: str, user: str) -> sqlite3.Row:
    sql = "INSERT INTO sc_accounts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    world.run(sql, key, broker, user, world.moment())
    return world.the("SELECT * FROM sc_accounts WHERE id = ?", key)


def add_trade(world: World, key: str, ticker: str, side: str, quantity: int, price: Decimal) -> None:
    """Books filled shares; a sale of shares that the world never saw bought leaves none, not less than none."""
    row = world.one("SELECT * FROM sc_holdings WHERE account = ? AND ticker = ?", key, ticker)
    held, cost = (row["quantity"], Decimal(row["cost"])) if row else (0, Decimal(0))
    if side == "BUY":
        cost = ((cost * held + price * quantity) / (held + quantity)).quantize(PAISA)
        held += quantity
    else:
        held = max(held - quantity, 0)
    sql = (
        "INSERT INTO sc_holdings VALUES (?, ?, ?, ?) "
        "ON CONFLICT (account, ticker) DO UPDATE SET quantity = excluded.quantity, cost = excluded.cost"
    )
    world.run(sql, key, ticker, held, str(cost))


def _line(world: World, row: sqlite3.Row) -> dict[str, Any]:
    security = market.quote(world, row["ticker"]).security
    held = {"quantity": row["quantity"], "averagePrice": Decimal(row["cost"])}
    none = {"quantity": 0, "averagePrice": 0}
    return {
        "ticker": row["ticker"], "exchange": "NSE", "name": security.name, "isin": security.isin,
        "nseTicker": row["ticker"], "bseTicker": None, **held, "holdings": held,
        "positions": {"nse": none, "bse": none}, "transactableQuantity": row["quantity"],
    }  # fmt: skip


def holdings_document(world: World, key: str) -> dict[str, Any]:
    owner = account(world, key)
    rows = world.all("SELECT * FROM sc_holdings WHERE account = ? AND quantity > 0 ORDER BY ticker", key)
    now = dt.datetime.fromtimestamp(world.now(), dt.UTC)
    return {
        "securities": [_line(world, row) for row in rows],
        "smallcases": {"public": [], "private": []},
        "snapshotDate": ist(world.now()).date().isoformat(),
        "lastUpdate": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "broker": owner["broker"], "smallcaseAuthId": key,
    }  # fmt: skip


def holdings(world: World, request: Request, gateway: str) -> Response:
    """Only for a connected user."""
    if not request.tenant:
        raise Problem(403, "guest_not_allowed")
    return json_response({"success": True, "errors": None, "data": holdings_document(world, request.tenant)})


ROUTES = [("GET", "/v1/{gateway}/engine/user/holdings", holdings)]
