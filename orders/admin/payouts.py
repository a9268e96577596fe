"""Payouts to partners: asked for, approved by somebody else, paid; down to the lines that they are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from orders.admin import payout_asking, payout_lines
from orders.admin.commission_steps import begins
from orders.admin.payout_asking import ACT
from orders.models import Payout
from orders.operations import payouts
from portal.access import STAFF, access
from portal.admin import desk, pending, show
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, by_text, codes
from portal.models import Partner

codes["PYT"] = Payout
APPROVE = "orders.approve_payout"
TONES = {"ASKED": "needs", "APPROVED": "waiting", "PAID": "done", "WITHDRAWN": "neutral"}


# --- Decided and paid -------------------------------------------------------------------------------------------------


class PaidForm(ReasonForm):
    """What left our bank."""

    utr = forms.CharField(
        max_length=40,
        label="UTR",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="The bank's number of the transfer: NEFT 16 signs, RTGS 22, IMPS 12 digits.",
    )
    paid_on = forms.DateField(label="Paid on", widget=UnfoldAdminSingleDateWidget)
    tds = forms.DecimalField(
        label="TDS withheld, in rupees",
        min_value=Decimal(0),
        max_digits=15,
        decimal_places=2,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text="What was kept back for tax; 0 for none. It is not computed here.",
    )
    field_order = ("utr", "paid_on", "tds", "reason")

    def clean_utr(self) -> str:
        """Without blanks, in capitals."""
        utr = "".join(self.cleaned_data["utr"].split()).upper()
        if not payouts.UTR.fullmatch(utr):
            raise forms.ValidationError("This is no UTR: NEFT has 16 signs, RTGS 22, IMPS 12 digits.")
        return utr


def _approve(row: Payout, by: By) -> str:
    payouts.approve(payout_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return f"Approved: {show.rupees(row.payable)} may be paid, and {row.partner} sees it."


def _refuse(row: Payout, by: By) -> str:
    payouts.refuse(payout_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Nothing is paid, and its lines may go into another payout."


def _pay(row: Payout, by: By) -> str:
    payouts.mark_paid(payout_id=row.pk, **by.answers, actor=by.actor, reason=by.reason, at=by.at)
    return "It is on record as paid, and the partner sees how."


def _waits(row: Payout) -> bool:
    return row.state == Payout.State.ASKED


ACTS = (
    Act(
        name="approve",
        label="Approve",
        permission=APPROVE,
        explain="You answer for the sum together with whoever asked. The partner sees it from now on; the money leaves "
        "our bank by hand, and is entered here afterwards.",
        run=_approve,
        offered=_waits,
        not_by=payouts.may_not_approve,
        rests_on=lambda row: (row.received, row.payable),
        icon="task_alt",
    ),
    Act(
        name="refuse",
        label="Refuse",
        permission=APPROVE,
        explain="Nothing is paid. Whoever asked reads the reason, and the lines may go into another payout.",
        run=_refuse,
        offered=_waits,
        not_by=payouts.may_not_approve,
        icon="block",
    ),
    Act(
        name="withdraw",
        label="Withdraw",
        permission=ACT,
        explain="Nothing is paid, and the lines may go into another payout.",
        run=_refuse,
        offered=_waits,
        icon="undo",
    ),
    Act(
        name="paid",
        label="Enter the payment",
        permission=ACT,
        explain="Once the money has left our bank: its UTR, its day, and what was withheld for tax. It stays as it is "
        "entered.",
        run=_pay,
        offered=lambda row: row.state == Payout.State.APPROVED,
        form=PaidForm,
        icon="payments",
    ),
)


# --- The page of a payout ---------------------------------------------------------------------------------------------


@admin.register(Payout)
class PayoutAdmin(OpsAdmin):
    """What goes on to partners; a second person approves it."""

    list_display = ("code", "partner", "up_to", "state_badge", "for_partner", "asked_by", "asked", "paid")
    list_filter = (("state", ChoicesCheckboxFilter),)
    list_select_related = ("partner", "asked_by", "decided_by", "paid_by")
    ordering = ("-id",)
    finders = (by_code("code", "partner__code"), by_text("utr"))
    search_help_text = "Code of the payout or of the partner, or UTR"
    nothing = "No payout was put together yet"
    quick = (
        ("To be approved", "state__exact=ASKED"),
        ("To be paid", "state__exact=APPROVED"),
        ("Paid", "state__exact=PAID"),
        ("All", ""),
    )
    exported = (
        ("Payout", lambda row: row.code),
        ("Partner", lambda row: row.partner.code),
        ("Up to", lambda row: f"{row.month:%Y-%m}"),
        ("State", lambda row: row.get_state_display()),
        ("Came", lambda row: row.received),
        ("For the partner", lambda row: row.payable),
        ("TDS", lambda row: row.tds),
        ("Paid on", lambda row: row.paid_on),
        ("UTR", lambda row: row.utr),
    )
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("its_partner", "up_to"), ("came", "for_partner"))}),
        ("What it is made of", {"fields": ("parts", "every_line")}),
        ("Asked and decided", {"fields": (("asked_by", "asked"), ("decided_by", "decided"), "answer")}),
        ("Paid", {"fields": (("paid", "utr"), ("withheld", "left"), "paid_by")}),
    )
    list_before_template = "admin/begin.html"
    acts = ACTS

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, begins(request, ACT, "New payout", "orders_payout_simulate"))

    def get_urls(self) -> list[URLPattern]:
        views = (
            ("simulate/", payout_asking.simulate, "simulate"),
            ("<int:payout_id>/lines/", require_safe(payout_lines.view), "lines"),
        )
        own = [
            path(address, access(STAFF)(self.admin_site.admin_view(view)), name=f"orders_payout_{name}")
            for address, view, name in views
        ]
        return [*own, *super().get_urls()]

    @display(description="State", ordering="state")
    def state_badge(self, row: Payout) -> str:
        return show.badge(TONES[row.state], row.get_state_display())

    @display(description="Partner")
    def its_partner(self, row: Payout) -> str:
        return show.change_link(row.partner)

    @display(description="Up to", ordering="month")
    def up_to(self, row: Payout) -> str:
        return f"{row.month:%B %Y}"

    @display(description="Came")
    def came(self, row: Payout) -> str:
        return show.rupees(row.received)

    @display(description="For the partner", ordering="payable")
    def for_partner(self, row: Payout) -> str:
        return show.rupees(row.payable)

    @display(description="Asked", ordering="asked_at")
    def asked(self, row: Payout) -> str:
        return show.moment(row.asked_at)

    @display(description="Decided")
    def decided(self, row: Payout) -> str:
        return show.moment(row.decided_at)

    @display(description="Paid on")
    def paid(self, row: Payout) -> str:
        return show.day(row.paid_on) if row.paid_on else show.NOTHING

    @display(description="TDS")
    def withheld(self, row: Payout) -> str:
        return show.rupees(row.tds)

    @display(description="Left our bank")
    def left(self, row: Payout) -> str:
        return show.NOTHING if row.tds is None else show.rupees(row.payable - row.tds)

    @display(description="By fund house, month and kind")
    @show.once
    def parts(self, row: Payout) -> str:
        return payout_lines.parts_table(row)

    @display(description="Lines")
    def every_line(self, row: Payout) -> str:
        return show.link(payout_lines.lines_url(row, {}), "All lines, with their folios")


# --- What waits -------------------------------------------------------------------------------------------------------


def _differences(ids: list[str]) -> dict[str, str]:
    """What approving would do, for the inbox."""
    rows = Payout.objects.filter(pk__in=ids).select_related("partner")
    return {str(row.pk): f"{show.rupees(row.payable)} to {row.partner}, up to {row.month:%b %Y}" for row in rows}


desk.differences["orders.payout"] = _differences


@pending.concerns("portal.partner")
def _payouts_of(partner: Partner) -> list[pending.Waits]:
    rows = Payout.objects.filter(partner=partner, state=Payout.State.ASKED).select_related("asked_by")
    return [
        pending.Waits(row, f"{row.code}: payout of {show.rupees(row.payable)}", str(row.asked_by), row.asked_at)
        for row in rows
    ]
