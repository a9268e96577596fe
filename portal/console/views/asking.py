"""Asking an investor to buy a fund: checked against the rules of today before anybody is told of it."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from investors.models import Investor
from orders.models import ApprovalLine, Scheme
from orders.operations import approvals
from orders.operations.approval_checks import Ask, checked
from portal import arns, clock, typed
from portal.console import pressed, queries
from portal.console.access import ConsoleRequest, console_page
from portal.console.forms import AskForm
from portal.errors import Failure, InvalidInput


@require_http_methods(["GET", "POST"])
@never_cache
@typed.survives_signing_out
@console_page
def ask(request: ConsoleRequest, code: str) -> HttpResponse:
    """What to propose to an investor, and why."""
    person = queries.investors_of(request.partner).filter(code=code).first()
    if person is None:
        raise Http404
    if request.method == "POST" and "check" in request.POST:
        return _asked(request, person, AskForm(request.POST))
    if request.method == "POST":
        return pressed.once_only(request, lambda: _asked(request, person, AskForm(request.POST)))
    back = typed.kept(request, once=True)
    form = AskForm(pressed.anew(back.data) if back else None)
    if back:
        back.show_in(form)
    ended = arns.why_no_new_business(request.partner, clock.today())
    return render(request, "console/ask.html", {"form": form, "person": person, "ended": ended})


def _asked(request: ConsoleRequest, person: Investor, form: AskForm) -> HttpResponse:
    errors: dict[str, str] = {}
    if form.is_valid():
        try:
            scheme = _fund(form.cleaned_data["fund"])
            line = Ask(ApprovalLine.Kind.PURCHASE, isin=scheme.isin, amount=form.cleaned_data["amount"])
            if "check" in request.POST:
                checked(person, 0, line, clock.now())
                return render(request, "console/ask.html", {"form": form, "person": person, "scheme": scheme})
            _ask(request, person, line, form)
            messages.success(request, f"{person} was told and decides on a page of their own. Nothing is ordered yet.")
            return redirect("console:approvals")
        except InvalidInput as refusal:
            field = refusal.field.rpartition(".")[2]
            errors = {field if field in form.fields else "": refusal.message}
        except Failure as refusal:
            errors = {"": refusal.message}
    return typed.again(request, errors=errors)


def _ask(request: ConsoleRequest, person: Investor, line: Ask, form: AskForm) -> None:
    approvals.ask(
        partner=request.partner,
        investor=person,
        asks=[line],
        reason=form.cleaned_data["reason"],
        reference="",
        life=timedelta(hours=int(form.cleaned_data["hours"])),
        actor=request.user,
        at=clock.now(),
    )


def _fund(text: str) -> Scheme:
    """The fund of this ISIN, or the only one with this in its name. Raises InvalidInput that names what fits."""
    offered = Scheme.objects.filter(is_active=True, purchase_allowed=True, plan=Scheme.Plan.REGULAR)
    exact = offered.filter(isin=text.upper()).first()
    if exact:
        return exact
    found = list(offered.filter(name__icontains=text).order_by("name")[:4])
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidInput("fund", "No fund that can be bought here has this ISIN or name.")
    names = "; ".join(f"{each.name} ({each.isin})" for each in found[:3])
    raise InvalidInput("fund", f"Several funds fit: {names}{' and more' if len(found) > 3 else ''}. Enter an ISIN.")
