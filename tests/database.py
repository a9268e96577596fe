"""One migrated database that all others of the tests are copied from.

Migrating an empty database takes 5 s of work; copying one takes a fraction of a second. The template lies on the
tests' own server, is named after all that makes it what it is, and so serves until somebody changes a migration.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from tests import world
from tests.patience import FACTOR

PREFIX = "tests_template_"
_IMPORT = re.compile(r"^(?:from|import) ((?:portal|investors|orders|payments|brokers)[\w.]*)", re.MULTILINE)


def template() -> str:
    """The name of a database in which every migration has run; it is made if there is none."""
    name = PREFIX + _digest()
    world.KEPT.mkdir(parents=True, exist_ok=True)
    with (
        (world.KEPT / "template.lock").open("w") as lock,
        psycopg.connect(settings.DATABASE_URL, autocommit=True) as server,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        if name not in (existing := _templates(server)):
            for old in existing:
                # A run of another state of the sources may be copying it.
                with contextlib.suppress(psycopg.errors.ObjectInUse):
                    server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(old)))
            _make(server, name)
    return name


def address(name: str) -> str:
    """The URL of another database on the same server."""
    return settings.DATABASE_URL.rsplit("/", 1)[0] + f"/{name}"


def as_superuser(name: str) -> str:
    """The URL of another database for whoever sees every row and may everything, as the application's role may not."""
    return address(name).replace("//portal@", "//postgres@")


def _templates(server: psycopg.Connection) -> list[str]:
    found = server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [PREFIX + "%"])
    return [row[0] for row in found.fetchall()]


def _make(server: psycopg.Connection, name: str) -> None:
    """Under another name until it is whole: one that was being made when somebody pressed Ctrl-C is not used."""
    unfinished = sql.Identifier(f"{PREFIX}unfinished")
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(unfinished))
    server.execute(sql.SQL("CREATE DATABASE {}").format(unfinished))
    words = [sys.executable, str(world.ROOT / "manage.py"), "migrate", "--noinput", "--verbosity", "0"]
    environment = {**os.environ, "DATABASE_URL": address(f"{PREFIX}unfinished")}
    subprocess.run(words, check=True, cwd=world.ROOT, env=environment)
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(unfinished, sql.Identifier(name)))


def _digest() -> str:
    """Of migrations, what of ours they import, the data that they read, the settings, and the packages."""
    found = hashlib.sha256(sys.version.encode())
    for path in sorted(_sources()):
        found.update(str(path.relative_to(world.ROOT)).encode() + path.read_bytes())
    return found.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    migrations = list(world.ROOT.glob("*/migrations/*.py")) + list(world.ROOT.glob("*/*/migrations/*.py"))
    modules = {name for path in migrations for name in _IMPORT.findall(path.read_text())}
    helpers = {world.ROOT / (name.replace(".", "/") + ".py") for name in modules}
    yield from migrations
    yield from (path for path in helpers if path.exists())
    yield from world.ROOT.glob("*/data/*.csv")
    yield from (world.ROOT / name for name in ("requirements.txt", "portal/settings.py"))


# --- many at once -------------------------------------------------------------------------------------------------

# From so many connections on they are a crowd; of crowds the server is asked to bear one, whoever opens it.
CROWD = 10
CROWDS = 1_979_206  # the key of their lock: any number that nobody else locks
WAIT_S = 120 * FACTOR
_ROOM = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - count(datid) FROM pg_stat_activity
"""


def at_once(act: Callable[[], Any], times: int) -> list[Any]:
    """What each of so many threads that start together returned, or the error that it raised.

    Each has connections of its own. Crowds of two workers of a run would together take more than the server has, and
    fail by chance: one waits for the other.
    """
    with _alone(times) if times >= CROWD else contextlib.nullcontext():
        return _together(act, times)


def raised_at_once(act: Callable[[], Any], times: int) -> list[str]:
    """The names of what was raised, sorted."""
    return sorted(type(each).__name__ for each in at_once(act, times) if isinstance(each, Exception))


def _together(act: Callable[[], Any], times: int) -> list[Any]:
    barrier, found = threading.Barrier(times), []

    def run() -> None:
        try:
            barrier.wait(WAIT_S)
            found.append(act())
        except Exception as error:  # noqa: BLE001 - whatever it was is the result
            found.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(times)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + WAIT_S
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
    assert len(found) == times, f"{times - len(found)} of {times} have not ended"
    return found


@contextlib.contextmanager
def _alone(times: int) -> Iterator[None]:
    """While no other crowd has the server, and the connections of the one before are really closed."""
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [CROWDS])
        until = time.monotonic() + WAIT_S
        while (room := server.execute(_ROOM).fetchone()[0]) < times:
            assert time.monotonic() < until, f"the server has room for {room} of {times} connections"
            time.sleep(0.05)
        yield
