"""The portfolio and one holding: what it is worth, by which NAV, and what is still on its way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from investors.access import InvestorRequest, investor_page
from orders import calendar
from orders.models import Scheme
from orders.queries import portfolio as queries
from orders.queries import schemes as scheme_queries
from orders.queries.portfolio import Portfolio, Position, Totals
from orders.views import figures
from portal import clock, money

LOTS_PER_PAGE = 50
# A chart and its legend stay readable with this many parts; smaller ones become "Others".
PARTS_SHOWN = 8

# key -> words, what to sort by; None sorts last. Names go upward, figures downward.
SORTS: dict[str, tuple[str, Callable[[Position], Decimal | None]]] = {
    "value": ("Value", lambda each: each.value),
    "invested": ("Invested", lambda each: each.invested),
    "gain": ("Gain", lambda each: each.gain),
    "gain-percent": ("Gain in percent", lambda each: each.gain_percent),
    "day": ("Day change", lambda each: each.day_change),
}
BY_NAME = "name"
SORT_WORDS = [*((key, words) for key, (words, _) in SORTS.items()), (BY_NAME, "Name")]

SPLITS: dict[str, tuple[str, Callable[[Position], str]]] = {
    "asset": ("Asset class", lambda each: each.asset_class),
    "house": ("Fund house", lambda each: each.fund_house),
    "category": ("Category", lambda each: each.category or "Other"),
}


@require_safe
@investor_page
def portfolio(request: InvestorRequest) -> HttpResponse:
    """Value, invested, gain, day change, XIRR, holdings, allocation."""
    at = clock.now()
    book = queries.portfolio_of(investor_id=request.investor.pk, at=at)
    sort = request.GET.get("sort", "value")
    by = request.GET.get("by", "asset")
    sort, by = sort if sort in SORTS or sort == BY_NAME else "value", by if by in SPLITS else "asset"
    context = {
        "summary": summary(book.totals, at=at) if book.totals.nav_days else None,
        "rows": rows(book.positions, sort),
        "unvalued": book.unvalued,
        "has_stale": any(each.is_stale for each in book.positions),
        "has_provisional": any(each.is_provisional for each in book.positions),
        "flight": flight(book),
        "sorts": SORT_WORDS,
        "sort": sort,
        "allocation": allocation(book.positions, by),
        "splits": [(key, words) for key, (words, _) in SPLITS.items()],
        "by": by,
    }
    return render(request, "orders/portfolio.html", context)


def rows(positions: list[Position], sort: str) -> list[dict[str, Any]]:
    """The table's rows in the wished order."""
    if sort != BY_NAME:
        key = SORTS[sort][1]
        positions = sorted(positions, key=lambda each: (key(each) is not None, key(each) or 0), reverse=True)
    # One address is resolved for all rows; an ISIN needs no escaping.
    place = reverse("orders:holding", args=["ISIN"])
    return [figures.position_row(each, place.replace("ISIN", each.isin)) for each in positions]


def summary(totals: Totals, *, at: datetime) -> dict[str, Any]:
    """The figures at the top, each with its "as of". Also shown on the home page."""
    by_navs = f"by NAVs of {figures.days_between(totals.nav_days)}"
    return {
        "value": figures.hero_rupees(totals.value),
        "value_exact": money.rupees(totals.value),
        "value_note": by_navs,
        "tiles": [_day_tile(totals), _invested_tile(totals, at), _gain_tile(totals, by_navs), _rate_tile(totals)],
        "invested": money.rupees(totals.invested),
        "gain": figures.signed_rupees(totals.gain),
        "gain_percent": figures.signed_percent(totals.gain_percent).text,
        "day": figures.signed_rupees(totals.day_change),
    }


def _day_tile(totals: Totals) -> dict[str, Any]:
    shown = figures.signed_short(totals.day_change)
    note = "no fund has a fresh NAV and one before it"
    if totals.day_change is not None:
        percent = figures.signed_percent(totals.day_change_percent).text
        note = f"{percent}, {figures.days_between(totals.day_from)} to {figures.days_between(totals.day_to)}"
    return {
        "term": "day change",
        "label": "Day change",
        "kind": shown.kind,
        "text": shown.text,
        "exact": figures.signed_rupees(totals.day_change).text,
        "note": note,
    }


