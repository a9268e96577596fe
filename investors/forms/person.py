"""Who the investor is: PAN and personal details."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html

from investors import rules
from investors.forms import fields
from investors.forms.fields import RuledField, StepForm
from investors.models import Investor
from investors.steps import Profile
from portal import clock, identifiers


def _name(label: str) -> RuledField:
    return RuledField(
        label=label, rule=rules.clean_name, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


def _phone(label: str) -> RuledField:
    return RuledField(
        label=label,
        rule=rules.clean_phone,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
    )


def _pan(label: str) -> RuledField:
    return RuledField(
        label=label,
        rule=identifiers.clean_individual_pan,
        missing="Enter the PAN, the ten characters on the PAN card.",
        help_text="Ten characters, as on the PAN card: ABCPE1234F.",
        widget=forms.TextInput(
            attrs={"class": "upper", "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class PanForm(StepForm):
    """The PAN of a person."""

    pan = _pan("PAN")

    @classmethod
    def opened(cls, profile: Profile, data: Any = None) -> PanForm:
        """For a minor two PANs: the child's, and the guardian's, about which the registries are asked."""
        form = cls(data)
        if profile.investor.is_minor:
            form.fields["pan"].label = "The child's PAN"
            form.fields["guardian_pan"] = _pan("Your own PAN, as the guardian")
        return form

    def clean(self) -> dict[str, Any]:
        """A child has a PAN of its own: FP registers nobody without one."""
        data = super().clean() or {}
        if data.get("pan") and data.get("pan") == data.get("guardian_pan"):
            self.add_error("pan", "This is your own PAN. A child needs one of its own; parents can apply for it.")
        return data


LIVES = [
    (Investor.Kind.RESIDENT.value, "In India"),
    (Investor.Kind.NRI.value, "Outside India: I am a non-resident Indian (NRI)"),
]
# FP's application knows two residential statuses (given document, "Create Investor"); people of Indian origin and
# foreign nationals have others, which it lists in its metadata and does not take.
ONLY_CITIZENS = (
    "Fund houses' system takes citizens of India only from us: it has no way to register citizens of other countries "
    "and people of Indian origin here. Please write to us; we will tell you how it works on paper."
)
INDIAN_CODE = "91"
LOGINS_EMAIL = "About the email address that you sign in with:"


# AMFI's practice for a contact that a family shares: spouse, dependent children, parents, siblings. Everybody is asked,
# so that nobody learns from the question that a number is known here.
SHARED = "A family may share one. Fund houses keep on record whose it is."
WHOSE = [each for each in Investor.Whose.choices if each[0] != Investor.Whose.GUARDIAN]


def whose(what: str) -> forms.ChoiceField:
    """The question whose a mobile number or an email address is."""
    field = fields.picked(f"Whose {what} is it?", WHOSE, missing=f"Choose whose {what} it is.")
    field.help_text = SHARED
    return field


def fit_mobile(form: forms.Form) -> None:
    """The mobile number is one of its country, or says so at its field."""
    data = form.cleaned_data
    if "mobile" not in data or "isd_code" not in data:
        return
    rule = identifiers.clean_mobile if data["isd_code"] == INDIAN_CODE else rules.clean_phone
    try:
        data["mobile"] = rule(data["mobile"])
    except ValueError as error:
        form.add_error("mobile", str(error))


class PersonalForm(StepForm):
    """Who the investor is."""

    kind = fields.ticked("Where do you live?", LIVES, missing="Choose where you live.")
    name = RuledField(
        label="Name, exactly as on your PAN card",
        rule=rules.clean_name,
        missing="Enter your name as it is printed on your PAN card.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    date_of_birth = fields.date_field(
        "Date of birth", missing="Enter your date of birth as on your PAN card.", help_text="As on your PAN card."
    )
    gender = fields.ticked("Gender", Investor.Gender.choices, missing="Choose your gender as on your PAN record.")
    marital_status = fields.ticked(
        "Marital status", Investor.MaritalStatus.choices, missing="Choose whether you are married."
    )
    occupation = fields.picked("Occupation", Investor.Occupation.choices, missing="Choose what you do for a living.")
    mobile = forms.CharField(
        label="Mobile number",
        error_messages={"required": "Enter your mobile number."},
        help_text="Fund houses use it for messages about your units.",
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel-national"}),
    )
    isd_code = RuledField(
        label="Country code of the mobile",
        rule=rules.clean_isd,
        required=False,
        help_text="91 for a number in India.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "tel-country-code"}),
    )
    mobile_is_of = whose("mobile number")
    email_is_of = whose("email address")
    country_of_citizenship = fields.picked(
        "Citizen of", fields.countries, missing="Choose your citizenship.", required=False
    )
    father_or_spouse_name = _name("Your father's or spouse's name")
    father_or_spouse_is = fields.picked(
        "This person is your", Investor.ParentOrSpouse.choices, missing="Choose which of the two it is.", required=False
    )
    mothers_name = _name("Your mother's name")
    office_phone = _phone("Telephone at work")
    residence_phone = _phone("Telephone at home")

    is_minor = False
    # The address of the login, which is asked for elsewhere.
    email = ""

    @classmethod
    def opened(cls, profile: Profile, data: Any = None) -> PersonalForm:
        """For a minor without what is asked of grown-ups only."""
        form = cls(data, initial=cls.initial_of(profile))
        form.is_minor, form.email = profile.investor.is_minor, profile.investor.user.email
        if form.is_minor:
            for name in ("kind", "marital_status", "mobile_is_of", "email_is_of"):
                del form.fields[name]
            form.fields["name"].label = "The child's name, exactly as on its PAN card"
            form.fields["date_of_birth"].label = "The child's date of birth"
            form.fields["mobile"].help_text = "Yours, as the guardian. Fund houses use it for messages about the units."
            form.fields["occupation"].initial = Investor.Occupation.STUDENT
            form.fields["father_or_spouse_name"].label = "The child's father's name"
            form.fields["father_or_spouse_is"].choices = [("", "Choose one"), ("FATHER", "Father")]  # type: ignore[attr-defined]
            form.fields["father_or_spouse_is"].label = "This person is the child's"
            form.fields["mothers_name"].label = "The child's mother's name"
            return form
        form.fields["email_is_of"].help_text = format_html(
            'You sign in with {}. {} <a class="link" href="{}">Use another address</a>.',
            form.email, SHARED, reverse("account_email"),
        )  # fmt: skip
        for name in ("mobile_is_of", "email_is_of"):
            form.initial[name] = form.initial[name] or Investor.Whose.SELF
        return form

    # What fund houses may ask for and nobody needs: folded away on the page.
    MORE = ("father_or_spouse_name", "father_or_spouse_is", "mothers_name", "office_phone", "residence_phone")

    @property
    def asked(self) -> list[forms.BoundField]:
        """The bound fields that everybody fills in."""
        return [field for field in self.visible_fields() if field.name not in self.MORE]

    @property
    def more(self) -> dict[str, Any]:
        """The other ones; `filled` keeps their part of the page open."""
        found = [self[name] for name in self.MORE if name in self.fields]
        return {"fields": found, "filled": any(field.value() or field.errors for field in found)}

    def clean_date_of_birth(self) -> date:
        """Old enough to invest in one's own name, or young enough for a guardian."""
        born_on: date = self.cleaned_data["date_of_birth"]
        check = rules.check_child if self.is_minor else rules.check_adult
        fields.cleaned_by(lambda _: check(born_on, clock.today()), "")
        return born_on

    def clean_isd_code(self) -> str:
        """India's unless another one is given."""
        return self.cleaned_data["isd_code"] or INDIAN_CODE

    def clean_country_of_citizenship(self) -> str:
        """FP registers citizens of India."""
        country = self.cleaned_data["country_of_citizenship"] or "IN"
        if country != "IN":
            raise ValidationError(ONLY_CITIZENS)
        return str(country)

    def clean(self) -> dict[str, Any]:
        """The mobile fits its country, and a parent or spouse is said to be which."""
        data = super().clean() or {}
        fit_mobile(self)
        try:
            rules.check_email(self.email, settings.FP_ORDER_GATEWAY)
        except ValueError as error:
            self.add_error(*self._about_email(str(error)))
        self._both("father_or_spouse_name", "father_or_spouse_is", "Enter the name, or choose nobody.")
        return data

    def show_refused(self, complaints: Mapping[str, list[str]]) -> None:
        """The address of the login stands where it is said whose it is; above the form of a minor, who is not asked."""
        shown = {name: texts for name, texts in complaints.items() if name != "email"}
        for text in complaints.get("email", ()):
            where, words = self._about_email(text)
            shown.setdefault(where or "", []).append(words)
        super().show_refused(shown)

    def _about_email(self, text: str) -> tuple[str | None, str]:
        return (None, f"{LOGINS_EMAIL} {text}") if self.is_minor else ("email_is_of", text)

    def _both(self, name: str, which: str, lacking: str) -> None:
        if {name, which} & set(self.errors):
            return
        if self.cleaned_data.get(name) and not self.cleaned_data.get(which):
            self.add_error(which, self.fields[which].error_messages["required"])
        if self.cleaned_data.get(which) and not self.cleaned_data.get(name):
            self.add_error(name, lacking)


GUARDIANS = ["Father", "Mother", "Court-appointed guardian"]


class GuardianForm(StepForm):
    """Who acts for the minor: the grown-up who has signed in."""

    guardian_name = RuledField(
        label="Your name, exactly as on your PAN card",
        rule=lambda text: rules.clean_name(text, longest=rules.NOMINEE_LENGTH),
        missing="Enter your name as it is printed on your PAN card.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    guardian_date_of_birth = fields.date_field(
        "Your date of birth", missing="Enter your date of birth as on your PAN card."
    )
    guardian_relationship = fields.ticked(
        "You are the child's",
        [(word, word) for word in GUARDIANS],
        missing="Choose what you are to the child. Others need an order of a court.",
    )

    def clean_guardian_date_of_birth(self) -> date:
        """A guardian is of age."""
        born_on: date = self.cleaned_data["guardian_date_of_birth"]
        fields.cleaned_by(lambda _: rules.check_guardian(born_on, clock.today()), "")
        return born_on
