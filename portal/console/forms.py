"""What the pages of the console take."""

from __future__ import annotations

from django import forms
from django.core.validators import EmailValidator

from investors import rules
from portal import identifiers
from portal.api.scopes import SCOPES
from portal.console.pressed import FormRef
from portal.sign_in_forms import LONGEST_EMAIL, NO_EMAIL
from portal.webhooks import addresses
from portal.webhooks.models import KINDS

# A header of the message, as the receiver's log shows it.
_COPY = {"required": "Copy this header from the message."}


class InviteForm(forms.Form):
    """Whom to invite, and why we may write to them."""

    email = forms.CharField(
        label="E-mail address",
        max_length=LONGEST_EMAIL,
        validators=[EmailValidator(NO_EMAIL)],
        error_messages={"required": "Enter the address that the link goes to.", "max_length": NO_EMAIL},
        help_text="The link goes there, and only whoever can read this address can use it.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(
        label="Name as on the PAN card", max_length=70, required=False, widget=forms.TextInput({"autocomplete": "off"})
    )
    mobile = forms.CharField(
        label="Mobile number",
        max_length=20,
        required=False,
        help_text="Name and mobile stand in their application, for them to check.",
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
    )
    euin = forms.CharField(
        label="EUIN of who advised",
        max_length=7,
        required=False,
        help_text="Like E123456; leave it empty for execution only.",
        widget=forms.TextInput({"class": "upper"}),
    )
    basis = forms.CharField(
        label="Why we may write to them",
        max_length=300,
        error_messages={"required": "Say when and how they agreed that we write to them."},
        help_text="When and how they agreed, like “asked for it on the phone, 20 November”. Kept as evidence.",
        widget=forms.Textarea({"rows": 2}),
    )

    def clean_name(self) -> str:
        """As the investor's own form takes it."""
        name = self.cleaned_data["name"]
        return _clean(rules.clean_name, name) if name else ""

    def clean_mobile(self) -> str:
        """Ten digits."""
        mobile = self.cleaned_data["mobile"]
        return _clean(identifiers.clean_mobile, mobile) if mobile else ""

    def clean_euin(self) -> str:
        """AMFI's form of it."""
        euin = self.cleaned_data["euin"]
        return _clean(identifiers.clean_euin, euin) if euin else ""

    def filled(self) -> dict[str, dict[str, str]]:
        """What the investor's forms begin with."""
        known = {name: self.cleaned_data[name] for name in ("name", "mobile") if self.cleaned_data[name]}
        return {"personal": known} if known else {}


