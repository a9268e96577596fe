"""Our fresh KYC <-> FP's messages (given document, "KYC Requests" and "Files")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from investors import kyc_steps, lifecycle
from investors.kyc_steps import Sheet
from investors.models import Document, KycRequest
from portal.fintech_primitives.client import client
from portal.fintech_primitives.messages import kyc_requests as messages
from portal.fintech_primitives.messages import records
from portal.gateway import errors
from portal.gateway.journal import Fenced, fenced

PATH = "/kyc_requests"
FP = messages.KycStatus
STATES = {
    FP.PENDING: lifecycle.PENDING,
    FP.SUBMITTED: lifecycle.SUBMITTED,
    FP.SUCCESSFUL: lifecycle.SUCCESSFUL,
    FP.REJECTED: lifecycle.REJECTED,
    FP.EXPIRED: lifecycle.EXPIRED,
}
ABOUT = (
    "aadhaar_number", "father_name", "spouse_name", "mother_name", "gender", "country_of_birth", "marital_status",
    "occupation_type",
)  # fmt: skip
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf", "video/mp4": "mp4"}


@dataclass(frozen=True)
class Snapshot:
    """What FP says of a request at a moment. `state` is ours; None for a word that we do not know."""

    provider_ref: str
    state: str | None
    expires_at: datetime | None = None
    fields_needed: tuple[str, ...] = ()
    rejections: tuple[dict[str, str], ...] = field(default=())


def essentials(sheet: Sheet) -> dict[str, Any]:
    """The body with which a request begins: what FP calls mandatory, and whatever stands on the same page."""
    who, answers = sheet.investor, sheet.answers
    about = {name: answers[name] for name in ABOUT if answers.get(name)}
    return about | {
        "name": answers["name"],
        "pan": who.pan,
        "email": who.user.email,
        "date_of_birth": answers["date_of_birth"],
        "mobile": {"isd": f"+{who.isd_code}", "number": answers["mobile"]},
        "residential_status": "resident_individual",
    }


def whole(sheet: Sheet) -> dict[str, Any]:
    """The body that completes it. Every file must have been sent to FP before."""
    refs = {kind: document.provider_ref for kind, document in sheet.documents.items()}
    files = {name: refs[kind] for name, kind in kyc_steps.FILE_FIELDS.items() if refs.get(kind)}
    body = essentials(sheet) | files
    for name, kinds in kyc_steps.ADDRESS_FILES.items():
        if address := sheet.answers.get(name):
            proofs = {proof: refs.get(kind) for proof, kind in kinds.items()}
            body[name] = {part: text for part, text in address.items() if text} | proofs
    if "correspondence_address" in body:
        body["permanent_address_is_same_as_correspondence"] = "permanent_address" not in body
    return body


def find_open(sheet: Sheet) -> Snapshot | None:
    """FP's pending request for this PAN that is on none of our rows: the one whose answer was lost.

    Raises the gateway's errors.
    """
    known = set(KycRequest.objects.exclude(provider_ref=None).values_list("provider_ref", flat=True))
    for each in client().list_kyc_requests():
        ours = (each.pan or "").strip().upper() == sheet.investor.pan and each.id not in known
        if ours and STATES.get(_status(each)) == lifecycle.PENDING:
            return _snapshot(each)
    return None


def create(sheet: Sheet) -> Snapshot:
    """POST the essentials. Raises the gateway's errors."""
    asked = messages.NewKycRequest.checked(essentials(sheet))
    return _read(client().create_kyc_request(asked, _fenced(sheet)), sheet, "POST")


def complete(sheet: Sheet) -> Snapshot:
    """PATCH everything; the same once more changes nothing. Raises the gateway's errors."""
    change = messages.NewKycRequest.checked(whole(sheet))
    return _read(client().update_kyc_request(sheet.request.provider_ref or "", change, _fenced(sheet)), sheet, "PATCH")


def fetch(sheet: Sheet) -> Snapshot:
    """What FP says now. Raises the gateway's errors."""
    return _read(client().fetch_kyc_request(sheet.request.provider_ref or ""), sheet, "GET")


def upload(sheet: Sheet, document: Document, content: bytes) -> str:
    """POST a file; FP's id of it. Raises the gateway's errors."""
    extension = EXTENSIONS[document.media_type]
    file = records.Upload(
        filename=f"{document.kind.lower()}.{extension}", content_type=document.media_type, content=content
    )
    return client().create_file(file, _fenced(sheet)).id


def _fenced(sheet: Sheet) -> Fenced:
    return fenced(sheet.request, attempt_no=sheet.request.attempt_no)


def _read(answer: messages.KycRequest, sheet: Sheet, method: str) -> Snapshot:
    pan, ref = (answer.pan or "").strip().upper(), sheet.request.provider_ref
    if (pan and pan != sheet.investor.pan) or (ref and answer.id != ref):
        raise errors.Garbled("fp", method, PATH, said="the answer is about another request")
    return _snapshot(answer)


def _snapshot(answer: messages.KycRequest) -> Snapshot:
    return Snapshot(
        answer.id,
        STATES.get(_status(answer)),
        answer.expires_at,
        tuple(answer.requirements.fields_needed) if answer.requirements else (),
        tuple(_rejections(answer.verification)),
    )


def _status(answer: messages.KycRequest) -> messages.KycStatus:
    """The document describes `verification.status`; `status` beside it also knows that a request has expired."""
    if answer.status != FP.UNKNOWN or answer.verification is None:
        return answer.status
    return answer.verification.status


def _rejections(verification: messages.Verification | None) -> list[dict[str, str]]:
    if verification is None:
        return []
    codes: Mapping[str, Any] = verification.details
    verbose = verification.details_verbose
    return [
        {
            "field": name,
            "code": str((verbose[name].code if name in verbose else codes[name]).value),
            "reason": verbose[name].reason[:300] if name in verbose else "",
        }
        for name in {**codes, **verbose}
    ]
