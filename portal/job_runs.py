"""How scheduled tasks run: a row each, written when one ends, for the schedule page of operations."""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.db import DatabaseError, connection

from portal import audit, clock

log = structlog.get_logger(__name__)
SCHEDULED = frozenset(entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values())
_began: dict[str, float] = {}

_NOTE = """
    INSERT INTO portal_jobrun (task, runs, failures, ran_at, took_ms, failed_at, error)
    VALUES (%(task)s, 1, %(failed)s, %(at)s, %(took)s, %(failed_at)s, %(error)s)
    ON CONFLICT (task) DO UPDATE SET
        runs = portal_jobrun.runs + 1, failures = portal_jobrun.failures + EXCLUDED.failures,
        ran_at = EXCLUDED.ran_at, took_ms = EXCLUDED.took_ms,
        failed_at = coalesce(EXCLUDED.failed_at, portal_jobrun.failed_at),
        error = CASE WHEN EXCLUDED.failures > 0 THEN EXCLUDED.error ELSE portal_jobrun.error END
"""


@task_prerun.connect
def began(task_id: str = "", task: Any = None, **_: object) -> None:
    """Remember when a scheduled task began; what any task writes into the audit log comes from the worker."""
    audit.DOOR.set("worker")
    if task is not None and task.name in SCHEDULED:
        _began[task_id] = time.monotonic()


@task_postrun.connect
def ended(task_id: str = "", task: Any = None, state: str = "", retval: object = None, **_: object) -> None:
    """Write down how it went. Trouble with that is no trouble of the task's."""
    since = _began.pop(task_id, None)
    if since is None or task is None:
        return
    failed = isinstance(retval, BaseException) or state == "FAILURE"
    try:
        note(task.name, took_ms=round((time.monotonic() - since) * 1000), error=_words(retval) if failed else "")
    except DatabaseError as error:
        log.warning("job_run_not_noted", task=task.name, error=type(error).__name__)


def _words(error: object) -> str:
    return f"{type(error).__name__}: {error}"


def note(task: str, *, took_ms: int, error: str) -> None:
    """One more run of a task; `error` is empty when it went well."""
    at = clock.now()
    values: dict[str, Any] = {
        "task": task,
        "failed": int(bool(error)),
        "at": at,
        "took": took_ms,
        "failed_at": at if error else None,
        "error": error[:300],
    }
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, values)
