"""Investors: create, read, search, list, update, with their bank accounts."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from ..clock import ist
from ..places import branch
from ..web import Problem, Request, Response, dumps, json_response
from ..world import World
from . import files
from .common import Errors, as_int, body_object, onboarding_envelope, paging, refuse, utc_stamp, whole_numbers
from .investor_rules import clean_investor

BRANCH_KEYS = (
    "ifsc_code", "micr_code", "branch_name", "bank_name", "branch_address", "contact", "city", "district", "state",
)  # fmt: skip
BANK_COLUMNS = ("account_holder_name", "type", "primary_account", "number", "ifsc_code", "cancelled_cheque")


def _bank_document(row: sqlite3.Row) -> dict[str, Any]:
    details = branch(row["ifsc_code"])
    return {
        "id": row["id"], "account_holder_name": row["account_holder_name"], "type": row["type"],
        "primary_account": bool(row["primary_account"]), "number": row["number"],
        "created_at": utc_stamp(row["created_at"]), "updated_at": utc_stamp(row["updated_at"]),
        "branch": {key: details[key] for key in BRANCH_KEYS}, "cancelled_cheque": row["cancelled_cheque"],
    }  # fmt: skip


def document(world: World, request: Request, row: sqlite3.Row) -> dict[str, Any]:
    """The investor as every read answers it."""
    held = json.loads(row["doc"])
    banks = world.all("SELECT * FROM fp_bank_accounts WHERE investor_id = ? ORDER BY id", row["id"])
    href = f"{request.base_url}/fp/api/onb/investors/{row['id']}"
    return {
        "id": row["id"],
        "display_name": held.pop("display_name"),
        "created_at": utc_stamp(row["created_at"]),
        "updated_at": utc_stamp(row["updated_at"]),
        **held,
        "bank_accounts": [_bank_document(bank) for bank in banks],
        "_links": [
            {"href": href, "rel": rel, "method": method} for rel, method in (("self", "GET"), ("update", "POST"))
        ],
    }


def investor_row(world: World, tenant: str, investor_id: object) -> sqlite3.Row:
    """An investor of the tenant; raises Problem 404."""
    key = as_int(investor_id)
    row = world.one("SELECT * FROM fp_investors WHERE id = ? AND tenant = ?", key, tenant)
    if row is None or key in world.hidden("investor"):
        raise Problem(404, "Investor not found")
    return row


def _columns(doc: dict[str, Any]) -> dict[str, Any]:
    identity = doc["kyc_identity_detail"]
    name, pan, email = identity["name"], identity["pan_number"], doc["contact_detail"]["email"]
    return {"name": name, "pan": pan, "email": email, "doc": dumps(doc).decode()}


def _add_bank(world: World, request: Request, investor_id: int, bank: dict[str, Any]) -> None:
    now = world.now()
    values = {name: bank[name] for name in BANK_COLUMNS}
    world.insert(
        "fp_bank_accounts", tenant=request.tenant, investor_id=investor_id, created_at=now, updated_at=now, **values
    )


def _checked(world: World, request: Request, given: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The investor's document and bank accounts, with files that were uploaded; raises Problem 400."""
    doc, banks = clean_investor(given, ist(world.now()).date())
    errors, tenant = Errors(), request.tenant
    signature = doc["kyc_identity_detail"]["signature"]
    files.uploaded(errors, world, tenant, "kyc_identity_detail.signature", signature)
    for n, bank in enumerate(banks):
        files.uploaded(errors, world, tenant, f"bank_accounts[{n}].cancelled_cheque", bank["cancelled_cheque"])
    errors.stop()
    return doc, banks


def create(world: World, request: Request) -> Response:
    doc, banks = _checked(world, request, body_object(request))
    if not any(bank["primary_account"] for bank in banks):
        raise refuse("bank_accounts", "one account should be primary")
    now = world.now()
    with world.transaction():
        key = world.insert("fp_investors", tenant=request.tenant, created_at=now, updated_at=now, **_columns(doc))
        for bank in banks:
            _add_bank(world, request, key, bank)
    request.created.append(("investor", key))
    return read(world, request, str(key))


