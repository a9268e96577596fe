"""Answers of the KYC registries."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import BooleanRadioFilter, RangeDateTimeFilter
from unfold.decorators import display

from investors.admin.finding import by_investor
from investors.models import PAN_INDEX, KycCheck
from portal import redaction
from portal.admin import show
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_pan, by_text


@admin.register(KycCheck)
class KycCheckAdmin(OpsAdmin):
    """Answers of the KYC registries. Never changed; the newest counts."""

    list_display = ("checked", "investor", "answer", "reason", "action", "limit")
    list_filter = (("is_compliant", BooleanRadioFilter), ("checked_at", RangeDateTimeFilter))
    list_select_related = ("investor",)
    ordering = ("-id",)
    finders = (by_pan("pan_index", PAN_INDEX), by_investor(), by_text("provider_ref"))
    search_help_text = "Investor code, email, mobile or whole PAN"
    fieldsets = (
        (None, {"fields": ("investor", "answer", "reason", "action", "limit", "checked", "provider_ref")}),
        ("The registry's own words", {"fields": ("words",)}),
    )

    @display(description="Checked", ordering="id")
    def checked(self, check: KycCheck) -> str:
        return show.moment(check.checked_at)

    @display(description="Answer")
    def answer(self, check: KycCheck) -> str:
        return show.badge("done", "compliant") if check.is_compliant else show.badge("needs", "not compliant")

    @display(description="Limit a year")
    def limit(self, check: KycCheck) -> str:
        return show.rupees(check.investment_limit)

    @display(description="Verbatim")
    def words(self, check: KycCheck) -> str:
        return redaction.text(check.verbatim) or show.NOTHING
