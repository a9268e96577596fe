"""Lists of the admin that somebody keeps under a name: their filters and order, never what was searched for."""

from __future__ import annotations

from django.http import QueryDict

from portal.desk.models import SavedList
from portal.models import User

MOST = 20
# A search term may be a name or a PAN; where a page began means nothing tomorrow.
NOT_KEPT = ("q", "find", "p", "after", "as")


def keep(*, user: User, page: str, name: str, query: str) -> SavedList | None:
    """The list is kept under this name, in place of one that was; None where there is nothing to keep, or too much."""
    asked = QueryDict(query, mutable=True)
    for key in NOT_KEPT:
        asked.pop(key, None)
    kept, name = asked.urlencode(), name.strip()[:40]
    others = SavedList.objects.filter(user=user, page=page).exclude(name=name)
    if not kept or not name or len(kept) > 500 or others.count() >= MOST:
        return None
    return SavedList.objects.update_or_create(user=user, page=page, name=name, defaults={"query": kept})[0]


def forget(*, user: User, page: str, name: str) -> None:
    """The name is free again."""
    SavedList.objects.filter(user=user, page=page, name=name).delete()
