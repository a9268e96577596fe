"""Two investors that are one person: the preview, the second person's answer, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, Q, Value
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from investors.admin import panel
from investors.admin.finding import by_investor
from investors.models import Investor, Merge, PossibleDouble
from investors.operations import doubles, merge_plans, merges
from portal import clock, redaction
from portal.admin import desk, home, pending, show
from portal.admin.acts import Act, By, ReasonForm
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code

TONES = {"ASKED": "needs", "APPLIED": "done", "REFUSED": "failed", "WITHDRAWN": "neutral", "UNDONE": "neutral"}


# Of one table, on the page; more are only counted.
MOST_NAMED = 6


class OtherForm(ReasonForm):
    """Which other investor goes into this one, and why they are one person."""

    other = forms.CharField(
        label="Code of the investor that goes into this one",
        help_text="Nothing changes before a second person has seen the preview and approved it.",
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ("other", "reason")

    def clean_other(self) -> Investor:
        """The investor with this code."""
        found = Investor.objects.filter(code=self.cleaned_data["other"].strip().upper()).first()
        if found is None:
            raise forms.ValidationError("No investor has this code.")
        return found


def _ask(kept: Investor, by: By) -> str:
    made = merges.ask(kept=kept, gone=by.answers["other"], actor=by.actor, reason=by.reason, at=by.at)
    return f"{made.code} waits for a second person. Its page shows what would move; nothing has changed yet."


PROPOSE = Act(
    name="merge",
    label="Merge another into this",
    permission="investors.act_merge",
    explain="For one person with two logins. What the other has goes to this investor, and the other login is switched "
    "off, once a second person has approved the preview. Whoever FP knows cannot be the one that goes.",
    run=_ask,
    form=OtherForm,
    icon="merge",
)


def _approve(row: Merge, by: By) -> str:
    merges.approve(merge_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return f"Merged. {row.gone.code} goes on as {row.kept.code}."


def _refuse(row: Merge, by: By) -> str:
    merges.refuse(merge_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Nothing changes."


def _undo(row: Merge, by: By) -> str:
    merges.undo(merge_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "What had moved went back, and the other login works again."


def _waits(row: Merge) -> bool:
    return row.state == Merge.State.ASKED


class TwoSides(OpsAdmin):
    """Pages about two investors: who they are side by side, and what a merge of them does."""

    def merge_of(self, row: Any) -> Merge:
        """The merge that is shown."""
        found: Merge = row
        return found

    @display(description="Who they are")
    @show.once
    def compared(self, row: Any) -> str:
        row = self.merge_of(row)
        head = mark_safe("<thead><tr><th>What</th><th>Stays</th><th>Goes</th><th>Compared</th></tr></thead>")
        cells = (
            '<tr><th scope="row">{}</th><td data-label="Stays">{}</td><td data-label="Goes">{}</td>'
            '<td data-label="Compared">{}</td></tr>'
        )
        body = format_html_join("", cells, _both(row.kept, row.gone))
        return format_html('<table class="ops-table">{}<tbody>{}</tbody></table>', head, body)

    @display(description="Moves")
    @show.once
    def moves(self, row: Any) -> str:
        row = self.merge_of(row)
        every = [_moved(relation, row) for relation in merge_plans.relations()]
        return _lines([*filter(None, every), *(["the PAN"] if row.plan.get("takes_pan") else [])])

    @display(description="Is filled in")
    @show.once
    def fills(self, row: Any) -> str:
        row = self.merge_of(row)
        return _lines([name.replace("_", " ") for name in row.plan.get("fills", [])])

    @display(description="Differs")
    @show.once
    def conflicts(self, row: Any) -> str:
        row = self.merge_of(row)
        return _lines(row.plan.get("conflicts", []))

    @display(description="Stays where it is")
    @show.once
    def stays(self, row: Any) -> str:
        row = self.merge_of(row)
        return _lines([words for each in row.plan.get("stays", {}).values() for words in each])


@admin.register(Merge)
class MergeAdmin(TwoSides):
    """Proposed merges with their preview; somebody else than the proposer decides."""

    list_display = ("code", "kept", "gone", "state_badge", "asked_by", "asked", "decided_by")
    list_filter = (("state", ChoicesCheckboxFilter),)
    list_select_related = ("kept__user", "gone__user", "asked_by", "decided_by")
    ordering = ("-id",)
    finders = (by_code("code"), by_investor("kept"), by_investor("gone"))
    search_help_text = "Code of the merge or of one of the two, or email"
    quick = (("To be decided", "state__exact=ASKED"), ("Merged", "state__exact=APPLIED"), ("All", ""))
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("kept_link", "gone_link"), ("asked_by", "asked"), "reason")}),
        ("The two, side by side", {"fields": ("compared",)}),
        ("Preview", {"fields": ("moves", "fills", "conflicts", "stays")}),
        ("Decided", {"fields": (("decided_by", "decided"), "answer")}),
    )
    acts = (
        Act(
            name="approve",
            label="Approve",
            permission="investors.approve_merge",
            explain="Does exactly what the preview says, at once. If anything has changed since, nothing is done.",
            run=_approve,
            offered=_waits,
            not_by=merges.may_not_decide,
            icon="task_alt",
            danger=True,
        ),
        Act(
            name="refuse",
            label="Refuse",
            permission="investors.approve_merge",
            explain="Nothing changes. Whoever asked reads the reason.",
            run=_refuse,
            offered=_waits,
            not_by=merges.may_not_decide,
            icon="block",
        ),
        Act(
            name="withdraw",
            label="Withdraw",
            permission="investors.act_merge",
            explain="Nothing changes, and the two can be looked at again.",
            run=_refuse,
            offered=_waits,
            icon="undo",
        ),
        Act(
            name="undo",
            label="Undo",
            permission="investors.approve_merge",
            explain="What moved, and is still where it was moved to, goes back; the other login works again.",
            run=_undo,
            offered=lambda row: row.state == Merge.State.APPLIED,
            not_by=merges.may_not_decide,
            icon="history",
            danger=True,
        ),
    )

    def whose(self, obj: Model) -> Model | None:
        return getattr(obj, "kept", None)

    def related(self, obj: Model) -> Sequence[Model]:
        return [obj.gone]  # type: ignore[attr-defined]

    @display(description="State", ordering="state")
    def state_badge(self, row: Merge) -> str:
        return show.badge(TONES[row.state], row.get_state_display())

    @display(description="Stays")
    def kept_link(self, row: Merge) -> str:
        return show.two(show.change_link(row.kept), row.kept.code)

    @display(description="Goes")
    def gone_link(self, row: Merge) -> str:
        return show.two(show.change_link(row.gone), row.gone.code)

    @display(description="Asked", ordering="asked_at")
    def asked(self, row: Merge) -> str:
        return show.moment(row.asked_at)

    @display(description="Decided")
    def decided(self, row: Merge) -> str:
        return show.moment(row.decided_at)


def _both(kept: Investor, gone: Investor) -> list[tuple[str, str, str, str]]:
    """What tells one person from two: label, of the one that stays, of the one that goes, and whether they differ.

    Whole values are compared, and masked ones are shown.
    """
    theirs = _facts(gone)
    return [
        (label, text or show.NOTHING, theirs[label][0] or show.NOTHING, "" if whole == theirs[label][1] else "differs")
        for label, (text, whole) in _facts(kept).items()
    ]


def _facts(investor: Investor) -> dict[str, tuple[str, object]]:
    born, mobile, email = investor.date_of_birth, investor.mobile, investor.user.email
    accounts = list(investor.bankaccounts.defer("number").order_by("id"))
    since, state = investor.created_at.astimezone(clock.IST), str(investor.get_state_display())
    return {
        "Name": (investor.name, investor.name.casefold()),
        "Born in": (f"{born:%Y}" if born else "", born),
        "PAN": (investor.masked_pan, investor.pan),
        "Mobile": (redaction.mask(mobile) if mobile else "", mobile),
        "Email": (redaction.mask_email(email), email),
        "Bank accounts": (", ".join(map(str, accounts)), {each.number_index for each in accounts}),
        "Application": (state, state),
        "At the provider": (investor.provider_ref or "", investor.provider_ref),
        "Here since": (f"{since:%-d %b %Y}", since.date()),
    }


def _moved(relation: Any, row: Merge) -> str:
    """`documents: PAN card DOC-…, signature DOC-…`; where there are many, how many."""
    model = relation.related_model
    keys = row.plan.get("moves", {}).get(model._meta.model_name, [])
    if not keys:
        return ""
    words = str(model._meta.verbose_name_plural)
    if len(keys) > MOST_NAMED:
        return f"{len(keys)} {words}"
    return f"{words}: {', '.join(str(each) for each in model._base_manager.filter(pk__in=keys).order_by('pk'))}"


def _lines(texts: Sequence[str]) -> str:
    return format_html_join(mark_safe("<br>"), "{}", ((text,) for text in texts)) or show.NOTHING


def _differences(ids: list[str]) -> dict[str, str]:
    """What merges would do, for the inbox: the preview in a line."""
    rows = Merge.objects.filter(pk__in=ids).select_related("kept", "gone")
    return {str(row.pk): f"{row.gone.code} → {row.kept.code}: {_in_a_line(row)}" for row in rows}


def _in_a_line(row: Merge) -> str:
    moves = [f"{len(keys)} {name.replace('_', ' ')}" for name, keys in row.plan.get("moves", {}).items()]
    differs = row.plan.get("conflicts", [])
    return "; ".join([", ".join(moves) or "nothing moves", *([f"{len(differs)} differ"] if differs else [])])


desk.differences["investors.merge"] = _differences


@pending.concerns("investors.investor")
def _merges_of(investor: Investor) -> list[pending.Waits]:
    """Merges that take something from this person, or give it to them."""
    rows = Merge.objects.filter(Q(kept=investor) | Q(gone=investor), state=Merge.State.ASKED)
    found = rows.select_related("kept", "gone", "asked_by")
    return [
        pending.Waits(row, f"{row.code}: {row.gone.code} goes into {row.kept.code}", str(row.asked_by), row.asked_at)
        for row in found
    ]


@panel.part(order=95, permission="investors.view_merge")
def same_person(investor: Investor, at: datetime) -> panel.Found:
    """Others who are perhaps this person, and merges that were proposed."""
    merging = Merge.objects.filter(Q(kept=investor) | Q(gone=investor)).select_related("kept", "gone").order_by("-id")
    rows = [
        [show.change_link(each, each.code), str(each), show.badge(TONES[each.state], each.get_state_display())]
        for each in merging[: panel.MOST]
    ]
    pairs = list(doubles.waiting(investor)[: panel.MOST])
    rows += [
        [show.change_link(each), ", ".join(each.signs_in_words), show.badge("needs", each.get_state_display())]
        for each in pairs
    ]
    named = {key for each in pairs for key in (each.one_id, each.other_id)}
    rows += [
        [show.change_link(other), f"has {why}", show.badge("needs", "look")]
        for other, why in doubles.candidates(investor)
        if other.pk not in named
    ]
    return panel.Found(home.Panel("Perhaps the same person", ("Who", "Why", "State"), rows, "Nobody else is known."))


# Of what waits, on the first page: beyond that it only matters that it is much.
MOST_COUNTED = 100


@home.part(order=57, permission="investors.view_merge")
def merges_part(at: datetime) -> home.Part:
    """Merges that wait for a second person, and pairs that nobody has looked at, in one statement."""
    asked = Merge.objects.filter(state=Merge.State.ASKED).order_by("asked_at").values_list("asked_at", Value(True))
    pairs = PossibleDouble.objects.filter(state=PossibleDouble.State.OPEN).order_by("id")
    found = pairs.values_list("found_at", Value(False))
    waiting: dict[bool, list[datetime]] = {True: [], False: []}
    for since, is_merge in asked[:MOST_COUNTED].union(found[:MOST_COUNTED], all=True):
        waiting[is_merge].append(since)
    return home.Part(
        [
            _tile("Merges to approve", Merge, "ASKED", waiting[True], "Nothing waits for a second person.", at),
            _tile("Possible doubles", PossibleDouble, "OPEN", waiting[False], "Nobody is to be looked at.", at),
        ]
    )


def _tile(label: str, model: type[Model], state: str, waiting: list[datetime], nothing: str, at: datetime) -> home.Tile:
    note = f"oldest {show.age(at - min(waiting))}" if waiting else nothing
    number = f"{MOST_COUNTED} or more" if len(waiting) == MOST_COUNTED else str(len(waiting))
    return home.Tile(label, number, note, show.list_url(model, f"state__exact={state}"), "needs" if waiting else "done")
