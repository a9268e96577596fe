"""The life of a payment.

    PENDING -> SUCCESS -> INITIATED -> APPROVED           net banking, UPI, card
    PENDING -> SUBMITTED -> SUCCESS -> INITIATED -> ...   NACH (also SUBMITTED -> REJECTED)
    PENDING | SUBMITTED -> FAILED | TIMEDOUT -> SUCCESS   a late success

SUCCESS: debited. INITIATED: on its way to the fund house, which confirms the orders. APPROVED: with the fund house.
"""

from __future__ import annotations

import datetime as dt
import secrets
import sqlite3
from decimal import Decimal
from typing import Any

from .. import upcoming
from ..clock import at_ist, ist, next_business_day
from ..schemes import fund_schemes
from ..web import Problem
from ..world import World
from . import life, mandate_life

TOKEN_LIFE_S = 15 * 60
GIVE_UP_S = 30 * 60
LATE_S = {"fast": 5.0, "market": 3600.0}
MOVES: dict[str, tuple[str, ...]] = {
    "PENDING": ("SUBMITTED", "SUCCESS", "FAILED", "TIMEDOUT"),
    "SUBMITTED": ("SUCCESS", "APPROVED", "REJECTED", "FAILED"),
    "SUCCESS": ("INITIATED", "APPROVED"),
    "INITIATED": ("APPROVED",),
    "FAILED": ("SUCCESS",),
    "TIMEDOUT": ("SUCCESS",),
    "APPROVED": (),
    "REJECTED": (),
}
STAMPS = {
    "SUBMITTED": "submitted_at", "SUCCESS": "debit_confirmed_at", "INITIATED": "transfer_initiated_at",
    "APPROVED": "settled_at",
    "FAILED": "failed_at", "TIMEDOUT": "failed_at", "REJECTED": "rejected_at",
}  # fmt: skip
# what a person, the control room or a control call may do -> the state it leads to and the reason
OUTCOMES = {
    "success": ("SUCCESS", None),
    "failure": ("FAILED", "investor_bank_declined"),
    "tpv_failed": ("FAILED", "tpv_failed"),
    "insufficient_funds": ("FAILED", "insufficient_funds"),
    "cancelled": ("FAILED", "user_cancelled"),
    "invalid_upi_id": ("FAILED", "invalid_upi_id"),
}


def payment_row(world: World, payment_id: int) -> sqlite3.Row:
    row = world.one("SELECT * FROM fp_payments WHERE id = ?", payment_id)
    if row is None:
        raise Problem(404, "Payment not found")
    return row


def order_ids(world: World, payment_id: int) -> list[int]:
    sql = "SELECT order_id FROM fp_payment_orders WHERE payment_id = ? ORDER BY position"
    return [row["order_id"] for row in world.all(sql, payment_id)]


def orders_of(world: World, payment_id: int) -> list[sqlite3.Row]:
    return [life.order_row(world, key) for key in order_ids(world, payment_id)]


def create(world: World, tenant: str, orders: list[sqlite3.Row], **values: Any) -> int:
    """A PENDING payment for the orders; `values` are its other columns."""
    total = sum((Decimal(order["amount"]) for order in orders), Decimal(0))
    now = world.moment()
    row: dict[str, Any] = {
        "tenant": tenant, "payment_type": "NETBANKING", "status": "PENDING", "amount": str(total), "created_at": now,
        "debit_date": ist(now).date().isoformat(),
    } | values  # fmt: skip
    with world.transaction():
        key = world.insert("fp_payments", **row)
        for n, order in enumerate(orders):
            world.insert("fp_payment_orders", payment_id=key, order_id=order["id"], position=n)
        if row.get("token"):
            world.schedule(now + GIVE_UP_S, "fp.payment", key, to="FAILED", reason="fp_payment_expired")
    return key


def new_token() -> str:
    return secrets.token_urlsafe(24)


def arrange_debit(world: World, tenant: str, keys: list[int]) -> int:
    """A NACH payment: asked for before the cut-off, it is debited on the next business day if the mandate stands."""
    orders = [life.order_row(world, key) for key in keys]
    asked = max(life.funds_day(world, fund_schemes()[order["isin"]], world.moment()) for order in orders)
    day = next_business_day(asked)
    values = {"payment_type": "NACH", "debit_date": day.isoformat(), "mandate_id": orders[0]["mandate_id"]}
    payment_id = create(world, tenant, orders, **values)
    if all(life.outcome(order) != "wait" for order in orders):
        soon = world.moment() + life.STEP_S
        world.schedule(
            soon if world.pace == "fast" else at_ist(ist(soon).date(), 20), "fp.payment", payment_id, to="SUBMITTED"
        )
    return payment_id


def mandate_stands(world: World, row: sqlite3.Row) -> bool:
    if row["mandate_id"] is None or row["payment_type"] == "AUTH_TRANSACTION":
        return True
    return bool(world.scalar("SELECT mandate_status = 'APPROVED' FROM fp_mandates WHERE id = ?", row["mandate_id"]))


def move(world: World, payment_id: int, to: str, reason: str | None = None) -> None:
    """One documented step with its consequences; raises Problem 400 for any other."""
    with world.transaction():
        row = payment_row(world, payment_id)
        if to not in MOVES[row["status"]]:
            raise Problem(400, f"payment cannot move from {row['status']} to {to}")
        if to in ("SUCCESS", "APPROVED") and not mandate_stands(world, row):
            raise Problem(400, "mandate status must be APPROVED")
        for step in _steps(row["status"], to):
            _step(world, payment_id, step, reason)