def _invested_tile(totals: Totals, at: datetime) -> dict[str, Any]:
    return {
        "label": "Invested",
        "kind": "",
        "text": money.rupees_short(totals.invested),
        "exact": money.rupees(totals.invested),
        "note": f"in units held on {calendar.short(at.date())}",
    }


def _gain_tile(totals: Totals, by_navs: str) -> dict[str, Any]:
    shown = figures.signed_short(totals.gain)
    return {
        "term": "absolute return",
        "label": "Gain",
        "kind": shown.kind,
        "text": shown.text,
        "exact": figures.signed_rupees(totals.gain).text,
        "note": f"{figures.signed_percent(totals.gain_percent).text}, {by_navs}",
    }


def _rate_tile(totals: Totals) -> dict[str, Any]:
    return {"term": "XIRR", "label": "XIRR", "exact": "", **figures.rate(totals.rate)}


def flight(book: Portfolio) -> dict[str, Any] | None:
    """Money in flight: paid, not yet units, in no figure above."""
    if not book.in_flight:
        return None
    place = reverse("orders:detail", args=["CODE"])
    return {
        "total": money.rupees(sum((order.amount for order in book.in_flight), money.ZERO)),
        "orders": [figures.order_row(order, place.replace("CODE", order.code)) for order in book.in_flight],
    }


def allocation(positions: list[Position], by: str) -> dict[str, Any] | None:
    """The doughnut's data and its legend, the largest part first."""
    name_of = SPLITS[by][1]
    parts: dict[str, Decimal] = {}
    for each in positions:
        if each.value:
            parts[name_of(each)] = parts.get(name_of(each), money.ZERO) + each.value
    total = sum(parts.values(), money.ZERO)
    if not total:
        return None
    ordered = sorted(parts.items(), key=lambda part: part[1], reverse=True)
    if len(ordered) > PARTS_SHOWN:
        rest = ordered[PARTS_SHOWN - 1 :]
        others = sum((value for _, value in rest), money.ZERO)
        ordered = [*ordered[: PARTS_SHOWN - 1], (f"{len(rest)} others", others)]
    slices = [{"name": name, "value": float(value)} for name, value in ordered]
    return {
        "title": f"By {SPLITS[by][0].lower()}",
        "chart": {"kind": "doughnut", "unit": "rupees", "slices": slices},
        "legend": [(name, f"{money.number(value / total * 100, 2)}%") for name, value in ordered],
    }


# --- One holding ----------------------------------------------------------------------------------------------------


@require_safe
@investor_page
def holding(request: InvestorRequest, isin: str) -> HttpResponse:
    """What the investor holds of one scheme: figures, every purchase with its age and gain, what is on its way."""
    at, investor_id = clock.now(), request.investor.pk
    positions, flows = queries.held(investor_id=investor_id, at=at, isin=isin)
    if not positions:
        raise Http404
    position = positions[0]
    scheme = Scheme.objects.only("is_active", "plan", "is_close_ended", "purchase_allowed", "lock_in_years").get(
        pk=position.scheme_id
    )
    found = queries.lots(
        investor_id=investor_id, isin=isin, before=_cursor(request.GET.get("before", "")), limit=LOTS_PER_PAGE + 1
    )
    shown, totals = found[:LOTS_PER_PAGE], queries.totals(positions, flows)
    open_orders = queries.open_orders(investor_id=investor_id, isin=isin)
    today = at.date()
    context = {
        "position": position,
        "not_for_sale": scheme_queries.why_not_for_sale(scheme),
        "summary": summary(totals, at=at) if position.units and totals.nav_days else None,
        "row": figures.position_row(position, ""),
        "average": f"₹{money.number(position.invested / position.units, 4)}" if position.units else figures.NOTHING,
        "since": calendar.short(position.first_bought_on),
        "held_for": figures.length((today - position.first_bought_on).days),
        "lots": [
            figures.lot_row(lot, nav=position.nav, today=today, lock_in_years=scheme.lock_in_years) for lot in shown
        ],
        "older": f"{shown[-1].on.isoformat()}_{shown[-1].pk}" if len(found) > LOTS_PER_PAGE else "",
        "flight": flight(Portfolio(positions, totals, open_orders)),
    }
    return render(request, "orders/holding.html", context)


def _cursor(text: str) -> tuple[date, int] | None:
    """`2026-11-20_123` -> the day and id to continue after; anything else starts at the newest."""
    day, _, pk = text.partition("_")
    try:
        return date.fromisoformat(day), int(pk)
    except ValueError:
        return None
