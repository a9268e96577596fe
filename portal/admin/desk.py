"""The inbox of operations, what waits for a second person, and the rules about which acts need one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RadioFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from portal import clock, redaction, roles
from portal.admin import home, proposed, show, undoing
from portal.admin.acts import Act, By, QuickForm, ReasonForm
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, by_subject, codes
from portal.admin.proposed import ProposedAdmin, ProposedForm
from portal.clock import IST
from portal.desk import proposals, worklist
from portal.desk.models import Proposal, SecondPersonRule, WorkItem
from portal.models import Case

codes["PRP"] = Proposal
# Kind of record -> what each of some proposals would change, in a line; apps add theirs.
differences: dict[str, Callable[[list[str]], dict[str, str]]] = {"portal.proposal": proposed.differences}

TONES = {
    "case": "needs", "break": "failed", "unknown": "checking", "kyc": "waiting", "mandate": "failed", "sip": "failed",
    "event": "failed", "approval": "needs",
}  # fmt: skip


class WhoseFilter(RadioFilter):
    """Whose work it is."""

    title = "owner"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "Mine"), ("team", "The team's"), ("nobody", "Nobody's")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        me = request.user.pk
        conditions = {"mine": Q(owner_id=me), "team": Q(owner__isnull=False) & ~Q(owner_id=me), "nobody": Q(owner=None)}
        return queryset.filter(conditions.get(self.value() or "", Q()))


class LaterFilter(RadioFilter):
    """What was put off or set aside; both are out of sight otherwise."""

    title = "put off"
    parameter_name = "later"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("snoozed", "Comes back later"), ("aside", "Set aside")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        at = clock.now()
        if self.value() == "snoozed":
            return queryset.filter(snoozed_until__gt=at, set_aside_at=None)
        if self.value() == "aside":
            return queryset.filter(set_aside_at__isnull=False)
        # The page of one thing opens also while it is put off.
        return queryset.filter(worklist.waiting(at))


def tomorrow_at(at: datetime, days: int) -> datetime:
    """Nine o'clock in so many days, Indian time."""
    return datetime.combine(at.astimezone(IST).date() + timedelta(days=days), time(9), tzinfo=IST)


SNOOZES: dict[str, tuple[str, Callable[[datetime], datetime]]] = {
    "hour": ("For an hour", lambda at: at + timedelta(hours=1)),
    "morning": ("Until tomorrow, 09:00", lambda at: tomorrow_at(at, 1)),
    "days": ("For three days", lambda at: tomorrow_at(at, 3)),
    "week": ("For a week", lambda at: tomorrow_at(at, 7)),
}


class SnoozeForm(ReasonForm):
    """Why it can wait, and for how long."""

    until = forms.ChoiceField(
        label="Until", choices=[(key, words) for key, (words, _) in SNOOZES.items()], widget=UnfoldAdminSelectWidget
    )


def _claim(item: WorkItem, by: By) -> str:
    worklist.claim(item=item, actor=by.actor, reason=by.reason, at=by.at)
    return f"“{item}” is yours."


def _hand_back(item: WorkItem, by: By) -> str:
    worklist.hand_back(item=item, actor=by.actor, reason=by.reason, at=by.at)
    return f"“{item}” is nobody's again."


def _snooze(item: WorkItem, by: By) -> str:
    until = SNOOZES[by.answers["until"]][1](by.at)
    worklist.snooze(item=item, until=until, actor=by.actor, reason=by.reason, at=by.at)
    return f"It comes back on {show.moment(until)}."


def _set_aside(item: WorkItem, by: By) -> str:
    worklist.set_aside(item=item, actor=by.actor, reason=by.reason, at=by.at)
    return "It is off the list; the record keeps its state."


_CAN_BE_SET_ASIDE = (WorkItem.Source.MANDATE, WorkItem.Source.SIP, WorkItem.Source.EVENT)


