"""The bank account that pays and is paid."""

from __future__ import annotations

from typing import Any, Self

from django import forms

from investors import bank_rules, rules
from investors.forms import fields
from investors.forms.fields import RuledField, StepForm
from investors.models import BankAccount
from investors.steps import Profile
from portal import identifiers


class BankForm(StepForm):
    """The investor's own bank account. A saved number is kept when both number fields stay empty."""

    ifsc = RuledField(
        label="IFSC",
        rule=identifiers.clean_ifsc,
        missing="Enter the IFSC of your branch, eleven characters like HDFC0000001.",
        help_text="Eleven characters: on your cheque book, and in your bank's app.",
        widget=forms.TextInput(
            attrs={
                "class": "upper",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                **fields.looks_up("ifsc", "branch"),
            }
        ),
    )
    number = RuledField(
        label="Account number",
        rule=rules.clean_account_number,
        missing="Enter your account number.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    number_again = RuledField(
        label="Account number, once more",
        rule=rules.clean_account_number,
        missing="Enter the account number a second time.",
        help_text="Typed twice, so that your money cannot go to a mistyped account.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    kind = fields.ticked("Account type", BankAccount.Kind.choices, missing="Choose the type of the account.")
    holder_name = RuledField(
        label="Account holder's name, as the bank has it",
        rule=rules.clean_name,
        missing="Enter the name in which the bank keeps the account.",
        help_text="It must be your own account. Payments from somebody else's account are sent back.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, saved_end: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if saved_end:
            for name in ("number", "number_again"):
                self.fields[name].required = False
            self.fields["number"].help_text = f"We have an account ending in {saved_end}. Leave empty to keep it."

    @classmethod
    def opened(cls, profile: Profile, data: Any = None) -> Self:
        """With the number of a saved account left out."""
        form = cls(data, initial=cls.initial_of(profile), saved_end=profile.bank.last_four if profile.bank else "")
        form.fields["kind"].choices = bank_rules.kinds_for(profile.investor)  # type: ignore[attr-defined]
        return form

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        if profile.bank is None:
            return {"holder_name": profile.investor.name, "kind": bank_rules.kinds_for(profile.investor)[0][0]}
        return {name: getattr(profile.bank, name) for name in ("ifsc", "kind", "holder_name")}

    def clean(self) -> dict[str, Any]:
        """Both numbers are the same."""
        data = super().clean() or {}
        both = (data.get("number"), data.get("number_again"))
        if not {"number", "number_again"} & set(self.errors) and both[0] != both[1]:
            self.add_error("number_again", "The two account numbers differ. Please compare them with your passbook.")
        return data
