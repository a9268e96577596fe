"""A further bank account: the form of onboarding with a reference of its own, and the types open to the investor."""

from __future__ import annotations

from typing import Any

from django import forms

from investors import bank_rules
from investors.forms.bank import BankForm
from investors.forms.kyc_request import UploadField
from investors.models import Investor


class AccountForm(BankForm):
    """A further account of the investor's own."""

    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, investor: Investor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = bank_rules.kinds_for(investor)  # type: ignore[attr-defined]


class ChequeForm(forms.Form):
    """The photo or scan of a cancelled cheque."""

    cheque = UploadField(
        label="Photo or scan of a cancelled cheque",
        help_text="JPG, PNG or PDF, at most 5 MB. Your name, the account number and the IFSC must be readable.",
        widget=forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png,application/pdf"}),
    )
