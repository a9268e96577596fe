"""The doors of investor pages: who is signed in, as which investor, from which address."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from investors import queries
from investors.models import Investor
from portal import acting
from portal.access import OWN_ROWS, access


def investor_of(request: HttpRequest) -> Investor | None:
    """For whom the signed-in person acts just now; `request.investor` says it to the frame too."""
    investor = queries.of_user(request.user, acting.chosen(request))  # type: ignore[arg-type]
    request.investor = investor  # type: ignore[attr-defined]
    return investor


class InvestorRequest(HttpRequest):
    """A request whose investor is known (for type checkers; the decorators set the attribute)."""

    investor: Investor


def investor_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of a signed-in person; `request.investor` is theirs. Without an investor: to onboarding."""

    @access(OWN_ROWS)
    @login_required
    @functools.wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if investor_of(request) is None:
            messages.info(request, "That page fills once you invest. These steps come first.")
            return redirect("investors:onboarding")
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


def applicant_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of getting ready: `request.investor` is theirs, or a row that is not saved yet. Staff go to the admin."""

    @access(OWN_ROWS)
    @login_required
    @functools.wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        investor = queries.applicant(user, acting.chosen(request))  # type: ignore[arg-type]
        if investor is None and user.is_staff:
            return redirect("admin:index")
        request.investor = investor or Investor(user=user, mobile=user.mobile)  # type: ignore
        return view(request, *args, **kwargs)

    return door


def client_ip(request: HttpRequest) -> str | None:
    """The address the request came from, behind as many trusted proxies as settings name."""
    return get_adapter().get_client_ip(request) or None
