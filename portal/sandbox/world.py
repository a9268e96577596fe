"""The world's memory: one SQLite file, short transactions, a list of what is due, and the offset of its clock."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .clock import real_now
from .schema import SCHEMA
from .web import dumps

log = logging.getLogger("portal.sandbox")
MOST_AT_ONCE = 100_000
PACES = ("fast", "market")
KEPT = ("pace", "portal", "target.")
DueHandler = Callable[["World", str, dict[str, Any]], None]


class World:
    """State of every provider. One connection per thread; writers take turns."""

    def __init__(self, path: str | Path, pace: str | None = None) -> None:
        self.path = str(path)
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self.due_handlers: dict[str, DueHandler] = {}
        self._local = threading.local()
        self._connections: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._write = threading.RLock()
        self._meta: dict[str, str] = {}
        self._create()
        if pace:
            self.set_meta("pace", pace)

    # -- connections -------------------------------------------------------------------------------------------

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection, opened on first use."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        self._close_idle()
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;")
        with self._write:
            self._connections.append((threading.current_thread(), connection))
        return connection

    def _close_idle(self) -> None:
        """Closes what threads that have ended left open."""
        with self._write:
            dead = [pair for pair in self._connections if not pair[0].is_alive()]
            for pair in dead:
                self._connections.remove(pair)
                pair[1].close()

    def close(self) -> None:
        with self._write:
            for _, connection in self._connections:
                connection.close()
            self._connections.clear()
        self._local = threading.local()

    def _create(self) -> None:
        with self._write:
            self.db.executescript(SCHEMA)
            self._meta = {row["key"]: row["value"] for row in self.db.execute("SELECT key, value FROM meta")}

    def reset(self) -> None:
        """A fresh world in the same file; the pace and where notices go stay."""
        kept = {key: value for key, value in self._meta.items() if key.startswith(KEPT)}
        with self._write, self.transaction():
            names = [r[0] for r in self.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            self.db.execute("PRAGMA defer_foreign_keys=ON")
            for name in names:
                self.db.execute(f'DELETE FROM "{name}"')  # noqa: S608  names come from the file itself
            self._meta = {}
        for key, value in kept.items():
            self.set_meta(key, value)

    # -- reading and writing -----------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction; nested calls join the outer one."""
        with self._write:
            db = self.db
            if db.in_transaction:
                yield db
                return
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()

    def one(self, sql: str, *args: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.db.execute(sql, args).fetchone()
        return row

    def the(self, sql: str, *args: Any) -> sqlite3.Row:
        """The row that is known to be there; raises LookupError when it is not."""
        row = self.one(sql, *args)
        if row is None:
            raise LookupError(f"no row: {sql} {args}")
        return row

    def all(self, sql: str, *args: Any) -> list[sqlite3.Row]:
        return self.db.execute(sql, args).fetchall()

    def scalar(self, sql: str, *args: Any) -> Any:
        row = self.db.execute(sql, args).fetchone()
        return row[0] if row else None

    def run(self, sql: str, *args: Any) -> int:
        """Executes one write and returns the row id it made."""
        with self.transaction() as db:
            return db.execute(sql, args).lastrowid or 0

    def insert(self, table: str, **values: Any) -> int:
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        return self.run(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *values.values())  # noqa: S608

    def update(self, table: str, key: Any, **values: Any) -> None:
        pairs = ", ".join(f"{name} = ?" for name in values)
        self.run(f"UPDATE {table} SET {pairs} WHERE id = ?", *values.values(), key)  # noqa: S608

    # -- small settings and the clock --------------------------------------------------------------------------

    def meta(self, key: str, default: str = "") -> str:
        return self._meta.get(key, default)

    def set_meta(self, key: str, value: str) -> None:
        self.run("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
        self._meta[key] = value

    @property
    def pace(self) -> str:
        """`fast`: a few real seconds a step, whatever the hour. `market`: cut-offs and T+1 by the world's clock."""
        return self.meta("pace", "fast")

    @property
    def offset(self) -> float:
        return float(self.meta("offset", "0"))

    def now(self) -> float:
        """The world's time in epoch seconds."""
        return real_now() + self.offset

    def set_clock(self, moment: float) -> None:
        self.set_meta("offset", repr(moment - real_now()))

    # -- what is due -------------------------------------------------------------------------------------------

    def schedule(self, at: float, kind: str, ref: str | int, **details: Any) -> None:
        """Asks that `kind` be done for `ref` when the world's clock reaches `at`."""
        self.insert("due", at=at, kind=kind, ref=str(ref), details=dumps(details).decode())

    def settle(self) -> int:
        """Does everything that is due, in order of time; returns how many things were done.

        A step that fails is not lost: it is set aside with its error, and the control room can do it again.
        """
        done = 0
        while done < MOST_AT_ONCE:
            row = self.one("SELECT * FROM due WHERE at <= ? ORDER BY at, id LIMIT 1", self.now())
            if row is None:
                break
            try:
                done += self._do(row)
            except Exception as error:
                log.exception("%s of %s could not be done", row["kind"], row["ref"])
                self._set_aside(row, f"{type(error).__name__}: {error}")
        return done

    def _set_aside(self, row: sqlite3.Row, error: str) -> None:
        with self.transaction():
            if self._take(row):
                same = {name: row[name] for name in ("at", "kind", "ref", "details")}
                self.insert("stuck", **same, failed_at=self.now(), error=error[:500])

    def _do(self, row: sqlite3.Row) -> int:
        """One due thing, unless another thread was quicker; undone as a whole when it fails."""
        with self.transaction():
            if not self._take(row):
                return 0
            self._local.moment = row["at"]
            try:
                self.due_handlers[row["kind"]](self, row["ref"], json.loads(row["details"]))
            finally:
                self._local.moment = None
        return 1

    def _take(self, row: sqlite3.Row) -> bool:
        """Whether exactly this due thing was still there; it is not any more.

        By all of it, since SQLite gives the id of a thing that another thread has just done to the next one.
        """
        same = "id = ? AND at = ? AND kind = ? AND ref = ? AND details = ?"
        with self.transaction() as db:
            return bool(db.execute(f"DELETE FROM due WHERE {same}", tuple(row)).rowcount)  # noqa: S608

    def moment(self) -> float:
        """The time to write on what happens now: when settling something due, the time it was due."""
        moment: float | None = getattr(self._local, "moment", None)
        return self.now() if moment is None else moment

    # -- hidden for a while ------------------------------------------------------------------------------------

    def hide(self, kind: str, key: int, seconds: float) -> None:
        self.insert("hidden", kind=kind, ref=key, until_real=real_now() + seconds)

    def hidden(self, kind: str) -> set[int]:
        """Keys of what took effect but is not yet to be seen (fault `invisible`)."""
        rows = self.all("SELECT ref FROM hidden WHERE kind = ? AND until_real > ?", kind, real_now())
        return {row["ref"] for row in rows}
