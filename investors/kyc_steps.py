"""The steps of a fresh KYC as a table, and which of them FP means by one of its field names.

What FP still asks for (`requirements.fields_needed`, given document, "KYC Requests") decides which steps stand in the
checklist; before FP has said it, all of them do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from investors import lifecycle
from investors.models import Document, Investor, KycRequest
from portal.files import quarantine

ABOUT = "about"
ADDRESS = "address"
PROOF = "address-proof"
PERMANENT_PROOF = "permanent-proof"
PAN_CARD = "pan-card"
PHOTO = "photo"
SIGNATURE = "signature"
VIDEO = "video"
REVIEW = "review"
# In `KycRequest.answers`, beside FP's names: the steps that were saved since this request began.
SAVED = "saved_steps"
Kind = Document.Kind
Answers = Mapping[str, Any]


@dataclass(frozen=True)
class KycStep:
    """One page: FP's fields that it answers, those without which it is not done, and the files it takes."""

    slug: str
    title: str
    about: str
    fields: tuple[str, ...]
    needs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    # An answer without which nobody is asked for this step.
    only_with: str = ""


STEPS = (
    KycStep(
        ABOUT,
        "About you",
        "Name and date of birth as on your PAN card, your parents or spouse, your work.",
        (
            "name", "pan", "email", "date_of_birth", "mobile", "father_name", "spouse_name", "mother_name", "gender",
            "marital_status", "occupation_type", "aadhaar_number", "country_of_birth", "residential_status",
        ),
        needs=(
            "name", "date_of_birth", "mobile", "gender", "marital_status", "occupation_type", "aadhaar_number",
            "country_of_birth",
        ),
    ),
    KycStep(
        ADDRESS,
        "Address",
        "Where you live, as on your passport, voter ID or driving licence, and what is printed on it.",
        ("correspondence_address", "permanent_address", "permanent_address_is_same_as_correspondence"),
        needs=("correspondence_address",),
    ),
    KycStep(
        PROOF,
        "Proof of address",
        "Both sides of the passport, voter ID or driving licence that you named.",
        ("correspondence_address",),
        files=(Kind.ADDRESS_FRONT, Kind.ADDRESS_BACK),
        accepts=quarantine.PAPERS,
    ),
    KycStep(
        PERMANENT_PROOF,
        "Proof of permanent address",
        "Both sides of the paper that you named for your permanent address.",
        ("permanent_address",),
        files=(Kind.PERMANENT_FRONT, Kind.PERMANENT_BACK),
        accepts=quarantine.PAPERS,
        only_with="permanent_address",
    ),
    KycStep(
        PAN_CARD,
        "PAN card",
        "The front of your PAN card, whole and sharp.",
        ("identity_proof",),
        files=(Kind.IDENTITY_PROOF,),
        accepts=quarantine.PAPERS,
    ),
    KycStep(
        PHOTO,
        "Photo",
        "Your face from the front, like in a passport.",
        ("photo",),
        files=(Kind.PHOTO,),
        accepts=quarantine.PICTURES,
    ),
    KycStep(
        SIGNATURE,
        "Signature",
        "As you sign at the bank: on white paper, or drawn here.",
        ("signature",),
        files=(Kind.SIGNATURE,),
        accepts=quarantine.PAPERS,
    ),
    KycStep(
        VIDEO,
        "Short video",
        "A few seconds in which your face can be seen: it shows that it is really you.",
        ("ipv_video",),
        files=(Kind.IPV_VIDEO,),
        accepts=quarantine.VIDEO,
    ),
)  # fmt: skip
BY_SLUG = {step.slug: step for step in STEPS}
ESSENTIAL = ("name", "date_of_birth", "mobile")

