"""The life of an order.

    PENDING -> PAYMENT_CONFIRMED -> SUBMITTED -> SUCCESSFUL -> REVERSED        gateway RTA
    PENDING -> SUBMITTED (confirmed_at when paid) -> SUCCESSFUL -> REVERSED    gateway BSE, and redemptions
    PENDING | PAYMENT_CONFIRMED | SUBMITTED -> FAILED;  PENDING -> CANCELLED

An order whose amount ends in 0 goes on by itself and succeeds; one ending in 1 goes on and fails after submission; any
other waits for the control room or the simulation calls. An order that a hand has moved is left to that hand.
Pace `fast`: one step every STEP_S seconds, NAV of the last published day. Pace `market`: cut-offs and T+1 of
the world's clock.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from typing import Any

from .. import nav, upcoming
from ..clock import at_ist, business_day_on_or_after, ist, next_business_day
from ..schemes import FundScheme, fund_schemes
from ..web import Problem
from ..world import World
from . import allotment, kyc, sip_life
from .auth import gateway

STEP_S = 1.5
BSE_SUBMIT_S = {"fast": 0.3, "market": 60.0}
EXPIRES_AFTER_BUSINESS_DAYS = 8
SUBMIT_HOUR, ALLOT_HOUR = 18, 10
REFUSED = "order_gateway_failure"
CUT_OFF = {False: (14, 30), True: (13, 0)}
REDEMPTION_CUT_OFF = (15, 0)
# Overnight funds, asked for online (SEBI circular of 22 Apr 2025).
OVERNIGHT_REDEMPTION_CUT_OFF = (19, 0)

MOVES: dict[str, tuple[str, ...]] = {
    "PENDING": ("PAYMENT_CONFIRMED", "SUBMITTED", "FAILED", "CANCELLED"),
    "PAYMENT_CONFIRMED": ("SUBMITTED", "FAILED"),
    "SUBMITTED": ("SUCCESSFUL", "FAILED"),
    "SUCCESSFUL": ("REVERSED",),
    "FAILED": (),
    "CANCELLED": (),
    "REVERSED": (),
}
STAMPS = {
    "PAYMENT_CONFIRMED": "confirmed_at", "SUBMITTED": "submitted_at", "SUCCESSFUL": "succeeded_at",
    "FAILED": "failed_at",
    "REVERSED": "reversed_at", "CANCELLED": "cancelled_at",
}  # fmt: skip


def order_row(world: World, order_id: int) -> sqlite3.Row:
    row = world.one("SELECT * FROM fp_orders WHERE id = ?", order_id)
    if row is None:
        raise Problem(404, "Order not found")
    return row


def moves(row: sqlite3.Row) -> tuple[str, ...]:
    """Where this order may go next, at its gateway and for its kind."""
    found = MOVES[row["status"]]
    straight = row["kind"] != "purchase" or gateway(row["tenant"]) == "BSE"
    if row["status"] == "PENDING":
        skipped = "PAYMENT_CONFIRMED" if straight else "SUBMITTED"
        found = tuple(move for move in found if move != skipped)
    return found


def outcome(row: sqlite3.Row) -> str:
    """What the amount's last digit decides: `succeed`, `fail` or `wait`."""
    if row["manual"]:
        return "wait"
    if row["amount"] is None:
        return "succeed"
    return {0: "succeed", 1: "fail"}.get(int(Decimal(row["amount"])) % 10, "wait")


def created(world: World, order_id: int) -> None:
    """Arranges what follows from a new order alone."""
    row = order_row(world, order_id)
    day = ist(row["created_at"]).date()
    for _ in range(EXPIRES_AFTER_BUSINESS_DAYS):
        day = next_business_day(day)
    world.schedule(at_ist(day, 0), "fp.order.expire", order_id)
    if row["kind"] == "purchase" and gateway(row["tenant"]) == "BSE":
        world.schedule(world.moment() + BSE_SUBMIT_S[world.pace], "fp.order", order_id, to="SUBMITTED")
    elif row["kind"] != "purchase" and outcome(row) != "wait":
        soon = world.pace == "fast" or row["redemption_mode"] == "INSTANT"
        world.schedule(world.moment() + (STEP_S if soon else 300), "fp.order", order_id, to="SUBMITTED")


