"""The life of a mandate.

    CREATED -> RECEIVED -> SUBMITTED -> APPROVED -> CANCELLED      (RECEIVED: BSE only)
    CREATED -> SUBMITTED;  CREATED | RECEIVED | SUBMITTED -> REJECTED | CANCELLED

An e-mandate goes on by itself once the person has authorised it: the bank approves it, unless the last four digits of
the account are 23XX or 31XX. A paper mandate takes two business days to be submitted and ten more to be approved.
"""

from __future__ import annotations

import random
import sqlite3
from typing import Any

from .. import upcoming
from ..clock import at_ist, ist, next_business_day
from ..web import Problem
from ..world import World

STEP_S = 1.5
PAPER_DAYS = {"SUBMITTED": 2, "APPROVED": 10}
REFUSED_ENDINGS = ("23", "31")
MOVES: dict[str, tuple[str, ...]] = {
    "CREATED": ("RECEIVED", "SUBMITTED", "REJECTED", "CANCELLED"),
    "RECEIVED": ("SUBMITTED", "REJECTED", "CANCELLED"),
    "SUBMITTED": ("APPROVED", "REJECTED", "CANCELLED"),
    "APPROVED": ("CANCELLED",),
    "REJECTED": (),
    "CANCELLED": (),
}


def mandate_row(world: World, mandate_id: int) -> sqlite3.Row:
    row = world.one("SELECT * FROM fp_mandates WHERE id = ?", mandate_id)
    if row is None:
        raise Problem(404, "Mandate not found")
    return row


def move(world: World, mandate_id: int, to: str, reason: str | None = None) -> None:
    """One documented step; raises Problem 400 for any other."""
    with world.transaction():
        row = mandate_row(world, mandate_id)
        if to not in MOVES[row["mandate_status"]]:
            raise Problem(400, f"mandate cannot move from {row['mandate_status']} to {to}")
        values: dict[str, Any] = {"mandate_status": to, f"{to.lower()}_at": world.moment()}
        if to == "APPROVED":
            values["umrn"] = f"{_bank(world, row)['ifsc_code'][:4]}{random.randrange(10**15, 10**16)}"  # noqa: S311
        if to == "REJECTED":
            values["rejected_reason"] = reason or "rejected by the bank"
        world.update("fp_mandates", mandate_id, **values)


def _bank(world: World, row: sqlite3.Row) -> sqlite3.Row:
    bank = world.one("SELECT * FROM fp_bank_accounts WHERE id = ?", row["bank_account_id"])
    if bank is None:
        raise Problem(404, "Bank account not found")
    return bank


def authorised(world: World, mandate_id: int) -> None:
    """The person said yes at the bank's page: the bank answers by itself."""
    row = mandate_row(world, mandate_id)
    if "SUBMITTED" in MOVES[row["mandate_status"]]:
        move(world, mandate_id, "SUBMITTED")
    refused = _bank(world, row)["number"][-4:-2] in REFUSED_ENDINGS or upcoming.take(world, upcoming.MANDATE)
    soon = world.moment() + STEP_S
    next_morning = at_ist(next_business_day(ist(soon).date()), 10)
    at = soon if world.pace == "fast" else next_morning
    world.schedule(at, "fp.mandate", mandate_id, to="REJECTED" if refused else "APPROVED")


def paper_posted(world: World, mandate_id: int) -> None:
    """A paper mandate travels: submitted and approved after their business days."""
    day = ist(world.moment()).date()
    for to, days in PAPER_DAYS.items():
        for _ in range(days):
            day = next_business_day(day)
        world.schedule(at_ist(day, 11), "fp.mandate", mandate_id, to=to)


def _due_move(world: World, ref: str, details: dict[str, Any]) -> None:
    if details["to"] in MOVES[mandate_row(world, int(ref))["mandate_status"]]:
        move(world, int(ref), details["to"])


ROUTES: list[Any] = []
DUE = {"fp.mandate": _due_move}