def _steps(now: str, to: str) -> tuple[str, ...]:
    """APPROVED reached early passes through what lies between, so that the orders hear of it."""
    if to != "APPROVED":
        return (to,)
    path = ("SUCCESS", "INITIATED", "APPROVED")
    return path[path.index(now) + 1 :] if now in path else path


def _step(world: World, payment_id: int, to: str, reason: str | None) -> None:
    row = payment_row(world, payment_id)
    late = to == "SUCCESS" and row["status"] in ("FAILED", "TIMEDOUT")
    values: dict[str, Any] = {"status": to, STAMPS[to]: world.moment()}
    if to in ("FAILED", "TIMEDOUT", "REJECTED"):
        values["failed_reason"] = reason or ("pg_timeout" if to == "TIMEDOUT" else "payment_failed")
    if late:
        values |= {"late_auth": 1, "failed_reason": None}
    world.update("fp_payments", payment_id, **values)
    CONSEQUENCES.get(to, _nothing)(world, payment_id)


def _nothing(world: World, payment_id: int) -> None:
    return None


def _goes_by_itself(world: World, payment_id: int) -> bool:
    return all(life.outcome(order) != "wait" for order in orders_of(world, payment_id))


def _debited(world: World, payment_id: int) -> None:
    moment, row = world.moment(), payment_row(world, payment_id)
    if row["payment_type"] == "AUTH_TRANSACTION":
        mandate_life.authorised(world, row["mandate_id"])
        return
    for order in orders_of(world, payment_id):
        day = life.funds_day(world, fund_schemes()[order["isin"]], moment)
        if row["payment_type"] == "NACH":
            day = next_business_day(ist(moment).date())
        if order["funds_date"] is None:
            world.update("fp_orders", order["id"], funds_date=day.isoformat())
    if _goes_by_itself(world, payment_id):
        days = [life.order_row(world, key)["funds_date"] for key in order_ids(world, payment_id)]
        market = at_ist(dt.date.fromisoformat(max(days)), 15)
        at = moment + life.STEP_S
        world.schedule(at if world.pace == "fast" else max(at, market), "fp.payment", payment_id, to="INITIATED")


def _transferring(world: World, payment_id: int) -> None:
    for key in order_ids(world, payment_id):
        life.confirm(world, key)
    if _goes_by_itself(world, payment_id):
        wait = life.STEP_S if world.pace == "fast" else 7200
        world.schedule(world.moment() + wait, "fp.payment", payment_id, to="APPROVED")


def _presented(world: World, payment_id: int) -> None:
    """NACH: the bank answers on the debit date."""
    if not _goes_by_itself(world, payment_id):
        return
    row = payment_row(world, payment_id)
    at = world.moment() + life.STEP_S
    market = at_ist(dt.date.fromisoformat(row["debit_date"]), 12)
    world.schedule(at if world.pace == "fast" else max(at, market), "fp.payment", payment_id, to="SUCCESS")


def _debit_refused(world: World, payment_id: int) -> None:
    """A refused NACH debit ends its orders; after a refused net banking payment another may be started."""
    if payment_row(world, payment_id)["payment_type"] != "NACH":
        return
    for order in orders_of(world, payment_id):
        if "FAILED" in life.moves(order):
            life.move(world, order["id"], "FAILED", "mandate_payment_failed")


CONSEQUENCES = {
    "SUCCESS": _debited, "INITIATED": _transferring, "SUBMITTED": _presented, "REJECTED": _debit_refused,
    "FAILED": _debit_refused,
}  # fmt: skip


def person_does(world: World, payment_id: int, outcome: str) -> str:
    """What the person at the bank page does; returns the payment's state after it. Raises Problem 400."""
    row = payment_row(world, payment_id)
    if outcome == "abandon":
        return str(row["status"])
    if outcome == "late_success" or (outcome == "success" and _meant_to_be_late(world, row)):
        return _late_success(world, row)
    if outcome not in OUTCOMES:
        known = ", ".join([*OUTCOMES, "late_success", "abandon"])
        raise Problem(400, f"outcome is one of {known}")
    move(world, payment_id, *OUTCOMES[outcome])
    return str(payment_row(world, payment_id)["status"])


def _meant_to_be_late(world: World, row: sqlite3.Row) -> bool:
    """A payment that waits for the person; authorising a mandate moves no money."""
    pays = row["status"] == "PENDING" and row["payment_type"] != "AUTH_TRANSACTION"
    return pays and upcoming.take(world, upcoming.PAYMENT)


def _late_success(world: World, row: sqlite3.Row) -> str:
    """Fails now and turns into a success a little later; a payment that has failed turns at once."""
    if row["status"] in ("FAILED", "TIMEDOUT"):
        move(world, row["id"], "SUCCESS")
    else:
        move(world, row["id"], "FAILED", "pg_timeout")
        world.schedule(world.moment() + LATE_S[world.pace], "fp.payment", row["id"], to="SUCCESS", late=True)
    return str(payment_row(world, row["id"])["status"])


def _due_move(world: World, ref: str, details: dict[str, Any]) -> None:
    row = payment_row(world, int(ref))
    to = details["to"]
    revives = row["status"] in ("FAILED", "TIMEDOUT")
    if to not in MOVES[row["status"]] or (revives and not details.get("late")):
        return
    if to == "SUCCESS" and not mandate_stands(world, row):
        to, details = "FAILED", {"reason": "mandate_payment_failed"}
    move(world, row["id"], to, details.get("reason"))


DUE = {"fp.payment": _due_move}
ROUTES: list[Any] = []
