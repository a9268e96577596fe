"""A payout to a partner before there is one: whose, up to which month, what it would be, and the question."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from orders.admin.commission_steps import Step, page
from orders.models import CommissionLine, CommissionShare, Payout
from orders.operations import payouts
from portal import clock
from portal.admin import home, show
from portal.admin.acts import ChoiceWidget, ReasonForm
from portal.errors import Failure
from portal.models import Partner

ACT = "orders.act_payout"
KINDS = dict(CommissionLine.Kind.choices)
MONTHS_BACK = 24


def _months() -> list[tuple[str, str]]:
    """The months that have ended, the newest first."""
    first, found = clock.today().replace(day=1), []
    for _ in range(MONTHS_BACK):
        first = (first - timedelta(days=1)).replace(day=1)
        found.append((first.isoformat(), f"{first:%B %Y}"))
    return found


class WhoseForm(forms.Form):
    """To whom, and up to which month."""

    partner = forms.ModelChoiceField(Partner.objects.order_by("name"), label="Partner", widget=ChoiceWidget)
    month = forms.ChoiceField(label="Up to the month", widget=ChoiceWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["month"].choices = _months()  # type: ignore[attr-defined]

    def clean_month(self) -> date:
        """Its first day."""
        return date.fromisoformat(self.cleaned_data["month"])


def simulate(request: HttpRequest) -> HttpResponse:
    """Choose a partner and a month (GET); what a payout would be (POST); ask for it (POST with a reason)."""
    if not request.user.has_perm(ACT):
        raise PermissionDenied
    form = WhoseForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        says = ["What came for a partner's investors, times the partner's share. Nothing is kept by looking."]
        return page(request, Payout, "New payout", says=says, steps=[Step("Simulate", _url(), form)])
    found = payouts.simulate(**form.cleaned_data)
    reason = ReasonForm(request.POST) if "seen" in request.POST else ReasonForm()
    if reason.is_valid():
        return _ask(request, found, reason.cleaned_data["reason"])
    return _simulated(request, found, reason)


def _ask(request: HttpRequest, found: payouts.Simulation, reason: str) -> HttpResponse:
    actor: Any = request.user
    seen, at = request.POST["seen"], clock.now()
    try:
        row = payouts.ask(partner=found.partner, month=found.month, seen=seen, actor=actor, reason=reason, at=at)
    except Failure as failure:
        messages.warning(request, failure.message)
        return _simulated(request, found, ReasonForm())
    messages.success(request, f"{row.code} waits for a second person. Nothing is paid yet.")
    return redirect(show.change_url(Payout, row.pk) or "admin:index")


def _simulated(request: HttpRequest, found: payouts.Simulation, reason: ReasonForm) -> HttpResponse:
    kept = {"partner": str(found.partner.pk), "month": found.month.isoformat(), "seen": found.seen}
    steps = [Step("Ask a second person", _url(), reason, kept)] if found.payable > 0 else []
    title = f"{found.partner}, up to {found.month:%B %Y}"
    links = [("Another one", _url()), ("Payouts", show.list_url(Payout))]
    return page(request, Payout, title, says=_says(found), steps=steps, panels=[_parts(found.parts)], links=links)


def _says(found: payouts.Simulation) -> list[str]:
    count, came = found.without_share
    says = [f"{_came(found.lines, found.received)}: {show.rupees(found.payable)} for the partner."]
    if found.payable <= 0 and found.lines:
        says.append("The sum is not above zero, so nothing is paid: these lines go into the next payout.")
    if count:
        url = show.list_url(CommissionShare)
        words = f"{_came(count, came)}, without a share yet: they wait for one among the "
        says.append(format_html("{}{}.", words, show.link(url, "partners' shares")))
    return says


def _came(lines: int, rupees: Decimal) -> str:
    """`2 lines, for which ₹150.00 came`."""
    return f"{show.grouped(lines)} line{'' if lines == 1 else 's'}, for which {show.rupees(rupees)} came"


def _parts(parts: tuple[payouts.Part, ...]) -> home.Panel:
    rows = [
        [
            part.house,
            f"{part.month:%b %Y}",
            KINDS[part.kind],
            show.grouped(part.lines),
            show.rupees(part.received),
            "no share yet" if part.payable is None else show.rupees(part.payable),
        ]
        for part in parts
    ]
    columns = ("Fund house", "Month", "Kind", "Lines", "Came", "For the partner")
    return home.Panel("What it is made of", columns, rows, "No line waits for a payout.")


def _url() -> str:
    return reverse("admin:orders_payout_simulate")
