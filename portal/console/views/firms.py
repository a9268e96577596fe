"""Firms that work through this one: sums of their books, and the way to bring another firm."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import clock, typed
from portal.api import firms
from portal.console import queries
from portal.console.access import ConsoleRequest, console_page
from portal.console.forms import FirmForm
from portal.errors import Failure

# Requests that were decided stay on the page; these are shown of them.
MOST_REQUESTS = 30
TONES = {"ASKED": "waiting", "TAKEN": "done", "REFUSED": "failed", "WITHDRAWN": "neutral"}


@require_safe
@never_cache
@console_page
def listed(request: ConsoleRequest) -> HttpResponse:
    """Every firm beneath this one with its sums, and the firms that were asked for."""
    today = clock.today()
    context = {
        "rows": [(each, each.has_ended(today)) for each in queries.books_beneath()],
        "asked": [(row, TONES[row.state]) for row in queries.firm_requests_of(request.partner)[:MOST_REQUESTS]],
    }
    return render(request, "console/firms.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@console_page
def ask(request: ConsoleRequest) -> HttpResponse:
    """Which firm shall work through this one; a person at the distributor decides."""
    if request.method == "POST":
        return _asked(request, FirmForm(request.POST))
    back = typed.kept(request, once=True)
    form = FirmForm(back.data if back else None)
    if back:
        back.show_in(form)
    return render(request, "console/firm_ask.html", {"form": form})


def _asked(request: ConsoleRequest, form: FirmForm) -> HttpResponse:
    if not form.is_valid():
        return typed.again(request)
    try:
        row = firms.ask(head=request.partner, **form.cleaned_data, actor=request.user, at=clock.now())
    except Failure as refusal:
        return typed.again(request, errors={"": refusal.message})
    messages.success(request, f"We look at {row.name} and answer here, in ten working days at most.")
    return redirect("console:firms")


@require_POST
@console_page
def withdraw(request: ConsoleRequest, code: str) -> HttpResponse:
    """The firm is no longer asked for."""
    row = queries.firm_requests_of(request.partner).filter(code=code).first()
    if row is None:
        raise Http404
    try:
        firms.withdraw(request=row, actor=request.user, at=clock.now())
        messages.success(request, f"You no longer ask for {row.name}.")
    except firms.DecidedAlready as refusal:
        messages.error(request, refusal.message)
    return redirect("console:firms")
