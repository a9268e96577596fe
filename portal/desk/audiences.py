"""Groups of people that staff can write to, as data: each app registers those that it knows.

A group answers with the logins that are in it at this moment. Some are the group of one thing, a scheme or a partner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet


@dataclass(frozen=True)
class Audience:
    """One group. `people` gives the keys of logins; `of` names what one says besides, and `name_of` what was meant
    by it, empty where there is no such thing.
    """

    key: str
    label: str
    people: Callable[[str], QuerySet[Any, Any]]
    of: str = ""
    name_of: Callable[[str], str] = lambda _: ""


_audiences: dict[str, Audience] = {}


def register(*found: Audience) -> None:
    """From now on staff can write to these."""
    _audiences.update({each.key: each for each in found})


def audience(key: str) -> Audience:
    """The group of a key. Raises KeyError."""
    return _audiences[key]


def choices() -> list[tuple[str, str]]:
    """Every group with its words."""
    return [(each.key, f"{each.label} (say which)" if each.of else each.label) for each in _audiences.values()]


def label(key: str) -> str:
    """A group in words."""
    return _audiences[key].label if key in _audiences else "a group that is no longer known"


def words(key: str, of: str) -> str:
    """The same with what it is of: `Holders of a scheme: HDFC Flexi Cap`."""
    its = _audiences.get(key)
    return f"{its.label}: {its.name_of(of) or of}" if its and its.of else label(key)
