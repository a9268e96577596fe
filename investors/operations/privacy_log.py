"""Who at the firm has looked at an investor's data, as the investor may read it: name, page, moment; no address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps

from investors.models import Document, Investor
from investors.operations import documents
from portal import audit, looking, redaction, scope
from portal.models import AuditEntry, User

MOST = 100
SOMEBODY = "somebody of our staff"


@dataclass(frozen=True)
class Viewed:
    """One visit."""

    at: datetime
    by: str
    page: str


LOOKS = (audit.SEEN, audit.UNMASKED, audit.LOOKED_AS, audit.SEEN_AS)
# Pages of staff that are called after what they list for them, and not after what they show of one person.
RECORDS = {"investors.investor": "your record", "portal.user": "your login"}


def views_of(investor: Investor, *, limit: int = MOST) -> list[Viewed]:
    """The newest visits first: pages with personal data, and files."""
    files = {str(each.pk): each for each in Document.objects.filter(investor=investor)}
    pages = audit.entries_of(investor).filter(action__in=LOOKS)
    papers = AuditEntry.objects.filter(
        subject_kind=Document._meta.label_lower, subject_id__in=list(files), action=documents.SEEN
    )
    entries = [*pages.order_by("-id")[:limit], *papers.order_by("-id")[:limit]]
    names = _names(entry.actor for entry in entries)
    found = [Viewed(entry.at, names.get(entry.actor, SOMEBODY), _what(entry, files)) for entry in entries]
    return sorted(found, key=lambda each: each.at, reverse=True)[:limit]


def _names(actors: Iterable[str]) -> dict[str, str]:
    """`user:7` -> the person's name. An investor's connection sees no staff, so this looks wider, at names only."""
    ids = {int(actor[5:]) for actor in actors if actor.startswith("user:") and actor[5:].isdigit()}
    if not ids:
        return {}
    with scope.scope(scope.ALL):
        people = list(User.objects.filter(pk__in=ids).only("first_name", "last_name"))
    return {f"user:{each.pk}": each.get_full_name() or SOMEBODY for each in people}


def _what(entry: AuditEntry, files: dict[str, Document]) -> str:
    if entry.subject_kind == Document._meta.label_lower:
        return f"your {files[entry.subject_id].get_kind_display()}"
    if entry.action == audit.UNMASKED:
        return "your PAN, contacts and address in full"
    if entry.action == audit.LOOKED_AS:
        return f"your pages, as you see them: {redaction.text(entry.reason)}"
    if entry.action == audit.SEEN_AS:
        return f"{looking.PAGES.get(entry.data.get('page', ''), 'one of your pages')}, as you see it"
    page = entry.data.get("page", "")
    try:
        return RECORDS.get(page) or f"your {apps.get_model(page)._meta.verbose_name_plural}"
    except (LookupError, ValueError):
        return "your record"
