"""What waits for a second person about a record: the badge on its page, wherever that person decides.

Most of it is decided on pages of its own (a role, a merge, other words of a basket). Each of those says here which
records it concerns:

    @pending.concerns("portal.user")
    def roles_of(user: User) -> list[pending.Waits]: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from portal import audit
from portal.admin import show
from portal.desk import proposals


@dataclass(frozen=True)
class Waits:
    """One thing that waits: where it is decided, what would happen, who asked (empty: the person concerned)."""

    row: Model
    title: str
    asked_by: str
    since: datetime

    @property
    def link(self) -> str:
        """To the page on which it is decided."""
        return show.change_link(self.row, self.title)


Finder = Callable[[Any], Iterable[Waits]]
_concerns: dict[str, list[Finder]] = {}


def concerns(kind: str) -> Callable[[Finder], Finder]:
    """From now on pages of such records show what the function finds."""

    def register(find: Finder) -> Finder:
        _concerns.setdefault(kind, []).append(find)
        return find

    return register


def about(row: Model) -> list[Waits]:
    """What waits about this record, the oldest first."""
    found = [each for find in _concerns.get(audit.kind_of(row), ()) for each in find(row)]
    return sorted(found, key=lambda each: each.since)


def proposed(row: Model) -> list[Waits]:
    """Proposals that would change this record."""
    return [
        Waits(each, f"{each.code} {each.title}", str(each.asked_by), each.asked_at)
        for each in proposals.open_for([row])
    ]
