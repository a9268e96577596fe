"""Who the investor is: PAN, personal details, FATCA, address."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from investors import rules
from investors.forms import fields
from investors.forms.fields import RuledField, StepForm
from investors.models import Investor
from investors.steps import Profile
from portal import clock, identifiers, money


class PanForm(StepForm):
    """The PAN of a person."""

    pan = RuledField(
        label="PAN",
        rule=identifiers.clean_individual_pan,
        missing="Enter your PAN, the ten characters on your PAN card.",
        help_text="Ten characters, as on your PAN card: ABCPE1234F.",
        widget=forms.TextInput(
            attrs={"class": "upper", "autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        return {}


class PersonalForm(StepForm):
    """Who the investor is."""

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
    mobile = RuledField(
        label="Mobile number",
        rule=identifiers.clean_mobile,
        missing="Enter your mobile number, ten digits.",
        help_text="Your own number in India. Fund houses use it for messages about your units.",
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel-national"}),
    )

    def clean_date_of_birth(self) -> date:
        """Old enough to invest in one's own name."""
        born_on: date = self.cleaned_data["date_of_birth"]
        fields.cleaned_by(lambda _: rules.check_adult(born_on, clock.today()), "")
        return born_on


NOT_ONLY_INDIA = (
    "We cannot register people who pay tax in another country online yet: fund houses need tax numbers and papers that "
    "this portal does not take. Please write to us; we will tell you how it works on paper."
)


class FatcaForm(StepForm):
    """What the Income-tax Rules (114F to 114H) ask of every investor."""

    tax_resident_only_in_india = fields.yes_no(
        "Is India the only country where you are a tax resident?",
        "Citizens and green-card holders of the USA are tax residents there too.",
    )
    country_of_birth = fields.picked(
        "Country of birth", fields.countries, missing="Choose the country in which you were born."
    )
    source_of_wealth = fields.picked(
        "Where the money you invest mainly comes from",
        Investor.SourceOfWealth.choices,
        missing="Choose where the money mainly comes from.",
    )
    gross_annual_income = RuledField(
        label="Your income in a year, before tax, in rupees",
        rule=rules.clean_rupees,
        missing="Enter your income in a year, about right, for example 12,00,000.",
        help_text="About right is enough. For example 12,00,000.",
        widget=forms.TextInput(attrs={"class": "input-money", "inputmode": "numeric", "autocomplete": "off"}),
    )
    is_politically_exposed = fields.yes_no(
        "Are you a politically exposed person?",
        "Somebody with a high public office: a minister, a senior judge or officer, a leader of a party.",
    )
    is_related_to_politically_exposed = fields.yes_no("Are you a close relative or associate of one?")

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        income = profile.investor.gross_annual_income
        asked = ("tax_resident_only_in_india", "is_politically_exposed", "is_related_to_politically_exposed")
        answers = {name: fields.as_yes_no(getattr(profile.investor, name)) for name in asked}
        return {
            **super().initial_of(profile),
            **answers,
            "gross_annual_income": money.group(str(income)) if income else "",
        }

    def clean_tax_resident_only_in_india(self) -> bool:
        """Only residents of India and of nowhere else can be registered here."""
        if not self.cleaned_data["tax_resident_only_in_india"]:
            raise ValidationError(NOT_ONLY_INDIA)
        return True


class AddressForm(StepForm):
    """Where the investor lives; city and state come from the PIN code."""

    line1 = RuledField(
        label="Flat, house, building",
        rule=rules.clean_line,
        missing="Enter the flat or house number and the building.",
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
    )
    line2 = RuledField(
        label="Street, area",
        rule=rules.clean_line,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line2"}),
    )
    line3 = RuledField(
        label="Landmark",
        rule=rules.clean_line,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line3"}),
    )
    pincode = RuledField(
        label="PIN code",
        rule=identifiers.clean_pin,
        missing="Enter your PIN code, six digits.",
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "postal-code", **fields.looks_up("pincode", "place")}
        ),
    )

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        return {name: getattr(profile.address, name) for name in cls.base_fields} if profile.address else {}
