"""Search in the admin: a term is looked up as what it looks like, through an index wherever the table is big.

The term stands sealed in the address (`portal/sought.py`). Codes of ours name nobody and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.db.models import Model, Q, QuerySet

from portal import encryption, identifiers
from portal.models import User
from portal.sought import FIND, seal

# How many rows of another table one term may stand for.
MOST_KEYS = 500
Finder = Callable[[str], Q | None]


def by_code(*fields: str) -> Finder:
    """Our codes and references: equal, in upper case."""
    return lambda term: _any({field: term.upper() for field in fields})


def by_text(*fields: str) -> Finder:
    """Somebody else's references: equal, as they wrote them."""
    return lambda term: _any(dict.fromkeys(fields, term))


def by_part(*fields: str) -> Finder:
    """Names: a part of them, in a table that is small enough."""
    return lambda term: _any({f"{field}__icontains": term for field in fields}) if len(term) > 2 else None


def by_provider_ref(*providers: str) -> Finder:
    """The provider's number, as the unique index knows it: together with the provider."""
    return lambda term: Q(provider__in=providers, provider_ref=term)


def by_email(field: str) -> Finder:
    """A person by their whole email address."""
    return by_related(field, people_at)


def by_related(field: str, find: Callable[[str], QuerySet[Any] | None]) -> Finder:
    """Rows beside something that is found first: its keys go into the question, so that an index answers it."""

    def look(term: str) -> Q | None:
        found = find(term)
        keys = [] if found is None else list(found.values_list("pk", flat=True)[:MOST_KEYS])
        return Q(**{f"{field}__in": keys}) if keys else None

    return look


def people_at(term: str) -> QuerySet[User] | None:
    """Whoever has this email address; None for what is no address."""
    return User.objects.filter(email=term.lower()) if "@" in term else None


# What begins with these letters is the code of such an object: how evidence about `ORD-…` is found. Apps fill it.
codes: dict[str, type[Model]] = {}


def by_subject(term: str) -> Q | None:
    """Evidence about the object whose code this is."""
    model = codes.get(term.upper().partition("-")[0])
    if model is None:
        return None
    pk = model._default_manager.filter(code=term.upper()).values_list("pk", flat=True).first()
    return Q(subject_kind=model._meta.label_lower, subject_id=str(pk or ""))


def by_path(term: str) -> Q | None:
    """Calls to addresses that begin so. Reads the journal backwards from the newest call."""
    return Q(path__startswith=term) if term.startswith("/") else None


def by_actor(term: str) -> Q | None:
    """What a person did, by their whole email address. Reads the log backwards from the newest entry."""
    people = people_at(term)
    return None if people is None else Q(actor__in=[f"user:{person.pk}" for person in people])


def _any(conditions: dict[str, Any]) -> Q:
    found = Q()
    for field, value in conditions.items():
        found |= Q(**{field: value})
    return found


def by_pan(field: str, purpose: str) -> Finder:
    """A row by the blind index of a whole PAN."""

    def look(term: str) -> Q | None:
        try:
            pan = identifiers.clean_pan(term)
        except ValueError:
            return None
        return Q(**{f"{field}__in": encryption.blind_indexes(pan, purpose)})

    return look


def is_code(term: str) -> bool:
    """Is this the code of some record of ours?"""
    prefix, _, rest = term.upper().partition("-")
    return prefix in codes and re.fullmatch(r"[0-9A-Z]+", rest) is not None


def asked_for(term: str, user: Any) -> dict[str, str]:
    """How a search goes on in an address: nothing, the code, or the sealed term."""
    term = term.strip()
    if not term:
        return {}
    return {"q": term} if is_code(term) else {FIND: seal(term, user)}
