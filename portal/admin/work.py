"""The work of operations: cases, inbound events, gates."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RadioFilter
from unfold.decorators import display

from portal import case_terms, cases, gates, inbox
from portal.admin import show, timeline, undoing
from portal.admin.acts import Act, By
from portal.admin.base import OpsAdmin
from portal.admin.evidence import SAMPLE
from portal.admin.finding import by_code, by_subject, by_text
from portal.field_words import words_of
from portal.models import Case, Gate, InboundEvent

APPROVAL = "approval"


def closing_permission(case: Case) -> str:
    """Approvals are closed by a checker, everything else by a maker."""
    return "portal.approve_case" if case.kind.startswith(APPROVAL) else "portal.act_case"


def _claim(case: Case, by: By) -> str:
    cases.claim(case=case, actor=by.actor, reason=by.reason, at=by.at)
    return f"{case.code} is yours."


def _close(case: Case, by: By) -> str:
    cases.close(case=case, resolution=by.reason, actor=by.actor, at=by.at)
    return f"{case.code} is closed."


def _is_open(case: Case) -> bool:
    return case.state == Case.State.OPEN


def _refresh_of(case: Case) -> tuple[Act, Any] | None:
    """The act that asks the provider about the record of a case, and the record; None where there is none."""
    subject: Any = show.find(case.subject_kind, case.subject_id)
    page: Any = admin.site._registry.get(type(subject))
    act = next((each for each in getattr(page, "acts", ()) if each.name == "refresh"), None)
    return (act, subject) if act and act.offered(subject) else None


def _look_again(case: Case, by: By) -> str:
    found = _refresh_of(case)
    if found is None:
        return "There is nothing to ask the provider about it."
    act, subject = found
    if not act.allowed(by.actor, subject):
        return "Your role does not ask the provider about such records. Nothing was done."
    words = act.run(subject, by)
    subject.refresh_from_db()
    if case.kind == getattr(subject, "unknown_case", lambda: "")() and not subject.is_unknown:
        cases.close(case=case, resolution=f"Looked up again. {words}", actor=by.actor, at=by.at)
        return f"{words} {case.code} is closed."
    return f"{words} {case.code} stays open; a difference closes with the comparison that no longer finds it."


class WhoseFilter(RadioFilter):
    """Cases by who holds them."""

    title = "owner"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "Mine"), ("nobody", "Nobody's")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        if self.value() == "mine":
            return queryset.filter(owner_id=request.user.pk)
        return queryset.filter(owner=None) if self.value() == "nobody" else queryset


@admin.register(Case)
class CaseAdmin(OpsAdmin):
    """The inbox: what a person must look at, open ones first, and of these what is or will be late first."""

    list_display: tuple[str, ...] = (
        "code",
        "what",
        "state_badge",
        "age_now",
        "at_risk",
        "owner",
        "times_reported",
        "about",
    )
    list_filter: tuple[Any, ...] = (("state", ChoicesCheckboxFilter), WhoseFilter)
    list_select_related: tuple[str, ...] = ("owner",)
    ordering = ("-state", "due_at", "id")
    exported = (
        ("Case", lambda case: case.code),
        ("Kind", lambda case: case.kind),
        ("State", lambda case: case.state),
        ("Opened", lambda case: case.opened_at),
        ("Due", lambda case: case.due_at if _is_open(case) else None),
        ("Closed", lambda case: case.closed_at),
        ("Rupees at risk", lambda case: case.rupees),
        ("Owner", lambda case: case.owner and str(case.owner)),
        ("Reported", lambda case: case.times_reported),
        ("About", lambda case: f"{case.subject_kind} {case.subject_id}"),
    )
    finders = (by_code("code"), by_text("kind"), by_subject)
    search_help_text = "Code of the case or of its object, or kind"
    quick: tuple[tuple[str, str], ...] = (
        ("Open", "state__exact=OPEN"),
        ("Mine", "state__exact=OPEN&whose=mine"),
        ("Nobody's", "state__exact=OPEN&whose=nobody"),
        ("Closed", "state__exact=CLOSED"),
        ("All", ""),
    )
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), "title", "detail", ("about", "owner"))}),
        (
            "Since when",
            {
                "fields": (
                    ("at_risk", "age_now"),
                    ("opened", "closed"),
                    ("look_until", "settle_until"),
                    "term_source",
                    ("reported", "times_reported"),
                    "resolution",
                )
            },
        ),
    )
    acts: tuple[Act, ...] = (
        Act(
            name="claim",
            label="Claim",
            permission="portal.act_case",
            explain="The case is yours to work on; colleagues see your name on it.",
            run=_claim,
            offered=_is_open,
            icon="front_hand",
            in_bulk=True,
            undo=undoing.CLAIMED_CASE,
        ),
        Act(
            name="look-again",
            label="Look up and link again",
            permission="portal.act_case",
            explain="Asks the provider about the record of this case, by its number or by our reference, and links and "
            "takes in what it finds. The case closes where nothing is in doubt any more.",
            run=_look_again,
            offered=lambda case: _is_open(case) and _refresh_of(case) is not None,
            icon="sync",
            in_bulk=True,
            no_undo=undoing.ASKED_ONLY,
        ),
        Act(
            name="close",
            label="Close",
            permission=closing_permission,
            explain="The case leaves the inbox. The reason says how it ended. If the same thing is reported again, a "
            "new case opens.",
            run=_close,
            offered=_is_open,
            icon="task_alt",
            in_bulk=True,
            no_undo="Whom a case is about may have read that it is closed. Reported again, it opens as a new one.",
        ),
    )

    @display(description="What, kind", ordering="kind")
    def what(self, case: Case) -> str:
        return show.two(case.title, case.kind.replace("_", " "))

    @display(description="State")
    def state_badge(self, case: Case) -> str:
        return show.badge("needs" if _is_open(case) else "neutral", case.get_state_display())

    @display(description="Due, waits", ordering="due_at")
    def age_now(self, case: Case) -> str:
        return show.two(show.due(case.due_at), show.since(case.opened_at)) if _is_open(case) else show.NOTHING

    @display(description="Rupees at risk", ordering="rupees")
    def at_risk(self, case: Case) -> str:
        return show.rupees(case.rupees)

    @display(description="About")
    def about(self, case: Case) -> str:
        return show.subject_link(case.subject_kind, case.subject_id)

    @display(description="Opened")
    def opened(self, case: Case) -> str:
        return show.moment(case.opened_at)

    @display(description="To be looked at by")
    def look_until(self, case: Case) -> str:
        return show.moment(case.look_by)

    @display(description="To be settled by")
    def settle_until(self, case: Case) -> str:
        return show.moment(case.settle_by)

    @display(description="By which rule")
    def term_source(self, case: Case) -> str:
        return case_terms.of(case.kind).source or show.NOTHING

    @display(description="Last reported")
    def reported(self, case: Case) -> str:
        return show.moment(case.reported_at)

    @display(description="Closed")
    def closed(self, case: Case) -> str:
        return show.moment(case.closed_at)


EVENT_TONES = {"NEW": "waiting", "DONE": "done", "FAILED": "failed"}


def _work_again(event: InboundEvent, by: By) -> str:
    worked = inbox.work_again(event=event, actor=by.actor, reason=by.reason, at=by.at)
    return "Worked." if worked else "It did not work this time; it stays in the inbox and is tried again."


@admin.register(InboundEvent)
class InboundEventAdmin(OpsAdmin):
    """Webhooks and browsers' returns: doorbells. What they say is never believed, only looked up."""

    list_display = ("id", "provider", "kind", "state_badge", "received", "tries", "times_seen", "about")
    list_filter = (("state", ChoicesCheckboxFilter),)
    ordering = ("-id",)
    finders = (by_text("kind", "provider"), by_subject)
    search_help_text = "Code of the object, kind or provider"
    quick = (("Needs a look", "state__exact=FAILED"), ("To be worked", "state__exact=NEW"), ("All", ""))
    fieldsets = (
        (None, {"fields": (("provider", "state_badge"), ("kind", "about"), "note")}),
        ("Delivery", {"fields": (("received", "worked"), ("times_seen", "tries"))}),
        ("What it said (not believed)", {"fields": ("said",)}),
    )
    acts = (
        Act(
            name="work-again",
            label="Work again",
            permission="portal.act_inboundevent",
            explain="The event is given to its handler once more. The handler asks the provider; it believes nothing "
            "that the event says, so working it twice is harmless.",
            run=_work_again,
            icon="replay",
            in_bulk=True,
            no_undo=undoing.ASKED_ONLY,
        ),
        SAMPLE,
    )

    @display(description="State", ordering="state")
    def state_badge(self, event: InboundEvent) -> str:
        return show.badge(EVENT_TONES[event.state], event.get_state_display())

    @display(description="Received", ordering="id")
    def received(self, event: InboundEvent) -> str:
        return show.moment(event.received_at)

    @display(description="Worked")
    def worked(self, event: InboundEvent) -> str:
        return show.moment(event.worked_at)

    @display(description="About")
    def about(self, event: InboundEvent) -> str:
        return show.subject_link(event.subject_kind, event.subject_id) if event.subject_kind else show.NOTHING

    @display(description="Body")
    def said(self, event: InboundEvent) -> str:
        return show.pretty(event.body)


