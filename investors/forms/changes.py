"""Forms of changes after activation: those of onboarding, each with a reference of its own."""

from __future__ import annotations

from typing import Any, Self

from django import forms
from django.conf import settings
from django.core.validators import EmailValidator

from investors import queries, rules
from investors.forms import fields
from investors.forms.address import AddressForm
from investors.forms.fatca import FatcaForm, TaxResidenceForm
from investors.forms.fields import RefusableForm, RuledField
from investors.forms.nominees import NomineesForm
from investors.forms.person import PersonalForm, fit_mobile, whose
from investors.models import Investor
from portal.sign_in_forms import LONGEST_EMAIL, NO_EMAIL


class ChangeForm(RefusableForm):
    """Base: the reference under which the change is asked for once."""

    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    @classmethod
    def of(cls, investor: Investor, data: Any = None, initial: Any = None) -> Self:
        """The form for this investor, with what was sent or what it opens with."""
        return cls(data, initial=initial)

    @property
    def values(self) -> dict[str, Any]:
        """What the change is asked with."""
        return {name: value for name, value in self.cleaned_data.items() if name != "form_ref"}


class ContactForm(ChangeForm):
    """Base: whose a contact is, asked of grown-ups. A minor's are the guardian's."""

    @classmethod
    def of(cls, investor: Investor, data: Any = None, initial: Any = None) -> Self:
        """Without the question for a minor."""
        form = cls(data, initial=initial)
        if investor.is_minor:
            for name in ("mobile_is_of", "email_is_of"):
                form.fields.pop(name, None)
        return form


class EmailChange(ContactForm):
    """A new address for the login and for everything that we and the fund houses write."""

    email = forms.CharField(
        label="New email",
        max_length=LONGEST_EMAIL,
        validators=[EmailValidator(NO_EMAIL)],
        error_messages={"required": "Enter the new email address.", "max_length": NO_EMAIL},
        help_text="We send a code to it, so that nobody changes to an address that cannot be read.",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )
    email_is_of = whose("email address")

    def clean_email(self) -> str:
        """One that fits where orders go."""
        email: str = self.cleaned_data["email"]
        fields.cleaned_by(lambda text: rules.check_email(text, settings.FP_ORDER_GATEWAY), email)
        return email


class MobileChange(ContactForm):
    """A new mobile number, in India or abroad."""

    isd_code = PersonalForm.base_fields["isd_code"]
    mobile = forms.CharField(
        label="New mobile number",
        error_messages={"required": "Enter the new mobile number."},
        help_text="Without the country code.",
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel-national"}),
    )
    mobile_is_of = whose("mobile number")
    clean_isd_code = PersonalForm.clean_isd_code

    def clean(self) -> dict[str, Any]:
        """The number fits its country."""
        data = super().clean()
        fit_mobile(self)
        return data


class AddressChange(ChangeForm, AddressForm):
    """Where the investor lives from now on: all addresses, as they were asked for at first."""

    values = AddressForm.values

    @classmethod
    def of(cls, investor: Investor, data: Any = None, initial: Any = None) -> Self:
        """With the fields of an address abroad for somebody who lives there."""
        return cls(data, initial=initial, kind=investor.kind)


class NomineesChange(ChangeForm, NomineesForm):
    """Other nominees, other shares, or nobody."""

    values = NomineesForm.values


class PersonalChange(ContactForm):
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
    mobile_is_of = whose("mobile number")
    email_is_of = whose("email address")


class TaxChange(TaxResidenceForm, ChangeForm):
    """The countries in which tax is paid from now on."""

    @classmethod
    def of(cls, investor: Investor, data: Any = None, initial: Any = None) -> Self:
        """With the numbers that are known left out."""
        return cls(data, initial=initial, saved=tuple(queries.profile(investor).residences))

    @property
    def values(self) -> dict[str, Any]:
        """What the change is asked with."""
        only_india = self.cleaned_data["tax_resident_only_in_india"]
        return {"tax_resident_only_in_india": only_india, "residences": self.residences}
