"""A fresh KYC: who the person is, where they live and what proves it, and the files. FP's field names, our rules.

Lengths and words are those of the given document ("KYC Requests"); proofs are those that it names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from investors import kyc_complaints, kyc_steps, rules
from investors.forms import fields
from investors.forms.fields import RefusableForm, RuledField
from investors.kyc_steps import ABOUT, ADDRESS, BY_SLUG, KycStep, Sheet
from investors.models import Address, Document
from portal import clock, identifiers
from portal.errors import InvalidInput
from portal.files import quarantine
from portal.files.quarantine import CleanFile

GENDERS = [("female", "Female"), ("male", "Male"), ("transgender", "Transgender")]
MARITAL = [("married", "Married"), ("unmarried", "Not married"), ("others", "Other")]
OCCUPATIONS = [
    ("private_sector", "Employed, private sector"),
    ("public_sector", "Employed, public sector"),
    ("government_sector", "Employed by the government"),
    ("business", "Business"),
    ("professional", "Professional"),
    ("self_employed", "Self-employed"),
    ("housewife", "Homemaker"),
    ("retired", "Retired"),
    ("student", "Student"),
    ("others", "Other"),
]
PROOFS = [("passport", "Passport"), ("voter_id", "Voter ID"), ("driving_licence", "Driving licence")]
DATED = ("passport", "driving_licence")
OUR_WORDS = {
    "gender": {"FEMALE": "female", "MALE": "male"},
    "marital_status": {"MARRIED": "married", "SINGLE": "unmarried", "OTHERS": "others"},
}
_NUMBER = re.compile(r"[A-Z0-9][A-Z0-9/ -]{3,29}")


def clean_last_four(text: str) -> str:
    """The last four digits of an Aadhaar; the whole number is never asked for. Raises ValueError."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"\d{4}", digits):
        raise ValueError("Only the last four digits, please: we do not want the whole number.")
    return digits


def clean_proof_number(text: str) -> str:
    """The number printed on a passport, voter ID or driving licence. Raises ValueError."""
    number = rules.tidy(text).upper()
    if not _NUMBER.fullmatch(number):
        raise ValueError("Enter the number as it is printed: letters, digits, / and -.")
    return number


def _name(label: str, missing: str = "", help_text: str = "") -> RuledField:
    return RuledField(label=label, rule=rules.clean_name, missing=missing, required=bool(missing), help_text=help_text)


class AboutForm(RefusableForm):
    """Who the person is."""

    name = _name("Name, exactly as on your PAN card", "Enter your name as it is printed on your PAN card.")
    date_of_birth = fields.date_field("Date of birth", missing="Enter your date of birth as on your PAN card.")
    father_name = _name("Your father's name", help_text="This or your spouse's name must be given.")
    spouse_name = _name("Your spouse's name")
    mother_name = _name("Your mother's name")
    gender = fields.ticked("Gender", GENDERS, missing="Choose your gender.")
    marital_status = fields.ticked("Marital status", MARITAL, missing="Choose whether you are married.")
    occupation_type = fields.picked("Occupation", OCCUPATIONS, missing="Choose what you do for a living.")
    aadhaar_number = RuledField(
        label="Last four digits of your Aadhaar",
        rule=clean_last_four,
        missing="Enter the last four digits of your Aadhaar.",
        help_text="Only these four: nobody here needs the whole number.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "maxlength": "9"}),
    )
    country_of_birth = fields.picked("Country of birth", fields.countries, missing="Choose where you were born.")
    mobile = RuledField(
        label="Mobile number",
        rule=identifiers.clean_mobile,
        missing="Enter your mobile number, ten digits.",
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel-national"}),
    )

    @classmethod
    def initial_of(cls, sheet: Sheet) -> dict[str, Any]:
        """What was entered; where nothing was, what onboarding knows already."""
        who = sheet.investor
        known = {"name": who.name, "date_of_birth": who.date_of_birth, "mobile": who.mobile, "country_of_birth": "IN"}
        known |= {name: words.get(getattr(who, name), "") for name, words in OUR_WORDS.items()}
        return known | {name: text for name, text in sheet.answers.items() if name in cls.base_fields}

    def clean_date_of_birth(self) -> date:
        """Old enough for a KYC of one's own."""
        born_on: date = self.cleaned_data["date_of_birth"]
        fields.cleaned_by(lambda _: rules.check_adult(born_on, clock.today()), "")
        return born_on

    def clean(self) -> dict[str, Any]:
        """A father or a spouse (given document, "KYC Requests": one of the two is mandatory)."""
        data = super().clean() or {}
        if not (data.get("father_name") or data.get("spouse_name")) and "father_name" not in self.errors:
            self.add_error("father_name", "Enter your father's or your spouse's name.")
        return data

    @property
    def values(self) -> dict[str, Any]:
        """In FP's names, ready for JSON."""
        return {**self.cleaned_data, "date_of_birth": self.cleaned_data["date_of_birth"].isoformat()}


