"""The portfolio and one holding: what it is worth, by which NAV, and what is still on its way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.safestring import SafeString
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from investors.access import InvestorRequest, investor_page
from orders import calendar, returns
from orders.lots import open_lots
from orders.models import Scheme
from orders.queries import portfolio as queries
from orders.queries import schemes as scheme_queries
from orders.queries.portfolio import Portfolio, Position, Totals
from orders.views import figures, holdings_table
from portal import clock, money, release

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
@cache_control(private=True, no_cache=True)
@investor_page
def portfolio(request: InvestorRequest) -> HttpResponse:
    """Value, invested, gain, day change, XIRR, holdings, allocation. Answers 304 while nothing in it has changed."""
    at = clock.now()
    text = queries.read(investor_id=request.investor.pk)
    tag = _tag(request, text, at)
    unchanged = get_conditional_response(request, etag=tag)
    if unchanged is not None:
        return unchanged
    response = render(request, "orders/portfolio.html", _context(request, queries.portfolio_from(text, at=at), at))
    if tag:
        response["ETag"] = tag
    return response


def _tag(request: InvestorRequest, text: str, at: datetime) -> str | None:
    """The ETag: what is shown, for whom, on which day, in which look, by which release.

    None while a message waits to be shown: then the page is not the one that the browser has.
    """
    if len(get_messages(request)):
        return None
    due = returns.newest_nav_due(at, scheme_queries.holidays())
    look = [request.COOKIES.get(name, "") for name in (settings.CSRF_COOKIE_NAME, "theme")]
    parts = (text, request.user.pk, at.date(), due, look, release.digest())
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def _context(request: InvestorRequest, book: Portfolio, at: datetime) -> dict[str, Any]:
    sort, by = request.GET.get("sort", "value"), request.GET.get("by", "asset")
    sort, by = sort if sort in SORTS or sort == BY_NAME else "value", by if by in SPLITS else "asset"
    return {
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


def rows(positions: list[Position], sort: str) -> SafeString:
    """The table's body in the wished order."""
    if sort != BY_NAME:
        key = SORTS[sort][1]
        positions = sorted(positions, key=lambda each: (key(each) is not None, key(each) or 0), reverse=True)
    return holdings_table.rows(positions, reverse("orders:holding", args=["ISIN"]))


def summary(totals: Totals, *, at: datetime, is_one: bool = False) -> dict[str, Any]:
    """The figures at the top, each with its "as of". Also shown on the home page. `is_one`: of one fund."""
    by_navs = f"by the {'NAV' if is_one else 'NAVs'} of {figures.days_between(totals.nav_days)}"
    return {
        "value": figures.hero_rupees(totals.value),
        "value_exact": money.rupees(totals.value),
        "value_note": by_navs,
        "is_one": is_one,
        "tiles": [_day_tile(totals), _invested_tile(totals, at), _gain_tile(totals), _rate_tile(totals)],
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
        note = f"{percent}, {_day_in_words(totals)}"
    return {
        "term": "day change",
        "label": "Day change",
        "kind": shown.kind,
        "text": shown.text,
        "exact": figures.signed_rupees(totals.day_change).text,
        "note": note,
    }


def _day_in_words(totals: Totals) -> str:
    """From which NAV to which; where funds stand at different days, each says its own in its row."""
    if totals.day_from is None or totals.day_to is None:
        return figures.NOTHING
    if len({*totals.day_from}) == len({*totals.day_to}) == 1:
        return f"{calendar.short(totals.day_from[1])} to {calendar.short(totals.day_to[1])}"
    return f"each fund from the NAV before its last, the newest of {calendar.short(totals.day_to[1])}"


def _invested_tile(totals: Totals, at: datetime) -> dict[str, Any]:
    return {
        "label": "Invested",
        "kind": "",
        "text": money.rupees_short(totals.invested),
        "exact": money.rupees(totals.invested),
        "note": f"in units held on {calendar.short(at.date())}",
    }


def _gain_tile(totals: Totals) -> dict[str, Any]:
    shown = figures.signed_short(totals.gain)
    return {
        "term": "absolute return",
        "label": "Gain",
        "kind": shown.kind,
        "text": shown.text,
        "exact": figures.signed_rupees(totals.gain).text,
        "note": f"{figures.signed_percent(totals.gain_percent).text} by the same NAVs",
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
    book = queries.portfolio_of(investor_id=investor_id, at=at, isin=isin)
    if not book.positions:
        raise Http404
    position = book.positions[0]
    scheme = Scheme.objects.get(isin=isin)
    found = queries.lots(
        investor_id=investor_id, isin=isin, before=_cursor(request.GET.get("before", "")), limit=LOTS_PER_PAGE + 1
    )
    shown, today = found[:LOTS_PER_PAGE], at.date()
    left = {each.transaction_id: each for each in open_lots(investor_id=investor_id, scheme_id=scheme.pk)}
    context = {
        "position": position,
        "can_be_sold": scheme.redemption_allowed,
        "not_for_sale": scheme_queries.why_not_for_sale(scheme, today),
        "summary": summary(book.totals, at=at, is_one=True) if position.units and book.totals.nav_days else None,
        "row": figures.position(position),
        "average": f"₹{money.number(position.invested / position.units, 4)}" if position.units else figures.NOTHING,
        "since": calendar.short(position.first_bought_on),
        "held_for": figures.length((today - position.first_bought_on).days),
        "lots": [
            figures.lot_row(lot, left.get(lot.pk), nav=position.nav, today=today, lock_in_years=scheme.lock_in_years)
            for lot in shown
        ],
        "older": f"{shown[-1].on.isoformat()}_{shown[-1].pk}" if len(found) > LOTS_PER_PAGE else "",
        "flight": flight(book),
    }
    return render(request, "orders/holding.html", context)


def _cursor(text: str) -> tuple[date, int] | None:
    """`2026-11-20_123` -> the day and id to continue after; anything else starts at the newest."""
    day, _, pk = text.partition("_")
    try:
        return date.fromisoformat(day), int(pk)
    except ValueError:
        return None
