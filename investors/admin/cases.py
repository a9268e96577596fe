"""The page of a case, with what its investor reads and wrote: staff answer here."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from investors.case_queries import SOMETHING
from investors.case_words import KINDS
from investors.models import InvestorCase
from investors.models.cases import LONGEST
from investors.operations import shown_cases
from portal import fair_words, identifiers
from portal.admin import base, show
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.work import CaseAdmin
from portal.models import Case


class AnswerForm(ReasonForm):
    """What the investor will read. It is the reason in the audit log, too, as far as that keeps one."""

    reason = forms.CharField(
        min_length=3,
        max_length=LONGEST,
        label="Answer to the investor",
        validators=[fair_words.validate],
        help_text="They read it as it stands, on the page of their case, and are told by e-mail that it is there. No "
        "PAN, no account numbers, no advice: what looks like an identifier is hidden.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "autofocus": True}),
    )
    form_ref = forms.RegexField(regex=r"^[0-9A-Z]{20}$", widget=forms.HiddenInput, initial=identifiers.new_client_ref)


def _answer(case: Case, by: By) -> str:
    # A second press of a form is the same answer; other words in it, or the same words in another form, are another.
    form_ref = hashlib.sha256(f"{by.answers['form_ref']} {by.reason}".encode()).hexdigest()[:20].upper()
    shown_cases.answer(case=case, text=by.reason, form_ref=form_ref, author=by.actor, at=by.at)
    return "Your answer stands on the investor's page, and they are told."


def _can_be_answered(case: Case) -> bool:
    return InvestorCase.objects.filter(case=case, closed_at=None).exists()


class WrittenFilter(RadioFilter):
    """Cases by what their investor wrote."""

    title = "investor"
    parameter_name = "investor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waits", "Waits for an answer"), ("sees", "Sees the case")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        seen = InvestorCase.objects.filter(case=OuterRef("pk"))
        conditions = {"waits": Exists(seen.filter(waits_since__isnull=False)), "sees": Exists(seen)}
        return queryset.filter(conditions[self.value()]) if self.value() in conditions else queryset


class AnsweredCaseAdmin(CaseAdmin):
    """The inbox, where some cases are seen by their investors."""

    list_display = (*CaseAdmin.list_display[:4], "waits_for_us", *CaseAdmin.list_display[4:])
    list_filter = (*CaseAdmin.list_filter, WrittenFilter)
    list_select_related = ("owner", "shown")
    quick = (*CaseAdmin.quick[:3], ("Investor waits", "state__exact=OPEN&investor=waits"), *CaseAdmin.quick[3:])
    change_form_outer_after_template = "admin/case.html"
    acts = (
        Act(
            name="answer",
            label="Answer the investor",
            permission="portal.act_case",
            explain="Your words stand on the page of their case, under the name of the house, and they are told.",
            run=_answer,
            offered=_can_be_answered,
            form=AnswerForm,
            icon="reply",
        ),
        *CaseAdmin.acts,
    )

    def whose(self, obj: Any) -> Any:
        """Whose words stand on the page: reading them is a look at personal data."""
        shown = _shown_as(obj)
        return shown.investor if shown else None

    @display(description="Investor waits")
    def waits_for_us(self, case: Case) -> str:
        shown = getattr(case, "shown", None)
        return show.since(shown.waits_since) if shown and shown.waits_since else show.NOTHING

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        shown = _shown_as(obj) if obj else None
        if shown:
            context["seen"] = shown
            context["seen_words"] = KINDS.get(shown.kind, SOMETHING)
            context["written"] = shown.messages.select_related("author")
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


@show.once
def _shown_as(case: Case) -> InvestorCase | None:
    """The case as its investor sees it."""
    return InvestorCase.objects.filter(case=case).select_related("investor").first()


base.replace(Case, AnsweredCaseAdmin)
