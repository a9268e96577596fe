"""Shapes of what investors type when they sell. The rules behind them stand in `redemption_rules.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from investors.models import BankAccount
from orders.forms import ConfirmForm, RupeesField
from orders.queries.redemptions import Sellable
from orders.redemption_rules import Asked
from portal import money


class UnitsField(forms.DecimalField):
    """Units as people write them: `12.345`, `1,250`."""

    def to_python(self, value: Any) -> Any:
        text = re.sub(r"[\s,]", "", str(value or ""))
        if text and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
            raise ValidationError(self.error_messages["invalid"])
        return super().to_python(text)


TOO_MUCH = "This is more than anybody can hold."
RUPEES: dict[str, Any] = {
    "label": "Amount",
    "max_digits": 12,
    "decimal_places": 0,
    "error_messages": {
        "invalid": "Enter the amount in whole rupees, for example 5,000.",
        "required": "Enter how many rupees you want.",
        "max_decimal_places": "Enter whole rupees: fund houses take no paise.",
        **dict.fromkeys(("max_digits", "max_whole_digits"), TOO_MUCH),
    },
    "widget": forms.TextInput(attrs={"inputmode": "numeric", "class": "input-money", "autocomplete": "off"}),
}
AMOUNT, UNITS, ALL = "amount", "units", "all"
# Neither field must be filled in by itself, and "optional" beside both would be wrong.
ONE_OF_TWO = "one of the two, unless you sell all"


def _words(source: Sellable) -> str:
    return f"{source.folio_number}, {money.number(source.stand.free, 3)} units free"


class SellForm(forms.Form):
    """From which folio, and how much: rupees, units, or everything."""

    folio = forms.ChoiceField(
        label="From folio",
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose the folio to sell from."),
    )
    by = forms.ChoiceField(
        label="How much",
        choices=[(AMOUNT, "An amount in rupees"), (UNITS, "A number of units"), (ALL, "All units that are free")],
        initial=AMOUNT,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose how much you want to sell."),
    )
    amount = RupeesField(required=False, **RUPEES)
    units = UnitsField(
        label="Units",
        required=False,
        max_digits=14,
        decimal_places=3,
        error_messages={
            "invalid": "Enter the units as a number, for example 12.345.",
            "max_decimal_places": "Units have three decimals at most.",
            **dict.fromkeys(("max_digits", "max_whole_digits"), TOO_MUCH),
        },
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, sources: Iterable[Sellable], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in (AMOUNT, UNITS):
            self.fields[name].optional_words = ONE_OF_TWO  # type: ignore[attr-defined]
        field: Any = self.fields["folio"]
        field.choices = [(each.folio_number, _words(each)) for each in sources]
        if len(field.choices) == 1:  # nothing to choose
            field.widget = forms.HiddenInput()
            self.initial.setdefault("folio", field.choices[0][0])

    def clean(self) -> dict[str, Any]:
        """Exactly what was chosen must be filled in; what stands in the other field is ignored."""
        found = self.cleaned_data
        wanted = str(found.get("by"))
        missing = {AMOUNT: "Enter how many rupees you want.", UNITS: "Enter how many units you want to sell."}
        if wanted in missing and not self.has_error(wanted) and found.get(wanted) is None:
            self.add_error(wanted, missing[wanted])
        for other in {AMOUNT, UNITS} - {wanted}:
            self.errors.pop(other, None)
        return found

    @property
    def asked(self) -> Asked:
        """What a valid form asks for."""
        found = self.cleaned_data
        if found["by"] == ALL:
            return Asked(is_all=True)
        if found["by"] == UNITS:
            return Asked(units=Decimal(found["units"]).quantize(money.UNIT))
        return Asked(amount=Decimal(found["amount"]).quantize(money.PAISE))


class InstantForm(forms.Form):
    """How many rupees at once, and into which of the accounts that the fund house lists."""

    amount = RupeesField(**RUPEES)
    bank_account = forms.ModelChoiceField(
        label="Pay into",
        queryset=BankAccount.objects.none(),
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        help_text="The accounts that the fund house lists for this folio.",
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose the account to be paid into."),
    )
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, accounts: Iterable[BankAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["bank_account"]
        field.queryset = BankAccount.objects.filter(pk__in=[each.pk for each in accounts])

    @property
    def asked(self) -> Asked:
        """What a valid form asks for."""
        return Asked(amount=Decimal(self.cleaned_data["amount"]).quantize(money.PAISE))


class ConfirmSaleForm(ConfirmForm):
    """The one-time code, and a tick when the same was sold a moment ago."""

    buy_again = forms.BooleanField(label="Yes, this is a new sale", required=False)
