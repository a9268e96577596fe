"""Named reads of shares, their prices and the watchlist. Writes nothing."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from investors.models import Investor
from orders.models import Security, WatchedShare

FOUND_LIMIT = 25
SHORTEST = 2


def share(isin: str) -> Security | None:
    """A share by ISIN, with quote and depth, also one that is no longer listed."""
    return Security.objects.select_related("quote", "depth").filter(isin=isin.upper()).first()


def find(text: str) -> list[Security]:
    """Listed shares by symbol, part of the name or ISIN; what begins with the text first. At most `FOUND_LIMIT`."""
    if len(text) < SHORTEST:
        return []
    fits = Q(symbol__istartswith=text) | Q(name__icontains=text) | Q(isin__iexact=text)
    rank = Case(
        When(Q(symbol__iexact=text) | Q(isin__iexact=text), then=Value(0)),
        When(Q(symbol__istartswith=text) | Q(name__istartswith=text), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    found = Security.objects.filter(fits, is_active=True).annotate(rank=rank).order_by("rank", "name")
    return list(found.select_related("quote")[:FOUND_LIMIT])


def watched(investor: Investor) -> QuerySet[WatchedShare]:
    """The investor's watchlist in its order, with prices."""
    return WatchedShare.objects.filter(investor=investor).select_related("security__quote").order_by("position")


def is_watched(investor: Investor, security: Security) -> bool:
    """Does the investor watch this share?"""
    return WatchedShare.objects.filter(investor=investor, security=security).exists()
