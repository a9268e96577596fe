"""Background work. The row is the queue; a message is a nudge; the sweep finds every row whose nudge was lost."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

# The sweeps of all apps: each app's `tasks` registers what "settle everything that is due" means for it.
Sweep = Callable[[datetime], int]
_sweeps: dict[str, Sweep] = {}


def nudge(task_name: str, *, delay_s: float = 0, **kwargs: object) -> None:
    """Ask a worker to run a registered task in `delay_s`, once the current transaction has committed.

    Raises KeyError for a name that no app registered (so that a typo fails in the caller's own test). A queue that is
    down is logged and forgotten: the row's `due_at` brings the work back.
    """
    task = current_app.tasks[task_name]

    def send() -> None:
        try:
            task.apply_async(kwargs=kwargs, countdown=delay_s or None)
        except (OperationalError, OSError) as error:
            log.warning("nudge_lost", task=task_name, error=type(error).__name__)

    transaction.on_commit(send)


def sweep(name: str) -> Callable[[Sweep], Sweep]:
    """Register a function that advances everything due at a moment and returns how many rows it touched."""

    def register(function: Sweep) -> Sweep:
        _sweeps[name] = function
        return function

    return register


def recover(at: datetime) -> dict[str, int]:
    """Run every sweep once; a sweep that fails does not stop the others. Returns rows touched per sweep, -1 for a failure."""
    touched: dict[str, int] = {}
    for name, function in _sweeps.items():
        try:
            touched[name] = function(at)
        except Exception:  # one app's trouble must not keep the others' money waiting
            log.exception("sweep_failed", sweep=name)
            touched[name] = -1
    return touched


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """True inside the block for one process at a time, across all machines; False for the others, at once."""
    key = zlib.crc32(name.encode()) - 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(727, %s)", [key])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(727, %s)", [key])


def singleton(function: Callable[..., object]) -> Callable[..., object]:
    """A scheduled task that does nothing while another process is still running it."""

    @functools.wraps(function)
    def run(*args: object, **kwargs: object) -> object:
        with alone(function.__module__ + "." + function.__qualname__) as mine:
            return function(*args, **kwargs) if mine else None

    return run
