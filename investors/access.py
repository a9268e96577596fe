"""The door of every investor page: who is signed in, as an investor."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from investors.models import Investor
from portal.access import OWN_ROWS, access


class InvestorRequest(HttpRequest):
    """A request whose investor is known (for type checkers; the decorators set the attribute)."""

    investor: Investor


def investor_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of a signed-in person; `request.investor` is theirs. Without an investor: to onboarding."""

    @access(OWN_ROWS)
    @login_required
    @functools.wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        investor = Investor.objects.filter(user_id=request.user.pk).first()
        if investor is None:
            return redirect("investors:onboarding")
        request.investor = investor  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return door


def ready_investor_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The same where money moves: the investor must be READY, otherwise onboarding says what is missing."""

    @investor_page
    @functools.wraps(view)
    def door(request: InvestorRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.investor.state != Investor.State.READY:
            messages.info(request, "Finish getting ready first; nothing you entered is lost.")
            return redirect("investors:onboarding")
        return view(request, *args, **kwargs)

    return access(OWN_ROWS)(door)
