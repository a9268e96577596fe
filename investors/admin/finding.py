"""How people are found: by code, name, PAN, mobile, email or folio, each through an index.

Behind row-level policies an index answers only comparisons that cannot leak: equality and ranges of whole values. So
names are found by the beginning of any of their words (`NameWord`), not by a part in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from django.db.models import Q, QuerySet

from investors.models import (
    PAN_INDEX,
    BankAccount,
    ChangeRequest,
    Consent,
    Document,
    Investor,
    Invite,
    KycRequest,
    Mandate,
    Merge,
)
from portal import identifiers
from portal.admin.finding import MOST_KEYS, Finder, by_pan, by_related, codes, people_at

codes.update(
    {
        "INV": Investor,
        "BNK": BankAccount,
        "CNS": Consent,
        "KYC": KycRequest,
        "DOC": Document,
        "MND": Mandate,
        "CHG": ChangeRequest,
        "INVT": Invite,
        "MRG": Merge,
    }
)

# Behind the last letter of whatever begins like this.
_LAST = "\U0010ffff"
# Longest first: the rarest word, most likely, and more than three narrow nothing further.
_WORDS_ASKED = 3
by_own_pan: Finder = by_pan("pan_index", PAN_INDEX)


def by_investor(field: str = "investor") -> Finder:
    """Rows of an investor, by the investor's code, PAN, mobile number or whole email address."""

    def find(term: str) -> QuerySet[Investor]:
        if pan := by_own_pan(term):
            return Investor.objects.filter(pan)
        found = reached_at(term)
        return Investor.objects.filter(code=term.upper()) if found is None else found

    return by_related(field, find)


def named(term: str) -> QuerySet[Investor] | None:
    """Investors in whose name words begin like the words of the term; None when it holds no word of two letters."""
    words = sorted({word for word in re.findall(r"\w+", term.lower()) if len(word) > 1}, key=len, reverse=True)
    if not words or any(char.isdigit() for char in term):
        return None
    found = Investor.objects.order_by()
    for word in words[:_WORDS_ASKED]:
        found = found.filter(namewords__word__gte=word, namewords__word__lt=word + _LAST)
    return found


def reached_at(term: str) -> QuerySet[Investor] | None:
    """Investors with this mobile number or this whole email address; None for what is neither."""
    people = people_at(term)
    if people is not None:
        return Investor.objects.filter(user__in=list(people.values_list("pk", flat=True)))
    try:
        return Investor.objects.filter(mobile=identifiers.clean_mobile(term)).exclude(mobile="")
    except ValueError:
        return None


by_name: Finder = by_related("pk", named)
by_contact: Finder = by_related("pk", reached_at)
# How other apps know a person: a folio number. They put theirs here.
elsewhere: list[Callable[[str], Iterable[int]]] = []


def by_what_others_know(term: str) -> Q | None:
    """Investors by something that another app keeps."""
    keys = [key for find in elsewhere for key in find(term)][:MOST_KEYS]
    return Q(pk__in=keys) if keys else None