@admin.register(WorkItem)
class WorkItemAdmin(OpsAdmin):
    """Everything that needs a person, across all records, first what is or will be late first."""

    list_display = ("what", "record", "kind_badge", "change", "age_now", "at_risk", "holder", "asker")
    list_filter = (("source", ChoicesCheckboxFilter), WhoseFilter, LaterFilter)
    list_select_related = ("owner", "asked_by")
    ordering = ("due_at", "ref")
    finders = (by_subject,)
    search_help_text = "Code of the record"
    nothing = "Nothing waits for a person"
    quick = (
        ("All", ""),
        ("Mine", "whose=mine"),
        ("Nobody's", "whose=nobody"),
        ("To approve", "source__exact=approval"),
        ("Unknown outcomes", "source__exact=unknown"),
        ("Put off", "later=snoozed"),
    )
    shows_timeline = False
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("what", "record"),
                    ("kind_badge",),
                    ("holder", "age_now"),
                    ("at_risk", "asker"),
                    "change",
                    "later",
                )
            },
        ),
    )
    acts = (
        Act(
            name="claim",
            label="Claim",
            permission="portal.act_workitem",
            explain="It is yours to work on; colleagues see your name on it.",
            run=_claim,
            form=QuickForm,
            icon="front_hand",
            in_bulk=True,
            undo=undoing.CLAIMED,
        ),
        Act(
            name="hand-back",
            label="Hand back",
            permission="portal.act_workitem",
            explain="It is nobody's again, and stays on the list.",
            run=_hand_back,
            offered=lambda item: item.owner_id is not None,
            form=QuickForm,
            icon="undo",
            in_bulk=True,
            undo=undoing.HANDED_BACK,
        ),
        Act(
            name="snooze",
            label="Snooze",
            permission="portal.act_workitem",
            explain="It leaves the list and comes back by itself. Nothing about the record changes.",
            run=_snooze,
            form=SnoozeForm,
            icon="snooze",
        ),
        Act(
            name="set-aside",
            label="Nothing more to do",
            permission="portal.act_workitem",
            explain="It leaves the list. The record keeps its state and its history.",
            run=_set_aside,
            offered=lambda item: item.source in _CAN_BE_SET_ASIDE and item.set_aside_at is None,
            icon="task_alt",
            in_bulk=True,
            undo=undoing.SET_ASIDE,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkItem]:
        return worklist.visible(super().get_queryset(request), request.user)  # type: ignore[arg-type]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        if found := getattr(answer, "context_data", {}).get("cl"):
            _tell_differences(list(found.result_list))
        return answer

    @display(description="What", ordering="since")
    def what(self, item: WorkItem) -> str:
        return item.title

    @display(description="Record")
    def record(self, item: WorkItem) -> str:
        return show.subject_link(item.subject_kind, item.subject_id)

    @display(description="Kind", ordering="source")
    def kind_badge(self, item: WorkItem) -> str:
        return show.badge(TONES[item.source], item.get_source_display())

    @display(description="Would change")
    @show.once
    def change(self, item: WorkItem) -> str:
        if not hasattr(item, "difference"):
            _tell_differences([item])
        return item.difference or show.NOTHING  # type: ignore[attr-defined]

    @display(description="Due, waits", ordering="due_at")
    def age_now(self, item: WorkItem) -> str:
        return show.two(show.due(item.due_at), show.since(item.since))

    @display(description="Rupees at risk", ordering="rupees")
    def at_risk(self, item: WorkItem) -> str:
        return show.rupees(item.rupees)

    @display(description="Owner")
    def holder(self, item: WorkItem) -> str:
        return str(item.owner) if item.owner else "nobody"

    @display(description="Asked by")
    def asker(self, item: WorkItem) -> str:
        return str(item.asked_by) if item.asked_by else show.NOTHING

    @display(description="Put off until")
    def later(self, item: WorkItem) -> str:
        return show.moment(item.snoozed_until)


def _tell_differences(items: list[WorkItem]) -> None:
    """Each proposal knows what it would change: a statement per kind of record on the page."""
    for item in items:
        item.difference = ""  # type: ignore[attr-defined]
    for kind, tell in differences.items():
        of_kind = [item for item in items if item.subject_kind == kind and item.source == WorkItem.Source.APPROVAL]
        told = tell([item.subject_id for item in of_kind]) if of_kind else {}
        for item in of_kind:
            item.difference = told.get(item.subject_id, "")  # type: ignore[attr-defined]


def _cases(ids: list[str]) -> dict[str, str]:
    """Approvals that are kept as cases say in their detail what was asked for."""
    found = Case.objects.filter(pk__in=ids).values_list("pk", "detail")
    return {str(pk): show.cut(redaction.text(detail)) for pk, detail in found}


differences["portal.case"] = _cases
PROPOSAL_TONES = {
    "ASKED": "needs", "APPROVED": "waiting", "APPLIED": "done", "REFUSED": "failed", "WITHDRAWN": "neutral",
}  # fmt: skip


def _approve(row: Proposal, by: By) -> str:
    proposals.approve(proposal=row, actor=by.actor, reason=by.reason, at=by.at)
    return f"{row.code} is approved and holds from now on."


def _refuse(row: Proposal, by: By) -> str:
    proposals.refuse(proposal=row, actor=by.actor, reason=by.reason, at=by.at)
    return "Nothing changes."


def _is_open(row: Proposal) -> bool:
    return row.state == Proposal.State.ASKED


def _is_decided_here(row: Proposal) -> bool:
    return _is_open(row) and not proposals.kind_of(row.act).on_its_page


@admin.register(Proposal)
class ProposalAdmin(OpsAdmin):
    """What somebody proposed to change in data that two persons keep, and what a second one said."""

    list_display = ("code", "what", "change", "state_badge", "asker", "asked", "decider")
    list_filter = (("state", ChoicesCheckboxFilter),)
    list_select_related = ("asked_by", "decided_by")
    ordering = ("-id",)
    finders = (by_code("code"), by_subject)
    search_help_text = "Code of the proposal or of its record"
    quick = (("To be decided", "state__exact=ASKED"), ("All", ""))
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), "what", "record", "affects")}),
        ("The change", {"fields": ("difference",)}),
        ("Asked", {"fields": (("asker", "asked"), "reason", "role")}),
        ("Decided", {"fields": (("decider", "decided"), "answer")}),
    )
    acts = (
        Act(
            name="approve",
            label="Approve",
            permission=lambda row: proposals.kind_of(row.act).approve,
            explain="Done at once; a rule holds from its own day. You answer for it together with whoever asked.",
            run=_approve,
            offered=_is_decided_here,
            not_by=lambda row: (row.asked_by_id,),
            icon="task_alt",
            in_bulk=True,
            no_undo=undoing.DECIDED,
        ),
        Act(
            name="refuse",
            label="Refuse",
            permission=lambda row: proposals.kind_of(row.act).approve,
            explain="Nothing changes. Whoever asked reads the reason.",
            run=_refuse,
            offered=_is_decided_here,
            not_by=lambda row: (row.asked_by_id,),
            icon="block",
            in_bulk=True,
            no_undo=undoing.DECIDED,
        ),
        Act(
            name="withdraw",
            label="Withdraw",
            permission=lambda row: proposals.kind_of(row.act).ask,
            explain="Nothing changes, and it can be proposed anew.",
            run=_refuse,
            offered=_is_open,
            only_by=lambda row: (row.asked_by_id,),
            icon="undo",
        ),
    )

    @display(description="What", ordering="id")
    def what(self, row: Proposal) -> str:
        return row.title

    @display(description="Record")
    def record(self, row: Proposal) -> str:
        return show.subject_link(row.subject_kind, row.subject_id) if row.subject_id else "a new one"

    @display(description="Would change")
    @show.once
    def change(self, row: Proposal) -> str:
        return show.cut(proposed.short(row))

    @display(description="Before and after")
    def difference(self, row: Proposal) -> str:
        return proposed.difference(row)

    @display(description="State", ordering="state")
    def state_badge(self, row: Proposal) -> str:
        return show.badge(PROPOSAL_TONES[row.state], row.get_state_display())

    @display(description="Asked by")
    def asker(self, row: Proposal) -> str:
        return str(row.asked_by)

    @display(description="Asked")
    def asked(self, row: Proposal) -> str:
        return show.moment(row.asked_at)

    @display(description="Decided by")
    def decider(self, row: Proposal) -> str:
        return str(row.decided_by or show.NOTHING)

    @display(description="Decided")
    def decided(self, row: Proposal) -> str:
        return show.moment(row.decided_at)


