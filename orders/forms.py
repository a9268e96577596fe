"""Shapes of what investors type about orders. The rules behind them stand in `rules.py` and the operations."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from investors.models import BankAccount
from orders import rules
from orders.models import MfOrder


class RupeesField(forms.DecimalField):
    """Rupees as people write them: `5000`, `5,000`, `₹ 5,000.00`, `5000/-`."""

    def to_python(self, value: Any) -> Any:
        text = re.sub(r"[\s,₹]|/-$|\.0{1,2}$", "", str(value or ""))
        if text and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
            raise ValidationError(self.error_messages["invalid"])
        return super().to_python(text)


TOO_MUCH = "This is more than anybody can invest at once. Enter a smaller amount."


class PurchaseForm(forms.Form):
    """How much, from which account, by which way."""

    amount = RupeesField(
        label="Amount",
        min_value=Decimal(1),
        max_digits=12,
        decimal_places=0,
        error_messages={
            "invalid": "Enter the amount in whole rupees, for example 5,000.",
            "required": "Enter how much you want to invest.",
            "max_decimal_places": "Enter whole rupees: fund houses take no paise.",
            "min_value": "Enter an amount of at least ₹1.",
            **dict.fromkeys(("max_digits", "max_whole_digits"), TOO_MUCH),
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "input-money", "autocomplete": "off"}),
    )
    bank_account = forms.ModelChoiceField(
        label="Pay from",
        queryset=BankAccount.objects.none(),
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        help_text="Only an account in your own name. A payment from anybody else's is returned.",
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose the account you pay from."),
    )
    payment_method = forms.ChoiceField(
        label="Pay by",
        choices=[(method, MfOrder.PaymentMethod(method).label) for method in rules.PLATFORM_CUTOFF],
        initial="UPI",
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose how you want to pay."),
    )
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: object, accounts: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["bank_account"].queryset = accounts  # type: ignore[attr-defined]

    def clean_amount(self) -> Decimal:
        """Rupees with two decimals, as they are stored."""
        return Decimal(self.cleaned_data["amount"]).quantize(Decimal("0.01"))


class ConfirmForm(forms.Form):
    """The one-time code, and a tick when the same was bought a moment ago."""

    otp = forms.RegexField(
        label="One-time code",
        regex=r"^\s*[0-9]{3}[\s-]?[0-9]{3}\s*$",
        error_messages={"invalid": "The code has six digits.", "required": "Enter the six digits that we sent you."},
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "10", "class": "input-code"}
        ),
    )
    buy_again = forms.BooleanField(label="Yes, this is a new purchase", required=False)
