"""One to three nominees, or nobody."""

from __future__ import annotations

from typing import Any

from django import forms

from investors import rules
from investors.forms import fields
from investors.forms.fields import RuledField, StepForm
from investors.steps import Profile
from portal import clock

RELATIONSHIPS = ["Spouse", "Son", "Daughter", "Father", "Mother", "Brother", "Sister", "Grandson", "Granddaughter"]
GUARDIANS = ["Father", "Mother", "Grandfather", "Grandmother", "Court-appointed"]

NAME, OPT_OUT = "name", "opt_out"
NOMINEE_FIELDS = ("name", "relationship", "date_of_birth", "share", "guardian_name", "guardian_relationship")


class NomineesForm(StepForm):
    """One to three nominees whose shares make 100, or nobody. Each nominee has fields `n1_…`, `n2_…`, `n3_…`."""

    choice = fields.ticked(
        "Would you like to name a nominee?",
        [(NAME, "Yes, name one to three people"), (OPT_OUT, "No, I do not want a nominee")],
        missing="Choose whether you want to name a nominee.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for position in range(1, rules.MAX_NOMINEES + 1):
            self.fields.update(_nominee_fields(position))
            for name in ("name", "relationship", "date_of_birth", "share"):
                self.fields[f"n{position}_{name}"].required = self._is_named(position)

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        opted = profile.investor.nomination_opted_out
        initial: dict[str, Any] = {"choice": "" if opted is None else OPT_OUT if opted else NAME}
        for nominee in profile.nominees:
            initial |= {f"n{nominee.position}_{name}": getattr(nominee, name) for name in NOMINEE_FIELDS}
        return initial

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The bound fields, nominee by nominee, for the page; `filled` keeps its part of the page open."""
        found = []
        for position in range(1, rules.MAX_NOMINEES + 1):
            fields = [self[f"n{position}_{name}"] for name in NOMINEE_FIELDS]
            filled = any(field.value() or field.errors for field in fields)
            found.append({"position": position, "fields": fields, "filled": filled or position == 1})
        return found

    def clean(self) -> dict[str, Any]:
        """Everybody who is named is named completely, and the shares make 100."""
        data = super().clean() or {}
        if data.get("choice") == OPT_OUT:
            # What stands in the fields of nominees then does not count, and cannot be wrong.
            for name in [name for name in self.errors if name in self.fields]:
                del self.errors[name]
        if data.get("choice") == NAME:
            data["nominees"] = [self._nominee(n) for n in range(1, rules.MAX_NOMINEES + 1) if self._is_named(n)]
            self._check_shares([person.get("share") for person in data["nominees"]])
        return data

    def _is_named(self, position: int) -> bool:
        if self.is_bound and self.data.get("choice") != NAME:
            return False
        typed = [self.data.get(self.add_prefix(f"n{position}_{name}"), "") for name in NOMINEE_FIELDS]
        return position == 1 or any(str(text).strip() for text in typed)

    def _nominee(self, position: int) -> dict[str, Any]:
        person = {name: self.cleaned_data.get(f"n{position}_{name}") for name in NOMINEE_FIELDS}
        born_on, today = person["date_of_birth"], clock.today()
        if born_on and not rules.is_possible_birthday(born_on, today):
            self.add_error(f"n{position}_date_of_birth", "This date of birth cannot be right. Please check the year.")
        elif born_on and rules.is_minor(born_on, today):
            self._need_guardian(position, person)
        elif born_on:
            person["guardian_name"] = person["guardian_relationship"] = ""
        return {name: "" if value is None else value for name, value in person.items()}

    def _need_guardian(self, position: int, person: dict[str, Any]) -> None:
        for name in ("guardian_name", "guardian_relationship"):
            field = f"n{position}_{name}"
            if not person[name] and field not in self.errors:
                self.fields[field].required = True  # the page must not call it optional now
                self.add_error(field, self.fields[field].error_messages["required"])

    def _check_shares(self, shares: list[Any]) -> None:
        if not all(isinstance(share, int) for share in shares):
            return
        try:
            rules.check_shares(shares)
        except ValueError as error:
            self.add_error(f"n{len(shares)}_share", str(error))

    @property
    def values(self) -> dict[str, Any]:
        """What the step saves."""
        return {
            "opted_out": self.cleaned_data["choice"] == OPT_OUT,
            "nominees": self.cleaned_data.get("nominees", []),
        }


WHOLE_PERCENT = "Enter a whole number from 1 to 100, without the percent sign."


def _nominee_fields(position: int) -> dict[str, forms.Field]:
    asked: dict[str, forms.Field] = {
        "name": _person("Nominee's name", "Enter the nominee's name."),
        "relationship": _relation("This person is your", RELATIONSHIPS, "Choose how the nominee is related to you."),
        "date_of_birth": fields.date_field(
            "Date of birth", missing="Enter the nominee's date of birth.", required=False
        ),
        "share": forms.IntegerField(
            label="Share in percent",
            required=False,
            min_value=1,
            max_value=100,
            initial=100 if position == 1 else None,
            widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            error_messages={
                "required": "Enter the nominee's share in percent; 100 for the only nominee.",
                **dict.fromkeys(("invalid", "min_value", "max_value"), WHOLE_PERCENT),
            },
        ),
        "guardian_name": _person(
            "Guardian's name",
            "This nominee is under 18: name a guardian who is an adult.",
            "Only when the nominee is under 18.",
        ),
        "guardian_relationship": _relation(
            "The guardian is the nominee's", GUARDIANS, "Choose how the guardian is related to the nominee."
        ),
    }
    return {f"n{position}_{name}": field for name, field in asked.items()}


def _person(label: str, missing: str, help_text: str = "") -> RuledField:
    return RuledField(
        label=label,
        rule=lambda text: rules.clean_name(text, longest=rules.NOMINEE_LENGTH),
        missing=missing,
        required=False,
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def _relation(label: str, words: list[str], missing: str) -> forms.ChoiceField:
    return fields.picked(label, [(word, word) for word in [*words, "Other"]], missing=missing, required=False)
