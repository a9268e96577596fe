"""Cases, gates, the inbox and jobs."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from portal import audit, cases, clock, gates, inbox, jobs
from portal.models import Case, InboundEvent
from tests import factories

pytestmark = pytest.mark.django_db


# --- cases ------------------------------------------------------------------------------------------------------


def open_one(subject, kind="test_kind"):
    return cases.open_case(kind=kind, subject=subject, title="Look here", detail="why", at=clock.now())


def test_opens_one_case_however_often_it_is_reported():
    partner = factories.PartnerFactory()
    first, second = open_one(partner), open_one(partner)
    assert first == second
    second.refresh_from_db()
    assert second.times_reported == 2
    assert [entry.action for entry in audit.entries_of(first)] == ["case.opened"]


def test_opens_a_new_case_after_the_old_one_was_closed():
    partner = factories.PartnerFactory()
    first = open_one(partner)
    closed = cases.close_cases(subject=partner, kinds=("test_kind",), resolution="settled", at=clock.now())
    assert closed == 1
    assert open_one(partner).pk != first.pk
    assert Case.objects.filter(state="OPEN").count() == 1


def test_keeps_cases_of_other_kinds_and_subjects_open():
    partner, other = factories.PartnerFactory(), factories.PartnerFactory()
    open_one(partner, "other_kind")
    open_one(other)
    assert cases.close_cases(subject=partner, kinds=("test_kind",), resolution="settled", at=clock.now()) == 0


# --- gates ------------------------------------------------------------------------------------------------------


def test_lets_money_move_until_the_kill_switch_is_on():
    gates.check()
    call_command("kill_switch", "on", reason="drill")
    with pytest.raises(gates.GateClosed):
        gates.check()
    call_command("kill_switch", "off")
    gates.check()


def test_says_who_turned_the_kill_switch_and_why(capsys):
    call_command("kill_switch", "on", reason="drill at noon")
    call_command("kill_switch", "status")
    assert "ON" in capsys.readouterr().out.splitlines()[-1]
    gate = gates.Gate.objects.get(pk=gates.OUTBOUND_MONEY)
    entry = audit.entries_of(gate).last()
    assert (entry.action, entry.reason) == ("gate.closed", "drill at noon")
    assert entry.actor.startswith("command:")


# --- the inbox --------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch):
    """A handler that notes what it was given, and fails when told to."""
    seen: list[int] = []
    trouble: list[Exception] = []

    def handler(event, at):
        seen.append(event.pk)
        if trouble:
            raise trouble[0]

    monkeypatch.setitem(inbox._handlers, ("test", "bell"), handler)
    handler.seen, handler.trouble = seen, trouble
    return handler


def ring(**body):
    return inbox.store(provider="test", kind="bell", body=body or {"id": "1"}, at=clock.now(), subject=("a", "1"))


def test_stores_the_same_delivery_once_and_counts_it(heard):
    first, is_new = ring()
    second, again = ring()
    assert (is_new, again, first == second) == (True, False, True)
    assert InboundEvent.objects.get().times_seen == 2


def test_works_an_event_once(heard):
    ring()
    assert inbox.work(clock.now()) == 1
    assert inbox.work(clock.now()) == 0
    assert len(heard.seen) == 1


def test_keeps_an_event_whose_handler_failed_and_gives_up_after_a_bound(heard):
    heard.trouble.append(RuntimeError("PAN ABCPE1234F is broken"))
    event = InboundEvent.objects.get(pk=ring()[0])
    for _ in range(inbox.MAX_TRIES + 3):
        inbox.work(clock.now())
    event.refresh_from_db()
    assert (event.state, len(heard.seen)) == ("FAILED", inbox.MAX_TRIES)
    assert "ABCPE1234F" not in event.note


def test_stores_no_secret_of_what_came_in(heard):
    event = InboundEvent.objects.get(pk=ring(id="1", otp="314159", pan="ABCPE1234F")[0])
    assert "314159" not in str(event.body)
    assert "ABCPE1234F" not in str(event.body)


def test_works_what_the_beat_missed_through_the_recover_command(heard, capsys):
    ring()
    call_command("recover", at=clock.now() + timedelta(days=1))
    assert "inbox: 1 rows" in capsys.readouterr().out


# --- jobs -------------------------------------------------------------------------------------------------------


def test_refuses_to_nudge_a_task_that_does_not_exist():
    with pytest.raises(KeyError):
        jobs.nudge("orders.no_such_task")


def test_nudges_only_after_the_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks, transaction.atomic():
        jobs.nudge("portal.heartbeat")
    assert len(callbacks) == 1


def test_forgets_a_nudge_when_the_queue_is_down(monkeypatch, django_capture_on_commit_callbacks):
    from celery import current_app

    def broken(**_):
        raise OSError("no queue")

    monkeypatch.setattr(current_app.tasks["portal.heartbeat"], "apply_async", broken)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.nudge("portal.heartbeat")


def test_runs_every_sweep_even_when_one_fails(monkeypatch):
    def broken(*_):
        raise RuntimeError

    def advance(row_id, at):
        if row_id == 2:
            raise RuntimeError
        done.append(row_id)

    done: list[int] = []
    sweeps = {
        "broken": jobs.Sweep(find=broken, advance=broken, task="portal.heartbeat"),
        "well": jobs.Sweep(find=lambda at: [1, 2, 3], advance=advance, task="portal.heartbeat"),
    }
    monkeypatch.setattr(jobs, "_sweeps", sweeps)
    assert jobs.recover(clock.now()) == {"broken": -1, "well": 3}
    assert done == [1, 3]


def test_the_beat_hands_each_due_row_to_a_worker(monkeypatch, django_capture_on_commit_callbacks):
    from celery import current_app

    sent: list[dict[str, int]] = []
    monkeypatch.setattr(
        current_app.tasks["orders.advance"], "apply_async", lambda kwargs, countdown: sent.append(kwargs)
    )
    sweep = jobs.Sweep(find=lambda at: [7, 8], advance=lambda *_: None, task="orders.advance")
    monkeypatch.setattr(jobs, "_sweeps", {"orders": sweep})
    with django_capture_on_commit_callbacks(execute=True):
        jobs.nudge_due(clock.now())
    assert sent == [{"row_id": 7}, {"row_id": 8}]


@pytest.mark.django_db(transaction=True)
def test_lets_one_process_alone_at_a_time():
    answers: list[bool] = []

    def other() -> None:
        with jobs.alone("test") as mine:
            answers.append(mine)
        connection.close()

    with jobs.alone("test") as mine:
        answers.append(mine)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    other()
    assert answers == [True, False, True]
