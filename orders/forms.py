"""Shapes of what investors type about orders. The rules behind them stand in `rules.py` and the operations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from investors.models import BankAccount
from orders.queries.purchases import NEW_FOLIO


class RupeesField(forms.DecimalField):
    """Rupees as people write them: `5000`, `5,000`, `₹ 5,000.00`, `5000/-`."""

    def to_python(self, value: Any) -> Any:
        text = re.sub(r"[\s,₹]|/-$|\.0{1,2}$", "", str(value or ""))
        if text and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
            raise ValidationError(self.error_messages["invalid"])
        return super().to_python(text)


TOO_MUCH = "This is more than anybody can invest at once. Enter a smaller amount."


def rupees_field() -> RupeesField:
    """How much somebody wants to invest, in whole rupees."""
    return RupeesField(
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


class PayForm(forms.Form):
    """From which account, by which way. `ways` are the ways of paying as `ways_to_pay` tells them."""

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
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose how you want to pay."),
    )
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: object, accounts: object, ways: Sequence[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["bank_account"].queryset = accounts  # type: ignore[attr-defined]
        self.fields["payment_method"].choices = list(ways)  # type: ignore[attr-defined]
        self.fields["payment_method"].initial = ways[0][0] if ways else None

    @property
    def method(self) -> str:
        """The rail: a mandate is chosen as `NACH:<code>`."""
        return str(self.cleaned_data["payment_method"]).partition(":")[0]

    @property
    def mandate_code(self) -> str:
        """Which mandate, if by one."""
        return str(self.cleaned_data["payment_method"]).partition(":")[2]


def folio_field(folios: Sequence[str]) -> forms.ChoiceField:
    """Into which of the investor's folios at a fund house, newest first, or into a new one."""
    choices = [(number, number) for number in folios]
    return forms.ChoiceField(
        label="Folio",
        choices=[*choices, (NEW_FOLIO, "A new folio")],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose one of your folios, or a new one."),
    )


class PurchaseForm(PayForm):
    """How much, into which folio, from which account, by which way."""

    amount = rupees_field()
    field_order = ("amount", "folio", "bank_account", "payment_method", "form_ref")

    def __init__(self, *args: object, folios: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if folios:
            self.fields["folio"] = folio_field(folios)
            self.fields["folio"].initial = folios[0]
            self.order_fields(self.field_order)

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
