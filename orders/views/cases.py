"""Cases as their investor sees them: the list, one with what was written about it, and a question about an order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from investors import case_queries
from investors.access import InvestorRequest, investor_page
from investors.case_queries import Seen
from investors.operations import shown_cases
from orders import payment_failures
from orders.case_forms import MessageForm
from orders.operations import questions
from orders.queries import investor_cases
from orders.queries import orders as order_queries
from orders.queries import schemes as scheme_queries
from portal import audit, clock, identifiers, typed
from portal.errors import Failure
from portal.models import User


def card(seen: Seen, holidays: frozenset[date]) -> dict[str, Any]:
    """A case as `_case_cards.html` shows it, with the day by which we mean to settle it."""
    opened_on = seen.opened_at.astimezone(clock.IST).date()
    # No rule sets a date: it is what we promise for money that must come back.
    by = payment_failures.clock(method="NETBANKING", failed_on=opened_on, today=clock.today(), holidays=holidays)
    return {"seen": seen, "by": by.in_words, "is_over": by.is_over}


def cards(found: list[Seen]) -> list[dict[str, Any]]:
    """Cases as the page of what they are about shows them."""
    holidays = scheme_queries.holidays() if found else frozenset()
    return [card(each, holidays) for each in found]


@require_safe
@never_cache
@investor_page
def case_list(request: InvestorRequest) -> HttpResponse:
    """All cases, the newest first, with what they are about and whether somebody still works on them."""
    before = identifiers.row_key(request.GET.get("before", ""))
    found, next_one = case_queries.page(request.investor, before=before)
    context = {
        "cases": found,
        "next_url": f"?{urlencode({'before': next_one})}" if next_one else "",
        "first_url": "?" if before else "",
    }
    return render(request, "orders/cases/list.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@investor_page
def case(request: InvestorRequest, code: str) -> HttpResponse:
    """One case: what happened, what we do, by when, and what was written; while it is open, one can write."""
    seen = case_queries.one(request.investor, code)
    if seen is None:
        raise Http404
    if request.method == "POST":
        return _sent(request, lambda text, ref: _write(request, seen, text, ref))
    context = {**card(seen, scheme_queries.holidays()), "form": _form(request) if seen.is_open else None}
    return render(request, "orders/cases/case.html", context)


def _write(request: InvestorRequest, seen: Seen, text: str, form_ref: str) -> str:
    shown_cases.write(row=seen.row, text=text, form_ref=form_ref, author=_person(request), at=clock.now())
    return seen.code


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@investor_page
def ask(request: InvestorRequest, code: str) -> HttpResponse:
    """A question about an order of one's own. Where a case about it is open, that one is gone on with."""
    order = order_queries.one(request.investor.pk, code)
    if order is None:
        raise Http404
    if request.method == "POST":

        def act(text: str, form_ref: str) -> str:
            return questions.ask(
                order=order, text=text, form_ref=form_ref, author=_person(request), at=clock.now()
            ).code

        return _sent(request, act)
    open_cases = investor_cases.of_order(order, audit.story_of(order))
    if open_cases:
        return redirect("orders:case", open_cases[0].code)
    return render(request, "orders/cases/ask.html", {"order": order, "form": _form(request)})


def _form(request: InvestorRequest) -> MessageForm:
    back = typed.kept(request, once=True)
    form = MessageForm(back.data if back else None, initial={"form_ref": identifiers.new_client_ref()})
    return back.show_in(form) if back else form


def _sent(request: InvestorRequest, act: Callable[[str, str], str]) -> HttpResponse:
    """A valid message is kept once and leads to its case; anything else comes back as it was typed."""
    form = MessageForm(request.POST)
    if not form.is_valid():
        return typed.again(request)
    try:
        code = act(form.cleaned_data["text"], form.cleaned_data["form_ref"])
    except Failure as failure:
        return typed.again(request, errors={"text": failure.message})
    messages.success(request, "Your message is with us. We write to you when we have answered.")
    return redirect("orders:case", code)


def _person(request: InvestorRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - `investor_page` lets nobody else in
    return request.user
