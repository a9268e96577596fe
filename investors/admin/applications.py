"""The queue of applications by stage and age: who is invited, who must act, what we check."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RadioFilter
from unfold.decorators import display

from investors import applications
from investors.admin.finding import by_investor
from investors.models import Application
from portal import clock, redaction
from portal.admin import home, show
from portal.admin.base import OpsAdmin


class LateFilter(RadioFilter):
    """Applications that stand for longer than is usual where they stand."""

    title = "late"
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Longer than usual")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> QuerySet[Application]:
        return queryset.filter(applications.late(clock.now())) if self.value() == "1" else queryset


@admin.register(Application)
class ApplicationAdmin(OpsAdmin):
    """Who is on the way to being an investor, the longest wait first."""

    list_display = ("who", "stage_badge", "age_now", "what", "acts_next", "until_when", "partner")
    # Who it is has a link of its own, and no link stands inside another.
    list_display_links = ("what",)
    list_filter = (("stage", ChoicesCheckboxFilter), LateFilter)
    list_select_related = ("investor__partner", "invite__partner")
    ordering = ("since", "ref")
    finders = (by_investor(),)
    search_help_text = "Investor code, email, mobile or whole PAN"
    quick = (
        ("You must act", "stage__exact=YOU_ACT"),
        ("We are checking", "stage__exact=WE_CHECK"),
        ("In progress", "stage__exact=IN_PROGRESS"),
        ("Invited", "stage__exact=INVITED"),
        ("Late", "late=1"),
        ("All", ""),
    )
    shows_timeline = False
    fieldsets = ((None, {"fields": (("who", "stage_badge"), ("what", "acts_next"), ("age_now", "until_when"))}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        open_ones = super().get_queryset(request).filter(is_open=True)
        return open_ones.defer("investor__pan", "investor__guardian_pan", "invite__filled")

    def whose(self, obj: Model) -> Model | None:
        return getattr(obj, "investor", None)

    @display(description="Who")
    def who(self, row: Application) -> str:
        investor: Any = row.investor
        invite: Any = row.invite
        if investor:
            return show.two(show.change_link(investor, investor.name or "no name yet"), investor.code)
        return show.two(show.change_link(invite, invite.name or invite.code), redaction.mask_email(invite.email))

    @display(description="Stage", ordering="stage")
    def stage_badge(self, row: Application) -> str:
        tone = applications.KINDS[row.stage]
        return show.badge("needs" if applications.is_late(row, clock.now()) else tone, row.get_stage_display())

    @display(description="Since", ordering="since")
    def age_now(self, row: Application) -> str:
        return show.since(row.since)

    @display(description="What is so")
    def what(self, row: Application) -> str:
        return applications.words_of(row).title

    @display(description="Next to act")
    def acts_next(self, row: Application) -> str:
        return applications.words_of(row).who

    @display(description="Until", ordering="until")
    def until_when(self, row: Application) -> str:
        return show.moment(row.until)

    @display(description="Partner")
    def partner(self, row: Application) -> str:
        about: Any = row.investor or row.invite
        return str(about.partner or show.NOTHING)


@home.part(order=48, permission="investors.view_application")
def applications_part(at: datetime) -> home.Part:
    """Applications on their way by stage, with the oldest of each."""
    found = applications.by_stage.read(at)
    counts = {stage: rest for stage, *rest in (found.rows if found else ())}
    rows = [
        [show.badge(kind, Application.Stage(stage).label), str(count), str(late), show.age(at - oldest)]
        for stage, kind in applications.KINDS.items()
        if stage in counts
        for count, late, oldest in [counts[stage]]
    ]
    panel = home.Panel(
        "Applications",
        ("Stage", "On their way", "Longer than usual", "Oldest"),
        rows,
        "Nobody is on the way to being an investor." if found else home.BEING_COUNTED,
        show.list_url(Application),
        note=home.counted_at(found, at),
    )
    return home.Part(panels=[panel])
