"""The page on which a one-time code makes an order: shared by purchases, carts, sales and SIPs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from investors.access import InvestorRequest
from investors.models import Consent
from investors.views.confirming import AT_THE_CODE, resent
from orders.forms import ConfirmForm
from orders.operations.purchases import LooksLikeAnother, TermsChanged
from portal import redaction, typed
from portal.errors import Failure


def page(
    request: InvestorRequest, consent: Consent, form_class: type[ConfirmForm], template: str, facts: Mapping[str, Any]
) -> HttpResponse:
    """Show what will be ordered and ask for the code, or send a new one. `facts` are those of this kind of order."""
    if request.POST.get("resend"):
        return resent(request, consent)
    back = typed.kept(request, once=True)
    form = form_class(back.data if back else None)
    if back:
        back.show_in(form)
    context = {"consent": consent, "form": form, "contact": redaction.mask_email(consent.contact), **facts}
    return render(request, template, context)


def taken(
    request: InvestorRequest,
    code: str,
    form: ConfirmForm,
    *,
    act: Callable[[str, bool], str],
    ask_again: Callable[[Consent], object] | None = None,
    else_to: str = "",
) -> HttpResponse:
    """Carry out what the code of this consent allows.

    `act` takes the digits and whether a look-alike is meant, and returns where to go. When the terms have changed
    meanwhile, `ask_again` sends a code for the new ones; where nothing can be asked for any more, the way leads to
    `else_to`.
    """
    if not form.is_valid():
        return typed.again(request)
    try:
        return redirect(act(form.cleaned_data["otp"].strip(), form.cleaned_data["buy_again"]))
    except Consent.DoesNotExist:
        raise Http404 from None
    except Failure as error:
        if ask_again and isinstance(error, TermsChanged):
            consent = get_object_or_404(Consent, code=code, investor=request.investor)
            return _asked_again(request, error, partial(ask_again, consent), else_to)
        return typed.again(request, errors={_stands_at(error): error.message})


def _stands_at(error: Failure) -> str:
    """The field of the form beside which a refusal stands; others stand above the form."""
    if isinstance(error, AT_THE_CODE):
        return "otp"
    return "buy_again" if isinstance(error, LooksLikeAnother) else ""


def _asked_again(
    request: InvestorRequest, change: TermsChanged, ask: Callable[[], object], else_to: str
) -> HttpResponse:
    try:
        ask()
    except Failure as error:
        messages.warning(request, f"{change.message} {error.message}")
        return redirect(else_to or request.path)
    messages.warning(request, f"{change.message} Please check the new terms; we have sent a new code for them.")
    return redirect(request.path)