class FirmForm(forms.Form):
    """A firm that shall work through this one."""

    name = forms.CharField(
        label="Name of the firm",
        max_length=120,
        error_messages={"required": "Enter the name that AMFI has."},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    arn = forms.CharField(
        label="Its ARN",
        max_length=20,
        error_messages={"required": identifiers.NO_ARN, "max_length": identifiers.NO_ARN},
        help_text="As AMFI writes it, like ARN-12345.",
        widget=forms.TextInput({"autocomplete": "off", "class": "upper"}),
    )
    email = forms.CharField(
        label="E-mail address of the firm",
        max_length=LONGEST_EMAIL,
        validators=[EmailValidator(NO_EMAIL)],
        error_messages={"required": "Enter the address at which we reach the firm.", "max_length": NO_EMAIL},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    basis = forms.CharField(
        label="Why we may write to them",
        max_length=300,
        error_messages={"required": "Say when and how the firm agreed to work through you."},
        help_text="When and how the firm agreed, like “agreement of 20 November”. Kept as evidence.",
        widget=forms.Textarea({"rows": 2}),
    )

    def clean_arn(self) -> str:
        """AMFI's form of it."""
        return _clean(identifiers.clean_arn, self.cleaned_data["arn"])


class AskForm(FormRef):
    """What an investor is asked to buy."""

    fund = forms.CharField(
        label="Fund",
        max_length=120,
        error_messages={"required": "Enter the fund's ISIN or its name."},
        help_text="Its ISIN, or enough of its name.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    amount = forms.DecimalField(
        label="Amount, rupees",
        error_messages={
            "required": "Enter how many rupees.",
            "min_value": "Enter at least one rupee.",
            **dict.fromkeys(
                ("invalid", "max_digits", "max_decimal_places", "max_whole_digits"),
                "Enter an amount in rupees, like 5000 or 5000.50.",
            ),
        },
        min_value=1,
        max_digits=13,
        decimal_places=2,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label="Why",
        max_length=300,
        error_messages={"required": "Tell the investor why."},
        help_text="The investor reads it.",
        widget=forms.Textarea({"rows": 2}),
    )
    hours = forms.ChoiceField(
        label="Can be approved for",
        choices=[("24", "a day"), ("72", "three days"), ("168", "a week")],
        initial="72",
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose for how long."),
    )


class EndpointForm(forms.Form):
    """Where to send which events."""

    url = forms.CharField(
        label="Address",
        error_messages={"required": "Enter the address of your receiver."},
        max_length=addresses.MOST_CHARACTERS,
        help_text="By https, reachable from the internet. Redirects are not followed.",
        widget=forms.URLInput({"placeholder": "https://hooks.example.com/portal", "autocomplete": "off"}),
    )
    kinds = forms.MultipleChoiceField(
        label="Events",
        choices=[(kind, words[0].upper() + words[1:]) for kind, words in KINDS.items()],
        required=False,
        error_messages={"invalid_choice": "Tick what stands in this list."},
        help_text="Nothing ticked means all of them, also kinds that come later.",
        widget=forms.CheckboxSelectMultiple,
    )


class KindsForm(forms.Form):
    """Which events an endpoint hears of."""

    kinds = EndpointForm.base_fields["kinds"]


class SignatureForm(forms.Form):
    """A message as a receiver got it, to be looked at."""

    event_id = forms.CharField(label="webhook-id", max_length=100, error_messages=_COPY)
    timestamp = forms.CharField(label="webhook-timestamp", max_length=20, error_messages=_COPY)
    signature = forms.CharField(label="webhook-signature", max_length=1000, error_messages=_COPY)
    body = forms.CharField(
        label="Body, exactly as it arrived",
        max_length=20_000,
        strip=False,
        error_messages={"required": "Paste the body that arrived."},
        widget=forms.Textarea({"rows": 5}),
    )


class KeyForm(FormRef):
    """A name for a key, and what it may do."""

    label = forms.CharField(
        label="Name",
        max_length=60,
        error_messages={"required": "Give the key a name."},
        help_text="Which machine or program uses it, so that you know what stops when you revoke it.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(scope, f"{words} ({scope})") for scope, words in SCOPES.items()],
        error_messages={
            "required": "Tick at least one thing that it may do.",
            "invalid_choice": "Tick what stands in this list.",
        },
        help_text="Give each key what it needs and no more.",
        widget=forms.CheckboxSelectMultiple,
    )


class ObjectionForm(forms.Form):
    """Why an investor should not go to another firm."""

    why = forms.CharField(
        label="Why",
        max_length=300,
        error_messages={"required": "Say why they should stay with you."},
        help_text="A person at our desk reads it; the other firm does not.",
        widget=forms.Textarea({"rows": 3}),
    )


class RevokeForm(forms.Form):
    """Why a key ends."""

    reason = forms.CharField(
        label="Why",
        max_length=300,
        error_messages={"required": "Say why it ends, for whoever reads this later."},
        help_text="Kept with the key.",
        widget=forms.TextInput({"autocomplete": "off"}),
    )


def _clean(rule: object, text: str) -> str:
    try:
        return str(rule(text))  # type: ignore[operator]
    except ValueError as error:
        raise forms.ValidationError(str(error)) from None
