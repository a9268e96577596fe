"""One message to many people: written by one person, approved by another, sent in portions.

    write      DRAFT: subject and paragraphs, a group, a time; looked through for what may not be said to investors
    ask        a proposal: the second person sees the same preview, the same count, and decides on the same page
    approve    SCHEDULED: from now on its words, its group and its time do not change (a trigger holds it)
    work       SENDING from its time on: portion after portion in the background, then SENT
    cancel     at any time before all are told: nobody further is told, and what waits for a sender is not sent

Who is in the group is decided when its turn comes. A portion and how far it came are one transaction, so a worker that
dies repeats nothing; that nobody is told twice, whatever happens, is a constraint (`a_person_is_told_a_thing_once`).
Messages to many wait while others do, and stop at their gate (`gates.may_tell_many`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from portal import audit, gates, jobs
from portal.attempts import claim_due
from portal.desk import audiences, proposals
from portal.desk.models import Broadcast, Proposal
from portal.errors import Failure
from portal.models import User
from portal.notices import catalogue, writing
from portal.notices.catalogue import EMAIL, Event
from portal.notices.models import Notice

ACT = "broadcast"
SWEEP = "broadcasts"
# People of one transaction, and messages that may wait for a sender before the next people are told.
PORTION = 500
# A worker hands over after this, so that a deploy waits for nobody.
TURN_S = 20.0
LATER_S = 5.0
EXAMPLES = 3
CONTENT = ("subject", "text", "kind", "audience", "audience_of", "send_at")
IS_OPEN = (Broadcast.State.DRAFT, Broadcast.State.SCHEDULED, Broadcast.State.SENDING)

_GROUP = "Messages of ours"
# Kind -> its event, and the page that its mail leads to.
EVENTS = {
    Broadcast.Kind.SERVICE: (
        Event(
            "broadcast.service",
            _GROUP,
            "About the service: what changes for you here",
            "{title}",
            "{text}",
            (EMAIL,),
            (EMAIL,),
            composed=True,
            link="It stands among your notices, too",
        ),
        "notices",
    ),
    Broadcast.Kind.PROMOTIONAL: (
        Event(
            "broadcast.promotional",
            _GROUP,
            "News and offers",
            "{title}",
            "{text}",
            (EMAIL,),
            composed=True,
            link="Choose whether you get such messages",
        ),
        "notice_choices",
    ),
}
catalogue.register(*(event for event, _ in EVENTS.values()))


class NotOpen(Failure):
    """It was approved, sent or cancelled meanwhile, or waits for a second person."""

    code = "not_open"
    message = (
        "This is not possible any more: it was decided, sent or cancelled meanwhile, or waits for a second person."
    )


class TimeHasPassed(Failure):
    """The time for which it was planned."""

    code = "time_has_passed"
    message = "The time for which this was planned has passed. Choose another one first."


DECIDED_THERE = "It is decided on its own page, beside what they would read."


def _too_late(row: Any, _: Mapping[str, Any] | None, at: datetime) -> str:
    is_late = row is not None and row.send_at is not None and row.send_at <= at
    return (
        "The time for which this was planned has passed. Refuse it, so that another one is chosen." if is_late else ""
    )


proposals.register(
    proposals.Kind(
        ACT,
        "Messages to many",
        "portal.add_broadcast",
        "portal.approve_proposal",
        always=True,
        on_its_page=True,
        affects=lambda values: f"{values.get('people')} people, as counted when it was asked for. {DECIDED_THERE}",
        why_not=_too_late,
    )
)


# --- Before it is sent ------------------------------------------------------------------------------------------


def write(*, row: Broadcast, actor: User, at: datetime) -> None:
    """The draft is kept, with the number of people whom it would reach now. Raises NotOpen."""
    is_new = row.pk is None
    with transaction.atomic():
        if is_new:
            row.made_by, row.made_at = actor, at
        else:
            _locked_draft(row.pk)
        row.people, row.counted_at = recipients(row).count(), at
        row.save()
        audit.record(row, "broadcast.written" if is_new else "broadcast.rewritten", actor=actor, at=at)


def ask(*, row: Broadcast, actor: User, reason: str, at: datetime) -> Proposal:
    """It waits for a second person, with the number of people counted now. Raises NotOpen, TimeHasPassed."""
    with transaction.atomic():
        draft = _locked_draft(row.pk)
        if draft.send_at is not None and draft.send_at <= at:
            raise TimeHasPassed
        draft.people, draft.counted_at = recipients(draft).count(), at
        draft.save(update_fields=["people", "counted_at"])
        return proposals.ask(
            act=ACT,
            subject=draft,
            title=f"Send {draft}",
            before=proposals.values_of(draft, [*CONTENT, "state", "due_at"]),
            after={
                "state": Broadcast.State.SCHEDULED.value,
                "due_at": (draft.send_at or at).isoformat(),
                "people": draft.people,
            },
            actor=actor,
            reason=reason,
            at=at,
        )


def cancel(*, row: Broadcast, actor: User, reason: str, at: datetime) -> int:
    """Nobody further is told. Returns how many messages waited for their sender and stay. Raises NotOpen."""
    with transaction.atomic():
        # Before the row is locked, as an approval takes the two.
        for each in waiting(row):
            proposals.refuse(proposal=each, actor=actor, reason=reason, at=at)
        found = _locked(row.pk)
        if found.state not in IS_OPEN:
            raise NotOpen
        found.state, found.ended_at, found.due_at = Broadcast.State.CANCELLED, at, None
        found.save(update_fields=["state", "ended_at", "due_at"])
        stopped = writing.stop(found)
        data = {"told": found.told, "not_sent": stopped}
        audit.record(found, "broadcast.cancelled", actor=actor, at=at, reason=reason, data=data)
    return stopped


def waiting(row: Broadcast) -> list[Proposal]:
    """What a second person is to decide about it."""
    return proposals.open_for([row])


def _locked(pk: int) -> Broadcast:
    return Broadcast.objects.select_for_update(of=("self",)).get(pk=pk)


def _locked_draft(pk: int) -> Broadcast:
    row = _locked(pk)
    if row.state != Broadcast.State.DRAFT or waiting(row):
        raise NotOpen
    return row


# --- To whom, and in which words --------------------------------------------------------------------------------


def recipients(row: Broadcast) -> QuerySet[User]:
    """Whoever is in its group now, may sign in, and wants to be told such things."""
    group = audiences.audience(row.audience).people(row.audience_of)
    return User.objects.filter(writing.to_be_told(_event(row)), is_active=True, pk__in=group)


def examples(row: Broadcast) -> list[User]:
    """Some of them."""
    return list(recipients(row).order_by("pk")[:EXAMPLES])


def notice_of(row: Broadcast, at: datetime) -> Notice:
    """What each of them is told."""
    _, page = EVENTS[Broadcast.Kind(row.kind)]
    event = _event(row).key
    return writing.composed(event=event, subject=row, title=row.subject, text=row.text, url=reverse(page), at=at)


def _event(row: Broadcast) -> Event:
    return EVENTS[Broadcast.Kind(row.kind)][0]


# --- The background ---------------------------------------------------------------------------------------------


def find_due(at: datetime) -> list[int]:
    """Messages that go on now: for the sweep."""
    return claim_due(Broadcast, at=at, pace={Broadcast.State.SENDING: LATER_S})


def work(broadcast_id: int, at: datetime) -> None:
    """Tell portions for some seconds. Several workers may be at it: they take turns."""
    until = time.monotonic() + TURN_S
    while time.monotonic() < until:
        if not _tell_portion(broadcast_id, at):
            return
    jobs.nudge("portal.broadcast", row_id=broadcast_id)


def _tell_portion(broadcast_id: int, at: datetime) -> bool:
    """The next people are told, and with that it is kept how far we are. Is there more to do now?"""
    if not gates.may_tell_many() or writing.is_busy(at, PORTION):
        return False
    with transaction.atomic():
        row = _locked(broadcast_id)
        if not _goes_out(row, at):
            return False
        if row.state == Broadcast.State.SCHEDULED:
            row.state, row.started_at = Broadcast.State.SENDING, at
            audit.record(row, "broadcast.begun", actor=None, at=at)
        people = _next(row)
        row.told += writing.tell_many(notice_of(row, at), people)
        row.reached = people[-1] if people else row.reached
        if len(people) < PORTION:
            _end(row, at)
        row.save(update_fields=["state", "started_at", "ended_at", "due_at", "told", "reached"])
    return row.state == Broadcast.State.SENDING


def _goes_out(row: Broadcast, at: datetime) -> bool:
    is_approved = row.state in (Broadcast.State.SCHEDULED, Broadcast.State.SENDING)
    return is_approved and (row.send_at is None or row.send_at <= at)


def _next(row: Broadcast) -> list[int]:
    rest = recipients(row).filter(pk__gt=row.reached).order_by("pk")
    return list(rest.values_list("pk", flat=True)[:PORTION])


def _end(row: Broadcast, at: datetime) -> None:
    row.state, row.ended_at, row.due_at = Broadcast.State.SENT, at, None
    audit.record(row, "broadcast.sent", actor=None, at=at, data={"told": row.told})


jobs.register_sweep(SWEEP, jobs.Sweep(find=find_due, advance=work, task="portal.broadcast"))
