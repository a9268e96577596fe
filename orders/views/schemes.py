"""Finding a fund, and a fund's page. Open to everybody: what is shown is public, except what the visitor holds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from investors.access import investor_of
from orders import calendar, performance, risk, rules
from orders.models import MfOrder, Scheme
from orders.operations import nav_fetch, plans
from orders.queries import schemes as queries
from orders.queries import search
from orders.views import figures, fund_rows
from portal import clock
from portal.access import ANYONE, access

LONGEST_QUERY = 100
# Fewer points than this are no line: then the past is asked for.
LEAST_POINTS = 30
SEES_ALL = "1"
NO_SWITCHES = "not from here: the order system has no way to make one; sell and buy instead"


# --- Explore --------------------------------------------------------------------------------------------------------


@require_safe
@access(ANYONE)
def explore(request: HttpRequest) -> HttpResponse:
    """The list of funds: filters in the address, the list alone for htmx."""
    wanted, is_part = _wanted(request.GET), bool(request.headers.get("HX-Request"))
    page = search.search(wanted, cursor=request.GET.get("at", ""))
    context = {
        "wanted": wanted,
        "rows": fund_rows.rows(page.funds),
        "count": len(page.funds),
        "read_as": page.read_as,
        "previous_url": _address(wanted, page.before, page.read_as) if page.before else "",
        "next_url": _address(wanted, page.after, page.read_as) if page.after else "",
        "clear_url": reverse("orders:explore"),
        "everything_url": ""
        if wanted.sees_all
        else f"{_address(wanted)}{'&' if _filters(wanted) else '?'}all={SEES_ALL}",
        "is_filtered": bool(_filters(wanted)),
    }
    if is_part:
        response = render(request, "orders/_fund_rows.html", context)
        response["HX-Replace-Url"] = _address(wanted)
    else:
        response = render(request, "orders/explore.html", context | _offered(wanted))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _wanted(query: QueryDict) -> search.Wanted:
    """The filters in an address; what nobody of us wrote does not filter."""
    asset_class, option, house = query.get("class", ""), query.get("option", ""), query.get("house", "")
    return search.Wanted(
        text=query.get("q", "").replace("\x00", "")[:LONGEST_QUERY].strip(),
        asset_class=asset_class if asset_class in Scheme.AssetClass.values else "",
        category=query.get("category", "").replace("\x00", "")[:80],
        fund_house=int(house) if house.isascii() and house.isdigit() and len(house) < 10 else None,
        option=option if option in Scheme.Option.values else "",
        everything=query.get("all") == SEES_ALL,
    )


def _filters(wanted: search.Wanted) -> dict[str, str]:
    """What goes into the address: only what filters."""
    named = {
        "q": wanted.text,
        "class": wanted.asset_class,
        "category": wanted.category,
        "house": str(wanted.fund_house or ""),
        "option": wanted.option,
        "all": SEES_ALL if wanted.everything else "",
    }
    return {name: value for name, value in named.items() if value}


def _address(wanted: search.Wanted, cursor: str = "", read_as: str = "") -> str:
    query = _filters(wanted) | ({"at": cursor} if cursor else {}) | ({"q": read_as} if read_as else {})
    return reverse("orders:explore") + (f"?{urlencode(query)}" if query else "")


def _offered(wanted: search.Wanted) -> dict[str, Any]:
    """What the filters offer; a category that is chosen stays on offer whatever else is chosen."""
    choices = search.choices()
    return {
        "asset_classes": Scheme.AssetClass.choices,
        "options": Scheme.Option.choices,
        "fund_houses": choices.fund_houses,
        "categories": [(search.ASSET_CLASSES[kind], names) for kind, names in choices.categories.items()],
        "advanced": bool(_filters(wanted).keys() - {"q"}),
    }


# --- One scheme -----------------------------------------------------------------------------------------------------


@require_safe
@access(ANYONE)
def scheme(request: HttpRequest, isin: str) -> HttpResponse:
    """A fund's page; for htmx the chart alone, while its past is being fetched."""
    found = queries.one(isin)
    if found is None:
        raise Http404
    series = queries.navs_of(found)
    waits = (
        len(series) < LEAST_POINTS and found.amfi_code is not None and nav_fetch.want_past(amfi_code=found.amfi_code)
    )
    context: dict[str, Any] = {"scheme": found, "past": _past(found, series), "waits": waits}
    if request.headers.get("HX-Request"):
        response = render(request, "orders/_nav_history.html", context)
    else:
        response = render(request, "orders/scheme.html", context | _about(found) | _for_visitor(request, found))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _past(found: Scheme, series: list[tuple[date, Decimal]]) -> dict[str, Any] | None:
    """The chart and the returns; None when there is no line to draw."""
    if len(series) < 2:
        return None
    first, last = series[0][0], series[-1][0]
    points = [[day.isoformat(), float(nav)] for day, nav in series]
    # The NAV of an IDCW option falls by what it pays out, so it does not tell what an investor earned.
    tells = found.option == Scheme.Option.GROWTH
    return {
        "chart": {"kind": "line", "unit": "nav", "range": "1y", "series": [{"name": "NAV", "points": points}]},
        "span": f"{calendar.short(first)} to {calendar.short(last)}",
        "tells": tells,
        "returns": [_return(each) for each in performance.returns(series)] if tells else [],
    }


