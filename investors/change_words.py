"""A change of details as people read it: what it was, what it shall be, how far it is. Pure; texts only."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from investors import lifecycle
from investors.countries import name_of
from investors.models import BankAccount, ChangeRequest, Investor, TaxResidence
from portal import money, redaction

What = ChangeRequest.What
NOTHING = "–"
TONES = {
    lifecycle.ASKED: "needs",
    lifecycle.COOLING: "waiting",
    lifecycle.CHECKING: "waiting",
    lifecycle.SENDING: "waiting",
    lifecycle.DONE: "done",
    lifecycle.WITHDRAWN: "neutral",
    lifecycle.REFUSED: "failed",
}
# What the state means for whoever asked. The clock stands beside it.
NEXT = {
    lifecycle.ASKED: "Nothing has begun: it needs your code.",
    lifecycle.COOLING: "It waits on purpose, so that you can stop it if it was not you.",
    lifecycle.CHECKING: "Somebody here compares it, usually within one working day.",
    lifecycle.SENDING: "We are telling the fund houses' side. This usually takes a minute.",
}
# Who has it afterwards, and who keeps something of their own: a registry is nobody's copy of us.
_NOT_THE_REGISTRY = (
    "Here and with the fund houses' system. The KYC registries keep what you gave them: change it there too, on the "
    "website of any of them (CVL, CAMS, KFintech, NDML or NSE)."
)
WHERE = {
    What.ADDRESS: _NOT_THE_REGISTRY,
    What.EMAIL: _NOT_THE_REGISTRY,
    What.MOBILE: _NOT_THE_REGISTRY,
    What.NOMINEES: (
        "Here and with the fund houses' system, for folios that are opened from then on. A folio that you have may "
        "keep the nominee with whom it was opened: its fund house can tell you, and changes it on your signature."
    ),
    What.TAX: (
        "Here and with the fund houses' system, which reports under FATCA and CRS from then on. A folio that you have "
        "may keep what you declared when it was opened: its fund house can tell you."
    ),
    What.PROFILE: "Here and with the fund houses' system. Whose number and address we write to is kept here.",
}
UNKNOWN = "We told the fund houses' side and have no answer yet. We are asking what became of it."


@dataclass(frozen=True)
class Line:
    """One datum of a change: label, as it was, as it shall be."""

    label: str
    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        """Do the two differ?"""
        return self.before != self.after


Data = dict[str, Any]
Words = dict[str, str]


def lines(what: str, before: Data, after: Data, *, masked: Collection[str] = ()) -> list[Line]:
    """Both sides, datum by datum; those named in `masked` by their ends only: STAFF or OWNER."""
    was, shall_be = (WORDS[what](side) if side else {} for side in (before, after))
    labels = list(dict.fromkeys([*was, *shall_be]))
    found = [Line(label, was.get(label, NOTHING), shall_be.get(label, NOTHING)) for label in labels]
    return [_masked(line) if line.label in masked else line for line in found]


def of(change: ChangeRequest, *, masked: Collection[str]) -> list[Line]:
    """The same of a saved change."""
    return lines(change.what, json.loads(change.before or "{}"), json.loads(change.after or "{}"), masked=masked)


MASKS: dict[str, Callable[[str], str]] = {
    "New email": redaction.mask_email,
    "New mobile": redaction.mask,
    "Account number": redaction.mask,
}
# Whoever looks over the investor's shoulder need not read the whole number either.
STAFF, OWNER = frozenset(MASKS), frozenset({"New mobile", "Account number"})


def _masked(line: Line) -> Line:
    mask = MASKS[line.label]
    return Line(line.label, *(text if text == NOTHING else mask(text) for text in (line.before, line.after)))


def next_words(change: ChangeRequest) -> str:
    """What happens next, for whoever asked."""
    return UNKNOWN if change.is_unknown else NEXT.get(change.state, "")


# --- words per kind -------------------------------------------------------------------------------------------


ADDRESSES = {"CORRESPONDENCE": "Address", "PERMANENT": "Permanent address", "OVERSEAS": "Address abroad"}


def _addresses(side: Data) -> Words:
    """In one line each; a permanent address that is no other one is said to be the same."""
    named = {ADDRESSES[kind]: _address(columns) for kind, columns in side.items() if columns}
    return {**named, "Permanent address": named.get("Permanent address", "The same")}


def _address(columns: Data) -> str:
    lines = [columns[name] for name in ("line1", "line2", "line3") if columns[name]]
    country = "" if columns["country"] == "IN" else f", {name_of(columns['country'])}"
    return f"{', '.join(lines)}, {columns['city']} {columns['pincode']}, {columns['state']}{country}"


def _nominees(side: Data) -> Words:
    if side["opted_out"]:
        return {"Nominee": "Nobody, as you declare"}
    return {f"Nominee {n}" if n > 1 else "Nominee": _nominee(each) for n, each in enumerate(side["nominees"], start=1)}


def _nominee(person: Data) -> str:
    born = date.fromisoformat(person["date_of_birth"])
    known = f"{person['name']} ({person['relationship'].lower()}, born {born:%-d %b %Y})"
    if person["guardian_name"]:
        known += f", guardian {person['guardian_name']} ({person['guardian_relationship'].lower()})"
    return f"{known}, {person['share']}%"


def _personal(side: Data) -> Words:
    return {
        "Marital status": _label(Investor.MaritalStatus, side["marital_status"]),
        "Occupation": _label(Investor.Occupation, side["occupation"]),
        "Source of wealth": _label(Investor.SourceOfWealth, side["source_of_wealth"]),
        "Income in a year": f"₹{money.group(str(side['gross_annual_income'] or 0))}",
        **_whose(side),
    }


def _tax(side: Data) -> Words:
    """Country by country, each with the end of its number: nobody needs to read it whole once more."""
    if side["tax_resident_only_in_india"]:
        return {"Country of tax residence": "India only"}
    return {
        f"Country {n}" if n > 1 else "Country of tax residence": _residence(each)
        for n, each in enumerate(side["residences"], start=1)
    }


def _residence(each: Data) -> str:
    kind = _label(TaxResidence.TaxIdKind, each["tax_id_kind"])
    return f"{name_of(each['country'])}, {kind} {redaction.mask(each['tax_id'])}"


CONTACTS = {"mobile_is_of": "Whose mobile number", "email_is_of": "Whose email address"}


def _whose(side: Data) -> Words:
    """Changes that were asked for before this was a question do not say it."""
    return {
        label: _label(Investor.Whose, side[name]) if side[name] else "not asked yet"
        for name, label in CONTACTS.items()
        if name in side
    }


def _label(choices: Any, value: str) -> str:
    return str(choices(value).label) if value else NOTHING


def _bank(side: Data) -> Words:
    return {
        "Bank": f"{side['bank_name']}, {side['branch_name']}",
        "IFSC": side["ifsc"],
        "Account number": side["number"],
        "Type": _label(BankAccount.Kind, side["kind"]),
        "Held by": side["holder_name"],
    }


WORDS: dict[str, Callable[[Data], Words]] = {
    What.EMAIL: lambda side: {"New email": side["email"], **_whose(side)},
    What.MOBILE: lambda side: {"Country code": f"+{side['isd_code']}", "New mobile": side["mobile"], **_whose(side)},
    What.ADDRESS: _addresses,
    What.NOMINEES: _nominees,
    What.PROFILE: _personal,
    What.TAX: _tax,
    What.BANK_ACCOUNT: _bank,
    What.PRIMARY_BANK: lambda side: {"Main account": side.get("name") or side["code"] or NOTHING},
}
