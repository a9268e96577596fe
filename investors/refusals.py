"""Which of our steps and form fields FP means when it refuses an application field by field.

`Investor.refusal` keeps FP's complaints as they came: `[{"field": "bank_accounts[0].ifsc_code",
"message": "..."}]`. A complaint whose section is known but whose field is not stands above its step's
form; one that fits nowhere is for ops. Whoever keeps a complaint and knows that this investor has no page
for it keeps it with an empty `step`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from investors import steps
from portal import redaction
from portal.gateway import errors

Complaint = dict[str, Any]

# FP's section (given document, "Create Investor") -> our step, for a complaint about the whole of it.
SECTIONS = {
    "kyc_identity_detail": steps.PERSONAL,
    "contact_detail": steps.PERSONAL,
    "fatca_detail": steps.FATCA,
    "perm_addr_is_corres_addr": steps.ADDRESS,
    "correspondence_address": steps.ADDRESS,
    "permanent_address": steps.ADDRESS,
    "overseas_address": steps.ADDRESS,
    "nomination": steps.NOMINEES,
    "bank_accounts": steps.BANK,
}


def _group(section: str, step: str, fields: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {f"{section}.{theirs}": (step, ours) for theirs, ours in fields.items()}


def _residence(nth: str, position: int) -> dict[str, str]:
    ours = {"ansi_code": "country", "taxid_type": "tax_id_kind", "taxid_number": "tax_id"}
    return {f"{nth}_trc_{theirs}": f"t{position}_{name}" for theirs, name in ours.items()}


IN_INDIA = {"line1": "line1", "line2": "line2", "line3": "line3", "pincode": "pincode"}
ABROAD = {"zipcode": "zipcode", "city": "city", "state": "state", "country_ansi_code": "country"}
NOMINEE_FIELDS = {
    "name": "name",
    "relationship": "relationship",
    "date_of_birth": "date_of_birth",
    "allocation_percentage": "share",
    "guardian_name": "guardian_name",
    "guardian_relationship": "guardian_relationship",
}
# Every field of FP's application that somebody here fills in -> (our step, our form field).
PLACES: dict[str, tuple[str, str]] = {
    **_group(
        "kyc_identity_detail",
        steps.PERSONAL,
        {
            "name": "name",
            "date_of_birth": "date_of_birth",
            "gender": "gender",
            "marital_status": "marital_status",
            "occupation": "occupation",
            "residential_status": "kind",
            "country_of_citizenship_ansi_code": "country_of_citizenship",
            "father_or_spouse_name": "father_or_spouse_name",
            "kyc_relation": "father_or_spouse_is",
            "mothers_name": "mothers_name",
        },
    ),
    "kyc_identity_detail.pan_number": (steps.PAN, "pan"),
    "kyc_identity_detail.guardian_pan_number": (steps.PAN, "guardian_pan"),
    **_group(
        "kyc_identity_detail",
        steps.GUARDIAN,
        {name: name for name in ("guardian_name", "guardian_relationship", "guardian_date_of_birth")},
    ),
    "kyc_identity_detail.pep_exposed": (steps.FATCA, "is_politically_exposed"),
    "kyc_identity_detail.pep_related": (steps.FATCA, "is_related_to_politically_exposed"),
    "kyc_identity_detail.signature": (steps.PAPERS, "SIGNATURE"),
    **_group(
        "contact_detail",
        steps.PERSONAL,
        {
            "isd_code": "isd_code",
            "mobile": "mobile",
            "office_telephone_no": "office_phone",
            "residence_telephone_no": "residence_phone",
        },
    ),
    **_group(
        "fatca_detail",
        steps.FATCA,
        {
            "country_of_birth_ansi_code": "country_of_birth",
            "source_of_wealth": "source_of_wealth",
            "gross_annual_income": "gross_annual_income",
            "no_other_tax_residences": "tax_resident_only_in_india",
            **_residence("first", 1),
            **_residence("second", 2),
            **_residence("third", 3),
        },
    ),
    "perm_addr_is_corres_addr": (steps.ADDRESS, "permanent_is_same"),
    **_group("correspondence_address", steps.ADDRESS, IN_INDIA | {"zipcode": "pincode"}),
    **_group("permanent_address", steps.ADDRESS, {theirs: f"p_{ours}" for theirs, ours in IN_INDIA.items()}),
    "permanent_address.zipcode": (steps.ADDRESS, "p_pincode"),
    **_group("overseas_address", steps.ADDRESS, {theirs: f"o_{ours}" for theirs, ours in (IN_INDIA | ABROAD).items()}),
    "overseas_address.pincode": (steps.ADDRESS, "o_zipcode"),
    "nomination.skip_nomination": (steps.NOMINEES, "choice"),
    **{
        f"nomination.nominee{n}.{theirs}": (steps.NOMINEES, f"n{n}_{ours}")
        for n in (1, 2, 3)
        for theirs, ours in NOMINEE_FIELDS.items()
    },
    **_group(
        "bank_accounts",
        steps.BANK,
        {"account_holder_name": "holder_name", "number": "number", "type": "kind", "ifsc_code": "ifsc"},
    ),
    "bank_accounts.cancelled_cheque": (steps.PAPERS, "CANCELLED_CHEQUE"),
}
# What FP's application has and no form of ours asks for, with the reason.
NOT_ASKED = {
    "display_name": "the name as on the PAN card",
    "ip_address": "where the investor was when confirming",
    "contact_detail.email": "the verified e-mail address of the login",
    "kyc_identity_detail.pan_exempt": "always false: nobody is registered here without a PAN",
    "bank_accounts.id": "FP's own id; sent when an account that it has is changed",
    "bank_accounts.primary_account": "the account of the application is the primary one",
    "correspondence_address.city": "follows from the PIN code, or is that of the address abroad",
    "correspondence_address.state": "follows from the PIN code, or is that of the address abroad",
    "correspondence_address.country_ansi_code": "India, or that of the address abroad",
    "permanent_address.city": "follows from the PIN code",
    "permanent_address.state": "follows from the PIN code",
    "permanent_address.country_ansi_code": "India",
}
# What is changed on a page of its own; a step of getting ready says so.
CHANGED = {"contact_detail.email": (steps.PERSONAL, "email")}
# Names that come without a section.
BARE = {
    "pan_number": "kyc_identity_detail.pan_number",
    "pan": "kyc_identity_detail.pan_number",
    "ifsc_code": "bank_accounts.ifsc_code",
    "pincode": "correspondence_address.pincode",
}
_NOMINEE = re.compile(r"^nominee_?([123])$")


def place_of(field: str) -> tuple[str, str]:
    """(step, form field) of one of FP's field paths; the field is empty for a whole step, both for nobody's."""
    parts = _parts(field)
    if not parts:
        return "", ""
    path = ".".join(parts)
    found = (
        PLACES.get(path)
        or CHANGED.get(path)
        or PLACES.get(f"{parts[0]}.{parts[-1]}")
        or PLACES.get(BARE.get(parts[-1], ""))
    )
    return found or (SECTIONS.get(parts[0], ""), "")


def _parts(field: str) -> list[str]:
    """The names of a field path, as the document writes them, without the numbers of lists."""
    parts = [snake(part) for part in re.sub(r"\[\d+\]", "", field).split(".") if part and not part.isdigit()]
    return [_NOMINEE.sub(r"nominee\1", part) for part in parts]


def snake(name: str) -> str:
    """`nominee1Name` as `nominee1_name`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def placed(complaint: Complaint) -> tuple[str, str]:
    """(step, form field) of a kept complaint; both empty for nobody's."""
    return ("", "") if complaint.get("step") == "" else place_of(str(complaint.get("field", "")))


