"""Investors who are perhaps one person: the queue, what they have in common, and what is done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from investors.admin.finding import by_investor
from investors.admin.merges import TwoSides
from investors.models import Investor, Merge, PossibleDouble
from investors.operations import doubles, merge_plans, merges
from portal import audit, clock, redaction
from portal.admin import show
from portal.admin.acts import Act, By
from portal.models import User

TONES = {"OPEN": "needs", "APART": "done", "GONE": "neutral"}


def _tell_apart(row: PossibleDouble, by: By) -> str:
    doubles.tell_apart(double_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Two persons. They come back only if they have something new in common."


def _look_again(row: PossibleDouble, by: By) -> str:
    doubles.look_again(double_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "That they are two persons is taken back."


def _propose(row: PossibleDouble, by: By) -> str:
    kept, gone = merges.kept_first(row.one, row.other)
    made = merges.ask(kept=kept, gone=gone, actor=by.actor, reason=by.reason, at=by.at)
    return f"{made.code} waits for a second person. Nothing has changed yet."


def _is_open(row: PossibleDouble) -> bool:
    return row.state == PossibleDouble.State.OPEN


def _is_apart(row: PossibleDouble) -> bool:
    return row.state == PossibleDouble.State.APART


@admin.register(PossibleDouble)
class PossibleDoubleAdmin(TwoSides):
    """Pairs with what they have in common. A merge is proposed here and decided by somebody else on its own page."""

    list_display = ("pair", "first", "second", "in_common", "state_badge", "found")
    list_display_links = ("pair",)
    list_filter = (("state", ChoicesCheckboxFilter),)
    list_select_related = ("one__user", "other__user")
    ordering = ("-id",)
    finders = (by_investor("one"), by_investor("other"))
    search_help_text = "Code, PAN, mobile or whole email address of one of the two"
    nothing = "Nobody is to be looked at."
    quick = (
        ("To be looked at", f"state__exact={PossibleDouble.State.OPEN}"),
        ("Two persons", f"state__exact={PossibleDouble.State.APART}"),
        ("All", ""),
    )
    acts = (
        Act(
            name="merge",
            label="Propose to merge",
            permission="investors.act_merge",
            explain="They are one person. The preview below “Would be merged” goes to a second person; nothing changes "
            "before that.",
            run=_propose,
            offered=_is_open,
            not_by=doubles.who_they_are,
            icon="merge",
        ),
        Act(
            name="tell-apart",
            label="Two persons",
            permission="investors.act_merge",
            explain="They are not the same. The answer stays on record with what they have in common now, and can be "
            "taken back; something new in common brings them back by itself.",
            run=_tell_apart,
            offered=_is_open,
            not_by=doubles.who_they_are,
            rests_on=lambda row: row.signs,
            icon="call_split",
        ),
        Act(
            name="look-again",
            label="Look again",
            permission="investors.act_merge",
            explain="That they are two persons was wrong, or is doubtful: they are back in the queue.",
            run=_look_again,
            offered=_is_apart,
            not_by=doubles.who_they_are,
            icon="undo",
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        preview = ("Would be merged", {"fields": ("refused", "moves", "fills", "conflicts", "stays")})
        return (
            (None, {"fields": (("pair", "state_badge"), ("in_common", "found"), ("merged", "answered"))}),
            ("The two, side by side", {"fields": ("compared",)}),
            *((preview,) if obj is not None and _is_open(obj) else ()),
        )

    def whose(self, obj: Model) -> Model | None:
        return getattr(obj, "one", None)

    def related(self, obj: Model) -> Sequence[Model]:
        return [obj.one, obj.other]  # type: ignore[attr-defined]

    def _visited(self, request: HttpRequest, obj: Any) -> Any:
        """The page shows two people: the visit is noted with both."""
        if isinstance(request.user, User):
            audit.saw(obj.other, actor=request.user, at=clock.now(), page=self.opts.label_lower)
        return super()._visited(request, obj)

    @show.once
    def merge_of(self, row: Any) -> Merge:
        """What would be proposed; nothing of it is on record."""
        kept, gone = merges.kept_first(row.one, row.other)
        return Merge(kept=kept, gone=gone, plan=asdict(merge_plans.plan_for(kept, gone)) if _is_open(row) else {})

    @display(description="Who")
    def pair(self, row: PossibleDouble) -> str:
        return f"{row.one.code} and {row.other.code}"

    @display(description="One")
    def first(self, row: PossibleDouble) -> str:
        return _who(row.one)

    @display(description="Other")
    def second(self, row: PossibleDouble) -> str:
        return _who(row.other)

    @display(description="In common")
    def in_common(self, row: PossibleDouble) -> str:
        return ", ".join(row.signs_in_words) or show.NOTHING

    @display(description="State", ordering="state")
    def state_badge(self, row: PossibleDouble) -> str:
        return show.badge(TONES[row.state], row.get_state_display())

    @display(description="Found")
    def found(self, row: PossibleDouble) -> str:
        return show.moment(row.found_at)

    @display(description="Merges of the two")
    @show.once
    def merged(self, row: PossibleDouble) -> str:
        both = (row.one_id, row.other_id)
        rows = Merge.objects.filter(kept__in=both, gone__in=both).order_by("-id")
        lines = [(show.change_link(each, each.code), each.get_state_display()) for each in rows]
        return format_html_join(", ", "{}: {}", lines) or show.NOTHING

    @display(description="Answers")
    @show.once
    def answered(self, row: PossibleDouble) -> str:
        """Everything that was said, the newest first."""
        lines = [
            (show.moment(each.at), each.by or "by itself", each, each.reason)
            for each in row.answers.select_related("by").order_by("-id")
        ]
        return format_html_join("; ", "{}, {}: {} ({})", lines) or show.NOTHING

    @display(description="Stands in the way")
    @show.once
    def refused(self, row: PossibleDouble) -> str:
        return format_html_join(" ", "{}", ((why,) for why in self.merge_of(row).plan["refused"])) or show.NOTHING


def _who(investor: Investor) -> str:
    """A person's name, and below it what tells them from others, masked."""
    known = (
        redaction.mask(investor.mobile) if investor.mobile else "",
        redaction.mask_email(investor.user.email),
        f"born in {investor.date_of_birth:%Y}" if investor.date_of_birth else "",
    )
    return show.two(show.change_link(investor), ", ".join(filter(None, known)))
