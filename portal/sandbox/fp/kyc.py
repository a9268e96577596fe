"""KYC checks. What the registry says of a PAN follows from the PAN alone:

| PAN | answer |
| --- | --- |
| digits 3753 | in no registry: `status` false, `reason` unavailable, `action` create |
| fifth letter A | Aadhaar not linked: `status` false, `reason` incomplete, `action` modify |
| fifth letter I | invalid PAN: `status` false, `reason` unknown, `action` disallowed |
| digits ending in 9 (and the document's BNBPP9384M) | compliant, but at most 50,000 rupees a year |
| any other (3751 among them) | compliant |
"""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from typing import Any

from ..web import Problem, Request, Response, json_response
from ..world import World
from .common import PAN, body_object, refuse, stamp

LIMIT_RUPEES = 50_000
LIMITED_SAMPLE = "BNBPP9384M"


@dataclass(frozen=True)
class Verdict:
    status: bool
    reason: str | None
    action: str
    verbatim: str
    limited: bool = False


def verdict(pan: str) -> Verdict:
    digits, fifth = pan[5:9], pan[4]
    if digits == "3753":
        return Verdict(False, "unavailable", "create", f"N|{pan}|KS001")
    if fifth == "A":
        return Verdict(False, "incomplete", "modify", f"N|{pan}|AADHAAR_NOT_LINKED")
    if fifth == "I":
        return Verdict(False, "unknown", "disallowed", f"N|{pan}|INVALID_PAN")
    return Verdict(True, None, "none", f"Y|{pan}|KS100", limited=digits.endswith("9") or pan == LIMITED_SAMPLE)


def registry(world: World, pan: str) -> Verdict:
    """The verdict, after any fresh KYC that was successful in this world."""
    sql = "SELECT 1 FROM fp_kyc_requests WHERE status = 'successful' AND json_extract(doc, '$.pan') = ?"
    said = verdict(pan)
    fresh = not said.status and world.scalar(sql, pan)
    return Verdict(True, None, "none", f"Y|{pan}|KS100") if fresh else said


def _document(world: World, row: sqlite3.Row) -> dict[str, Any]:
    said = registry(world, row["pan"])
    limit = {"type": "investment_limit", "amount": {"value": LIMIT_RUPEES, "currency": "inr"}}
    source = {"name": "kra-cams", "response_verbatim": said.verbatim, "fetched_at": stamp(row["updated_at"])}
    return {
        "id": row["id"], "source_ref_id": None, "pan": row["pan"], "entity_details": {}, "status": said.status,
        "reason": said.reason, "action": said.action, "constraints": [limit] if said.limited else [],
        "sources": [source],
        "created_at": stamp(row["created_at"]), "updated_at": stamp(row["updated_at"]),
    }  # fmt: skip


def _row(world: World, tenant: str, key: str) -> sqlite3.Row:
    row = world.one("SELECT * FROM fp_kyc_checks WHERE id = ? AND tenant = ?", key, tenant)
    if row is None:
        raise Problem(404, "KYC check not found")
    return row


def check(world: World, request: Request) -> Response:
    pan = body_object(request).get("pan")
    if not isinstance(pan, str) or not PAN.fullmatch(pan.strip().upper()):
        raise refuse("pan", "should be a valid PAN of an individual")
    key, now = str(uuid.uuid4()), world.now()
    pan = pan.strip().upper()
    world.insert("fp_kyc_checks", id=key, tenant=request.tenant, pan=pan, created_at=now, updated_at=now)
    return json_response(_document(world, _row(world, request.tenant, key)))


def fetch(world: World, request: Request, key: str) -> Response:
    return json_response(_document(world, _row(world, request.tenant, key)))


def refetch(world: World, request: Request, key: str) -> Response:
    _row(world, request.tenant, key)
    world.update("fp_kyc_checks", key, updated_at=world.now())
    return fetch(world, request, key)


ROUTES = [
    ("POST", "/api/kyc/check", check),
    ("GET", "/api/kyc/{key}", fetch),
    ("PUT POST", "/api/kyc/{key}/refetch", refetch),
]
