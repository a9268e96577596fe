"""The person's way through the gateway: choose a broker, log in, confirm. The dialog and the control calls share it."""

from __future__ import annotations

import sqlite3
from typing import Any

from .. import market, notices
from ..web import Problem
from ..world import World
from . import accounts, batches, brokers, transactions
from .transactions import ERRORS, ORDERS

# How the exchange or the broker ends what was placed at once, instead of in its own time.
AT_ONCE = ("filled", "partial", "unfilled", "low_funds", "cancelled", "half")
OUTCOMES = (*AT_ONCE, "placed", "amo", "unplaced", "expired", *ERRORS)


def choose(world: World, row: sqlite3.Row, broker: str) -> sqlite3.Row:
    """Raises Problem 400 for a broker that the gateway does not know."""
    if broker not in brokers.BROKERS:
        raise Problem(400, f"broker is one of {', '.join(brokers.BROKERS)}")
    return transactions.update(world, row, broker=broker)


def log_in(world: World, row: sqlite3.Row, user: str) -> sqlite3.Row:
    """The person proves to be `user` at the chosen broker. Raises Rejected `user_mismatch` for a foreign account."""
    account = accounts.log_in(world, row["broker"], user)
    if row["auth_id"] and row["auth_id"] != account["id"]:
        raise transactions.fail(world, row, "user_mismatch", ERRORS["user_mismatch"])
    return transactions.update(world, row, account=account["id"], status="USED")


def log_in_as_expected(world: World, row: sqlite3.Row, broker: str, user: str) -> sqlite3.Row:
    """Logs in with the account that the token names, or, for a guest, with `user` at `broker`."""
    if not row["auth_id"]:
        return log_in(world, choose(world, row, broker), user or accounts.new_user())
    account = accounts.account(world, row["auth_id"])
    row = choose(world, row, account["broker"])
    return transactions.update(world, row, account=account["id"], status="USED")


def after_hours(world: World, row: sqlite3.Row) -> bool:
    """Whether orders confirmed now wait for the next opening. Raises Rejected `market_closed` when they may not."""
    if row["intent"] != ORDERS or market.is_open(world):
        return False
    if not row["amo"]:
        raise transactions.fail(world, row, "market_closed", ERRORS["market_closed"])
    return True


def confirm(world: World, row: sqlite3.Row, lines: list[dict[str, Any]], ending: str = "") -> None:
    """The person agrees: orders are placed (and ended at once when `ending` says how), or the account is linked.

    Agreeing twice places nothing twice.
    """
    amo = ending == "amo" or (not ending and after_hours(world, row))
    with world.transaction():
        if transactions.known(world, row["id"])["status"] != "USED":
            return
        if row["intent"] != ORDERS:
            link(world, transactions.update(world, row, status="COMPLETED"))
            return
        batch = batches.place(world, row, lines, amo=amo, reached=ending != "unplaced")
        if ending in AT_ONCE:
            batches.settle(world, batch, ending)


def link(world: World, row: sqlite3.Row) -> None:
    """An account without an order; holdings that are imported are told by webhook too."""
    if row["intent"] == "HOLDINGS_IMPORT":
        body = accounts.holdings_document(world, row["account"])
        notices.send(world, "smallcase", batches.signed(world, row, body), "checksum")


def filled_in(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines with one share bought where the partner left quantity or side open."""
    return [{"quantity": 1, "type": "BUY", **line} for line in lines]


def complete(world: World, key: str, outcome: str, broker: str, user: str) -> sqlite3.Row:
    """Everything a person would do, up to `outcome`; what was placed already only gets its ending.

    Raises Rejected with the SDK's error, Problem 400 or 404.
    """
    if outcome not in OUTCOMES:
        raise Problem(400, f"outcome is one of {', '.join(OUTCOMES)}")
    row = transactions.find(world, key)
    if row is None:
        raise Problem(404, "invalid_transactionId")
    batch = batches.of_transaction(world, key)
    if batch is not None and row["status"] == "PROCESSING" and outcome in AT_ONCE:
        batches.settle(world, batch["id"], outcome)
        return transactions.known(world, key)
    if row["triggered_at"] is None or row["status"] not in transactions.OPEN:
        row = transactions.trigger(world, key, "", amo=True)
    row = transactions.going_on(world, key)
    if outcome in ("expired", *ERRORS):
        name = "transaction_expired" if outcome == "expired" else outcome
        raise transactions.fail(world, row, name, ERRORS[name])
    if row["status"] != "USED":
        row = log_in_as_expected(world, row, broker, user)
    confirm(world, row, filled_in(transactions.lines(row)), outcome if outcome != "placed" else "")
    return transactions.known(world, key)
