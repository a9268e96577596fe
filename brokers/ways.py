"""How the browser gets to each broker once the journey is prepared there."""

from __future__ import annotations

from csp.constants import SELF
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from brokers import queries
from brokers.adapter import Prepared
from brokers.smallcase.client import client as smallcase
from orders.models import BasketOrder
from portal import clock


def onward(order: BasketOrder, prepared: Prepared) -> HttpResponse:
    """To the broker's own page, or to ours with the broker's window in it.

    The address of a broker's page carries a session, so it must not travel onward as a referrer.
    """
    if not prepared.page_url:
        return redirect("brokers:window", code=order.code)
    response = redirect(prepared.page_url)
    response["Referrer-Policy"] = "no-referrer"
    return response


def smallcase_window(request: HttpRequest, order: BasketOrder) -> HttpResponse:
    """Our page with smallcase's window: the one page on which a script and a frame of theirs may run."""
    account = queries.account_for(order)
    context = {
        "order": order,
        "sdk_url": settings.SMALLCASE_SDK_URL,
        "gateway": settings.SMALLCASE_GATEWAY,
        "token": smallcase().token(account.account_ref if account else "", clock.now()),
        "transaction_id": order.provider_ref,
        "brokers": account.house if account else "",
    }
    response = render(request, "brokers/smallcase_window.html", context)
    origins = [settings.SMALLCASE_SDK_ORIGIN]
    response._csp_update = {"script-src": origins, "frame-src": [SELF, *origins], "connect-src": origins}  # type: ignore[attr-defined]
    response["Referrer-Policy"] = "no-referrer"
    return response