def is_at_no_field(complaint: Complaint) -> bool:
    """Is it about something that no form asks for? One about a whole section stands above its form."""
    path = ".".join(_parts(str(complaint.get("field", ""))))
    is_whole = path in SECTIONS or re.fullmatch(r"nomination\.nominee[123]", path)
    step, field = placed(complaint)
    return not step or (not field and not is_whole)


def steps_of(refusal: Iterable[Complaint]) -> set[str]:
    """The steps that must be corrected."""
    return {step for each in refusal if (step := placed(each)[0])}


def has_nowhere(refusal: Iterable[Complaint]) -> bool:
    """Is there a complaint that the investor cannot put right here?"""
    return any(not placed(each)[0] for each in refusal)


REGISTERED = "when we registered you"


def by_field(refusal: Iterable[Complaint], step: str, *, when: str = REGISTERED) -> dict[str, list[str]]:
    """Form field -> what to show at it, for one step; the empty name is for the whole form."""
    shown: dict[str, list[str]] = {}
    for each in refusal:
        where, field = placed(each)
        if where == step:
            shown.setdefault(field, []).append(words(each, when=when))
    return shown


def told(error: errors.Refused) -> list[Complaint]:
    """FP's complaints as a row keeps them; one without a field where FP has named none."""
    named = [{"field": each.field, "message": each.message} for each in error.fields]
    return named or [{"field": "", "message": error.said[:300]}]


def for_ops(refusal: Iterable[Complaint]) -> str:
    """Every complaint by FP's own name of the field, a line each."""
    return "\n".join(f"{each.get('field') or 'no field'}: {each.get('message', '')}" for each in refusal)


def without(refusal: Iterable[Complaint], step: str) -> list[Complaint]:
    """The complaints that remain after a step was corrected."""
    return [each for each in refusal if placed(each)[0] != step]


def words(complaint: Complaint, *, when: str = REGISTERED) -> str:
    """What the investor reads: that it was not accepted, and FP's own reason when it is short enough to help."""
    reason = redaction.text(str(complaint.get("message", ""))).strip().rstrip(".")
    if not reason or len(reason) > 120:
        return f"This was not accepted {when}. Please check it."
    return f"This was not accepted {when}: {reason}."