def _merged(world: World, request: Request, row: sqlite3.Row) -> dict[str, Any]:
    """The given body over what is held: a section that is not sent stays as it is."""
    given, held = body_object(request), json.loads(row["doc"])
    if "bank_accounts" not in given:
        banks = world.all("SELECT * FROM fp_bank_accounts WHERE investor_id = ?", row["id"])
        keep = [{**{name: bank[name] for name in BANK_COLUMNS}, "id": bank["id"]} for bank in banks]
        given = {**given, "bank_accounts": [{**b, "primary_account": bool(b["primary_account"])} for b in keep]}
    return {**held, **given}


def _save_bank(world: World, request: Request, investor_id: int, bank: dict[str, Any]) -> None:
    if bank["primary_account"]:
        world.run("UPDATE fp_bank_accounts SET primary_account = 0 WHERE investor_id = ?", investor_id)
    if bank["id"] is None:
        return _add_bank(world, request, investor_id, bank)
    owner = world.scalar("SELECT investor_id FROM fp_bank_accounts WHERE id = ?", bank["id"])
    if owner != investor_id:
        raise refuse("bank_accounts.id", "is not a bank account of this investor")
    world.update("fp_bank_accounts", bank["id"], updated_at=world.now(), **{name: bank[name] for name in BANK_COLUMNS})
    return None


def update(world: World, request: Request, investor_id: str) -> Response:
    row = investor_row(world, request.tenant, investor_id)
    doc, banks = _checked(world, request, _merged(world, request, row))
    with world.transaction():
        world.update("fp_investors", row["id"], updated_at=world.now(), **_columns(doc))
        for bank in banks:
            _save_bank(world, request, row["id"], bank)
    return read(world, request, investor_id)


def read(world: World, request: Request, investor_id: str) -> Response:
    return json_response(document(world, request, investor_row(world, request.tenant, investor_id)))


def _page(world: World, request: Request, where: str, args: list[Any]) -> Response:
    page, size = paging(request)
    hidden = world.hidden("investor")
    where += f" AND id NOT IN ({','.join(map(str, hidden))})" if hidden else ""
    total = world.scalar(f"SELECT count(*) FROM fp_investors WHERE {where}", *args)  # noqa: S608
    sql = f"SELECT * FROM fp_investors WHERE {where} ORDER BY id LIMIT ? OFFSET ?"  # noqa: S608
    rows = world.all(sql, *args, size, page * size)
    return json_response(
        onboarding_envelope("investors", [document(world, request, row) for row in rows], total, page, size)
    )


def list_all(world: World, request: Request) -> Response:
    return _page(world, request, "tenant = ?", [request.tenant])


def search(world: World, request: Request) -> Response:
    """By `query` (name, email or PAN), `bank_account_ids`, `ids`; what is given must all hold."""
    where, args = "tenant = ?", [request.tenant]
    if text := request.query.get("query", "").strip():
        exact = world.all(
            "SELECT id FROM fp_investors WHERE tenant = ? AND (pan = ? OR email = ? COLLATE NOCASE)",
            request.tenant,
            text.upper(),
            text,
        )
        if exact:
            where += f" AND id IN ({','.join(str(row['id']) for row in exact)})"
        else:
            where += " AND instr(lower(name), lower(?)) > 0"
            args.append(text)
    if banks := whole_numbers(request, "bank_account_ids"):
        listed = ",".join(map(str, banks))
        where += f" AND id IN (SELECT investor_id FROM fp_bank_accounts WHERE id IN ({listed}))"  # noqa: S608  numbers only
    if ids := whole_numbers(request, "ids"):
        where += f" AND id IN ({','.join(map(str, ids))})"
    return _page(world, request, where, args)


ROUTES = [
    ("GET", "/api/onb/investors", list_all),
    ("POST", "/api/onb/investors", create),
    ("GET", "/api/onb/investors/search", search),
    ("GET", "/api/onb/investors/{investor_id:int}", read),
    ("POST PUT PATCH", "/api/onb/investors/{investor_id:int}", update),
]