def move(world: World, order_id: int, to: str, failure: str | None = None) -> None:
    """One documented step with its consequences; raises Problem 400 for any other."""
    with world.transaction():
        row = order_row(world, order_id)
        if to not in moves(row):
            raise Problem(400, f"order cannot move from {row['status']} to {to}")
        if to == "SUCCESSFUL":
            failure = allotment.allot(world, row, *_trade(world, row))
            to = "FAILED" if failure else to
        if to == "REVERSED":
            allotment.reverse(world, row)
        values = {"status": to, STAMPS[to]: world.moment(), "failure_code": failure}
        if to == "SUBMITTED" and row["kind"] != "purchase":
            values["confirmed_at"] = world.moment()
        world.update("fp_orders", order_id, **values)
        if row["sip_id"]:
            sip_life.instalment_ended(world, row["sip_id"], to)
        go_on(world, order_id)


def go_on(world: World, order_id: int) -> None:
    """Schedules the next step of an order that goes by itself."""
    row = order_row(world, order_id)
    if outcome(row) == "wait":
        return
    if row["status"] == "PAYMENT_CONFIRMED":
        world.schedule(_submit_at(world, row), "fp.order", order_id, to="SUBMITTED")
    elif row["status"] == "SUBMITTED" and (row["confirmed_at"] or row["kind"] != "purchase"):
        failure = verdict(world, row) or (REFUSED if upcoming.take(world, upcoming.ORDER) else None)
        to = "FAILED" if failure else "SUCCESSFUL"
        world.schedule(_allot_at(world, row), "fp.order", order_id, to=to, failure=failure)


def confirm(world: World, order_id: int) -> None:
    """The money is on its way to the fund house. At the BSE gateway the order is submitted already."""
    row = order_row(world, order_id)
    if row["status"] == "PENDING" and "PAYMENT_CONFIRMED" in moves(row):
        move(world, order_id, "PAYMENT_CONFIRMED")
    elif row["status"] in ("PENDING", "SUBMITTED") and not row["confirmed_at"]:
        world.update("fp_orders", order_id, confirmed_at=world.moment())
        go_on(world, order_id)


def verdict(world: World, row: sqlite3.Row) -> str | None:
    """Why the fund house will refuse the order, or None."""
    sql = "SELECT i.pan FROM fp_investors i JOIN fp_accounts a ON a.primary_investor_id = i.id WHERE a.id = ?"
    pan = world.scalar(sql, row["account_id"])
    said = kyc.registry(world, pan) if pan else None
    if said and not said.status and row["kind"] == "purchase":
        return {"A": "pan_aadhaar_not_mapped", "I": "pan_invalid"}.get(pan[4], "pan_kyc_incomplete")
    if said and said.limited and row["kind"] == "purchase" and _bought_this_year(world, row) > kyc.LIMIT_RUPEES:
        return "ekyc_investment_amount_limit_exceeded"
    return REFUSED if outcome(row) == "fail" else None


def _bought_this_year(world: World, row: sqlite3.Row) -> Decimal:
    """Rupees put into this fund house in the order's financial year, this order included."""
    day = dt.date.fromisoformat(row["investment_date"])
    start = dt.date(day.year - (day.month < 4), 4, 1).isoformat()
    sql = (
        "SELECT amount FROM fp_orders WHERE account_id = ? AND amc_id = ? AND kind = 'purchase' "
        "AND investment_date >= ? "
        "AND (status = 'SUCCESSFUL' OR id = ?)"
    )
    return sum(
        (Decimal(r["amount"]) for r in world.all(sql, row["account_id"], row["amc_id"], start, row["id"])), Decimal(0)
    )


