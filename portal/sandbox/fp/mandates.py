"""Mandates: create (paper NACH and e-mandate), read, list, authorise, cancel, simulate."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from typing import Any

from ..clock import ist
from ..web import Problem, Request, Response, json_response
from ..world import World
from . import mandate_life, payment_life
from .auth import gateway
from .common import Errors, as_date, as_int, body_object, envelope, number, paging, refuse, stamp, whole_numbers
from .payments import BANK_PATH, postback_url
from .simulate import wanted_state

TYPES = ("NACH", "E_MANDATE")
PROVIDERS = ("RAZORPAY", "BSE")
MOST_RUPEES = 10_000_000
# The beginning in the document's own example, which works as it is printed.
PRINTED = "2017-10-16"
STATES = ("CREATED", "SUBMITTED", "APPROVED", "RECEIVED", "REJECTED")
TIMES = ("created_at", "received_at", "submitted_at", "approved_at", "rejected_at")


def _document(row: sqlite3.Row) -> dict[str, Any]:
    plain = ("id", "bank_account_id", "mandate_ref", "valid_from")
    more = ("mandate_type", "mandate_status", "umrn")
    return {
        **{name: row[name] for name in plain},
        "mandate_limit": number(row["mandate_limit"]),
        **{name: row[name] for name in more},
        **{name: stamp(row[name]) for name in TIMES},
        "rejected_reason": row["rejected_reason"],
        "provider_id": row["provider_id"],
    }


def _check(world: World, request: Request, given: dict[str, Any]) -> None:
    errors = Errors()
    kind, bank, limit = (
        given.get("mandate_type"),
        as_int(given.get("bank_account_id")),
        as_int(given.get("mandate_limit")),
    )
    errors.check(kind in TYPES, "mandate_type", f"should be one of {', '.join(TYPES)}")
    known = world.scalar("SELECT 1 FROM fp_bank_accounts WHERE id = ? AND tenant = ?", bank, request.tenant)
    errors.check(known, "bank_account_id", "is mandatory" if bank is None else "is not a bank account of an investor")
    errors.check(limit and 0 < limit <= MOST_RUPEES, "mandate_limit", f"should be from 1 to {MOST_RUPEES}")
    _check_dates(errors, given, ist(world.now()).date(), bse=gateway(request.tenant) == "BSE")
    if given.get("provider_name") is not None:
        errors.check(given["provider_name"] in PROVIDERS, "provider_name", f"should be one of {', '.join(PROVIDERS)}")
    if kind == "NACH":
        bse = gateway(request.tenant) == "BSE"
        errors.check(not bse, "mandate_type", "NACH is not supported with BSE as gateway provider")
    errors.stop()


def _check_dates(errors: Errors, given: dict[str, Any], today: dt.date, *, bse: bool) -> None:
    """Nothing begins in the past. An end is for BSE only (document, "Create an e-mandate"), after the beginning."""
    for name in ("valid_from", "valid_to"):
        errors.check(given.get(name) is None or as_date(given[name]), name, "should be a date as yyyy-MM-dd")
    begins, ends = as_date(given.get("valid_from")), as_date(given.get("valid_to"))
    late = begins is not None and begins < today and given["valid_from"] != PRINTED
    errors.check(not late, "valid_from", "should not be in the past")
    errors.check(ends is None or bse, "valid_to", "is supported with BSE as gateway provider only")
    errors.check(ends is None or begins is None or ends > begins, "valid_to", "should be after valid_from")


def create(world: World, request: Request) -> Response:
    given = body_object(request)
    _check(world, request, given)
    names = ("valid_from", "valid_to", "mandate_type", "provider_name")
    with world.transaction():
        key = world.insert(
            "fp_mandates",
            tenant=request.tenant,
            bank_account_id=as_int(given["bank_account_id"]),
            mandate_limit=str(as_int(given["mandate_limit"])),
            mandate_status="CREATED",
            mandate_ref=str(random.randrange(10**8, 10**9)),  # noqa: S311
            provider_id=as_int(given.get("provider_id")) or 1,
            created_at=world.moment(),
            **{name: given.get(name) for name in names},
        )
        if given["mandate_type"] == "NACH":
            mandate_life.paper_posted(world, key)
    return json_response({"id": key}, 201)


def _row(world: World, request: Request, mandate_id: object) -> sqlite3.Row:
    key = as_int(mandate_id)
    row = world.one("SELECT * FROM fp_mandates WHERE id = ? AND tenant = ?", key, request.tenant)
    if row is None:
        raise Problem(404, "Mandate not found")
    return row


def read(world: World, request: Request, mandate_id: str) -> Response:
    return json_response(_document(_row(world, request, mandate_id)))


def list_all(world: World, request: Request) -> Response:
    page, size = paging(request)
    where = "tenant = ?"
    if banks := whole_numbers(request, "bank_account_id"):
        where += f" AND bank_account_id IN ({','.join(map(str, banks))})"
    total = world.scalar(f"SELECT count(*) FROM fp_mandates WHERE {where}", request.tenant)  # noqa: S608
    sql = f"SELECT * FROM fp_mandates WHERE {where} ORDER BY id LIMIT ? OFFSET ?"  # noqa: S608
    rows = world.all(sql, request.tenant, size, page * size)
    return json_response(envelope("mandates", [_document(row) for row in rows], total, page, size))


def authorise(world: World, request: Request) -> Response:
    """A page at the bank for an e-mandate that is not authorised yet."""
    given, errors = body_object(request), Errors()
    postback = postback_url(errors, given.get("payment_postback_url"))
    unsupported = postback and gateway(request.tenant) == "BSE"
    errors.check(not unsupported, "payment_postback_url", "is not supported with BSE as gateway provider")
    errors.stop()
    try:
        row = _row(world, request, given.get("mandate_id"))
    except Problem:
        raise refuse("mandate_id", "is not a mandate") from None
    if row["mandate_type"] != "E_MANDATE" or row["mandate_status"] not in ("CREATED", "RECEIVED"):
        raise refuse("mandate_id", "is not an e-mandate that waits for authorisation")
    token = payment_life.new_token()
    values = {"payment_type": "AUTH_TRANSACTION", "mandate_id": row["id"], "token": token, "postback_url": postback}
    key = payment_life.create(world, request.tenant, [], **values)
    return json_response({"token_url": f"{request.base_url}{BANK_PATH}?id={token}", "id": key})


def cancel(world: World, request: Request, mandate_id: str) -> Response:
    row = _row(world, request, mandate_id)
    mandate_life.move(world, row["id"], "CANCELLED")
    return read(world, request, mandate_id)


def simulate(world: World, request: Request, mandate_id: str) -> Response:
    to = wanted_state(request, STATES)
    row = _row(world, request, mandate_id)
    if row["mandate_status"] != to:
        if to == "APPROVED" and row["mandate_status"] in ("CREATED", "RECEIVED"):
            mandate_life.move(world, row["id"], "SUBMITTED")
        mandate_life.move(world, row["id"], to)
    return json_response({"message": f"mandate updated to status {to}"})


ROUTES = [
    ("POST", "/api/pg/mandates", create),
    ("GET", "/api/pg/mandates", list_all),
    ("GET", "/api/pg/mandates/{mandate_id:int}", read),
    ("POST", "/api/pg/mandates/{mandate_id:int}/cancel", cancel),
    ("POST", "/api/pg/payments/emandate/auth", authorise),
    ("POST", "/api/pg/simulate/mandates/{mandate_id:int}", simulate),
]
