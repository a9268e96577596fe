"""Forms of changes after activation: those of onboarding, each with a reference of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import EmailValidator

from investors import rules
from investors.forms.address import IndianAddressForm
from investors.forms.fatca import FatcaForm
from investors.forms.fields import RefusableForm, RuledField
from investors.forms.nominees import NomineesForm
from investors.forms.person import PersonalForm
from portal import identifiers
from portal.sign_in_forms import LONGEST_EMAIL, NO_EMAIL


class ChangeForm(RefusableForm):
    """Base: the reference under which the change is asked for once."""

    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    @property
    def values(self) -> dict[str, Any]:
        """What the change is asked with."""
        return {name: value for name, value in self.cleaned_data.items() if name != "form_ref"}


class EmailChange(ChangeForm):
    """A new address for the login and for everything that we and the fund houses write."""

    email = forms.CharField(
        label="New email",
        max_length=LONGEST_EMAIL,
        validators=[EmailValidator(NO_EMAIL)],
        error_messages={"required": "Enter the new email address.", "max_length": NO_EMAIL},
        help_text="We send a code to it, so that nobody changes to an address that cannot be read.",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )


class MobileChange(ChangeForm):
    """A new mobile number."""

    mobile = RuledField(
        label="New mobile number",
        rule=identifiers.clean_mobile,
        missing="Enter the new mobile number, ten digits.",
        help_text="Your own number in India.",
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel-national"}),
    )


class AddressChange(ChangeForm, IndianAddressForm):
    """Where the investor lives from now on."""

    field_order = ("line1", "line2", "line3", "pincode")


class NomineesChange(ChangeForm, NomineesForm):
    """Other nominees, other shares, or nobody."""

    values = NomineesForm.values


class PersonalChange(ChangeForm):
    """What may change in a life without changing who somebody is."""

    marital_status = PersonalForm.base_fields["marital_status"]
    occupation = PersonalForm.base_fields["occupation"]
    source_of_wealth = FatcaForm.base_fields["source_of_wealth"]
    gross_annual_income = RuledField(
        label="Your income in a year, before tax, in rupees",
        rule=rules.clean_rupees,
        missing="Enter your income in a year, about right, for example 12,00,000.",
        help_text="About right is enough. For example 12,00,000.",
        widget=forms.TextInput(attrs={"class": "input-money", "inputmode": "numeric", "autocomplete": "off"}),
    )
