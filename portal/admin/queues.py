"""How old the queues are: the rows that background work should have looked at, and the tasks that should have run.

The row is the queue (`portal/attempts.py`): a row whose `due_at` has passed waits for a worker, and a sweep that is
alive finds it within seconds. So the age of the oldest says whether work keeps up, whatever lies in the message queue.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils.text import capfirst
from django_celery_beat.models import PeriodicTask

from portal.admin import home, show
from portal.models import JobRun

# A sweep looks every five seconds, so a minute is unusual; after a quarter of an hour an investor feels it.
UNUSUAL, TOO_LONG = timedelta(minutes=1), timedelta(minutes=15)
# More than these are not counted.
MOST = 1_000
# A task that has missed three of its turns, and some time for a deploy, is late.
TURNS, GRACE = 3, timedelta(minutes=2)
_RHYTHMS = {
    entry["task"]: (name, timedelta(seconds=float(entry["schedule"])))
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
}
# Beside the rows with a `due_at`: what has another column for it, or waits for somebody else's leave.
_ALSO = {
    "portal_inboundevent": (
        "inbound events",
        "SELECT received_at AS due_at FROM portal_inboundevent WHERE state = 'NEW'",
    ),
    "portal_webhookdelivery": (
        "webhooks to partners",
        "SELECT d.due_at FROM portal_webhookdelivery d JOIN portal_webhookendpoint e ON e.id = d.endpoint_id "
        "JOIN portal_partner p ON p.id = e.partner_id WHERE e.state = 'ACTIVE' AND p.is_active",
    ),
}


@lru_cache(maxsize=1)
def _statement() -> str:
    """One statement over every table with an index of what is due: words, how many up to MOST, the oldest."""
    found = {
        model._meta.db_table: (str(model._meta.verbose_name_plural), f"TABLE {model._meta.db_table}")
        for model in apps.get_models()
        if any(list(index.fields) == ["due_at"] for index in model._meta.indexes)
    }
    parts = (
        f"SELECT '{words}', count(*), min(due_at) FROM (SELECT due_at FROM ({rows}) each WHERE due_at <= %(at)s "  # noqa: S608 - names of our own
        f"ORDER BY due_at LIMIT {MOST}) due"
        for words, rows in {**found, **_ALSO}.values()
    )
    return " UNION ALL ".join(parts)


def due(at: datetime) -> list[tuple[str, int, datetime]]:
    """(which queue, how many rows are due, since when the oldest), the oldest first; only queues with something due."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), {"at": at})
        found = [row for row in cursor.fetchall() if row[1]]
    return sorted(found, key=lambda row: row[2])


def late_tasks(runs: list[JobRun], at: datetime) -> list[tuple[str, JobRun, str]]:
    """(name, its last run, what is wrong) of scheduled tasks that are late or failed the last time.

    A task that was never heard of is new, or beat is silent, which has a tile of its own; a paused one is meant to be.
    """
    found = []
    for run in runs:
        name, every = _RHYTHMS.get(run.task, ("", None))
        if every and (wrong := _wrong(run, every, at)):
            found.append((name, run, wrong))
    return found


def _runs() -> list[JobRun]:
    """The last run of each scheduled task that is not paused."""
    paused = PeriodicTask.objects.filter(enabled=False).values("task")
    return list(JobRun.objects.exclude(task__in=paused).exclude(ran_at=None).order_by("task"))


def _wrong(run: JobRun, every: timedelta, at: datetime) -> str:
    if run.ran_at and at - run.ran_at > TURNS * every + GRACE:
        return show.badge("needs", "late")
    return show.badge("failed", "failed") if run.failed_at and run.failed_at == run.ran_at else ""


@home.part(order=72, permission="portal.view_heartbeat")
def queues_part(at: datetime) -> home.Part:
    """A tile with the oldest row that is due, and tables of what waits and of what did not run."""
    queues, runs = due(at), _runs()
    tasks = late_tasks(runs, at)
    rows = [
        [capfirst(words), f"{MOST:,} or more" if many == MOST else str(many), show.age(at - oldest)]
        for words, many, oldest in queues
    ]
    panel = home.Panel("Queues", ("What", "Due now", "Oldest waits"), rows, "Nothing is due: the background keeps up.")
    ran = [[capfirst(name), wrong, show.moment(run.ran_at), run.error or show.NOTHING] for name, run, wrong in tasks]
    columns = ("Scheduled work", "State", "Last ended", "Last error")
    sweeps = home.Panel(
        "Scheduled work that needs a look", columns, ran, "Every scheduled task ran in its time.", _jobs()
    )
    return home.Part([_tile(queues, runs, len(tasks), at)], [panel, sweeps])


def _jobs() -> str:
    return show.list_url(PeriodicTask)


def _tile(queues: list[tuple[str, int, datetime]], runs: list[JobRun], late: int, at: datetime) -> home.Tile:
    oldest = at - queues[0][2] if queues else timedelta(0)
    tone = "failed" if oldest > TOO_LONG else "needs" if oldest > UNUSUAL or late else "done"
    swept = next((run.ran_at for run in runs if run.task == "portal.recover"), None)
    heard = f"swept {show.age(at - swept)} ago" if swept else "never swept"
    tasks = f" · {late} scheduled task{'' if late == 1 else 's'} to look at" if late else ""
    return home.Tile("Oldest in a queue", show.age(oldest) if queues else "None", f"{heard}{tasks}", _jobs(), tone)