# FP's name of a file -> its kind with us; an address has two of its own.
FILE_FIELDS = {
    "identity_proof": Kind.IDENTITY_PROOF,
    "photo": Kind.PHOTO,
    "signature": Kind.SIGNATURE,
    "ipv_video": Kind.IPV_VIDEO,
}
ADDRESS_FILES = {
    "correspondence_address": {"proof": Kind.ADDRESS_FRONT, "proof_back": Kind.ADDRESS_BACK},
    "permanent_address": {"proof": Kind.PERMANENT_FRONT, "proof_back": Kind.PERMANENT_BACK},
}
PROOFS = {"correspondence_address": PROOF, "permanent_address": PERMANENT_PROOF}
# How the fields of the permanent address begin in the form.
PERMANENT = "p_"
# FP's names of an address -> ours; the city follows from the PIN code.
ADDRESS_FIELDS = {
    "line_1": "line1", "line_2": "line2", "line_3": "line3", "city": "pincode", "pincode": "pincode",
    "proof_type": "proof_type", "proof_number": "proof_number", "proof_issue_date": "proof_issue_date",
    "proof_expiry_date": "proof_expiry_date",
}  # fmt: skip
# A PAN that does not match is nearly always a card that cannot be read: the PAN itself was checked before. The email
# address is the login's, and no field of a form here.
ELSEWHERE = {
    "pan": (PAN_CARD, Kind.IDENTITY_PROOF),
    "email": (ABOUT, ""),
    "residential_status": (ABOUT, ""),
    "permanent_address_is_same_as_correspondence": (ADDRESS, "permanent_is_same"),
}
# About a whole page, or about what is changed on another one.
AT_NO_SINGLE_FIELD = frozenset({"correspondence_address", "email"})


def place_of(field: str, answers: Answers | None = None) -> tuple[str, str]:
    """(step, form field) of one of FP's names, such as `permanent_address.proof`; both empty for nobody's.

    Without a permanent address among the `answers`, FP means the one address by either name.
    """
    first, _, last = re.sub(r"\[\d+\]", "", field).partition(".")
    if first == "permanent_address" and not last:
        return ADDRESS, "permanent_is_same"
    if first == "permanent_address" and not (answers or {}).get(first):
        first = "correspondence_address"
    if first in ELSEWHERE:
        return ELSEWHERE[first]
    if last in ADDRESS_FILES.get(first, ()):
        return PROOFS[first], ADDRESS_FILES[first][last]
    if first in ADDRESS_FILES:
        return ADDRESS, _address_field(first, last)
    slug = next((step.slug for step in STEPS if first in step.fields), "")
    return slug, FILE_FIELDS.get(first, first) if slug else ""


def _address_field(address: str, part: str) -> str:
    """The form field of one part of an address; empty for a part that nobody types."""
    ours = ADDRESS_FIELDS.get(part, "")
    return f"{PERMANENT}{ours}" if ours and address == "permanent_address" else ours


def is_at_no_field(field: str) -> bool:
    """Does FP mean something that no form asks for?"""
    return not place_of(field)[1] and field not in AT_NO_SINGLE_FIELD


def placed(complaints: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """FP's complaints as a request keeps them: with an empty `step` where no page has them."""
    return [each if place_of(each["field"])[0] else {**each, "step": ""} for each in complaints]


@dataclass(frozen=True)
class Sheet:
    """Everything a fresh KYC consists of, read at once."""

    investor: Investor
    request: KycRequest
    documents: Mapping[str, Document]

    @property
    def answers(self) -> dict[str, Any]:
        """What was entered, in FP's names."""
        return answers_of(self.request)


def answers_of(request: KycRequest) -> dict[str, Any]:
    """The stored JSON; empty before anything was entered."""
    return dict(json.loads(request.answers)) if request.answers else {}


def steps_of(sheet: Sheet) -> list[KycStep]:
    """The steps of the checklist: those that FP asks for, and those that were answered already."""
    answers = sheet.answers
    steps = [step for step in STEPS if not step.only_with or answers.get(step.only_with)]
    if sheet.request.state == lifecycle.DRAFT:
        return steps
    asked = set(sheet.request.fields_needed)
    return [
        step
        for step in steps
        if step.slug == ABOUT or step.only_with or asked & set(step.fields) or is_given(sheet, step)
    ]


def is_given(sheet: Sheet, step: KycStep) -> bool:
    """Whatever the step needs is there, right or wrong."""
    answers = sheet.answers
    parent = step.slug != ABOUT or bool(answers.get("father_name") or answers.get("spouse_name"))
    there = all(answers.get(name) for name in step.needs)
    return parent and there and all(kind in sheet.documents for kind in step.files)


def nobody_answers(fields: Iterable[str]) -> list[str]:
    """Names that FP asks for and no page of ours has."""
    return [name for name in fields if not place_of(name)[0]]
