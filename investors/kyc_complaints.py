"""What is wrong with a fresh KYC, step by step, in our words: what FP refused to take, what was rejected, what the desk
asked for again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from investors import kyc_reasons, kyc_steps, lifecycle
from investors.kyc_steps import SAVED, Sheet
from investors.models import Document, KycRequest
from portal import redaction

# What people call FP's fields; the rest are called as their own page calls them.
NAMES = {
    "pan": "Your PAN",
    "name": "Your name",
    "email": "Your email",
    "mobile": "Your mobile number",
    "mobile.number": "Your mobile number",
    "mobile.isd": "Your mobile number",
    "date_of_birth": "Your date of birth",
    "aadhaar_number": "The last digits of your Aadhaar",
    "father_name": "Your father's name",
    "spouse_name": "Your spouse's name",
    "mother_name": "Your mother's name",
    "gender": "Your gender",
    "marital_status": "Your marital status",
    "occupation_type": "Your occupation",
    "country_of_birth": "Your country of birth",
    "identity_proof": "Your PAN card",
    "photo": "Your photo",
    "signature": "Your signature",
    "ipv_video": "Your video",
    "proof": "The front of your proof of address",
    "proof_back": "The back of your proof of address",
    "proof_type": "The type of your proof of address",
    "proof_number": "The number of your proof of address",
    "proof_issue_date": "The date of issue",
    "proof_expiry_date": "The date of expiry",
    "pincode": "Your PIN code",
    "city": "Your city",
    "line_1": "Your address",
    "correspondence_address": "Your address",
    "permanent_address": "Your address",
}
NEEDED = "still needed"
LOGINS_EMAIL = "It is the one that you sign in with: change it under “Sign-in and security”, then save this step again."
NOT_ASKED = "Something that no step here asks for"


@dataclass(frozen=True)
class Complaint:
    """One thing to be corrected: at which step and form field, and the words for it."""

    slug: str
    field: str
    title: str
    to_do: str
    code: str = ""

    @property
    def words(self) -> str:
        """In one line, for a form field."""
        return f"{self.title}. {self.to_do}".strip()


def by_step(sheet: Sheet) -> dict[str, list[Complaint]]:
    """Slug -> what must be corrected there. A step that nobody has is under the empty name."""
    found: dict[str, list[Complaint]] = {}
    refused = (_refused(each, sheet.answers) for each in sheet.request.refusal)
    for each in [*refused, *_unanswered(sheet), *_asked_again(sheet)]:
        found.setdefault(each.slug, []).append(each)
    return found


def rejected(request: KycRequest) -> list[Complaint]:
    """What a decided request was rejected for, field by field."""
    answers = kyc_steps.answers_of(request)
    return [_rejection(each, answers) for each in request.rejections]


def without(refusal: Iterable[dict[str, Any]], slug: str, answers: kyc_steps.Answers) -> list[dict[str, Any]]:
    """FP's complaints that remain after a step was corrected. One that is about no step is answered by any."""
    return [each for each in refusal if kyc_steps.place_of(str(each.get("field", "")), answers)[0] not in ("", slug)]


def _unanswered(sheet: Sheet) -> list[Complaint]:
    """Rejections of the request before, as long as their step was not saved again."""
    before = sheet.request.previous
    if before is None or before.state != lifecycle.REJECTED:
        return []
    saved = sheet.answers.get(SAVED, ())
    return [each for each in rejected(before) if each.slug not in saved]


def _rejection(said: dict[str, str], answers: kyc_steps.Answers) -> Complaint:
    slug, field = kyc_steps.place_of(said["field"], answers)
    reason = kyc_reasons.explain_rejection(said["code"])
    return Complaint(slug, field, f"{_name(said['field'])} {reason.title}", reason.to_do, said["code"])


def _refused(said: dict[str, str], answers: kyc_steps.Answers) -> Complaint:
    slug, field = kyc_steps.place_of(said["field"], answers)
    text = redaction.text(said.get("message", "")).strip().rstrip(".")
    if kyc_steps.is_at_no_field(said["field"]):
        what = "is still needed" if text == NEEDED else "was not accepted"
        return Complaint(slug, field, f"{NOT_ASKED} {what}", "Our team has been told.")
    if text == NEEDED:
        return Complaint(slug, field, f"{_name(said['field'])} is still needed", "Please enter or send it.")
    if said["field"] == "email":
        return Complaint(slug, field, "Your email address was not accepted", LOGINS_EMAIL)
    words = f": {text}." if 0 < len(text) <= 120 else "."
    return Complaint(slug, field, f"{_name(said['field'])} was not accepted", f"Please check it{words}")


def _asked_again(sheet: Sheet) -> list[Complaint]:
    kinds = {kind: step.slug for step in kyc_steps.STEPS for kind in step.files}
    return [
        _about_file(document, kinds[kind])
        for kind, document in sheet.documents.items()
        if document.refusal and kind in kinds
    ]


def _about_file(document: Document, slug: str) -> Complaint:
    reason = kyc_reasons.explain_rejection(document.refusal)
    title = f"Your {document.get_kind_display()} {reason.title}"
    return Complaint(slug, document.kind, title, reason.to_do, document.refusal)


def _name(field: str) -> str:
    last = field.rpartition(".")[2]
    return NAMES.get(last) or NAMES.get(field) or f"“{last.replace('_', ' ')}”"
