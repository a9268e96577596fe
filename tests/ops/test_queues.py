"""How old the queues are, on the first page: rows that nobody looked at, and scheduled work that did not run."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from portal import clock, inbox, job_runs, roles
from portal.admin import queues
from portal.models import InboundEvent, JobRun
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def first_page(as_role):
    """`first_page()`: the tile, and the rows of the two tables."""

    def look():
        page = as_role(roles.VIEWER).get(reverse("admin:index"))
        panels = {
            panel.title: [[re.sub(r"<[^>]+>", "", cell) for cell in row] for row in panel.rows]
            for panel in page.context["panels"]
        }
        tile = next(tile for tile in page.context["tiles"] if tile.label == "Oldest in a queue")
        return tile, panels["Queues"], panels["Scheduled work that needs a look"]

    return look


@pytest.fixture(autouse=True)
def no_runs_yet():
    JobRun.objects.all().delete()


def test_nothing_due_is_well(first_page):
    tile, waiting, late = first_page()
    assert (tile.value, tile.note, tile.tone) == ("None", "never swept", "done")
    assert (waiting, late) == ([], [])


@pytest.mark.parametrize(("ago", "tone"), [(30, "done"), (120, "needs"), (1_200, "failed")])
def test_the_oldest_row_that_is_due_says_whether_work_keeps_up(first_page, ago, tone):
    at = clock.now()
    factories.OrderFactory(state="PLACED", due_at=at - timedelta(seconds=ago))
    factories.OrderFactory(state="PLACED", due_at=at - timedelta(seconds=1))
    factories.OrderFactory(state="PLACED", due_at=at + timedelta(hours=1))
    tile, waiting, _ = first_page()
    assert tile.tone == tone
    assert [row[:2] for row in waiting] == [["Orders", "2"]]


def test_events_that_nobody_worked_are_a_queue_too(first_page):
    event_id, _ = inbox.store(provider="fp", kind="payment_return", body={"a": "b"}, at=clock.now())
    InboundEvent.objects.filter(pk=event_id).update(received_at=clock.now() - timedelta(minutes=5))
    tile, waiting, _ = first_page()
    assert waiting == [["Inbound events", "1", "5 min"]]
    assert tile.value == "5 min"


def test_only_the_first_rows_are_counted(monkeypatch):
    queues._statement.cache_clear()
    monkeypatch.setattr(queues, "MOST", 2)
    at = clock.now()
    for seconds in (50, 40, 30):
        factories.OrderFactory(state="PLACED", due_at=at - timedelta(seconds=seconds))
    assert queues.due(at) == [("orders", 2, at - timedelta(seconds=50))]
    queues._statement.cache_clear()


def test_a_task_that_failed_or_missed_its_turns_is_named(first_page, monkeypatch):
    at = clock.now()
    job_runs.note("portal.recover", took_ms=5, error="")
    job_runs.note("orders.poll", took_ms=5, error="OSError: no route")
    job_runs.note("portal.work_inbox", took_ms=5, error="")
    JobRun.objects.filter(task="portal.work_inbox").update(ran_at=at - timedelta(minutes=3))
    tile, _, late = first_page()
    assert [(row[0], row[1], row[3]) for row in late] == [
        ("Poll open orders", "failed", "OSError: no route"),
        ("Work the inbox", "late", "–"),
    ]
    assert "2 scheduled tasks to look at" in tile.note
    assert tile.note.startswith("swept 0 s ago")


def test_a_paused_task_is_not_late(first_page):
    job_runs.note("portal.work_inbox", took_ms=5, error="")
    JobRun.objects.update(ran_at=clock.now() - timedelta(days=3))
    rhythm = IntervalSchedule.objects.create(every=10, period="seconds")
    PeriodicTask.objects.create(name="work the inbox", task="portal.work_inbox", interval=rhythm, enabled=False)
    assert first_page()[2] == []


def test_every_queue_is_read_from_its_index(db):
    """A table of a million rows of which none is due costs one look into its partial index."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {queues._statement()}", {"at": clock.now()})
        plan = "\n".join(row[0] for row in cursor.fetchall())
    tables = re.findall(r"TABLE (\w+)", queues._statement())
    assert {"orders_mforder", "portal_delivery", "payments_payment"} < set(tables)
    # Named without an alias: the partners' policy has a look at investors of its own, which operations never run.
    assert [table for table in (*tables, "portal_inboundevent") if f"Seq Scan on {table}  (" in plan] == []
