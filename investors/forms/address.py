"""Where the investor lives, is written to, and comes from: the addresses of the given document, "Address params".

In India the city and the state come from the PIN code; abroad they are entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from investors import rules
from investors.forms import fields
from investors.forms.fields import RuledField, StepForm
from investors.models import Address, Investor
from investors.steps import Profile
from portal import identifiers

LINES = ("line1", "line2", "line3")
INDIAN = (*LINES, "pincode")
ABROAD = (*LINES, "zipcode", "city", "state", "country")
# Prefixes of the fields of the permanent address and of the one abroad.
PERMANENT, OVERSEAS = "p_", "o_"
INDIA, ELSEWHERE = "INDIA", "OVERSEAS"


def _lines(prefix: str = "") -> dict[str, forms.Field]:
    auto = {"": "address-line", OVERSEAS: "section-abroad address-line", PERMANENT: "section-permanent address-line"}
    asked = (
        ("line1", "Flat, house, building", "Enter the flat or house number and the building."),
        ("line2", "Street, area", ""),
        ("line3", "Landmark", ""),
    )
    return {
        f"{prefix}{name}": RuledField(
            label=label,
            rule=rules.clean_line,
            missing=missing,
            required=bool(missing),
            widget=forms.TextInput(attrs={"autocomplete": f"{auto[prefix]}{number}"}),
        )
        for number, (name, label, missing) in enumerate(asked, start=1)
    }


def _pincode(**attrs: Any) -> RuledField:
    return RuledField(
        label="PIN code",
        rule=identifiers.clean_pin,
        missing="Enter your PIN code, six digits.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "postal-code", **attrs}),
    )


def _abroad() -> dict[str, forms.Field]:
    return _lines(OVERSEAS) | {
        "o_city": RuledField(label="City", rule=rules.clean_place, missing="Enter the city."),
        "o_state": RuledField(
            label="State, province or region",
            rule=rules.clean_place,
            missing="Enter the state or region; where there is none, the city once more.",
        ),
        "o_zipcode": RuledField(
            label="Postal code",
            rule=rules.clean_postal_code,
            missing="Enter the postal code. Where there is none, enter 000.",
            widget=forms.TextInput(attrs={"autocomplete": "section-abroad postal-code"}),
        ),
        "o_country": fields.picked("Country", fields.countries_abroad, missing="Choose the country in which you live."),
    }


class AddressForm(StepForm):
    """Where fund houses write to, the permanent address, and for a non-resident the one abroad."""

    line1, line2, line3 = _lines().values()
    pincode = _pincode(**fields.looks_up("pincode", "place"))
    permanent_is_same = fields.yes_no("Is this also your permanent address?")

    def __init__(self, *args: Any, kind: str = Investor.Kind.RESIDENT, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update({**_lines(PERMANENT), f"{PERMANENT}pincode": _pincode()})
        self.is_abroad = kind == Investor.Kind.NRI
        if self.is_abroad:
            self.fields.update(_abroad())
            self.fields["write_to"] = fields.ticked(
                "Where should fund houses write to you?",
                [(ELSEWHERE, "At my address abroad"), (INDIA, "At an address in India")],
                missing="Choose where fund houses should write to.",
            )
        self._require(PERMANENT, INDIAN, not self.is_bound or self.data.get("permanent_is_same") == "no")
        self._require("", INDIAN, not self.is_abroad or self.data.get("write_to") == INDIA)

    @classmethod
    def opened(cls, profile: Profile, data: Any = None) -> AddressForm:
        """With the fields of an address abroad for somebody who lives there."""
        return cls(data, initial=cls.initial_of(profile), kind=profile.investor.kind)

    @classmethod
    def initial_of(cls, profile: Profile) -> dict[str, Any]:
        return opening(profile.addresses)

    def _require(self, prefix: str, names: tuple[str, ...], asked: bool) -> None:
        for name in names:
            self.fields[prefix + name].required = asked and name not in ("line2", "line3")

    def clean(self) -> dict[str, Any]:
        """What stands in the fields of an address that is not asked for does not count, and cannot be wrong."""
        data = super().clean() or {}
        uncounted = [PERMANENT + name for name in INDIAN if data.get("permanent_is_same") is not False]
        uncounted += [name for name in INDIAN if self.is_abroad and data.get("write_to") == ELSEWHERE]
        for name in set(uncounted) & set(self.errors):
            del self.errors[name]
        return data

    @property
    def values(self) -> dict[str, Any]:
        """Kind of address -> its columns, for those that there are; None for one that there is not."""
        data = self.cleaned_data
        overseas = _columns(data, OVERSEAS, ABROAD) if self.is_abroad else None
        in_india = not self.is_abroad or data["write_to"] == INDIA
        return {
            Address.Kind.CORRESPONDENCE.value: _columns(data, "", INDIAN) if in_india else overseas,
            Address.Kind.PERMANENT.value: None if data["permanent_is_same"] else _columns(data, PERMANENT, INDIAN),
            Address.Kind.OVERSEAS.value: overseas,
        }

    @property
    def permanent(self) -> list[forms.BoundField]:
        """The bound fields of the permanent address, for the page."""
        return [self[PERMANENT + name] for name in INDIAN]

    @property
    def abroad(self) -> list[forms.BoundField]:
        """The bound fields of the address abroad, for the page."""
        return [self[OVERSEAS + name] for name in ABROAD] if self.is_abroad else []


# FP's `zipcode` stands in our column for PIN codes.
COLUMNS = {"zipcode": "pincode"}
Columns = Mapping[str, Any]


def opening(addresses: Mapping[str, Columns | None]) -> dict[str, Any]:
    """What stands in the form when it opens: kind of address -> its columns, None where there is none."""
    main, permanent, abroad = (addresses.get(kind) for kind in ("CORRESPONDENCE", "PERMANENT", "OVERSEAS"))
    known: dict[str, Any] = {"permanent_is_same": fields.as_yes_no(permanent is None)}
    if main:
        known["write_to"] = INDIA if main["country"] == "IN" else ELSEWHERE
    if main and main["country"] == "IN":
        known |= {name: main[name] for name in INDIAN}
    if permanent:
        known |= {f"{PERMANENT}{name}": permanent[name] for name in INDIAN}
    if abroad:
        known |= {f"{OVERSEAS}{name}": abroad[COLUMNS.get(name, name)] for name in ABROAD}
    return known


def _columns(data: dict[str, Any], prefix: str, names: tuple[str, ...]) -> dict[str, Any]:
    return {COLUMNS.get(name, name): data[prefix + name] for name in names}
