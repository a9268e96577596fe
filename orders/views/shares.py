"""Finding a share, a share's page, and the watchlist. Prices are everybody's; the list is its owner's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from investors.access import InvestorRequest, investor_of, investor_page
from orders import market
from orders.models import Security
from orders.operations import quotes, watchlist
from orders.queries import quotes as queries
from orders.queries import schemes as scheme_queries
from orders.views import prices
from portal import clock
from portal.access import ANYONE, access
from portal.errors import Failure

LONGEST_QUERY = 60
# Seconds between two looks of an open page; a page in a hidden tab does not look at all (behaviours.js).
LOOK_EVERY_S = {True: 5, False: 60}


def _market(at: datetime) -> dict[str, Any]:
    hours = market.hours(at, scheme_queries.holidays())
    return {"market": hours, "look_every_s": LOOK_EVERY_S[hours.is_open]}


@require_safe
@access(ANYONE)
def search(request: HttpRequest) -> HttpResponse:
    """Shares by name, symbol or ISIN."""
    text = request.GET.get("q", "").replace("\x00", "")[:LONGEST_QUERY].strip()
    found = [{"share": each, "price": prices.of(each)} for each in queries.find(text)]
    context = {"text": text, "rows": found, "too_short": 0 < len(text) < queries.SHORTEST, "limit": queries.FOUND_LIMIT}
    page = "orders/_share_rows.html" if request.headers.get("HX-Request") else "orders/shares.html"
    response = render(request, page, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@never_cache
@access(ANYONE)
def share(request: HttpRequest, isin: str) -> HttpResponse:
    """One share: price, day, limits, order book, and the way to buy or sell it."""
    found, at = queries.share(isin), clock.now()
    if found is None:
        raise Http404
    investor = investor_of(request) if request.user.is_authenticated else None
    if found.is_active:
        quotes.want(security_ids=[found.pk], at=at, investor_id=investor.pk if investor else None, depth=True)
    context = {
        "share": found,
        "price": prices.of(found, unread=quotes.rests(investor.pk if investor else None)),
        "book": prices.book(found),
        **_market(at),
    }
    if request.headers.get("HX-Request"):
        return render(request, "orders/_quote.html", context)
    context["is_watched"] = queries.is_watched(investor, found) if investor else False
    context["investor"] = investor
    return render(request, "orders/share.html", context)


# --- The watchlist ----------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@never_cache
@investor_page
def watched(request: InvestorRequest) -> HttpResponse:
    """The shares that the investor keeps an eye on. A POST adds, removes or moves one."""
    if request.method == "POST":
        return _changed(request)
    at, investor = clock.now(), request.investor
    rows = [each.security for each in queries.watched(investor)]
    quotes.want(security_ids=[each.pk for each in rows if each.is_active], at=at, investor_id=investor.pk)
    context = {"rows": _rows(rows), "why_old": _why_old(rows), **_market(at)}
    page = "orders/_watchlist.html" if request.headers.get("HX-Request") else "orders/watchlist.html"
    return render(request, page, context)


def _rows(shares: list[Security]) -> list[dict[str, Any]]:
    return [{"share": each, "price": prices.of(each)} for each in shares]


def _why_old(shares: list[Security]) -> str:
    """Why prices are old, said once for the whole list."""
    return next((why for each in shares if (why := prices.of(each).why_old)), "")


def _changed(request: InvestorRequest) -> HttpResponse:
    act, found = watchlist.ACTS.get(request.POST.get("act", "")), queries.share(request.POST.get("isin", "")[:12])
    if act is None or found is None:
        raise Http404
    try:
        act(investor=request.investor, security=found, at=clock.now())
    except Failure as refusal:
        messages.warning(request, refusal.message)
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """To where the button stood, if that is a page of ours."""
    wanted = request.POST.get("back", "")
    fits = wanted.startswith("/shares/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if fits else "orders:watchlist"
