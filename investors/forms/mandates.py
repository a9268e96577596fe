"""What investors type about mandates: limit, account and kind, and the one-time code."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from investors.forms.fields import RefusableForm
from investors.mandate_rules import LEAST, MOST, Way
from investors.models import BankAccount

OUT_OF_BOUNDS = "A mandate can be for ₹1 to ₹1,00,00,000 a debit."


class LimitField(forms.DecimalField):
    """Whole rupees as people write them: `25000`, `25,000`, `₹ 25,000.00`, `25000/-`."""

    def to_python(self, value: Any) -> Any:
        text = re.sub(r"[\s,₹]|/-$|\.0{1,2}$", "", str(value or ""))
        if text and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
            raise ValidationError(self.error_messages["invalid"])
        return super().to_python(text)


class MandateForm(RefusableForm):
    """A mandate to be given."""

    limit = LimitField(
        label="Most per debit",
        min_value=LEAST,
        max_value=MOST,
        decimal_places=0,
        help_text="The bank refuses any debit above it. Debits are as large as what you invest, not as the limit.",
        error_messages={
            "invalid": "Enter the limit in whole rupees, for example 25,000.",
            "required": "Enter the most that may be debited at once.",
            "max_decimal_places": "Enter whole rupees: banks take no paise in a mandate.",
            **dict.fromkeys(("min_value", "max_value"), OUT_OF_BOUNDS),
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "input-money", "autocomplete": "off"}),
    )
    bank_account = forms.ModelChoiceField(
        label="From which account",
        queryset=BankAccount.objects.none(),
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose the account to be debited."),
    )
    kind = forms.ChoiceField(
        label="How",
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose how you want to give it."),
    )
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, accounts: Any, ways: tuple[Way, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["bank_account"].queryset = accounts  # type: ignore[attr-defined]
        self.fields["kind"].choices = [(way.kind, way.title) for way in ways]  # type: ignore[attr-defined]

    def clean_limit(self) -> Decimal:
        """Rupees with two decimals, as they are stored."""
        return Decimal(self.cleaned_data["limit"]).quantize(Decimal("0.01"))


class CodeForm(forms.Form):
    """The one-time code."""

    otp = forms.RegexField(
        label="One-time code",
        regex=r"^\s*[0-9]{3}[\s-]?[0-9]{3}\s*$",
        error_messages={"invalid": "The code has six digits.", "required": "Enter the six digits that we sent you."},
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "10", "class": "input-code"}
        ),
    )
