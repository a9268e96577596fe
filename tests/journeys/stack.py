"""The whole product as real processes: PostgreSQL database, sandbox, web, worker and beat, as `manage.py up` runs them.

Everything lives in a folder of its own below the run's folder and in a database of its own on the test run's server.
Each process leads a process group, so a test may kill or pause one as a crash or a full machine would.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from portal.management.commands import up
from portal.management.stack import Child, Stack
from tests import patience, world
from tests.control import SandboxControl
from tests.patience import Stopwatch

MANAGE = str(world.ROOT / "manage.py")
# A web page is rendered from what `collectstatic` left behind; it takes longer than everything else together.
STATIC = world.KEPT / "static"
STARTS_WITHIN_S = 240 * patience.FACTOR


class LiveStack(Stack):
    """Started with `start_everything`, changed by the tests, stopped by leaving the `with` block."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.ports = {name: world._free_port() for name in ("web", "sandbox", "redis")}
        self.url = f"http://127.0.0.1:{self.ports['web']}"
        self.sandbox = SandboxControl(f"http://127.0.0.1:{self.ports['sandbox']}")
        self.var = folder
        self.database_url = database_url
        self.starts = 0
        super().__init__(folder / "log", self._environment(), lambda line: None)

    def _environment(self) -> dict[str, str]:
        return {
            "VAR_DIR": str(self.var),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": "",
            "WEB_PORT": str(self.ports["web"]),
            "PUBLIC_URL": self.url,
            "SANDBOX_PORT": str(self.ports["sandbox"]),
            "SANDBOX_URL": self.sandbox.url,
            "FP_BASE_URL": f"{self.sandbox.url}/fp",
            "AMFI_BASE_URL": f"{self.sandbox.url}/amfi",
            "NSE_BASE_URL": f"{self.sandbox.url}/nse",
            "SMALLCASE_BASE_URL": f"{self.sandbox.url}/smallcase",
            "FIVEPAISA_BASE_URL": f"{self.sandbox.url}/5paisa",
            "FIVEPAISA_LOGIN_URL": f"{self.sandbox.url}/5paisa",
            "PAYMENT_PAGE_ORIGINS": self.sandbox.url,
            "PROVIDER_READ_TIMEOUT_S": str(patience.READ_TIMEOUT_S),
            **{f"ODIN_{name}_URL": f"{self.sandbox.url}/odin" for name in ("BASE", "WEB")},
            "PYTHONPATH": str(world.ROOT),
            "PYTHONUNBUFFERED": "1",
            "LOG_LEVEL": "INFO",
            "DB_SCOPE": "all",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
        }

    # --- processes ----------------------------------------------------------------------------------------------

    def start_everything(self, *investors: str) -> None:
        """All of it, until pages answer and the people are there."""
        for name in ("messages", "control"):
            (self.var / "queue" / name).mkdir(parents=True, exist_ok=True)
        (self.var / "static").symlink_to(collected_static(), target_is_directory=True)
        self.start_sandbox()
        self.wait_for(f"{self.sandbox.url}/_control/health", patience_s=STARTS_WITHIN_S)
        prepared = self.start("prepare", "-m", "tests.journeys.prepare", *investors)
        self.start_web()
        self.finish(prepared)
        self.start_worker()
        self.start_beat()
        self.wait_for(f"{self.url}/healthz", patience_s=STARTS_WITHIN_S)

    def start_sandbox(self) -> Child:
        """The sandbox goes on with the world that its file holds."""
        state = str(self.var / "sandbox.sqlite")
        return self._run("sandbox", "-m", "portal.sandbox", "--port", str(self.ports["sandbox"]), "--state", state)

    def start_web(self) -> Child:
        """The web server; `DB_SCOPE` as in production: it sees nobody's rows until a request says whose."""
        return self._run("web", *up.web_words(self.ports["web"]), DB_SCOPE="none")

    def start_worker(self) -> Child:
        """The worker with its eight threads."""
        return self._run("worker", *up.WORKER_WORDS)

    def start_beat(self) -> Child:
        """The scheduler."""
        return self._run("beat", *up.BEAT_WORDS)

    def _run(self, name: str, *words: str, **environment: str) -> Child:
        """Each start has a log of its own, so that the one before a kill is kept."""
        self.starts += 1
        before, self.environment = self.environment, {**self.environment, **environment}
        try:
            return self.start(f"{self.starts:02}-{name}", *words)
        finally:
            self.environment = before

    def of(self, name: str) -> Child:
        """The running process of that name."""
        return next(child for child in reversed(self.children) if child.name.endswith(f"-{name}"))

    def runs(self, name: str) -> bool:
        """Is there such a process?"""
        return any(child.name.endswith(f"-{name}") for child in self.children)

    def end(self, name: str, number: int = signal.SIGTERM) -> None:
        """End the process group and wait until it is gone."""
        child = self.of(name)
        os.killpg(child.process.pid, number)
        try:
            child.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait(5)
        self.children.remove(child)

    def publish_a_new_version(self, slug: str) -> None:
        """Operations publish the next version of a basket."""
        self.finish(self.start("new-version", "-m", "tests.journeys.new_version", slug, ends=True))

    # --- the queue ----------------------------------------------------------------------------------------------

    def queued(self, task: str = "") -> list[Path]:
        """The messages in the folder queue that name this task."""
        found = []
        for path in (self.var / "queue" / "messages").glob("*.msg"):
            with contextlib.suppress(FileNotFoundError):
                if task in path.read_text():
                    found.append(path)
        return found

    def lose_the_queue(self) -> int:
        """Every message is gone; returns how many."""
        lost = self.queued()
        for path in lost:
            path.unlink(missing_ok=True)
        return len(lost)

    # --- the database -------------------------------------------------------------------------------------------

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What the database holds, seen with every right of the application."""
        with psycopg.connect(self.database_url, options="-c portal.scope=all", row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def operation(self, code: str) -> dict[str, Any]:
        """One line of `v_money_ops`."""
        return self.rows("SELECT * FROM v_money_ops WHERE op_id = %s", code)[0]

    def at_fp(self, code: str) -> list[dict[str, Any]]:
        """The orders that the sandbox took under the reference of this order: the truth of the world."""
        ref = self.operation(code)["client_ref"]
        return self.sandbox.call("GET", f"/ledger/fp?ref={ref}")["orders"]

    def keep_logs(self) -> Path:
        """Copy all logs to the artefacts, for whoever looks into a failure."""
        kept = world.ARTIFACTS / "live-stack-logs"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.folder, kept)
        return kept


def until(what: Callable[[], Any], *, within_s: float = 30, words: str = "it did not happen") -> Any:
    """The first true answer of `what()`. Raises AssertionError."""
    waited = Stopwatch()
    while True:
        if answer := what():
            return answer
        assert waited.seconds() < within_s, f"{words} within {within_s:.0f} s"
        time.sleep(0.05)


def collected_static() -> Path:
    """The collected and compressed static files, made once for each state of the sources."""
    folder = STATIC / up._static_digest()[:16]
    STATIC.mkdir(parents=True, exist_ok=True)
    with (STATIC / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "static").exists():
            for old in STATIC.iterdir():
                if old.is_dir():
                    shutil.rmtree(old, ignore_errors=True)
            folder.mkdir()
            words = [sys.executable, MANAGE, "collectstatic", "--noinput", "--verbosity", "0"]
            subprocess.run(words, check=True, env={**os.environ, "VAR_DIR": str(folder)})
    return folder / "static"
