"""Partners' shares of commission, from a day on: one person proposes, another approves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from orders.models import CommissionShare
from orders.operations.commission_shares import SHARE, too_early
from portal import clock
from portal.admin import show
from portal.admin.paging import UncountedList, UncountedPaginator
from portal.admin.proposed import ProposedAdmin, ProposedForm


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
