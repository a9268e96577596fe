"""KYC requests: a fresh KYC sent in one go or step by step.

pending -> submitted -> successful | rejected; a request that is complete is submitted at once and decided a little
later (pace `fast`) or after three business days (`market`), unless a simulation call decides first. A request not
completed in time expires. A successful one makes the PAN compliant.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
import uuid
from collections.abc import Callable
from typing import Any

from .. import upcoming
from ..clock import at_ist, ist, next_business_day
from ..places import country_codes, pincodes
from ..web import Problem, Request, Response, dumps, json_response
from ..world import World
from . import files
from .common import PAN, Errors, as_date, as_key, body_object, refuse

EXPIRES_S = 7 * 86_400
DECIDED_S = 4.0
DECIDED_DAYS = 3
GENDERS = ("male", "female", "transgender")
MARITAL = ("married", "unmarried", "others")
OCCUPATIONS = (
    "business", "professional", "self_employed", "retired", "housewife", "student", "public_sector", "private_sector",
    "government_sector", "others",
)  # fmt: skip
PROOFS = ("passport", "voter_id", "driving_licence")
DATED = ("passport", "driving_licence")
FILES = ("identity_proof", "ipv_video", "signature", "photo")
MANDATORY = ("name", "pan", "email", "date_of_birth", "mobile")
COMPLETE = (
    "aadhaar_number", "gender", "country_of_birth", "marital_status", "residential_status", "occupation_type",
    "correspondence_address", *FILES,
)  # fmt: skip
KEYS = (
    "aadhaar_number", "pan", "name", "father_name", "spouse_name", "mother_name", "email", "mobile", "ipv_video",
    "signature",
    "photo", "gender", "date_of_birth", "marital_status", "country_of_birth", "permanent_address",
    "correspondence_address",
    "identity_proof", "residential_status", "occupation_type", "permanent_address_is_same_as_correspondence",
)  # fmt: skip
ADDRESS = (
    "city", "proof", "line_1", "line_2", "line_3", "country", "pincode", "proof_back", "proof_type", "proof_number",
    "proof_issue_date", "proof_expiry_date",
)  # fmt: skip
ADDRESS_MANDATORY = ("line_1", "city", "pincode", "country", "proof", "proof_type", "proof_number")
Check = Callable[[Any], bool]


def _among(*allowed: str) -> Check:
    return lambda value: isinstance(value, str) and value.lower() in allowed


def _matches(expression: str) -> Check:
    return lambda value: isinstance(value, str) and bool(re.fullmatch(expression, value))


def _mobile(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(re.fullmatch(r"\+?\d{1,4}", str(value.get("isd", ""))))
        and bool(re.fullmatch(r"\d{6,15}", str(value.get("number", ""))))
    )


def _country(value: Any) -> bool:
    return isinstance(value, str) and value.upper() in country_codes()


CHECKS: dict[str, tuple[Check, str]] = {
    "pan": (_matches(PAN.pattern), "should be a valid PAN of an individual"),
    "email": (_matches(r"[^@\s]+@[^@\s]+\.[^@\s]+"), "should be a valid email"),
    "date_of_birth": (lambda value: as_date(value) is not None, "should be a date as yyyy-mm-dd"),
    "mobile": (_mobile, "should have isd and number"),
    "aadhaar_number": (_matches(r"\d{4}"), "should be the last 4 digits"),
    "gender": (_among(*GENDERS), f"should be one of {', '.join(GENDERS)}"),
    "marital_status": (_among(*MARITAL), f"should be one of {', '.join(MARITAL)}"),
    "residential_status": (_among("resident_individual"), "should be resident_individual"),
    "occupation_type": (_among(*OCCUPATIONS), f"should be one of {', '.join(OCCUPATIONS)}"),
    "country_of_birth": (_country, "is not a known country code"),
}


def _check_address(errors: Errors, where: str, given: Any, today: dt.date) -> dict[str, Any] | None:
    if not isinstance(given, dict):
        errors.add(where, "should be an object")
        return None
    for name in ADDRESS_MANDATORY:
        errors.check(given.get(name), f"{where}.{name}", "is mandatory")
    kind = given.get("proof_type")
    errors.check(kind is None or kind in PROOFS, f"{where}.proof_type", f"should be one of {', '.join(PROOFS)}")
    errors.check(as_key(given.get("pincode")) in pincodes(), f"{where}.pincode", "is not a known pincode")
    errors.check(_country(given.get("country")), f"{where}.country", "is not a known country code")
    if kind in PROOFS:
        errors.check(given.get("proof_back"), f"{where}.proof_back", f"is mandatory for {kind}")
    if kind in DATED:
        issued, expires = as_date(given.get("proof_issue_date")), as_date(given.get("proof_expiry_date"))
        errors.check(issued and issued < today, f"{where}.proof_issue_date", "should be in the past")
        errors.check(expires and expires > today, f"{where}.proof_expiry_date", "should be in the future")
    return {name: given.get(name) for name in ADDRESS}


def _clean(errors: Errors, given: dict[str, Any], today: dt.date) -> dict[str, Any]:
    doc = {name: given.get(name) or None for name in KEYS}
    doc["permanent_address_is_same_as_correspondence"] = given.get("permanent_address_is_same_as_correspondence")
    for name in MANDATORY:
        errors.check(doc[name], name, "is mandatory")
    errors.check(doc["father_name"] or doc["spouse_name"], "father_name", "is mandatory if spouse_name is not given")
    for name, (good, message) in CHECKS.items():
        errors.check(doc[name] is None or good(doc[name]), name, message)
    born = as_date(doc["date_of_birth"])
    errors.check(born is None or born <= today, "date_of_birth", "should be in the past")
    for name in ("correspondence_address", "permanent_address"):
        if doc[name] is not None:
            doc[name] = _check_address(errors, name, doc[name], today)
    same = doc["permanent_address_is_same_as_correspondence"]
    errors.check(same is not False or doc["permanent_address"], "permanent_address", "is mandatory when it differs")
    if same:
        doc["permanent_address"] = doc["correspondence_address"]
    return doc


def _check_files(errors: Errors, world: World, tenant: str, doc: dict[str, Any]) -> None:
    for name in FILES:
        files.check(errors, world, tenant, name, doc[name], video=name == "ipv_video")
    same = doc["permanent_address_is_same_as_correspondence"]
    for where in ("correspondence_address",) if same else ("correspondence_address", "permanent_address"):
        for name in ("proof", "proof_back"):
            files.check(errors, world, tenant, f"{where}.{name}", (doc[where] or {}).get(name))


def _checked(world: World, request: Request, given: dict[str, Any]) -> dict[str, Any]:
    """The request's document from all that is known of it; raises Problem 400 with every field error."""
    errors = Errors()
    doc = _clean(errors, given, ist(world.now()).date())
    _check_files(errors, world, request.tenant, doc)
    errors.stop()
    return doc


