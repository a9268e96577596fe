"""Which of our steps and form fields FP means when it refuses an application field by field.

`Investor.refusal` keeps FP's complaints as they came: `[{"field": "bank_accounts[0].ifsc_code",
"message": "..."}]`. A complaint whose section is known but whose field is not stands above its step's
form; one that fits nowhere is for ops.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from investors import steps
from portal import redaction

Complaint = dict[str, Any]

# FP's section (given document, "Create Investor") -> our step.
SECTIONS = {
    "kyc_identity_detail": steps.PERSONAL,
    "contact_detail": steps.PERSONAL,
    "fatca_detail": steps.FATCA,
    "correspondence_address": steps.ADDRESS,
    "nomination": steps.NOMINEES,
    "bank_accounts": steps.BANK,
}
# (our step, FP's last name) -> our form field.
FIELDS = {
    (steps.PERSONAL, "name"): "name",
    (steps.PERSONAL, "date_of_birth"): "date_of_birth",
    (steps.PERSONAL, "gender"): "gender",
    (steps.PERSONAL, "marital_status"): "marital_status",
    (steps.PERSONAL, "occupation"): "occupation",
    (steps.PERSONAL, "mobile"): "mobile",
    (steps.PERSONAL, "email"): "email",
    (steps.FATCA, "country_of_birth_ansi_code"): "country_of_birth",
    (steps.FATCA, "source_of_wealth"): "source_of_wealth",
    (steps.FATCA, "gross_annual_income"): "gross_annual_income",
    (steps.FATCA, "no_other_tax_residences"): "tax_resident_only_in_india",
    (steps.ADDRESS, "line1"): "line1",
    (steps.ADDRESS, "line2"): "line2",
    (steps.ADDRESS, "line3"): "line3",
    (steps.ADDRESS, "pincode"): "pincode",
    (steps.ADDRESS, "zipcode"): "pincode",
    (steps.BANK, "account_holder_name"): "holder_name",
    (steps.BANK, "number"): "number",
    (steps.BANK, "type"): "kind",
    (steps.BANK, "ifsc_code"): "ifsc",
}
NOMINEE_FIELDS = {
    "name": "name",
    "relationship": "relationship",
    "date_of_birth": "date_of_birth",
    "allocation_percentage": "share",
    "guardian_name": "guardian_name",
    "guardian_relationship": "guardian_relationship",
}
# Names that belong to another step than the rest of their section, or come without a section.
ELSEWHERE = {
    "pan_number": (steps.PAN, "pan"),
    "pan": (steps.PAN, "pan"),
    "pep_exposed": (steps.FATCA, "is_politically_exposed"),
    "pep_related": (steps.FATCA, "is_related_to_politically_exposed"),
    "ifsc_code": (steps.BANK, "ifsc"),
    "pincode": (steps.ADDRESS, "pincode"),
}
_NOMINEE = re.compile(r"nominee_?([123])")


def place_of(field: str) -> tuple[str, str]:
    """(step, form field) of one of FP's field paths; the field is empty for a whole step, both for nobody's."""
    parts = [_snake(part) for part in re.sub(r"\[\d+\]", "", field).split(".") if part]
    if not parts:
        return "", ""
    step, last = SECTIONS.get(parts[0], ""), parts[-1]
    if step == steps.NOMINEES:
        return step, _nominee_field(parts)
    if last in ELSEWHERE:
        return ELSEWHERE[last]
    return step, FIELDS.get((step, last), "")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _nominee_field(parts: list[str]) -> str:
    found = [match.group(1) for part in parts if (match := _NOMINEE.fullmatch(part))]
    ours = NOMINEE_FIELDS.get(parts[-1], "")
    return f"n{found[0]}_{ours}" if found and ours else ""


def steps_of(refusal: Iterable[Complaint]) -> set[str]:
    """The steps that must be corrected."""
    return {step for each in refusal if (step := place_of(str(each.get("field", "")))[0])}


def has_nowhere(refusal: Iterable[Complaint]) -> bool:
    """Is there a complaint that the investor cannot put right here?"""
    return any(not place_of(str(each.get("field", "")))[0] for each in refusal)


REGISTERED = "when we registered you"


def by_field(refusal: Iterable[Complaint], step: str, *, when: str = REGISTERED) -> dict[str, list[str]]:
    """Form field -> what to show at it, for one step; the empty name is for the whole form."""
    shown: dict[str, list[str]] = {}
    for each in refusal:
        where, field = place_of(str(each.get("field", "")))
        if where == step:
            shown.setdefault(field, []).append(words(each, when=when))
    return shown


def without(refusal: Iterable[Complaint], step: str) -> list[Complaint]:
    """The complaints that remain after a step was corrected."""
    return [each for each in refusal if place_of(str(each.get("field", "")))[0] != step]


def words(complaint: Complaint, *, when: str = REGISTERED) -> str:
    """What the investor reads: that it was not accepted, and FP's own reason when it is short enough to help."""
    reason = redaction.text(str(complaint.get("message", ""))).strip().rstrip(".")
    if not reason or len(reason) > 120:
        return f"This was not accepted {when}. Please check it."
    return f"This was not accepted {when}: {reason}."
