"""Parts of every step's form: fields that a rule cleans, dates, yes and no, look-ups while typing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict, ErrorList
from django.urls import reverse_lazy

from investors import gateway
from investors.steps import Profile
from portal import redaction, typed

DATE_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y"]
YES_NO = [("yes", "Yes"), ("no", "No")]


def cleaned_by(rule: Callable[[str], Any], value: str) -> Any:
    """The rule's value. Its ValueError becomes the field's error."""
    try:
        return rule(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


NO_AADHAAR = "This looks like an Aadhaar number. We must not keep it: please leave it out."
NOT_OFFERED = "Choose one of the answers that are offered."


class RuledField(forms.CharField):
    """Text that a rule cleans, whose length the rule bounds too. `missing` says what to enter when nothing was."""

    def __init__(self, *, rule: Callable[[str], Any], missing: str = "", **kwargs: Any) -> None:
        super().__init__(error_messages={"required": missing}, **kwargs)
        self.rule = rule

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return cleaned_by(self.rule, text) if text else text


def date_field(label: str, *, missing: str, required: bool = True, help_text: str = "") -> forms.DateField:
    """A date by the browser's own picker, or typed the Indian way."""
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        input_formats=DATE_FORMATS,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={
            "required": missing,
            "invalid": "Write the date as day/month/year, for example 31/12/1990.",
        },
    )


def looks_up(kind: str, target: str) -> dict[str, Any]:
    """What makes a field show, while it is typed, what its code stands for."""
    return {
        "hx-get": reverse_lazy("investors:look_up", args=[kind]),
        "hx-trigger": "input changed delay:400ms",
        "hx-target": f"#{target}",
        "hx-swap": "outerHTML",
        "hx-include": "this",
    }


def yes_no(label: str, help_text: str = "") -> forms.TypedChoiceField:
    """A question without an answer to begin with; cleans to a bool."""
    return forms.TypedChoiceField(
        label=label,
        help_text=help_text,
        choices=YES_NO,
        widget=forms.RadioSelect,
        coerce=lambda answer: answer == "yes",
        empty_value=None,
        error_messages={"required": "Answer yes or no.", "invalid_choice": "Answer yes or no."},
    )


def picked(label: str, choices: Any, *, missing: str, required: bool = True) -> forms.ChoiceField:
    """One of a list that drops down. `choices` may be a callable."""
    empty = [("", "Choose one")]
    return forms.ChoiceField(
        label=label,
        required=required,
        choices=choices if callable(choices) else [*empty, *choices],
        error_messages={"required": missing, "invalid_choice": NOT_OFFERED},
    )


def ticked(label: str, choices: Any, *, missing: str) -> forms.ChoiceField:
    """One of a few answers that are all in sight."""
    return forms.ChoiceField(
        label=label,
        choices=choices,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": NOT_OFFERED},
    )


def as_yes_no(answer: bool | None) -> str:
    """How a stored answer stands in a yes/no field."""
    return "" if answer is None else "yes" if answer else "no"


def countries() -> list[tuple[str, str]]:
    """The countries that FP knows, with their two letters, India first."""
    return gateway.countries()


def countries_abroad() -> list[tuple[str, str]]:
    """The same without India, to drop down."""
    return [("", "Choose one"), *(pair for pair in gateway.countries() if pair[0] != "IN")]


class RefusableForm(forms.Form):
    """A form that can show, before it is sent, what was refused in it earlier. It takes no whole Aadhaar number."""

    def clean(self) -> dict[str, Any]:
        """Wherever people write freely, some write their Aadhaar number; nobody may keep more than its last digits."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in list(cleaned.items()):
            if name not in typed.NUMBERS and isinstance(value, str) and redaction.has_aadhaar(value):
                self.add_error(name, NO_AADHAAR)
        return cleaned

    def show_refused(self, complaints: Mapping[str, list[str]]) -> None:
        """Show at the fields of a form that nobody has sent yet what was refused in it earlier."""
        shown = ErrorDict()
        for name, texts in complaints.items():
            shown[name if name in self.fields else "__all__"] = ErrorList(texts, renderer=self.renderer)
        self._errors = shown


class StepForm(RefusableForm):
    """Base of every step's form."""

    @classmethod
    def opened(cls, profile: Profile, data: Any = None) -> Self:
        """The form as it opens for this application, with what was sent."""
        return cls(data, initial=cls.initial_of(profile))

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        """What stands in the form when the step is opened again."""
        return {name: getattr(profile.investor, name) for name in cls.base_fields}
