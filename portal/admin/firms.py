"""Firms that partners asked for: taken in beneath the one that asked, or refused for a reason that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from portal.admin import show
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, by_part
from portal.api import firms
from portal.models import FirmRequest

TONES = {"ASKED": "needs", "TAKEN": "done", "REFUSED": "failed", "WITHDRAWN": "neutral"}
RIGHT = "portal.add_partner"


class TakeForm(ReasonForm):
    """Under which code the new partner is kept."""

    code = forms.SlugField(
        max_length=20,
        label="Code of the new partner",
        help_text="Letters, digits and dashes; it stands in lists and in the audit log.",
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ("code", "reason")


def _take(request: FirmRequest, by: By) -> str:
    firm = firms.take(request=request, code=by.answers["code"], actor=by.actor, reason=by.reason, at=by.at)
    return f"{firm} works through {request.head}. Add its people on its page; write to {request.email}."


def _refuse(request: FirmRequest, by: By) -> str:
    firms.refuse(request=request, actor=by.actor, reason=by.reason, at=by.at)
    return f"{request.head} reads why."


def _is_open(request: FirmRequest) -> bool:
    return request.state == FirmRequest.State.ASKED


@admin.register(FirmRequest)
class FirmRequestAdmin(OpsAdmin):
    """Firms that partners want to work through them."""

    list_display = ("firm_name", "arn", "through", "state_badge", "asked")
    list_filter = (("state", ChoicesCheckboxFilter),)
    list_select_related = ("head", "firm", "asked_by")
    ordering = ("-id",)
    finders = (by_code("code", "arn"), by_part("name"))
    search_help_text = "Code, ARN or part of the name"
    quick = (("To be decided", "state__exact=ASKED"), ("All", ""))
    fieldsets = (
        (None, {"fields": (("firm_name", "state_badge"), ("arn", "email"), "through")}),
        ("Asked", {"fields": (("asker", "asked"), "basis")}),
        ("Decided", {"fields": (("became", "decided"), "answer")}),
    )
    acts = (
        Act(
            name="take",
            label="Take it in",
            permission=RIGHT,
            explain="The firm becomes a partner beneath the one that asked, which sees sums of its book from then on. "
            "Look its ARN up with AMFI first; its own people are added on its page.",
            run=_take,
            offered=_is_open,
            form=TakeForm,
            icon="task_alt",
        ),
        Act(
            name="refuse",
            label="Refuse",
            permission=RIGHT,
            explain="It is not taken in. The firm that asked reads the reason.",
            run=_refuse,
            offered=_is_open,
            icon="block",
        ),
    )

    def related(self, obj: Model) -> Sequence[Model]:
        row: Any = obj
        return [each for each in (row.head, row.firm) if each]

    @display(description="Firm", ordering="id")
    def firm_name(self, row: FirmRequest) -> str:
        return show.two(row.name, row.code)

    @display(description="Through")
    def through(self, row: FirmRequest) -> str:
        return show.change_link(row.head)

    @display(description="State", ordering="state")
    def state_badge(self, row: FirmRequest) -> str:
        return show.badge(TONES[row.state], row.get_state_display())

    @display(description="Asked by")
    def asker(self, row: FirmRequest) -> str:
        return str(row.asked_by)

    @display(description="Asked")
    def asked(self, row: FirmRequest) -> str:
        return show.moment(row.asked_at)

    @display(description="Partner")
    def became(self, row: FirmRequest) -> str:
        return show.change_link(row.firm) if row.firm else show.NOTHING

    @display(description="Decided")
    def decided(self, row: FirmRequest) -> str:
        return show.moment(row.decided_at)
