"""Rows of the journal about reads, gathered for a moment and written together.

A worker that asks a provider a thousand times waits for the database a few times, and not a thousand. When the process
is killed, the rows of the last moment are lost: bearable for reads, which change nothing. A write never comes here: its
row is committed before its first byte leaves.
"""

from __future__ import annotations

import atexit
import json
import threading
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from portal.models import GatewayCall
from portal.scope import ALL

_PLAIN = (
    *("provider", "method", "path", "our_ref", "attempt_no", "subject_kind", "subject_id"),
    *("outcome", "status", "error", "started_at", "took_ms"),
)
_INSERT = (
    f"INSERT INTO portal_gatewaycall ({', '.join(_PLAIN)}, request_body, response_body)"  # noqa: S608 - our own names
    f" VALUES ({', '.join(['%s'] * len(_PLAIN))}, %s::jsonb, %s::jsonb)"
)

log = structlog.get_logger(__name__)
AT_ONCE = 200
# While the database is away; then the oldest go.
MOST = 10_000
# A thread without work gives its connection back.
IDLE_S = 5.0
ENDS_WITHIN_S = 10.0


class Gathered:
    """Rows that wait, and the thread that writes them: one per process, begun with the first row."""

    def __init__(self) -> None:
        self._rows: list[GatewayCall] = []
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._first, self._full = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._ends = False

    def add(self, row: GatewayCall) -> None:
        """To be written soon."""
        with self._lock:
            self._rows.append(row)
            waiting = len(self._rows)
            if self._thread is None or not self._thread.is_alive():
                self._ends = False
                self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
                self._thread.start()
        if waiting == 1:
            self._first.set()
        if waiting >= AT_ONCE:
            self._full.set()

    def end(self) -> None:
        """Write what waits, and let the thread go with its connection; the next row begins another."""
        self._ends = True
        self._first.set()
        self._full.set()
        if self._thread is not None:
            self._thread.join(ENDS_WITHIN_S)

    def write(self) -> None:
        """Write what waits. What the database cannot take now waits on; what it will never take is left out."""
        with self._writing:
            with self._lock:
                rows, self._rows = self._rows, []
            for start in range(0, len(rows), AT_ONCE):
                if not _written(rows[start : start + AT_ONCE]):
                    self._wait_on(rows[start:])
                    return

    def _wait_on(self, rows: list[GatewayCall]) -> None:
        with self._lock:
            kept = (rows + self._rows)[-MOST:]
            lost, self._rows = len(rows) + len(self._rows) - len(kept), kept
        self._first.set()
        log.warning("journal_waits", rows=len(kept), lost=lost)

    def _run(self) -> None:
        while not self._ends:
            if not self._first.wait(IDLE_S):
                connection.close()
                self._first.wait()
            self._first.clear()
            self._full.wait(settings.JOURNAL_GATHER_S)
            self._full.clear()
            self.write()
        connection.close()


def _written(rows: list[GatewayCall]) -> bool:
    """False while the database is away."""
    try:
        _insert(rows)
    except (OperationalError, InterfaceError):
        connection.close()
        return False
    except DatabaseError as error:
        if len(rows) > 1:
            return all(_written([row]) for row in rows)
        log.warning("journal_left_out", provider=rows[0].provider, path=rows[0].path, error=type(error).__name__)
    return True


def _insert(rows: list[GatewayCall]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.executemany(_INSERT, [_values(row) for row in rows])


def _values(row: GatewayCall) -> list[Any]:
    bodies = [None if body is None else json.dumps(body) for body in (row.request_body, row.response_body)]
    return [*(getattr(row, name) for name in _PLAIN), *bodies]


def may_wait() -> bool:
    """Only where connections see everything (the row says whose request it was), and never within a transaction."""
    return settings.JOURNAL_GATHER_S > 0 and settings.DB_SCOPE == ALL and not connection.in_atomic_block


gathered = Gathered()
atexit.register(gathered.end)
