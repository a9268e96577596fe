"""Investment accounts: what orders are placed in."""

from __future__ import annotations

import json
import random
import sqlite3
from typing import Any

from ..web import Problem, Request, Response, json_response
from ..world import World
from .auth import gateway
from .common import Errors, as_int, body_object, refuse
from .investors import investor_row

# longest texts the BSE gateway takes
BSE_LENGTHS = (("name", 70), ("guardian_name", 35))


def big_id() -> int:
    """A 63-bit id above 2^53, as in the document: JavaScript cannot hold it."""
    return random.randrange(1 << 54, 1 << 63)  # noqa: S311  an id, not a secret


def _bse_rules(world: World, investor: sqlite3.Row) -> None:
    """The BSE gateway wants a signature, a cancelled cheque, and texts that fit its fields."""
    errors, doc = Errors(), json.loads(investor["doc"])
    identity = doc["kyc_identity_detail"]
    errors.check(identity["signature"], "kyc_identity_detail.signature", "is mandatory for BSE")
    banks = world.all("SELECT * FROM fp_bank_accounts WHERE investor_id = ? AND primary_account = 1", investor["id"])
    errors.check(
        all(bank["cancelled_cheque"] for bank in banks), "bank_accounts.cancelled_cheque", "is mandatory for BSE"
    )
    for name, longest in BSE_LENGTHS:
        errors.check(
            len(identity.get(name) or "") <= longest, f"kyc_identity_detail.{name}", f"at most {longest} characters"
        )
    errors.check(len(doc["contact_detail"]["email"]) <= 50, "contact_detail.email", "at most 50 characters")
    errors.stop()


def create(world: World, request: Request) -> Response:
    given = body_object(request).get("primary_investor_id")
    if as_int(given) is None:
        raise refuse("primary_investor_id", "is mandatory")
    try:
        investor = investor_row(world, request.tenant, given)
    except Problem:
        raise refuse("primary_investor_id", "investor not found") from None
    if gateway(request.tenant) == "BSE":
        _bse_rules(world, investor)
    key = big_id()
    world.insert(
        "fp_accounts", id=key, tenant=request.tenant, primary_investor_id=investor["id"], created_at=world.now()
    )
    request.created.append(("account", key))
    answer = {
        "message": "Investment account created.",
        "investment_account_id": key,
        "primary_investor_id": investor["id"],
    }
    return json_response(answer)


def list_for(world: World, request: Request) -> Response:
    investor_id = as_int(request.query.get("investor_id"))
    if investor_id is None:
        raise refuse("investor_id", "is mandatory")
    sql = "SELECT * FROM fp_accounts WHERE tenant = ? AND primary_investor_id = ? ORDER BY created_at"
    hidden = world.hidden("account")
    rows = [row for row in world.all(sql, request.tenant, investor_id) if row["id"] not in hidden]
    return json_response({"data": [_brief(row) for row in rows]})


def _brief(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "primary_investor_id": row["primary_investor_id"],
        "secondary_investor_id": row["secondary_investor_id"],
        "investment_account_id": row["id"],
    }


def account_row(world: World, tenant: str, account_id: object) -> sqlite3.Row:
    """An investment account of the tenant; raises Problem 404."""
    row = world.one("SELECT * FROM fp_accounts WHERE id = ? AND tenant = ?", as_int(account_id) or 0, tenant)
    if row is None:
        raise Problem(404, "Investment account not found")
    return row


ROUTES = [
    ("POST", "/api/oms/investment_accounts", create),
    ("GET", "/api/oms/investment_accounts", list_for),
]
