"""Shapes of what investors type about SIPs. The rules behind them stand in `plan_rules.py`."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet

from investors.models import Mandate
from orders import plan_rules
from orders.forms import ConfirmForm, RupeesField
from orders.models import Plan
from orders.sale_forms import RUPEES
from portal import money

NO_MANDATE = dict.fromkeys(("required", "invalid_choice"), "Choose the mandate to be debited.")


class MandateChoice(forms.ModelChoiceField):
    """A mandate with what matters about it."""

    def label_from_instance(self, mandate: Mandate) -> str:
        approved = "" if mandate.state == Mandate.State.APPROVED else f", {mandate.get_state_display()}"
        return f"{mandate.bank_account}, up to {money.rupees(mandate.limit).removesuffix('.00')} a debit{approved}"


def _mandates() -> MandateChoice:
    return MandateChoice(
        label="By mandate",
        queryset=Mandate.objects.none(),
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages=NO_MANDATE,
    )


class StartForm(forms.Form):
    """How much, on which day, how often, by which mandate."""

    amount = RupeesField(
        **RUPEES | {"label": "Every month", "error_messages": {
            **RUPEES["error_messages"], "required": "Enter how much you want to invest every month.",
        }}
    )  # fmt: skip
    start_day = forms.TypedChoiceField(
        label="On this day of the month",
        coerce=int,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose one of the days that the fund offers."),
    )
    instalments = forms.IntegerField(
        label="How many times",
        min_value=1,
        max_value=plan_rules.MOST_INSTALMENTS,
        help_text="12 is a year, 120 are ten years. You can end it at any time.",
        error_messages={
            "required": "Enter the number of instalments.",
            "invalid": "Enter the number of instalments, for example 60.",
            **dict.fromkeys(("min_value", "max_value"), "Enter a number from 1 to 1,200."),
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    mandate = _mandates()
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, days: Iterable[int], mandates: QuerySet[Mandate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        day: Any = self.fields["start_day"]
        day.choices = [(each, plan_rules.ordinal(each)) for each in days]
        chosen: Any = self.fields["mandate"]
        chosen.queryset = mandates

    def clean_amount(self) -> Decimal:
        """Rupees with two decimals, as they are stored."""
        return Decimal(self.cleaned_data["amount"]).quantize(money.PAISE)


class RelinkForm(forms.Form):
    """SIPs, and the mandate that is to debit them."""

    plans = forms.ModelMultipleChoiceField(
        label="SIPs",
        queryset=Plan.objects.none(),
        to_field_name="code",
        widget=forms.CheckboxSelectMultiple,
        error_messages=dict.fromkeys(("required", "invalid_choice", "invalid_list"), "Choose at least one SIP."),
    )
    mandate = _mandates()
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, plans: QuerySet[Plan], mandates: QuerySet[Mandate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        of: Any = self.fields
        of["plans"].queryset, of["mandate"].queryset = plans, mandates
        of["plans"].label_from_instance = _plan_in_words


def _plan_in_words(plan: Plan) -> str:
    return f"{money.rupees(plan.amount)} on the {plan_rules.ordinal(plan.start_day)}, {plan.scheme.name}"


class ConfirmSipForm(ConfirmForm):
    """The one-time code, and a tick when there is such a SIP already."""

    buy_again = forms.BooleanField(label="Yes, this is a second SIP", required=False)
