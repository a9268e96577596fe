"""The shares that an investor watches: add, remove, move. The list is theirs alone, and has fifty places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from investors.models import Investor
from orders.models import Security, WatchedShare
from orders.models.quotes import MOST_WATCHED
from portal.errors import Failure


class ListFull(Failure):
    """Raised when every place is taken."""

    code = "watchlist_full"
    message = f"Your watchlist has {MOST_WATCHED} shares, which is as many as it holds. Remove one first."


def _locked(investor: Investor) -> list[WatchedShare]:
    Investor.objects.select_for_update().only("pk").get(pk=investor.pk)
    return list(WatchedShare.objects.filter(investor=investor).order_by("position"))


def add(*, investor: Investor, security: Security, at: datetime) -> None:
    """The share stands at the end of the list; one that stands there already stays. Raises ListFull."""
    with transaction.atomic():
        rows = _locked(investor)
        if any(row.security_id == security.pk for row in rows):
            return
        if len(rows) >= MOST_WATCHED:
            raise ListFull
        WatchedShare.objects.create(investor=investor, security=security, position=len(rows) + 1, added_at=at)


def remove(*, investor: Investor, security: Security, at: datetime) -> None:
    """The share is gone, and the others close up."""
    with transaction.atomic():
        rows = _locked(investor)
        WatchedShare.objects.filter(investor=investor, security=security).delete()
        _number([row for row in rows if row.security_id != security.pk])


def move_up(*, investor: Investor, security: Security, at: datetime) -> None:
    """The share changes places with the one above it."""
    with transaction.atomic():
        rows = _locked(investor)
        place = next((n for n, row in enumerate(rows) if row.security_id == security.pk), 0)
        if place:
            rows[place - 1], rows[place] = rows[place], rows[place - 1]
            _number(rows)


def _number(rows: list[WatchedShare]) -> None:
    for position, row in enumerate(rows, start=1):
        row.position = position
    WatchedShare.objects.bulk_update(rows, ["position"])


ACTS: dict[str, Callable[..., None]] = {"add": add, "remove": remove, "up": move_up}