def _proved_address(prefix: str = "") -> dict[str, forms.Field]:
    """The fields of one address and of what is printed on the paper that proves it."""
    section = "section-permanent " if prefix else ""
    look_up = {} if prefix else fields.looks_up("pincode", "place")
    pin = {"inputmode": "numeric", "autocomplete": f"{section}postal-code", **look_up}
    asked: dict[str, forms.Field] = {
        "line1": RuledField(
            label="Flat, house, building",
            rule=rules.clean_line,
            missing="Enter the flat or house number and the building.",
            widget=forms.TextInput(attrs={"autocomplete": f"{section}address-line1"}),
        ),
        "line2": RuledField(label="Street, area", rule=rules.clean_line, required=False),
        "line3": RuledField(label="Landmark", rule=rules.clean_line, required=False),
        "pincode": RuledField(
            label="PIN code",
            rule=identifiers.clean_pin,
            missing="Enter your PIN code, six digits.",
            widget=forms.TextInput(attrs=pin),
        ),
        "proof_type": fields.ticked(
            "Proof of this address", PROOFS, missing="Choose the paper that you will photograph."
        ),
        "proof_number": RuledField(
            label="Number on it",
            rule=clean_proof_number,
            missing="Enter the number that is printed on it.",
            widget=forms.TextInput(attrs={"class": "upper", "autocomplete": "off", "spellcheck": "false"}),
        ),
        "proof_issue_date": fields.date_field(
            "Date of issue", missing="", required=False, help_text="For a passport or a driving licence."
        ),
        "proof_expiry_date": fields.date_field(
            "Valid until", missing="", required=False, help_text="For a passport or a driving licence."
        ),
    }
    return {prefix + name: field for name, field in asked.items()}


MAIN = tuple(_proved_address())
NEEDED = ("line1", "pincode", "proof_type", "proof_number")
PERMANENT = kyc_steps.PERMANENT


class AddressProofForm(RefusableForm):
    """Where the person lives, the permanent address where it is another one, and the papers that prove them."""

    permanent_is_same = fields.yes_no("Is this also your permanent address?")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = _proved_address() | self.fields | _proved_address(PERMANENT)
        for name in NEEDED:
            self.fields[PERMANENT + name].required = not self.is_bound or self._differs

    @property
    def _differs(self) -> bool:
        return self.data.get("permanent_is_same") == "no"

    @property
    def main(self) -> list[forms.BoundField]:
        """The bound fields of the address, for the page."""
        return [self[name] for name in MAIN]

    @property
    def permanent(self) -> list[forms.BoundField]:
        """Those of the permanent one."""
        return [self[PERMANENT + name] for name in MAIN]

    @classmethod
    def initial_of(cls, sheet: Sheet) -> dict[str, Any]:
        """What was entered; where nothing was, the addresses of onboarding."""
        given, permanent = (sheet.answers.get(name) for name in kyc_steps.ADDRESS_FILES)
        if given:
            found = _in_form(given) | {"permanent_is_same": fields.as_yes_no(permanent is None)}
            return found | (_in_form(permanent, PERMANENT) if permanent else {})
        known = {each.kind: each for each in Address.objects.filter(investor=sheet.investor, country="IN")}
        found = {"permanent_is_same": fields.as_yes_no("PERMANENT" not in known)}
        for prefix, kind in (("", "CORRESPONDENCE"), (PERMANENT, "PERMANENT")):
            if kind in known:
                found |= {prefix + name: getattr(known[kind], name) for name in ("line1", "line2", "line3", "pincode")}
        return found

    def clean(self) -> dict[str, Any]:
        """Dates where the paper has them (given document, "KYC Address params"): issued before, valid after today."""
        data = super().clean() or {}
        if not self._differs:
            for name in [name for name in self.errors if name.startswith(PERMANENT)]:
                del self.errors[name]
        for prefix in ("", PERMANENT) if self._differs else ("",):
            if data.get(f"{prefix}proof_type") in DATED:
                self._check_date(f"{prefix}proof_issue_date", _is_past, "It must have been issued already.")
                self._check_date(f"{prefix}proof_expiry_date", _is_ahead, "It must still be valid.")
        return data

    def _check_date(self, name: str, fits: Callable[[date], bool], why: str) -> None:
        if name in self.errors:
            return
        day = self.cleaned_data.get(name)
        if day is None:
            self.add_error(name, "Enter the date that is printed on it.")
        elif not fits(day):
            self.add_error(name, why)

    @property
    def values(self) -> dict[str, Any]:
        """In FP's names, ready for JSON; cities come with the PIN codes."""
        permanent = self._address(PERMANENT) if self._differs else None
        return {"correspondence_address": self._address(), "permanent_address": permanent}

    def _address(self, prefix: str = "") -> dict[str, Any]:
        data = {name.replace("line", "line_"): self.cleaned_data[prefix + name] for name in MAIN}
        for name in ("proof_issue_date", "proof_expiry_date"):
            dated = data["proof_type"] in DATED and data[name]
            data[name] = data[name].isoformat() if dated else ""
        return {**data, "country": "IN"}