def _needed(doc: dict[str, Any]) -> list[str]:
    return [name for name in COMPLETE if doc[name] is None]


def _document(row: sqlite3.Row) -> dict[str, Any]:
    doc = json.loads(row["doc"])
    details = json.loads(row["details"]) if row["details"] else None
    verbose = {field: {"code": code, "reason": REASONS[code]} for field, code in details.items()} if details else None
    status = "pending" if row["status"] == "expired" else row["status"]
    if doc["ipv_video"] is None:
        doc.pop("ipv_video")
    return {
        "object": "kyc_request", "id": row["id"], "status": row["status"], **doc,
        "created_at": _stamp(row["created_at"]),
        "expires_at": _stamp(row["expires_at"]), "otp": row["id"].replace("-", "")[:6],
        "verification": {"status": status, "details": details, "details_verbose": verbose},
        "requirements": {"fields_needed": _needed({"ipv_video": None, **doc})},
    }  # fmt: skip


REASONS = {
    "data_mismatch": "The data provided in the input is not matching with the document",
    "document_invalid": "The provided document is not valid",
    "document_unclear": "The provided document is not clear to read",
    "data_missing": "The data point is completely missing",
}
REJECTION = {"pan": "data_mismatch", "signature": "data_missing", "permanent_address.proof": "document_unclear"}


