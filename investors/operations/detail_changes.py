"""What is asked when a ready investor changes contact, address, nominees or personal details.

Each `ask_…` compares with what we have, looks up what must be looked up, and asks for the code; what the change then
goes through stands in `investors/changes.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from investors import change_words, declarations, queries
from investors.models import ChangeRequest, Consent, Investor
from investors.operations import changes, onboarding
from portal.errors import InvalidInput

What = ChangeRequest.What
Values = Mapping[str, Any]
PERSONAL = (
    "marital_status", "occupation", "source_of_wealth", "gross_annual_income", "mobile_is_of", "email_is_of"
)  # fmt: skip
RESIDENCE = ("country", "tax_id_kind", "tax_id")
MOBILE = ("isd_code", "mobile", "mobile_is_of")
# Whose a contact is says nothing about whether it is another one: alone, it is a personal detail.
NOT_THE_CONTACT = ("mobile_is_of", "email_is_of")


def ask(*, investor: Investor, what: str, values: Values, form_ref: str, ip: str | None, at: datetime) -> Consent:
    """The change to `values` is asked for and its code is on the way.

    Raises InvalidInput at the field it belongs to, gateway.LookUpDown, and what `changes.ask` raises.
    """
    before = current(investor, what)
    after = AFTER[what](values)
    if _compared(what, after) == _compared(what, before):
        raise InvalidInput("", "This is what we have already. Change something, or go back.")
    lines = {line.label: line.after for line in change_words.lines(what, before, after)}
    shown = {**lines, **_declared(what, after)}
    return changes.ask(
        investor=investor, what=what, form_ref=form_ref, before=before, after=after, shown=shown, ip=ip, at=at
    )


def _compared(what: str, side: Values) -> Values:
    if what in (What.EMAIL, What.MOBILE):
        return {name: value for name, value in side.items() if name not in NOT_THE_CONTACT}
    return _without_place(side)


def _without_place(side: Values) -> Values:
    """In India city and state follow from the PIN code, in whichever words they were looked up that day."""
    return {name: _indian(each) if isinstance(each, dict) else each for name, each in side.items()}


def _indian(columns: Values) -> Values:
    is_abroad = columns["country"] != "IN"
    return {name: value for name, value in columns.items() if is_abroad or name not in ("city", "state")}


def current(investor: Investor, what: str) -> dict[str, Any]:
    """What stands on our rows now, in the shape of `ChangeRequest.before`."""
    return BEFORE[what](investor)


# --- as it is now ---------------------------------------------------------------------------------------------


def _nominees_now(investor: Investor) -> dict[str, Any]:
    people = [_plain_nominee(vars(each)) for each in queries.profile(investor).nominees]
    return {"opted_out": bool(investor.nomination_opted_out), "nominees": people}


def _tax_now(investor: Investor) -> dict[str, Any]:
    only_india = bool(investor.tax_resident_only_in_india)
    return {
        "tax_resident_only_in_india": only_india,
        "residences": [
            {name: getattr(each, name) for name in RESIDENCE} for each in queries.profile(investor).residences
        ],
    }


BEFORE: dict[str, Callable[[Investor], dict[str, Any]]] = {
    What.EMAIL: lambda investor: {"email": investor.user.email, **_of(investor, "email_is_of")},
    What.MOBILE: lambda investor: _of(investor, *MOBILE),
    What.ADDRESS: lambda investor: dict(queries.profile(investor).addresses),
    What.NOMINEES: _nominees_now,
    What.PROFILE: lambda investor: _of(investor, *PERSONAL),
    What.TAX: _tax_now,
}


def _of(investor: Investor, *names: str) -> dict[str, Any]:
    """These columns; without whose a contact is for a minor, whose contacts are the guardian's."""
    return {name: getattr(investor, name) for name in names if not (investor.is_minor and name in NOT_THE_CONTACT)}


# --- as it shall be -------------------------------------------------------------------------------------------


def _nominees(values: Values) -> dict[str, Any]:
    people = [] if values["opted_out"] else [_plain_nominee(each) for each in values["nominees"]]
    return {"opted_out": bool(values["opted_out"]), "nominees": people}


def _plain_nominee(person: Values) -> dict[str, Any]:
    names = ("name", "relationship", "date_of_birth", "share", "guardian_name", "guardian_relationship")
    return {name: each.isoformat() if isinstance(each := person[name], date) else each for name in names}


AFTER: dict[str, Callable[[Values], dict[str, Any]]] = {
    What.EMAIL: lambda values: {"email": values["email"].lower(), **_given(values, "email_is_of")},
    What.MOBILE: lambda values: _given(values, *MOBILE),
    What.ADDRESS: onboarding.with_places,
    What.NOMINEES: _nominees,
    What.PROFILE: lambda values: _given(values, *PERSONAL),
    What.TAX: lambda values: _given(values, "tax_resident_only_in_india", "residences"),
}


def _given(values: Values, *names: str) -> dict[str, Any]:
    """What was asked of these: a minor's contacts are the guardian's, and nobody is asked whose they are."""
    return {name: values[name] for name in names if name in values}


def _declared(what: str, after: dict[str, Any]) -> dict[str, str]:
    """The declaration that goes with it, word for word, as part of what is consented to and kept with it."""
    text = DECLARED[what](after) if what in DECLARED else ""
    return {"declaration": text, "worded_on": declarations.WORDED_ON.isoformat()} if text else {}


DECLARED: dict[str, Callable[[dict[str, Any]], str]] = {
    What.NOMINEES: lambda after: declarations.OPT_OUT if after["opted_out"] else declarations.NOMINATE,
    What.TAX: lambda after: declarations.tax(elsewhere=not after["tax_resident_only_in_india"]),
}