# -- when and at what price -----------------------------------------------------------------------------------------


def funds_day(world: World, scheme: FundScheme, moment: float) -> dt.date:
    """The business day on which money debited at `moment` reaches the scheme before its cut-off."""
    now = ist(moment)
    hour, minute = CUT_OFF[scheme.liquid]
    late = now.time() >= dt.time(hour, minute)
    day = business_day_on_or_after(now.date())
    return next_business_day(day) if late and day == now.date() else day


def _is_late(scheme: FundScheme, now: dt.datetime) -> bool:
    """Asked for on a business day, but after its cut-off for redemptions."""
    cut_off = OVERNIGHT_REDEMPTION_CUT_OFF if scheme.sub_category == "Overnight Fund" else REDEMPTION_CUT_OFF
    return business_day_on_or_after(now.date()) == now.date() and now.time() >= dt.time(*cut_off)


def _redemption_day(scheme: FundScheme, moment: float) -> dt.date:
    now = ist(moment)
    return next_business_day(now.date()) if _is_late(scheme, now) else business_day_on_or_after(now.date())


def _trade_day(world: World, row: sqlite3.Row) -> dt.date:
    scheme = fund_schemes()[row["isin"]]
    if row["kind"] != "purchase":
        return _redemption_day(scheme, row["created_at"])
    if row["funds_date"]:
        return dt.date.fromisoformat(row["funds_date"])
    return funds_day(world, scheme, row["confirmed_at"] or world.moment())


def _submit_at(world: World, row: sqlite3.Row) -> float:
    soon = world.moment() + STEP_S
    return soon if world.pace == "fast" else max(soon, at_ist(_trade_day(world, row), SUBMIT_HOUR))


def _allot_at(world: World, row: sqlite3.Row) -> float:
    soon = world.moment() + STEP_S
    if world.pace == "fast" or row["redemption_mode"] == "INSTANT":
        return soon
    day = _trade_day(world, row)
    for _ in range(1 + nav.lag(fund_schemes()[row["isin"]].listing)):
        day = next_business_day(day)
    return max(soon, at_ist(day, ALLOT_HOUR))


def _trade(world: World, row: sqlite3.Row) -> tuple[dt.date, Decimal]:
    """Trade date, which is the day of the NAV, and the NAV itself.

    Liquid and overnight funds (SEBI, Master Circular of 27 Jun 2024, chapter 8): a purchase gets the NAV of the
    calendar day before the one on which the money is in (paid on a Monday morning, that of Sunday); a redemption in
    time gets that of the day before the next business day.
    """
    scheme = fund_schemes()[row["isin"]]
    if world.pace == "fast" or row["redemption_mode"] == "INSTANT":
        return nav.latest(scheme, world.moment())
    day = _trade_day(world, row)
    if scheme.liquid and row["kind"] == "purchase":
        day -= dt.timedelta(days=1)
    elif scheme.liquid and not _is_late(scheme, ist(row["created_at"])):
        day = next_business_day(day) - dt.timedelta(days=1)
    return day, nav.on_day(scheme, day)


# -- due ------------------------------------------------------------------------------------------------------------


def _due_move(world: World, ref: str, details: dict[str, Any]) -> None:
    row = order_row(world, int(ref))
    if not row["manual"] and details["to"] in moves(row):
        move(world, row["id"], details["to"], details.get("failure"))


def _due_expiry(world: World, ref: str, details: dict[str, Any]) -> None:
    row = order_row(world, int(ref))
    unpaid = row["kind"] == "purchase" and not row["confirmed_at"] and row["funds_date"] is None
    if unpaid and row["status"] in ("PENDING", "SUBMITTED"):
        move(world, row["id"], "FAILED", "order_expiry")


ROUTES: list[Any] = []
DUE = {"fp.order": _due_move, "fp.order.expire": _due_expiry}