def _is_past(day: date) -> bool:
    return day < clock.today()


def _is_ahead(day: date) -> bool:
    return day > clock.today()


def _in_form(address: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    return {prefix + name.replace("line_", "line"): text for name, text in address.items()}


def file_words(accepts: tuple[str, ...]) -> str:
    """The limits, said before: `JPG, PNG or PDF, at most 5 MB.`"""
    names = [quarantine.NAMES[kind] for kind in accepts]
    listed = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
    return f"{listed}, at most {12 if accepts == quarantine.VIDEO else 5} MB."


MEDIA = {"jpg": "image/jpeg", "png": "image/png", "pdf": "application/pdf", "mp4": "video/mp4"}
EXTENSIONS = {media: kind for kind, media in MEDIA.items()}
# The phone opens this camera at once; other machines show their files.
CAMERAS = {Document.Kind.PHOTO: "user", Document.Kind.IPV_VIDEO: "user"}


NO_FILE = "Choose a file, or take a picture now."


class UploadField(forms.FileField):
    """A file. That one is missing is said by the page that knows which are there: a browser gives none back."""

    def validate(self, value: Any) -> None:
        """Nothing is wrong with an empty field by itself."""


class FilesForm(RefusableForm):
    """The files of one step, looked at in quarantine. A file that is there already and `good` may stay."""

    def __init__(self, *args: Any, step: KycStep, good: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.step = step
        self.clean_files: dict[str, CleanFile] = {}
        for kind in step.files:
            label = Document.Kind(kind).label
            attrs = {"class": "file-input", "accept": ",".join(MEDIA[each] for each in step.accepts)}
            attrs |= {"capture": CAMERAS[kind]} if kind in CAMERAS else {}  # type: ignore[index]
            self.fields[kind] = UploadField(
                label=label[0].upper() + label[1:],
                required=kind not in good,
                allow_empty_file=True,
                help_text=file_words(step.accepts),
                widget=forms.FileInput(attrs=attrs),
            )

    def clean(self) -> dict[str, Any]:
        """Every file is made harmless, or refused with words at its field."""
        data = super().clean() or {}
        for kind in self.step.files:
            if upload := data.get(kind):
                self._look_at(kind, upload)
        return data

    def _look_at(self, kind: str, upload: UploadedFile) -> None:
        try:
            self.clean_files[kind] = quarantine.clean(
                field=kind, name=upload.name or "", data=upload.read(), accepts=self.step.accepts
            )
        except InvalidInput as refusal:
            self.add_error(kind, ValidationError(refusal.message))

    @property
    def values(self) -> dict[str, Any]:
        """Files are no answers."""
        return {}


ABOUT_FORMS: dict[str, type[AboutForm] | type[AddressProofForm]] = {ABOUT: AboutForm, ADDRESS: AddressProofForm}


def form_for(slug: str, sheet: Sheet, data: Any = None, files: Any = None) -> Any:
    """The form of a step, with what is known."""
    if slug in ABOUT_FORMS:
        kind = ABOUT_FORMS[slug]
        return kind(data, initial=kind.initial_of(sheet))
    wrong = {each.field for each in kyc_complaints.by_step(sheet).get(slug, ())}
    return FilesForm(data, files, step=BY_SLUG[slug], good=set(sheet.documents) - wrong)


class ConfirmForm(forms.Form):
    """The declaration at the end."""

    declared = forms.BooleanField(error_messages={"required": "Please read this and tick it."})

    def __init__(self, *args: Any, text: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["declared"].label = text