def _stamp(moment: float) -> str:
    """`2019-11-09T13:26:38.946+0530`."""
    text = ist(moment).isoformat(timespec="milliseconds")
    return text[:-3] + text[-2:]


def _row(world: World, tenant: str, key: str) -> sqlite3.Row:
    row = world.one("SELECT * FROM fp_kyc_requests WHERE id = ? AND tenant = ?", key, tenant)
    if row is None:
        raise Problem(404, "KYC request not found")
    return row


def _save(world: World, key: str, doc: dict[str, Any]) -> None:
    world.update("fp_kyc_requests", key, doc=dumps(doc).decode())
    if not _needed(doc):
        world.update("fp_kyc_requests", key, status="submitted")
        day = ist(world.now()).date()
        for _ in range(DECIDED_DAYS):
            day = next_business_day(day)
        at = world.now() + DECIDED_S if world.pace == "fast" else at_ist(day, 17)
        world.schedule(at, "fp.kyc", key, to="successful")


def create(world: World, request: Request) -> Response:
    doc = _checked(world, request, body_object(request))
    key, now = str(uuid.uuid4()), world.now()
    with world.transaction():
        seq = (world.scalar("SELECT max(seq) FROM fp_kyc_requests") or 0) + 1
        times = {"created_at": now, "expires_at": now + EXPIRES_S}
        world.insert("fp_kyc_requests", id=key, seq=seq, tenant=request.tenant, status="pending", doc="{}", **times)
        world.schedule(now + EXPIRES_S, "fp.kyc", key, to="expired")
        _save(world, key, doc)
    return read(world, request, key)


def update(world: World, request: Request, key: str) -> Response:
    row = _row(world, request.tenant, key)
    if row["status"] != "pending":
        raise Problem(400, f"a {row['status']} KYC request cannot be changed")
    held = json.loads(row["doc"])
    if held["permanent_address_is_same_as_correspondence"]:
        held["permanent_address"] = None
    doc = _checked(world, request, held | body_object(request))
    with world.transaction():
        _save(world, key, doc)
    return read(world, request, key)


def read(world: World, request: Request, key: str) -> Response:
    return json_response(_document(_row(world, request.tenant, key)))


def list_all(world: World, request: Request) -> Response:
    sql = "SELECT * FROM fp_kyc_requests WHERE tenant = ? ORDER BY seq DESC LIMIT 1000"
    return json_response({"object": "list", "data": [_document(row) for row in world.all(sql, request.tenant)]})


def decide(world: World, key: str, to: str) -> None:
    """Success or rejection. Only what was submitted can succeed."""
    details = dumps(REJECTION).decode() if to == "rejected" else None
    world.update("fp_kyc_requests", key, status=to, details=details)


def simulate(world: World, request: Request, key: str) -> Response:
    row = _row(world, request.tenant, key)
    to = body_object(request).get("status")
    if to not in ("successful", "rejected"):
        raise refuse("status", "should be successful or rejected")
    if row["status"] not in ("submitted", to):
        raise Problem(400, f"KYC request cannot move from {row['status']} to {to}")
    decide(world, key, to)
    return read(world, request, key)


def _due(world: World, ref: str, details: dict[str, Any]) -> None:
    row = world.one("SELECT * FROM fp_kyc_requests WHERE id = ?", ref)
    if row and row["status"] == ("pending" if details["to"] == "expired" else "submitted"):
        back = details["to"] == "successful" and upcoming.take(world, upcoming.KYC)
        decide(world, ref, "rejected" if back else details["to"])


ROUTES = [
    ("POST", "/kyc_requests", create),
    ("GET", "/kyc_requests", list_all),
    ("GET", "/kyc_requests/{key}", read),
    ("POST PATCH", "/kyc_requests/{key}", update),
    ("POST", "/kyc_requests/{key}/simulate", simulate),
]
DUE = {"fp.kyc": _due}
