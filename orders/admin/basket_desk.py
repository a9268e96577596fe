"""The basket desk on the first page: who is stuck half-way by which route, what is to be repaired, who holds what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from unfold.contrib.filters.admin import RadioFilter

from orders import lifecycle
from orders.models import Basket, BasketChange, BasketOrder, BasketSubscription, BasketVersion
from orders.queries.missing import to_repair
from portal import clock
from portal.admin import home, show
from portal.admin.filters import stuck
from portal.field_words import words_of

# An investor who was taken to a broker confirms within the day; the exchange ends what was placed by the next evening.
PATIENCE = {lifecycle.HANDED_OVER: timedelta(hours=4), lifecycle.PLACED: timedelta(days=2)}
MOST_ROWS = 30
STATES = dict(BasketOrder.State.choices)


class RepairFilter(RadioFilter):
    """Journeys of which something is missing that nobody has ordered again."""

    title = "repair"
    parameter_name = "repair"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Something is missing, and nobody ordered it again")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(pk__in=to_repair(clock.now()).values("pk")) if self.value() == "1" else queryset


@home.part(order=35, permission="orders.view_basketorder")
def baskets_part(at: datetime) -> home.Part:
    """Two numbers, and three tables."""
    half_way, repairs = _half_way(at), _repairs(at)
    waiting = BasketChange.objects.filter(state=BasketChange.State.WAITING).count()
    drafts = BasketVersion.objects.filter(published_at__isnull=True).exclude(basket__state=lifecycle.ARCHIVED).count()
    stuck_count = sum(row["stuck"] for row in half_way)
    tiles = [
        home.Tile(
            "Share orders stuck half-way",
            str(stuck_count),
            "At a broker for longer than they should be." if stuck_count else "None stands longer than it should.",
            show.list_url(BasketOrder, "stuck=1"),
            "needs" if stuck_count else "done",
        ),
        home.Tile(
            "Baskets for a second person",
            str(waiting + drafts),
            f"{waiting} with other words, {drafts} drafted versions.",
            show.list_url(BasketChange, "state__exact=WAITING"),
            "needs" if waiting else "neutral",
        ),
    ]
    return home.Part(tiles, [_half_way_panel(half_way), _repair_panel(repairs), _followers_panel()])


def _half_way(at: datetime) -> list[dict[str, Any]]:
    found = BasketOrder.objects.filter(state__in=list(PATIENCE)).values("broker", "state")
    late = Count("pk", filter=stuck(PATIENCE, at))
    counts = found.annotate(open=Count("pk"), stuck=late, oldest=Min("state_since")).order_by("broker", "state")
    return [dict(row) for row in counts]


def _half_way_panel(rows: list[dict[str, Any]]) -> home.Panel:
    cells = [
        [words_of(row["broker"]), STATES[row["state"]], str(row["open"]), str(row["stuck"]), show.since(row["oldest"])]
        for row in rows
    ]
    columns = ("Route", "State", "Open", "Longer than they should be", "Oldest for")
    url = show.list_url(BasketOrder, "stuck=1")
    return home.Panel("Share orders at brokers", columns, cells, "No order is at a broker.", url)


def _repairs(at: datetime) -> list[dict[str, Any]]:
    found = to_repair(at).values("broker").annotate(count=Count("pk"), oldest=Min("state_since"))
    return [dict(row) for row in found.order_by("broker")]


def _repair_panel(rows: list[dict[str, Any]]) -> home.Panel:
    cells = [[words_of(row["broker"]), str(row["count"]), show.since(row["oldest"])] for row in rows]
    url = show.list_url(BasketOrder, "repair=1")
    empty = "Nothing is missing that nobody ordered again."
    return home.Panel("To be repaired", ("Route", "Orders", "Oldest for"), cells, empty, url)


def _followers_panel() -> home.Panel:
    """One statement: live followers by basket and version, with how many wait to be told."""
    newest = BasketVersion.objects.filter(basket=OuterRef("basket"), published_at__isnull=False)
    untold = Q(told_of__lt=Subquery(newest.order_by("-number").values("number")[:1]))
    live = BasketSubscription.objects.filter(ended_at__isnull=True, basket__state=lifecycle.PUBLISHED)
    counts = live.values("basket__name", "version__number").annotate(
        holders=Count("pk"), untold=Count("pk", filter=untold)
    )
    rows = [
        [row["basket__name"], str(row["version__number"]), str(row["holders"]), str(row["untold"])]
        for row in counts.order_by("basket__name", "-version__number")[:MOST_ROWS]
    ]
    columns = ("Basket", "Version", "Investors", "Not told of the newest yet")
    return home.Panel("Who holds baskets", columns, rows, "Nobody holds a basket.", show.list_url(Basket))


def followers_in_words(basket: Basket) -> str:
    """`12 at version 2, 3 at version 1; 3 were not told of the newest yet`."""
    live = BasketSubscription.objects.filter(basket=basket, ended_at__isnull=True)
    counts = live.values_list("version__number").annotate(count=Count("pk")).order_by("-version__number")
    words = ", ".join(f"{count} at version {number}" for number, count in counts)
    newest = basket.versions.filter(published_at__isnull=False).order_by("-number").first()
    untold = live.filter(told_of__lt=newest.number).count() if newest else 0
    late = f"; {untold} not told of version {newest.number} yet" if untold and newest else ""
    return f"{words}{late}" if words else "Nobody holds it."