# What is said once a gate is closed: of money, and of messages to many.
GATES = ("Closed: nothing that moves money leaves from now on.", "Closed: no message to many goes out from now on.")


def _turn(gate: Gate, by: By) -> str:
    closed = not gate.is_closed
    gates.turn(name=gate.name, closed=closed, reason=by.reason, actor=by.actor, at=by.at)
    if closed:
        return GATES[gate.name == gates.MESSAGES]
    if gate.name == gates.AFTER_RESTORE and gates.found_at():
        return "Open for compared accounts: each of the others may act as soon as it was compared."
    return "Open: what waited goes on by itself."


@admin.register(Gate)
class GateAdmin(OpsAdmin):
    """The kill switch: read before every send that moves money."""

    list_display = ("gate", "state_badge", "reason", "who", "changed")
    ordering = ("name",)
    fieldsets = ((None, {"fields": ("gate", "state_badge", "reason", "who", "changed")}),)
    acts = (
        Act(
            name="close",
            label="Close the gate",
            permission="portal.turn_gate",
            explain="Nothing that stands behind this gate is sent until it is opened again: orders and payments, or "
            "messages to many. They wait; nothing is lost. Looking and refreshing go on.",
            run=_turn,
            offered=lambda gate: not gate.is_closed,
            icon="block",
            danger=True,
        ),
        Act(
            name="open",
            label="Open the gate",
            permission="portal.turn_gate",
            explain="Sending goes on, and what waited is sent.",
            run=_turn,
            offered=lambda gate: gate.is_closed,
            icon="play_arrow",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Gate]:
        return super().get_queryset(request).order_by(F("is_closed").desc(), "name")

    @display(description="State")
    def state_badge(self, gate: Gate) -> str:
        return show.badge("failed", "closed") if gate.is_closed else show.badge("done", "open")

    @display(description="Gate", ordering="name")
    def gate(self, gate: Gate) -> str:
        return words_of(gate.name).capitalize()

    @display(description="Turned by")
    def who(self, gate: Gate) -> str:
        return timeline.names_of([gate.changed_by])[gate.changed_by] or show.NOTHING

    @display(description="Since")
    def changed(self, gate: Gate) -> str:
        return show.moment(gate.changed_at)
