"""The investor on one page: sections below the person, each from one or two statements.

Each app registers its own beside its admin pages, because investors know no orders:

    @panel.part(order=20, permission="orders.view_holding")
    def holdings(investor: Investor, at: datetime) -> Found: ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model

from investors.models import Investor
from portal.admin.home import Panel

# Rows of a section; older ones are behind its "See all".
MOST = 12


@dataclass(frozen=True)
class Found:
    """A section, and the objects whose cases, timeline and conversation belong on the page too."""

    section: Panel
    about: Sequence[Model] = field(default_factory=tuple)


Builder = Callable[[Investor, datetime], Found]
_parts: list[tuple[int, str, Builder]] = []


def part(*, order: int, permission: str) -> Callable[[Builder], Builder]:
    """Register a section; people without the permission do not see it."""

    def register(build: Builder) -> Builder:
        _parts.append((order, permission, build))
        return build

    return register


def of(investor: Investor, user: Any, at: datetime) -> list[Found]:
    """Every section that this person may see, in order."""
    ordered = sorted(_parts, key=lambda each: each[0])
    return [build(investor, at) for _, permission, build in ordered if user.has_perm(permission)]
