"""The page on which a one-time code makes a wish real: shared by mandates, bank accounts and other changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from investors.access import InvestorRequest
from investors.forms.mandates import CodeForm
from investors.models import Consent
from investors.operations import consents
from portal import clock, redaction, typed
from portal.errors import Failure

AT_THE_CODE = (consents.WrongCode, consents.CodeExpired, consents.TooManyTries)


@dataclass(frozen=True)
class Confirming:
    """Words of one confirmation, and what it does. `act` takes the code and returns where to go."""

    title: str
    heading: str
    button: str
    back_url: str
    act: Callable[[str], str]
    danger: bool = False


def page(request: InvestorRequest, consent: Consent, what: Confirming) -> HttpResponse:
    """Show what will be done and ask for the code; take it; send a new one."""
    if "otp" in request.POST:
        return _taken(request, what)
    if request.POST.get("resend"):
        return resent(request, consent)
    back = typed.kept(request, once=True)
    form = CodeForm(back.data if back else None)
    if back:
        back.show_in(form)
    context = {"consent": consent, "form": form, "what": what, "contact": redaction.mask_email(consent.contact)}
    return render(request, "investors/confirm.html", context)


def _taken(request: InvestorRequest, what: Confirming) -> HttpResponse:
    form = CodeForm(request.POST)
    if not form.is_valid():
        return typed.again(request)
    try:
        return redirect(what.act(form.cleaned_data["otp"].strip()))
    except Consent.DoesNotExist:
        raise Http404 from None
    except Failure as error:
        return typed.again(request, errors={"otp" if isinstance(error, AT_THE_CODE) else "": error.message})


def resent(request: InvestorRequest, consent: Consent) -> HttpResponse:
    """A new code for the same wish; the page says so, or why not."""
    try:
        consents.resend(consent=consent, at=clock.now())
        messages.info(request, "We sent a new code. The earlier one no longer works.")
    except Failure as error:
        messages.warning(request, error.message)
    return redirect(request.path)
