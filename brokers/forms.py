"""What investors fill in on the way to a broker."""

from __future__ import annotations

from decimal import Decimal

from django import forms

from orders.forms import TOO_MUCH, RupeesField

# One order of one person; a number beyond it is a slip of the finger.
MOST_SHARES = 100_000


def shares_field() -> forms.IntegerField:
    """A whole number of shares, from 1 to MOST_SHARES."""
    return forms.IntegerField(
        label="Number of shares",
        min_value=1,
        max_value=MOST_SHARES,
        error_messages={
            "required": "Enter how many shares.",
            "invalid": "Enter a whole number of shares, for example 10.",
            "min_value": "Enter at least 1 share.",
            "max_value": f"Enter at most {MOST_SHARES:,} shares in one order.",
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class JourneyForm(forms.Form):
    """Through which broker. The reference makes a double click one order."""

    broker = forms.ChoiceField(
        label="Through",
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Choose one of these ways."),
    )
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput)

    def __init__(self, *args: object, brokers: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["broker"].choices = brokers  # type: ignore[attr-defined]


class NumberForm(JourneyForm):
    """How many of one share."""

    quantity = shares_field()


class AmountForm(JourneyForm):
    """How much to invest in a basket."""

    amount = RupeesField(
        label="Amount",
        min_value=Decimal(1),
        max_digits=10,
        decimal_places=0,
        error_messages={
            "invalid": "Enter the amount in whole rupees, for example 25,000.",
            "required": "Enter how much you want to invest.",
            "max_decimal_places": "Enter whole rupees.",
            "min_value": "Enter an amount of at least ₹1.",
            **dict.fromkeys(("max_digits", "max_whole_digits"), TOO_MUCH),
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "input-money", "autocomplete": "off"}),
    )


class ProofForm(forms.Form):
    """The broker's own paper about an order."""

    proof = forms.FileField(
        label="Your broker's confirmation",
        required=False,  # a file cannot be kept with what was typed, so the view says what is missing
        help_text="The contract note, or a picture of the order book. JPG, PNG or PDF, at most 5 MB.",
        widget=forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png,application/pdf"}),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        # It is needed all the same.
        self.fields["proof"].optional_words = "a photo, a scan or a PDF"  # type: ignore[attr-defined]