RULE = "rule of two persons"
proposals.register(
    proposals.Kind(RULE, "Rules of two persons", "portal.add_secondpersonrule", "portal.act_user", always=True)
)


class RuleForm(ProposedForm):
    """A rule for one of the acts that go through a second person."""

    act = forms.ChoiceField(label="Act", widget=UnfoldAdminSelectWidget)
    role = forms.ChoiceField(
        label="Role that decides",
        required=False,
        widget=UnfoldAdminSelectWidget,
        choices=[("", "Whoever may approve such acts"), *((role, role) for role in roles.STAFF_ROLES)],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["act"].choices = [  # type: ignore[attr-defined]
            (kind.act, kind.label) for kind in proposals.kinds() if not kind.always
        ]

    def clean_valid_from(self) -> datetime:
        """Nothing is decided afterwards under a rule that did not hold then."""
        moment: datetime = self.cleaned_data["valid_from"]
        if moment < clock.now() - timedelta(minutes=5):
            raise forms.ValidationError("A rule cannot hold from a moment that has passed.")
        return moment


@admin.register(SecondPersonRule)
class SecondPersonRuleAdmin(ProposedAdmin):
    """Which acts need a second person, from how many rupees, and of which role. Without a rule each needs one."""

    act = RULE
    form = RuleForm
    list_display = ("act", "needed", "from_rupees", "role", "valid_from")
    fields = ("act", "needed", "from_rupees", "role", "valid_from")
    ordering = ("act", "-valid_from")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def summary_panel(user: Any, at: datetime) -> home.Panel:
    """What needs a person, by kind: the head of the first page."""
    labels = dict(WorkItem.Source.choices)
    rows = []
    for source, count, nobodys, mine, late, since, rupees in worklist.summary(user, at):
        url = show.list_url(WorkItem, f"source__exact={source}")
        name = show.link(url, capfirst(labels[source]))
        team = count - nobodys - mine
        whose = [str(mine), str(team), str(nobodys)]
        rows.append([name, str(count), str(late), *whose, show.rupees(rupees), show.age(at - since)])
    columns = ("Inbox", "Waiting", "Late", "Mine", "The team's", "Nobody's", "Rupees at risk", "Oldest")
    return home.Panel("Needs a person", columns, rows, "Nothing waits for a person.", show.list_url(WorkItem))
