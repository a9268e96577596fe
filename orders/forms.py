"""Shapes of what investors type about orders. The rules behind them stand in `rules.py` and the operations."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from investors.models import BankAccount
from orders.models import MfOrder


class PurchaseForm(forms.Form):
    """How much, from which account, by which way."""

    amount = forms.DecimalField(
        label="Amount",
        min_value=Decimal(1),
        max_digits=12,
        decimal_places=0,
        error_messages={
            "invalid": "Write the amount in whole rupees, for example 5000.",
            "required": "Write how much you want to invest.",
            "max_decimal_places": "Whole rupees only: fund houses take no paise.",
            "min_value": "Write an amount of at least ₹1.",
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
        error_messages={"required": "Choose the account you pay from."},
    )
    payment_method = forms.ChoiceField(
        label="Pay by", choices=MfOrder.PaymentMethod.choices, initial="UPI", widget=forms.RadioSelect
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
        regex=r"^\s*\d{6}\s*$",
        error_messages={"invalid": "The code has six digits.", "required": "Type the six digits we sent you."},
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "10", "class": "input-code"}
        ),
    )
    buy_again = forms.BooleanField(label="Yes, this is a new purchase", required=False)
