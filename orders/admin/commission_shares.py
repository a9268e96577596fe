"""Partners' shares of commission, from a day on: one person proposes, another approves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Max, Model
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from orders.commission_rules import last_day
from orders.models import CommissionShare, PayoutLine
from portal import clock
from portal.admin import show
from portal.admin.paging import UncountedList, UncountedPaginator
from portal.admin.proposed import ProposedAdmin, ProposedForm
from portal.desk import proposals
from portal.models import Partner

SHARE = "partner's share"


def handed_on_until(partner_id: int) -> date | None:
    """The last day of the last month of which a payout hands something on to a partner; None for none."""
    lines = PayoutLine.objects.filter(payout__partner_id=partner_id, counts=True)
    month = lines.aggregate(last=Max("line__month"))["last"]
    return last_day(month) if month else None


def too_early(partner_id: int, begins: date) -> str:
    """Why a share can neither begin nor go on a day: what was decided by the share before it stays explained."""
    until = handed_on_until(partner_id)
    if until is None or begins > until:
        return ""
    return f"Payouts hand on what came until {until:%-d %b %Y}, by the share of that time. Choose a day after that."


def _affects(values: Mapping[str, Any]) -> str:
    """Whose share it is, and what it follows."""
    partner = Partner.objects.filter(pk=values["partner"]).first()
    earlier = CommissionShare.objects.filter(partner=partner, valid_from__lt=values["valid_from"])
    before = earlier.order_by("-valid_from").first()
    return f"{partner}: {values['percent']} % follows {f'{before.percent} %' if before else 'no share'}."


def _why_not(row: Model | None, after: Mapping[str, Any] | None, at: datetime) -> str:
    if isinstance(row, CommissionShare):
        return too_early(row.partner_id, row.valid_from)
    return too_early(after["partner"], date.fromisoformat(after["valid_from"])) if after else ""


proposals.register(
    proposals.Kind(
        SHARE,
        "Partners' shares of commission",
        "orders.add_commissionshare",
        "portal.approve_proposal",
        always=True,
        affects=_affects,
        why_not=_why_not,
    )
)


class ShareForm(ProposedForm):
    """Whose share, from when on, how much, and by which agreement."""

    percent = forms.DecimalField(
        label="Per cent",
        min_value=Decimal(0),
        max_value=Decimal(100),
        max_digits=5,
        decimal_places=2,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text="Of what came for the partner's investors, before tax and without GST. 0 ends a share.",
    )
    source = forms.CharField(
        max_length=300,
        label="Source",
        widget=UnfoldAdminTextInputWidget,
        help_text="The agreement with the partner, with its date.",
    )

    class Meta:
        model = CommissionShare
        fields = ("partner", "valid_from", "percent", "source")
        help_texts = {"valid_from": "A month is paid by the share of its last day."}

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if {"partner", "valid_from"} <= set(values) and (
            words := too_early(values["partner"].pk, values["valid_from"])
        ):
            self.add_error("valid_from", words)
        return values


@admin.register(CommissionShare)
class CommissionShareAdmin(ProposedAdmin):
    """What part of the commission goes on to whom. What was paid by a share stays; another one follows it."""

    act = SHARE
    form = ShareForm
    list_display = ("partner", "percent_words", "begins", "holds", "source")
    list_select_related = ("partner",)
    search_fields = ("partner__name", "partner__code")
    ordering = ("-valid_from", "-id")
    show_full_result_count = False
    paginator = UncountedPaginator
    fields = ("partner", "valid_from", "percent", "source")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UncountedList]:
        return UncountedList

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return list(self.fields) if obj else [*self.fields, "why"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_free = obj is None or not too_early(obj.partner_id, obj.valid_from)
        return is_free and super().has_delete_permission(request, obj)

    @display(description="Share", ordering="percent")
    def percent_words(self, row: CommissionShare) -> str:
        return f"{row.percent} %"

    @display(description="From", ordering="valid_from")
    def begins(self, row: CommissionShare) -> str:
        return show.day(row.valid_from)

    @display(description="Holds")
    def holds(self, row: CommissionShare) -> str:
        return show.badge("waiting", "to come") if row.valid_from > clock.today() else show.badge("done", "begun")
