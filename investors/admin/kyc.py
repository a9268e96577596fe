"""The KYC desk: fresh KYCs by state and age, what was entered beside the papers that show it, and the papers.

Papers are looked at in the page and never offered as a download; every look is in the audit log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RadioFilter, RangeDateTimeFilter
from unfold.decorators import display

from investors import kyc_complaints, kyc_reasons, kyc_steps, lifecycle
from investors.admin.finding import by_investor
from investors.admin.papers import picture
from investors.kyc_steps import Sheet
from investors.models import Document, Investor, KycRequest
from investors.operations import kyc_desk, kyc_requests
from investors.views.kyc import shown
from portal import redaction
from portal.admin import pending, show
from portal.admin.acts import Act, By, ChoiceWidget, ReasonForm
from portal.admin.base import OpsAdmin
from portal.admin.filters import StuckFilter, UnknownFilter
from portal.admin.finding import by_code, by_text

TONES = {
    lifecycle.DRAFT: "neutral",
    lifecycle.PENDING: "needs",
    lifecycle.SUBMITTED: "waiting",
    lifecycle.SUCCESSFUL: "done",
    lifecycle.REJECTED: "needs",
    lifecycle.EXPIRED: "failed",
}
# Fund houses take two to three working days; a draft of a month has been given up, and somebody may ask why.
PATIENCE = {
    lifecycle.DRAFT: timedelta(days=30),
    lifecycle.PENDING: timedelta(days=7),
    lifecycle.SUBMITTED: timedelta(days=5),
}
# What the desk compares, step by step, in the words of the page; the PAN stays masked.
ADDRESS_ROWS = (
    ("Address", "line_1"),
    ("", "line_2"),
    ("", "line_3"),
    ("City", "city"),
    ("PIN code", "pincode"),
    ("Proof", "proof"),
    ("Number", "proof_number"),
    ("Issued", "proof_issue_date"),
    ("Valid until", "proof_expiry_date"),
)
ROWS = {
    kyc_steps.ABOUT: (
        ("Name", "name"),
        ("Date of birth", "date_of_birth"),
        ("Father", "father_name"),
        ("Spouse", "spouse_name"),
        ("Mother", "mother_name"),
        ("Gender", "gender"),
        ("Marital status", "marital_status"),
        ("Occupation", "occupation_type"),
        ("Country of birth", "country_of_birth"),
        ("Aadhaar, last four", "aadhaar_number"),
    ),
    kyc_steps.PROOF: ADDRESS_ROWS,
    kyc_steps.PERMANENT_PROOF: ADDRESS_ROWS,
}


def _refresh(row: KycRequest, by: By) -> str:
    kyc_requests.refresh(request_id=row.pk, at=by.at, actor=by.actor, reason=by.reason)
    return f"The provider was asked: {KycRequest.objects.get(pk=row.pk).get_state_display()}."


def _ask_again(row: KycRequest, by: By) -> str:
    kyc_requests.ask_again(
        request=row, kind=by.answers["paper"], code=by.answers["why"], actor=by.actor, reason=by.reason, at=by.at
    )
    return "The investor is asked to send it again, and reads why."


def _approve(row: KycRequest, by: By) -> str:
    kyc_desk.approve(request_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Approved. It goes to the provider now."


def _resubmit(row: KycRequest, by: By) -> str:
    made = kyc_desk.resubmit(request=row, actor=by.actor, reason=by.reason, at=by.at)
    return f"{made.code} waits for a second person. Nothing has been sent yet."


class AskAgainForm(ReasonForm):
    """Which paper, and what is wrong with it, by the catalogue."""

    paper = forms.ChoiceField(
        choices=[(kind, Document.Kind(kind).label.capitalize()) for step in kyc_steps.STEPS for kind in step.files],
        widget=ChoiceWidget,
    )
    why = forms.ChoiceField(
        label="What the investor reads",
        choices=[(code, f"… {reason.title}") for code, reason in kyc_reasons.REJECTIONS.items()],
        widget=ChoiceWidget,
    )
    field_order = ("paper", "why", "reason")


class DeskFilter(RadioFilter):
    """Requests that wait for somebody at the desk."""

    title = "desk"
    parameter_name = "desk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "To be approved")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[KycRequest]) -> QuerySet[KycRequest]:
        waiting = {
            "state__in": (lifecycle.DRAFT, lifecycle.PENDING),
            "approved_at": None,
            "submitted_at__isnull": False,
        }
        return queryset.filter(**waiting) if self.value() == "1" else queryset


@admin.register(KycRequest)
class KycRequestAdmin(OpsAdmin):
    """Fresh KYCs: how far each is, what was entered, and the papers beside it."""

    patience = PATIENCE
    list_display = ("code", "investor", "state_and_age", "at_provider", "until", "wrong")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        DeskFilter,
        StuckFilter,
        UnknownFilter,
        ("created_at", RangeDateTimeFilter),
    )
    list_select_related = ("investor",)
    ordering = ("-id",)
    finders = (by_code("code"), by_text("provider_ref"), by_investor())
    search_help_text = "Request code, investor code, email or the provider's number"
    quick = (
        ("To be approved", "desk=1"),
        ("Being checked", "state__exact=SUBMITTED"),
        ("Stuck", "stuck=1"),
        ("To be corrected", "state__exact=REJECTED"),
        ("Being filled in", "state__exact=PENDING"),
        ("All", ""),
    )
    shows_calls = True
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("investor", "age_now"), ("previous_link", "until"))}),
        ("At the provider", {"fields": (("provider_ref", "attempt_words"), "needed", "wrong_words")}),
        ("Entered, and the papers that show it", {"fields": ("side_by_side",)}),
    )
    acts = (
        Act(
            name="refresh",
            label="Ask the provider",
            permission="investors.act_kycrequest",
            explain="Asks the provider what has become of this request and takes its answer over.",
            run=_refresh,
            offered=lambda row: bool(row.provider_ref) and row.state in kyc_requests.OPEN,
            icon="refresh",
        ),
        Act(
            name="ask-again",
            label="Ask for a paper again",
            permission="investors.act_kycrequest",
            explain="The investor is written to and cannot send the request before a better one has come. Possible "
            "until it goes to the provider.",
            run=_ask_again,
            offered=lambda row: kyc_requests.may_change(row) or kyc_requests.waits_for_the_desk(row),
            form=AskAgainForm,
            icon="undo",
        ),
        Act(
            name="approve",
            label="Approve and send",
            permission="investors.approve_kycrequest",
            explain="Data and papers agree: the request goes to the provider. Not for whoever sent one of the papers, "
            "invited the investor, or sent it again.",
            run=_approve,
            offered=kyc_requests.waits_for_the_desk,
            not_by=kyc_desk.may_not_approve,
            rests_on=kyc_desk.rests_on,
            icon="task_alt",
        ),
        Act(
            name="resubmit",
            label="Send again",
            permission="investors.act_kycrequest",
            explain="For a rejection that is plainly wrong: the same answers and papers wait for a second person, and "
            "go to the provider as a new request with their yes.",
            run=_resubmit,
            offered=kyc_desk.may_resubmit,
            icon="forward",
        ),
    )

    def related(self, obj: Model) -> Sequence[Model]:
        return list(Document.objects.filter(investor=obj.investor_id, replaced_at=None))  # type: ignore[attr-defined]

    @display(description="State, since", ordering="state_since")
    def state_and_age(self, row: KycRequest) -> str:
        return show.two(self.state_badge(row), show.since(row.state_since))

    @display(description="State", ordering="state")
    def state_badge(self, row: KycRequest) -> str:
        if row.is_unknown:
            return show.badge("checking", "checking")
        if kyc_requests.waits_for_the_desk(row):
            return show.badge("needs", "to be approved")
        if row.submitted_at and row.state in (lifecycle.DRAFT, lifecycle.PENDING):
            return show.badge("waiting", "being sent")
        return show.badge(TONES[row.state], row.get_state_display())

    @display(description="In this state", ordering="state_since")
    def age_now(self, row: KycRequest) -> str:
        return show.since(row.state_since)

    @display(description="At the provider", ordering="provider_ref")
    def at_provider(self, row: KycRequest) -> str:
        return show.two(row.provider_ref or show.NOTHING, show.attempt_words(row))

    @display(description="To be sent by", ordering="expires_at")
    def until(self, row: KycRequest) -> str:
        return show.moment(row.expires_at)

    @display(description="Wrong")
    def wrong(self, row: KycRequest) -> str:
        return ", ".join(sorted({each["field"] for each in row.rejections or row.refusal})) or show.NOTHING

    @display(description="What was wrong")
    def wrong_words(self, row: KycRequest) -> str:
        said = [(each["field"], each["code"], redaction.text(each.get("reason", ""))) for each in row.rejections]
        said += [(each["field"], "not taken", redaction.text(each["message"])) for each in row.refusal]
        return format_html_join(mark_safe("<br>"), "{}: {} {}", said) or show.NOTHING

    @display(description="Still needed")
    def needed(self, row: KycRequest) -> str:
        return ", ".join(row.fields_needed) or show.NOTHING

    @display(description="After")
    def previous_link(self, row: KycRequest) -> str:
        return show.change_link(row.previous)

    @display(description="Attempts")
    def attempt_words(self, row: KycRequest) -> str:
        return show.attempt_words(row)

    @display(description="Data and papers")
    def side_by_side(self, row: KycRequest) -> str:
        sheet = kyc_requests.sheet_of(row)
        shown = [step for step in kyc_steps.STEPS if not step.only_with or sheet.answers.get(step.only_with)]
        parts = [_part(sheet, step) for step in shown if step.slug != kyc_steps.ADDRESS]
        return format_html('<div class="ops-desk">{}</div>', format_html_join("", "{}", ((each,) for each in parts)))


def _part(sheet: Sheet, step: kyc_steps.KycStep) -> SafeString:
    """What was entered on the left, the papers on the right."""
    said = shown(sheet)
    known = {**said["answers"], **said["permanent" if step.slug == kyc_steps.PERMANENT_PROOF else "address"]}
    rows = [(label, known.get(name)) for label, name in ROWS.get(step.slug, ()) if known.get(name)]
    if step.slug == kyc_steps.PAN_CARD:
        rows = [("PAN", sheet.investor.masked_pan), ("Name", known.get("name")), ("Born", known.get("date_of_birth"))]
    complaints = kyc_complaints.by_step(sheet).get(step.slug, ())
    return format_html(
        '<section><div><h3>{}</h3><dl>{}</dl>{}</div><div class="ops-papers">{}</div></section>',
        step.title,
        format_html_join("", "<dt>{}</dt><dd>{}</dd>", ((label, value or show.NOTHING) for label, value in rows)),
        format_html_join("", '<p class="ops-reason">{}</p>', ((each.words,) for each in complaints)),
        _papers(sheet.documents[kind] for kind in step.files if kind in sheet.documents),
    )


def _papers(found: Iterable[Document]) -> SafeString:
    return format_html_join("", "{}", ((picture(document),) for document in found))


@pending.concerns("investors.investor")
def _at_the_desk(investor: Investor) -> list[pending.Waits]:
    """A fresh KYC that the desk has not said yes to."""
    rows = KycRequest.objects.filter(investor=investor, submitted_at__isnull=False, approved_at=None)
    return [
        pending.Waits(row, f"{row.code}: fresh KYC", str(row.resent_by or "the investor"), row.submitted_at)
        for row in rows.select_related("resent_by")
        if row.submitted_at and kyc_requests.waits_for_the_desk(row)
    ]
