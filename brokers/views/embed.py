"""The Invest button on partners' sites: the script, the page in its frame, and the link. See `brokers/embeds.py`."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from brokers import embeds, registry
from orders import market
from orders.queries import schemes as scheme_queries
from portal import clock
from portal.access import ANYONE, access

LONGEST_TOKEN = 400


def _read(request: HttpRequest) -> embeds.Embedded:
    return embeds.read(request.GET.get("token", "")[:LONGEST_TOKEN], at=clock.now())


@require_safe
@cache_control(public=True, max_age=3600)
@access(ANYONE)
def script(request: HttpRequest) -> HttpResponse:
    """The one script tag: puts the frame beside itself. It is the same for everybody."""
    response = render(request, "brokers/embed/invest.js", content_type="text/javascript; charset=utf-8")
    # Meant for the pages of others.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@require_safe
@never_cache
@access(ANYONE)
def frame(request: HttpRequest) -> HttpResponse:
    """The button with what it is about, for the frame of one origin. Nothing in it is anybody's."""
    try:
        found = _read(request)
    except embeds.NotGood as refusal:
        return render(request, "brokers/embed/not_good.html", {"why": refusal.message}, status=404)
    context = {
        "found": found,
        "token": request.GET["token"],
        "market": market.hours(clock.now(), scheme_queries.holidays()),
        "routes": registry.capabilities(),
    }
    return _framed(render(request, "brokers/embed/frame.html", context), found.origin)


def _framed(response: HttpResponse, origin: str) -> HttpResponse:
    """Framed by this origin and no other. X-Frame-Options cannot name one, so it is left out."""
    response._csp_replace = {"frame-ancestors": [origin]}  # type: ignore[attr-defined]
    return xframe_options_exempt(lambda _: response)(None)


@require_safe
@never_cache
@access(ANYONE)
def go(request: HttpRequest) -> HttpResponse:
    """To our own page of the basket, where one signs in and invests."""
    try:
        found = _read(request)
    except embeds.NotGood as refusal:
        messages.info(request, refusal.message)
        return redirect("orders:baskets")
    if not found.is_newest:
        messages.info(
            request,
            f"The button that you pressed was made for version {found.version_number} of this basket. What you see "
            f"here is version {found.shown.version.number}, the newest.",
        )
    return redirect("brokers:invest", slug=found.shown.basket.slug)
