"""Mandates as operations see them: where each stands, for how long, and what may be done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RangeDateTimeFilter
from unfold.decorators import display

from investors import lifecycle
from investors.admin.finding import by_investor
from investors.models import Mandate
from investors.operations import mandate_sending, mandates, ops_mandates, paper_mandates
from portal.admin import home, show, undoing
from portal.admin.acts import Act, By
from portal.admin.evidence_pack import EVIDENCE
from portal.admin.filters import PartnerFilter, StuckFilter, UnknownFilter, stuck
from portal.admin.finding import by_code, by_text
from portal.admin.money import MoneyAdmin

MANDATE_TONES = {
    lifecycle.CREATED: "waiting",
    lifecycle.AWAITING_INVESTOR: "needs",
    lifecycle.SUBMITTED: "waiting",
    lifecycle.APPROVED: "done",
    lifecycle.REJECTED: "failed",
    lifecycle.CANCELLED: "neutral",
}
# After this a person should look: creating takes seconds; an unused page is given up; paper takes up to 21 days
# (providers.md 5.3).
MANDATE_PATIENCE = {
    lifecycle.CREATED: timedelta(minutes=15),
    lifecycle.AWAITING_INVESTOR: timedelta(days=7),
    lifecycle.SUBMITTED: timedelta(days=21),
}
OPEN_MANDATES = tuple(MANDATE_PATIENCE)


def _refresh(mandate: Mandate, by: By) -> str:
    mandate_sending.refresh(mandate_id=mandate.pk, at=by.at, actor=by.actor, reason=by.reason)
    now = Mandate.objects.get(pk=mandate.pk)
    return f"The provider was asked: {now.get_state_display()}."


def _go_on(mandate: Mandate, by: By) -> str:
    ops_mandates.go_on(mandate_id=mandate.pk, actor=by.actor, reason=by.reason, at=by.at)
    return f"Done: {Mandate.objects.get(pk=mandate.pk).get_state_display()}."


def _want_cancel(mandate: Mandate, by: By) -> str:
    ops_mandates.want_cancelled(mandate_id=mandate.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Asked. A second person has to approve it before the bank is told."


def _approve_cancel(mandate: Mandate, by: By) -> str:
    ops_mandates.approve_cancel(mandate_id=mandate.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Approved. The bank is told now; the page shows when it has cancelled."


def _refuse_form(mandate: Mandate, by: By) -> str:
    paper_mandates.refuse_form(mandate_id=mandate.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "The investor reads the reason and may send another form."


def _asker(mandate: Mandate) -> Collection[int]:
    asker = ops_mandates.who_wants_it_cancelled(mandate)
    return (asker.pk,) if asker else ()


@admin.register(Mandate)
class MandateAdmin(MoneyAdmin):
    """Mandates. The page at the bank is the investor's alone: its address is never shown here."""

    tones = MANDATE_TONES
    patience = MANDATE_PATIENCE
    list_display = (
        "code",
        "investor",
        "bank",
        "rupees",
        "kind",
        "partner",
        "state_and_age",
        "reason",
        "at_provider",
        "due",
    )
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("kind", ChoicesCheckboxFilter),
        StuckFilter,
        UnknownFilter,
        PartnerFilter,
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("investor__partner", "bank_account")
    exported = (
        ("Mandate", lambda mandate: mandate.code),
        ("Investor", lambda mandate: mandate.investor.code),
        ("Partner", lambda mandate: mandate.investor.partner_id and mandate.investor.partner.code),
        ("Most rupees a debit", lambda mandate: mandate.limit),
        ("Kind", lambda mandate: mandate.kind),
        ("Bank", lambda mandate: mandate.bank_account.bank_name),
        ("State", lambda mandate: mandate.state),
        ("Since", lambda mandate: mandate.state_since),
        ("Valid until", lambda mandate: mandate.valid_to and mandate.valid_to.isoformat()),
        ("At the provider", lambda mandate: mandate.provider_ref),
        ("Reason", lambda mandate: mandate.reason),
    )
    finders = (by_code("code"), by_text("provider_ref"), by_investor())
    search_help_text = "Code, provider's number, investor code, email, mobile or PAN"
    quick = (
        ("On their way", "&".join(f"state__exact={state}" for state in OPEN_MANDATES)),
        ("Stuck", "stuck=1"),
        ("We are checking", "unknown=1"),
        ("Rejected", "state__exact=REJECTED"),
        ("All", ""),
    )
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("investor", "age_now"), ("rupees", "kind"), ("bank", "reason"))}),
        ("At the provider", {"fields": (("provider_ref", "mandate_ref"), ("umrn", "attempts"), ("due", "page_until"))}),
        (
            "Dates",
            {"fields": (("valid_from", "valid_to"), ("received", "submitted"), ("approved", "rejected"))},
        ),
        ("Linked", {"fields": (("consent", "signed_form"), ("previous", "cancel_wanted"))}),
    )
    acts = (
        Act(
            name="refresh",
            label="Refresh from provider",
            permission="investors.act_mandate",
            explain="Asks the provider what it says about this mandate now, and takes that in.",
            run=_refresh,
            offered=lambda mandate: bool(mandate.provider_ref or mandate.is_unknown),
            icon="sync",
            in_bulk=True,
            no_undo=undoing.ASKED_ONLY,
        ),
        Act(
            name="go-on",
            label="Try again now",
            permission="investors.act_mandate",
            explain="Does at once what waits for its time: creating it (after a look whether the provider has it), a "
            "new page at the bank, or cancelling. An ended mandate is tried again by the investor, with a new code.",
            run=_go_on,
            offered=lambda mandate: mandate.state not in lifecycle.MANDATE.final and mandate.state != "APPROVED",
            icon="play_arrow",
        ),
        Act(
            name="refuse-form",
            label="Ask for a better form",
            permission="investors.act_mandate",
            explain="The signed form cannot be used. The investor reads the reason in your words.",
            run=_refuse_form,
            offered=lambda mandate: paper_mandates.takes_a_form(mandate) and mandate.signed_form_id is not None,
            icon="draw",
        ),
        Act(
            name="cancel",
            label="Ask to cancel",
            permission="investors.act_mandate",
            explain="Asks a second person to approve that the bank is told to cancel this mandate.",
            run=_want_cancel,
            offered=lambda mandate: mandates.may_cancel(mandate) and not _asker(mandate),
            icon="block",
            danger=True,
        ),
        Act(
            name="approve-cancel",
            label="Approve the cancelling",
            permission="investors.approve_mandate",
            explain="The bank is told to cancel. Whoever asked for it cannot approve it.",
            run=_approve_cancel,
            offered=lambda mandate: mandates.may_cancel(mandate) and bool(_asker(mandate)),
            icon="how_to_reg",
            danger=True,
            not_by=_asker,
        ),
        EVIDENCE,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mandate]:
        # A list shows neither a PAN nor an account number nor a bank's page, so it decrypts none.
        return super().get_queryset(request).defer("investor__pan", "bank_account__number", "page_url")

    def related(self, obj: Model) -> Sequence[Model]:
        consent = getattr(obj, "consent", None)
        return [consent] if consent else []

    @display(description="Limit", ordering="limit")
    def rupees(self, row: Any) -> str:
        return show.rupees(row.limit)

    @display(description="Account")
    def bank(self, mandate: Mandate) -> str:
        return show.change_link(mandate.bank_account)

    @display(description="Bank's page valid until")
    def page_until(self, mandate: Mandate) -> str:
        return show.moment(mandate.page_expires_at)

    @display(description="Cancelling")
    def cancel_wanted(self, mandate: Mandate) -> str:
        if mandate.cancel_asked_at:
            return f"asked {show.moment(mandate.cancel_asked_at)}"
        asker = ops_mandates.who_wants_it_cancelled(mandate)
        return f"{asker} asked; waits for a second person" if asker else show.NOTHING

    @display(description="Received")
    def received(self, mandate: Mandate) -> str:
        return show.moment(mandate.received_at)

    @display(description="Submitted")
    def submitted(self, mandate: Mandate) -> str:
        return show.moment(mandate.submitted_at)

    @display(description="Approved")
    def approved(self, mandate: Mandate) -> str:
        return show.moment(mandate.approved_at)

    @display(description="Rejected")
    def rejected(self, mandate: Mandate) -> str:
        return show.moment(mandate.rejected_at)


@home.part(order=55, permission="investors.view_mandate")
def mandates_part(at: datetime) -> home.Part:
    """Mandates on their way."""
    counts = Mandate.objects.filter(state__in=OPEN_MANDATES).aggregate(
        all=Count("pk"), stuck=Count("pk", filter=stuck(MANDATE_PATIENCE, at)), forms=Count("signed_form")
    )
    tile = home.Tile(
        "Mandates on their way",
        str(counts["all"]),
        f"{counts['stuck']} stuck · {counts['forms']} with a signed form",
        show.list_url(Mandate, "&".join(f"state__exact={state}" for state in OPEN_MANDATES)),
        "needs" if counts["stuck"] else "neutral",
    )
    return home.Part([tile])
