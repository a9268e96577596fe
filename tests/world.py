"""The world of one test run, made before settings are read: every address in settings then points into it.

Loaded by `-p tests.world` (see pyproject.toml). Each process (each xdist worker is one) has its own folder, its own
sandbox port and its own test database; all of them share one embedded PostgreSQL in `<VAR_DIR>/test/postgres`.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
from pathlib import Path

import psycopg

from tests.patience import FACTOR

ROOT = Path(__file__).resolve().parent.parent
# What outlives a run: the server of the test databases, collected static files, and artefacts (screenshots, logs).
# Workers of xdist find VAR_DIR changed already, by the process that started them.
VAR = Path(os.environ.setdefault("TESTS_VAR_DIR", os.environ.get("VAR_DIR", str(ROOT / "var")))).resolve()
KEPT = VAR / "test"
ARTIFACTS = Path(os.environ.get("ARTIFACTS_DIR", VAR / "artifacts"))
DURABLE_ENOUGH = ("fsync", "synchronous_commit", "full_page_writes")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _database_url() -> str:
    """The tests' own PostgreSQL: it may lose everything in a power cut, so it need not wait for the disk."""
    from portal import embedded

    url = embedded.database_url(KEPT)
    superuser = url.replace(f"//{embedded.ROLE}@", "//postgres@").rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(superuser, autocommit=True) as connection:
        for name in DURABLE_ENOUGH:
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


def _own_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="portal-test-"))
    (folder / "static").mkdir()
    owner = os.getpid()
    # A forked child must not remove what its parent still uses.
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(folder, ignore_errors=True))
    return folder


def _environment() -> dict[str, str]:
    folder, sandbox_port = _own_folder(), _free_port()
    return {
        "MODE": "sandbox",
        "DEBUG": "",
        "VAR_DIR": str(folder),
        "SANDBOX_PORT": str(sandbox_port),
        "SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
        "FP_BASE_URL": f"http://127.0.0.1:{sandbox_port}/fp",
        "AMFI_BASE_URL": f"http://127.0.0.1:{sandbox_port}/amfi",
        "SMALLCASE_BASE_URL": f"http://127.0.0.1:{sandbox_port}/smallcase",
        **{f"ODIN_{name}_URL": f"http://127.0.0.1:{sandbox_port}/odin" for name in ("BASE", "WEB")},
        **{f"FIVEPAISA_{name}_URL": f"http://127.0.0.1:{sandbox_port}/5paisa" for name in ("BASE", "LOGIN")},
        **{f"{name}_CALLS_PER_SECOND": "1000" for name in ("SMALLCASE", "ODIN", "FIVEPAISA")},
        "PAYMENT_PAGE_ORIGINS": f"http://127.0.0.1:{sandbox_port}",
        "FP_CALLS_PER_SECOND": "1000",
        "PROVIDER_READ_TIMEOUT_S": str(3 * FACTOR),
        "JOURNAL_GATHER_S": "0",
        "BELL_GATHER_S": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        # Playwright's event loop lives in the thread that also asks the database.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
    }


_OWN_DATABASE = "TESTS_OWN_DATABASE"


def has_own_server() -> bool:
    """Did the tests start their own PostgreSQL? Else DATABASE_URL named one before, of which little is known."""
    return _OWN_DATABASE in os.environ


def outside() -> dict[str, str]:
    """The environment of a process that is no part of the tests: without everything that was set here."""
    ours = {*_ENVIRONMENT, "TESTS_VAR_DIR", _OWN_DATABASE, *(["DATABASE_URL"] if _OWN_DATABASE in os.environ else [])}
    return {name: value for name, value in os.environ.items() if name not in ours}


if not os.environ.get("DATABASE_URL"):
    # Workers of xdist inherit both.
    os.environ.update({"DATABASE_URL": _database_url(), _OWN_DATABASE: "1"})
_ENVIRONMENT = _environment()
os.environ.update(_ENVIRONMENT)
FOLDER = Path(os.environ["VAR_DIR"])
