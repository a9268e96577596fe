"""Workers of a message to many die anywhere and meet each other: each person is told once, and nobody is forgotten.

What would happen is shown with the guards off first.
"""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import connection, transaction

from portal import clock, roles
from portal.desk import broadcasts, proposals
from portal.models import Broadcast, Delivery, Notice
from portal.notices import writing
from tests import factories, killer
from tests.database import raised_at_once

pytestmark = pytest.mark.django_db(transaction=True)
EACH = 5


@pytest.fixture
def five(monkeypatch) -> None:
    """Five investors, two of a portion, and a queue that takes them all."""
    for _ in range(EACH):
        factories.ReadyInvestorFactory()
    monkeypatch.setattr(broadcasts, "PORTION", 2)
    monkeypatch.setattr(writing, "is_busy", lambda at, most: False)


def approved() -> Broadcast:
    maker, checker = factories.UserFactory(), factories.UserFactory()
    roles.grant(maker, roles.MAKER)
    roles.grant(checker, roles.CHECKER)
    at = clock.now()
    row = Broadcast(subject="Quiet", text="Nothing changes.", kind="SERVICE", audience="active")
    broadcasts.write(row=row, actor=maker, at=at)
    asked = broadcasts.ask(row=row, actor=maker, reason="A test", at=at)
    proposals.approve(proposal=asked, actor=checker, reason="A test", at=at)
    row.refresh_from_db()
    return row


def how_often(row: Broadcast) -> list[int]:
    """How often each person was told, and how often a mail goes to each."""
    about = {"subject_kind": "portal.broadcast", "subject_id": str(row.pk)}
    notices = Counter(Notice.objects.filter(**about).values_list("user_id", flat=True))
    mails = Counter(
        Delivery.objects.filter(**{f"notice__{key}": value for key, value in about.items()}).values_list(
            "user_id", flat=True
        )
    )
    assert set(notices) == set(mails)
    return sorted([*notices.values(), *mails.values()])


def forget_how_far(row: Broadcast) -> None:
    """As if a portion and how far it came were two transactions, and the worker had died between them."""
    Broadcast.objects.filter(pk=row.pk).update(reached=0)


@pytest.mark.django_db(transaction=False)
def test_without_both_guards_people_are_told_twice(five, monkeypatch):
    """What holds: how far one came is kept with the portion; and the database takes a notice of it once."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE portal_notice DROP CONSTRAINT a_person_is_told_a_thing_once")
    conflict = " ON CONFLICT ON CONSTRAINT a_person_is_told_a_thing_once DO NOTHING"
    monkeypatch.setattr(writing, "_INSERT_MANY", writing._INSERT_MANY.replace(conflict, ""))
    row = approved()
    broadcasts._tell_portion(row.pk, clock.now())
    forget_how_far(row)
    broadcasts.work(row.pk, clock.now())
    assert how_often(row) == [1] * 6 + [2] * 4


@pytest.mark.django_db(transaction=False)
def test_the_database_alone_keeps_it_to_once(five):
    row = approved()
    broadcasts._tell_portion(row.pk, clock.now())
    forget_how_far(row)
    broadcasts.work(row.pk, clock.now())
    row.refresh_from_db()
    assert (how_often(row), row.told, row.state) == ([1] * 10, EACH, "SENT")


def test_killed_anywhere_it_goes_on_and_tells_each_once(five):
    whole = approved()
    calls = killer.calls_of(lambda: broadcasts.work(whole.pk, clock.now()))
    deaths = 0
    for at in range(1, len(calls) + 1, 3):
        row = approved()
        deaths += killer.kill(lambda row=row: broadcasts.work(row.pk, clock.now()), at=at).was_killed
        broadcasts.work(row.pk, clock.now())
        row.refresh_from_db()
        assert (how_often(row), row.told, row.state) == ([1] * 10, EACH, "SENT"), calls[:at]
    assert deaths > 5


def two_workers(row: Broadcast) -> list[str]:
    return raised_at_once(lambda: broadcasts.work(row.pk, clock.now()), 2)


def test_without_the_lock_two_workers_tell_the_same_portion_and_count_wrongly(five, monkeypatch):
    row, read = approved(), threading.Barrier(2, timeout=60)

    def unlocked(pk: int) -> Broadcast:
        found = Broadcast.objects.get(pk=pk)
        read.wait()
        return found

    monkeypatch.setattr(broadcasts, "_locked", unlocked)
    assert raised_at_once(lambda: broadcasts._tell_portion(row.pk, clock.now()), 2) == []
    row.refresh_from_db()
    assert how_often(row) == [1] * 4, "the constraint still holds"
    # The second waits at the constraint until the first is through, finds nobody new, and writes that down.
    assert row.told == 0


def test_two_workers_take_turns(five):
    row = approved()
    assert two_workers(row) == []
    row.refresh_from_db()
    assert (how_often(row), row.told, row.state) == ([1] * 10, EACH, "SENT")


def test_cancelling_waits_for_the_portion_and_nobody_is_told_after_it(five):
    row = approved()
    broadcasts._tell_portion(row.pk, clock.now())
    told, go_on = threading.Event(), threading.Event()

    def portion() -> None:
        with transaction.atomic():
            broadcasts._tell_portion(row.pk, clock.now())
            told.set()
            assert go_on.wait(60)

    def cancel() -> None:
        assert told.wait(60)
        go_on.set()
        actor = Broadcast.objects.select_related("made_by").get(pk=row.pk).made_by
        broadcasts.cancel(row=row, actor=actor, reason="The wrong group", at=clock.now())

    acts = iter([portion, cancel])
    assert raised_at_once(lambda: next(acts)(), 2) == []
    broadcasts.work(row.pk, clock.now())
    row.refresh_from_db()
    assert (row.state, row.told) == ("CANCELLED", 4)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"STOPPED"}
