"""What investors said yes to."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from investors.admin.finding import by_investor
from investors.models import Consent
from portal import redaction
from portal.admin import show
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code


@admin.register(Consent)
class ConsentAdmin(OpsAdmin):
    """What investors said yes to, in the words they were shown. The code itself is kept nowhere."""

    list_display = ("code", "investor", "purpose", "rupees", "isin", "answer", "asked", "tries")
    list_filter = (("asked_at", RangeDateTimeFilter),)
    list_select_related = ("investor",)
    ordering = ("-id",)
    finders = (by_code("code", "isin"), by_investor())
    search_help_text = "Consent code, investor code, ISIN or email"
    fieldsets = (
        (None, {"fields": ("code", "investor", "purpose", "rupees", "isin", "folio_number", "answer")}),
        ("Shown", {"fields": ("was_shown", "digest")}),
        ("When and where", {"fields": ("asked", "expires", "given", "contact_masked", "tries", "ip", "given_ip")}),
    )

    @display(description="Amount", ordering="amount")
    def rupees(self, consent: Consent) -> str:
        return show.rupees(consent.amount)

    @display(description="Answer")
    def answer(self, consent: Consent) -> str:
        if consent.given_at:
            return show.badge("done", "given")
        return show.badge("neutral", "not given")

    @display(description="Asked", ordering="id")
    def asked(self, consent: Consent) -> str:
        return show.moment(consent.asked_at)

    @display(description="Valid until")
    def expires(self, consent: Consent) -> str:
        return show.moment(consent.expires_at)

    @display(description="Given")
    def given(self, consent: Consent) -> str:
        return show.moment(consent.given_at)

    @display(description="Code sent to")
    def contact_masked(self, consent: Consent) -> str:
        return redaction.mask_email(consent.contact)

    @display(description="Words and figures")
    def was_shown(self, consent: Consent) -> str:
        return show.pretty(consent.shown)