def _return(each: performance.Return) -> dict[str, Any]:
    return {
        "label": "1 year" if each.years == 1 else f"{each.years} years, a year",
        "change": figures.signed_percent(each.percent),
        "span": f"{calendar.short(each.from_on)} to {calendar.short(each.to_on)}",
    }


def _about(found: Scheme) -> dict[str, Any]:
    """What is true for every visitor."""
    level = risk.usual(found.category)
    change = figures.change_of_day(found.nav, found.nav_on, found.previous_nav, found.previous_nav_on)
    return {
        "about": " · ".join(
            part for part in (found.category, found.get_plan_display(), found.get_option_display()) if part
        ),
        "why_not": queries.why_not_for_sale(found, clock.today()),
        "has_change": change is not None,
        "nav_change": figures.signed_percent(change),
        "risk_level": level or "",
        "risk_note": f"{risk.NOTE} Table of {calendar.short(risk.AS_OF)}." if level else "",
        "first_bounds": queries.bounds_for(found, True).in_words,
        "more_bounds": queries.bounds_for(found, False).in_words,
        "lock_in": rules.lock_in_words(found.lock_in_years),
        "allowed": _allowed(found),
    }


def _allowed(found: Scheme) -> list[tuple[str, bool, str]]:
    """(order type, whether FP takes it, a remark): what FP allows, also beyond what this site offers today."""
    sip = f"from {rules.rupees(found.min_sip)} an instalment" if found.min_sip else ""
    return [
        ("One-time purchase", found.purchase_allowed, ""),
        ("SIP", found.sip_allowed, sip if found.sip_allowed else ""),
        ("Redemption", found.redemption_allowed, "after the lock-in" if found.lock_in_years else ""),
        ("Instant redemption", found.instant_redemption_allowed, ""),
        ("Switch into this fund", found.switch_in_allowed, NO_SWITCHES if found.switch_in_allowed else ""),
    ]


def _for_visitor(request: HttpRequest, found: Scheme) -> dict[str, Any]:
    """What depends on who looks and when: the next cut-off, and what they hold."""
    investor = investor_of(request) if request.user.is_authenticated else None
    held = queries.held_by(investor, found) if investor else None
    may_sip = not plans.why_not(found, clock.today())
    return {"held": held, "cutoff": _cutoff(found), "may_sip": may_sip} | _gain(held)


def _gain(held: queries.Held | None) -> dict[str, Any]:
    if held is None or held.value is None:
        return {}
    return {"held_gain": figures.signed_rupees(held.value - held.invested)}


def _cutoff(found: Scheme) -> dict[str, Any] | None:
    """By when a purchase must be paid for which NAV; None where nothing is sold."""
    if queries.why_not_for_sale(found, clock.today()):
        return None
    now = clock.now()
    predicted = rules.predict_nav_day(
        at=now,
        category=found.category,
        method=MfOrder.PaymentMethod.UPI,
        holidays=queries.holidays(),
        book=queries.book(),
    )
    day, by = predicted.pay_before.date(), f"{predicted.pay_before:%H:%M}"
    when = f"{by} today" if day == now.date() else f"{by} on {calendar.in_words(day)}"
    return {
        "title": f"Buy before {when}",
        "nav_on": calendar.in_words(predicted.nav_on),
        "allotment_by": calendar.in_words(predicted.allotment_by),
        "rule": predicted.rule,
        "is_certain": predicted.is_certain,
    }
