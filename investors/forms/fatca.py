"""What the Income-tax Rules (114F to 114H) ask of every investor: income, office, and where tax is paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from investors import rules
from investors.forms import fields
from investors.forms.fields import RefusableForm, RuledField, StepForm
from investors.models import Investor, TaxResidence
from investors.steps import Profile
from portal import money

PARTS = ("country", "tax_id_kind", "tax_id")
POSITIONS = range(1, rules.MAX_TAX_RESIDENCES + 1)


class TaxResidenceForm(RefusableForm):
    """Where tax is paid: up to three countries other than India, in the fields `t1_…`, `t2_…`, `t3_…`.

    A saved tax number is kept when its field stays empty and the country is the same.
    """

    tax_resident_only_in_india = fields.yes_no(
        "Is India the only country where you are a tax resident?",
        "Citizens and green-card holders of the USA are tax residents there too.",
    )

    def __init__(self, *args: Any, saved: tuple[TaxResidence, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.saved = {each.position: each for each in saved}
        for position in POSITIONS:
            self.fields.update(_residence_fields(position))
            if position in self.saved:
                end = self.saved[position].tax_id[-4:]
                self.fields[f"t{position}_tax_id"].help_text = f"We have one ending in {end}. Leave empty to keep it."
            for name in PARTS:
                keeps = name == "tax_id" and self._keeps_number(position)
                # A page that nobody has sent yet calls the first country what it will be: no optional one.
                asked = self._is_named(position) if self.is_bound else position == 1
                self.fields[f"t{position}_{name}"].required = asked and not keeps

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The bound fields, country by country, for the page; `filled` keeps its part of the page open."""
        found = []
        for position in POSITIONS:
            parts = [self[f"t{position}_{name}"] for name in PARTS]
            filled = any(part.value() or part.errors for part in parts)
            found.append({"position": position, "fields": parts, "filled": filled or position == 1})
        return found

    def clean(self) -> dict[str, Any]:
        """Countries other than India, each once and each with its number, unless India is the only one."""
        data = super().clean() or {}
        if data.get("tax_resident_only_in_india") is not False:
            for name in [name for name in self.errors if name not in self.base_fields and name in self.fields]:
                del self.errors[name]
            return data
        seen: set[str] = set()
        for position in filter(self._is_named, POSITIONS):
            country = data.get(f"t{position}_country")
            if country in seen:
                self.add_error(f"t{position}_country", "This country is named already. Leave this part empty.")
            seen |= {country} if country else set()
        return data

    def _is_named(self, position: int) -> bool:
        if not self.is_bound or self.data.get("tax_resident_only_in_india") != "no":
            return False
        typed = [self.data.get(self.add_prefix(f"t{position}_{name}"), "") for name in PARTS]
        return position == 1 or any(str(text).strip() for text in typed)

    def _keeps_number(self, position: int) -> bool:
        before = self.saved.get(position)
        same = not self.is_bound or (before and self.data.get(f"t{position}_country") == before.country)
        return before is not None and bool(same)

    @property
    def residences(self) -> list[dict[str, str]]:
        """The countries in their order, each with its number; none where India is the only one."""
        only_india = self.cleaned_data["tax_resident_only_in_india"]
        return [] if only_india else [self._residence(each) for each in filter(self._is_named, POSITIONS)]

    def _residence(self, position: int) -> dict[str, str]:
        typed = {name: self.cleaned_data[f"t{position}_{name}"] for name in PARTS}
        return typed | {"tax_id": typed["tax_id"] or self.saved[position].tax_id}


def named(residences: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """How the parts of the countries open; a number is typed anew or kept."""
    found: dict[str, str] = {}
    for position, each in enumerate(residences, start=1):
        found |= {f"t{position}_country": each["country"], f"t{position}_tax_id_kind": each["tax_id_kind"]}
    return found


class FatcaForm(TaxResidenceForm, StepForm):
    """The declaration: where tax is paid, what is earned, and whether somebody holds a public office."""

    country_of_birth = fields.picked(
        "Country of birth", fields.countries, missing="Choose the country in which you were born."
    )
    source_of_wealth = fields.picked(
        "Where the money you invest mainly comes from",
        Investor.SourceOfWealth.choices,
        missing="Choose where the money mainly comes from.",
    )
    gross_annual_income = RuledField(
        label="Your income in a year, before tax, in rupees",
        rule=rules.clean_rupees,
        missing="Enter your income in a year, about right, for example 12,00,000.",
        help_text="About right is enough. For example 12,00,000.",
        widget=forms.TextInput(attrs={"class": "input-money", "inputmode": "numeric", "autocomplete": "off"}),
    )
    is_politically_exposed = fields.yes_no(
        "Are you a politically exposed person?",
        "Somebody with a high public office: a minister, a senior judge or officer, a leader of a party.",
    )
    is_related_to_politically_exposed = fields.yes_no("Are you a close relative or associate of one?")

    @classmethod
    def opened(cls, profile: Profile, data: Any = None) -> FatcaForm:
        """With the numbers that are known left out."""
        return cls(data, initial=cls.initial_of(profile), saved=profile.residences)

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        income = profile.investor.gross_annual_income
        asked = ("tax_resident_only_in_india", "is_politically_exposed", "is_related_to_politically_exposed")
        known: dict[str, Any] = {
            **super().initial_of(profile),
            **{name: fields.as_yes_no(getattr(profile.investor, name)) for name in asked},
            "gross_annual_income": money.group(str(income)) if income else "",
        }
        return known | named(map(vars, profile.residences))

    @property
    def asked(self) -> list[forms.BoundField]:
        """The questions for everybody, after the first."""
        return [self[name] for name in list(self.base_fields)[1:]]

    @property
    def values(self) -> dict[str, Any]:
        """What the step saves; `residences` in their order."""
        return {**{name: self.cleaned_data[name] for name in self.base_fields}, "residences": self.residences}


def _residence_fields(position: int) -> dict[str, forms.Field]:
    asked: dict[str, forms.Field] = {
        "country": fields.picked(
            "Country", fields.countries_abroad, missing="Choose the country where you pay tax.", required=False
        ),
        "tax_id_kind": fields.picked(
            "Kind of tax number", TaxResidence.TaxIdKind.choices, missing="Choose the kind of number.", required=False
        ),
        "tax_id": RuledField(
            label="Tax number there",
            rule=rules.clean_tax_number,
            missing="Enter your tax number of that country.",
            required=False,
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        ),
    }
    return {f"t{position}_{name}": field for name, field in asked.items()}
