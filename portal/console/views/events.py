"""The event feed as a page: what happened, with its number, and counts and hashes by day."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from portal import identifiers
from portal.console.access import ConsoleRequest, console_page
from portal.webhooks import feed
from portal.webhooks.models import KINDS, LABELS

PAGE_SIZE = 50
DAYS = 31


@require_safe
@never_cache
@console_page
def listed(request: ConsoleRequest) -> HttpResponse:
    """Events, newest first; by kind, and before a number."""
    kind, before = request.GET.get("kind", ""), identifiers.row_key(request.GET.get("before", ""))
    rows = feed.of_partner(request.partner.pk).order_by("-seq")
    if kind in KINDS:
        rows = rows.filter(kind=kind)
    found = list((rows.filter(seq__lt=before) if before else rows)[: PAGE_SIZE + 1])
    context = {
        "rows": found[:PAGE_SIZE],
        "kinds": [("", "All"), *LABELS.items()],
        "kind": kind,
        "next_url": f"?kind={kind}&before={found[PAGE_SIZE - 1].seq}" if len(found) > PAGE_SIZE else "",
        "first_url": f"?kind={kind}" if before else "",
        "days": list(feed.days(request.partner.pk)[:DAYS]) if not before else [],
    }
    return render(request, "console/events.html", context)


@require_safe
@never_cache
@console_page
def one(request: ConsoleRequest, code: str) -> HttpResponse:
    """One event as the feed shows it, and to whom it was sent."""
    event = feed.of_partner(request.partner.pk).filter(code=code).first()
    if event is None:
        raise Http404
    deliveries = event.deliveries.select_related("endpoint").order_by("pk")
    return render(request, "console/event.html", {"event": event, "shown": feed.shown(event), "deliveries": deliveries})
