"""Changes of details that investors have asked for, and what waits for a second person."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from investors import change_words, lifecycle
from investors.admin.finding import by_investor
from investors.admin.papers import picture
from investors.models import ChangeRequest, Investor
from investors.operations import changes
from portal.admin import desk, home, pending, show
from portal.admin.acts import Act, By
from portal.admin.filters import StuckFilter, UnknownFilter
from portal.admin.finding import by_code
from portal.admin.money import MoneyAdmin

CHANGE_TONES = {
    lifecycle.ASKED: "neutral",
    lifecycle.COOLING: "waiting",
    lifecycle.CHECKING: "needs",
    lifecycle.SENDING: "waiting",
    lifecycle.DONE: "done",
    lifecycle.WITHDRAWN: "neutral",
    lifecycle.REFUSED: "failed",
}
CHANGE_PATIENCE = {lifecycle.CHECKING: timedelta(days=1), lifecycle.SENDING: timedelta(minutes=15)}


def _approve(change: ChangeRequest, by: By) -> str:
    changes.approve(change_id=change.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Approved; it is being passed on."


def _refuse(change: ChangeRequest, by: By) -> str:
    changes.refuse(change_id=change.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Refused. The investor reads the reason."


def _is_checked(change: ChangeRequest) -> bool:
    return change.state == lifecycle.CHECKING


def _whose(change: ChangeRequest) -> Collection[int]:
    return (change.asked_by_id, change.investor.user_id)


@admin.register(ChangeRequest)
class ChangeRequestAdmin(MoneyAdmin):
    """Changes that investors have asked for; somebody else decides (reliability.md P34)."""

    tones = CHANGE_TONES
    patience = CHANGE_PATIENCE
    list_display = ("code", "investor", "what", "state_and_age", "not_before", "decided_by", "due")
    list_filter = (("state", ChoicesCheckboxFilter), ("what", ChoicesCheckboxFilter), StuckFilter, UnknownFilter)
    list_select_related = ("investor", "decided_by")
    finders = (by_code("code"), by_investor())
    search_help_text = "Code, investor code, email, mobile or PAN"
    quick = (
        ("To be checked", "state__exact=CHECKING"),
        ("Stuck", "stuck=1"),
        ("Done", "state__exact=DONE"),
        ("All", ""),
    )
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("investor", "what"), ("asked_by", "age_now"), "not_before")}),
        ("The change", {"fields": ("difference", "cheque")}),
        ("Decision", {"fields": (("decided_by", "reason"), ("refused_by_provider", "attempts"), "consent")}),
    )
    acts = (
        Act(
            name="approve",
            label="Approve",
            permission="investors.approve_changerequest",
            explain="The change is passed on. Compare names and papers first; of a mobile, call both numbers.",
            run=_approve,
            offered=_is_checked,
            icon="how_to_reg",
            not_by=_whose,
            rests_on=lambda change: (change.code, change.paper_id),
        ),
        Act(
            name="refuse",
            label="Refuse",
            permission="investors.approve_changerequest",
            explain="Nothing is changed. The investor reads the reason in your words.",
            run=_refuse,
            offered=_is_checked,
            icon="block",
            danger=True,
            not_by=_whose,
        ),
    )

    @display(description="Not before")
    def not_before(self, change: ChangeRequest) -> str:
        return show.moment(change.effective_at)

    @display(description="Before and after")
    def difference(self, change: ChangeRequest) -> str:
        rows = (
            (line.label, line.before, line.after, "changed" if line.is_changed else "as before")
            for line in change_words.of(change, masked=change_words.STAFF)
        )
        head = mark_safe("<thead><tr><th>What</th><th>Before</th><th>After</th><th>Compared</th></tr></thead>")
        cells = (
            '<tr><th scope="row">{}</th><td data-label="Before">{}</td><td data-label="After">{}</td>'
            '<td data-label="Compared">{}</td></tr>'
        )
        body = format_html_join("", cells, rows)
        return format_html('<table class="ops-table">{}<tbody>{}</tbody></table>', head, body)

    @display(description="Cancelled cheque")
    def cheque(self, change: ChangeRequest) -> str:
        return format_html('<div class="ops-papers">{}</div>', picture(change.paper)) if change.paper else show.NOTHING

    @display(description="The provider's complaints")
    def refused_by_provider(self, change: ChangeRequest) -> str:
        return show.pretty(change.refusal)


def _differences(ids: list[str]) -> dict[str, str]:
    """What changes would change, for the inbox."""
    rows = ChangeRequest.objects.filter(pk__in=ids).select_related("investor", "paper")
    return {str(row.pk): _short(row) for row in rows}


def _short(row: ChangeRequest) -> str:
    changed = [line for line in change_words.of(row, masked=change_words.STAFF) if line.is_changed]
    return ", ".join(f"{line.label}: {line.before or show.NOTHING} → {line.after}" for line in changed)


desk.differences["investors.changerequest"] = _differences


@pending.concerns("investors.investor")
def _changes_of(investor: Investor) -> list[pending.Waits]:
    """Changes of this person's details that somebody must look at."""
    rows = ChangeRequest.objects.filter(investor=investor, state=lifecycle.CHECKING)
    return [
        pending.Waits(row, f"{row.code}: {row.get_what_display()}", "the investor", row.state_since) for row in rows
    ]


@home.part(order=56, permission="investors.view_changerequest")
def changes_part(at: datetime) -> home.Part:
    """Changes that wait for a second person."""
    waiting = ChangeRequest.objects.filter(state=lifecycle.CHECKING).count()
    tile = home.Tile(
        "Changes to be checked",
        str(waiting),
        "A second person decides." if waiting else "Nothing waits for a second person.",
        show.list_url(ChangeRequest, "state__exact=CHECKING"),
        "needs" if waiting else "done",
    )
    return home.Part([tile])
