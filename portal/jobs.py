"""Background work. The row is the queue; a message is a nudge; the sweep finds every row whose nudge was lost."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from celery import Task, current_app
from django.db import connection, transaction
from kombu.exceptions import KombuError

from portal.errors import Failure
from portal.gateway.errors import GatewayError

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sweep:
    """How one app finds the rows that are due, and what to do with each of them."""

    # Claims due rows (see `portal.attempts.claim_due`) and returns their ids.
    find: Callable[[datetime], list[int]]
    # Does what one row says remains to be done. May raise: the row comes back when it is due again.
    advance: Callable[[int, datetime], None]
    # The registered task that does the same for `row_id`, so that many workers share the rows.
    task: str


_sweeps: dict[str, Sweep] = {}


def nudge(task_name: str, *, delay_s: float = 0, **kwargs: object) -> None:
    """Ask a worker to run a registered task in `delay_s`, once the current transaction has committed.

    Raises KeyError for a name that no app registered (so that a typo fails in the caller's own test). A queue that is
    down is logged and forgotten: the row's `due_at` brings the work back.
    """
    transaction.on_commit(functools.partial(_send, current_app.tasks[task_name], kwargs, delay_s))


def send(task_name: str, **kwargs: object) -> None:
    """`nudge` at once, about rows that are committed already: it asks no connection whether a transaction is open."""
    _send(current_app.tasks[task_name], kwargs)


def _send(task: Task, kwargs: dict[str, object], delay_s: float = 0) -> None:
    try:
        task.apply_async(kwargs=kwargs, countdown=delay_s or None)
    except (KombuError, OSError) as error:
        log.warning("nudge_lost", task=task.name, error=type(error).__name__)


def register_sweep(name: str, sweep: Sweep) -> None:
    """From now on `recover` settles what this app has due."""
    _sweeps[name] = sweep


def recover(at: datetime) -> dict[str, int]:
    """Settle everything that is due, here and now, one row after the other: `manage.py recover`.

    Trouble with one row or one app does not stop the others. Returns rows touched per app, -1 where the finding failed.
    """
    return _each_sweep(at, _advance)


def nudge_due(at: datetime) -> dict[str, int]:
    """Hand everything that is due to the workers, a message a row, so that one slow provider holds nobody else up."""
    return _each_sweep(at, lambda sweep, row_id, _at: nudge(sweep.task, row_id=row_id))


def _each_sweep(at: datetime, act: Callable[[Sweep, int, datetime], None]) -> dict[str, int]:
    touched: dict[str, int] = {}
    for name, sweep in _sweeps.items():
        try:
            due = sweep.find(at)
        except Exception:
            log.exception("sweep_failed", sweep=name)
            touched[name] = -1
            continue
        for row_id in due:
            act(sweep, row_id, at)
        touched[name] = len(due)
    return touched


def _advance(sweep: Sweep, row_id: int, at: datetime) -> None:
    try:
        sweep.advance(row_id, at)
    except (GatewayError, Failure) as error:
        log.warning("row_not_advanced", task=sweep.task, row=row_id, error=str(error))
    except Exception:
        log.exception("row_not_advanced", task=sweep.task, row=row_id)


def advance(name: str, row_id: int, at: datetime) -> None:
    """One due row of an app, as a task does it: trouble is logged, and the row comes back when it is due again."""
    _advance(_sweeps[name], row_id, at)


def lock_key(name: str) -> int:
    """The key of the advisory lock of that name."""
    return zlib.crc32(name.encode()) - 2**31


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """True inside the block for one process at a time, across all machines; False for the others, at once."""
    key = lock_key(name)
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
