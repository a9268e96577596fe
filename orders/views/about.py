"""Who the distributor is and how it is paid, where to complain, and the terms of use: what an AMFI-registered
distributor has to show (providers.md 6.5)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from investors.declarations import EXECUTION_ONLY
from orders.queries import search
from portal.access import ANYONE, access
from portal.terms import IN_FORCE_SINCE


@require_safe
@access(ANYONE)
def about(request: HttpRequest) -> HttpResponse:
    """Registration, what is done and not done here, commission, fund houses dealt with, help and complaints."""
    houses = [name for _, name in search.choices().fund_houses]
    return render(request, "about.html", {"fund_houses": houses, "execution_only": EXECUTION_ONLY})


@require_safe
@access(ANYONE)
def terms(request: HttpRequest) -> HttpResponse:
    """What somebody who signs up agrees to."""
    return render(request, "terms.html", {"since": IN_FORCE_SINCE})
