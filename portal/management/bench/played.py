"""The sandbox of the benchmarks: a process of its own with a world of its own, which can be filled with a history."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import override_settings

from portal.management.bench import load
from portal.management.bench.servers import free_port, wait_for

# A Monday on which the exchanges are open (NSE's list for 2026).
TRADING = "2026-11-23T10:00:00+05:30"
# Faster than any of them is, so that nobody waits for the pace; slow enough that its slots come by the hundred.
FAST = 5_000


@dataclass(frozen=True)
class Played:
    """A running sandbox."""

    port: int
    state: Path

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the control room. Raises RuntimeError when it is refused."""
        content = json.dumps(body or {}).encode()
        request = load.message(method, f"/_control{path}", {"Content_Type": "application/json"}, content)
        status, _, answer = load.Connection(self.port).ask(request)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer[:200]!r}")
        return json.loads(answer)

    def copy_rows(self, table: str, number: int, **changes: str) -> None:
        """`number` rows like the last one of a table of the world; `changes` are SQL over the counter `n`."""
        with sqlite3.connect(self.state, timeout=30) as world:
            columns = [row[1] for row in world.execute(f"PRAGMA table_info({table})")]
            taken = ", ".join(changes.get(name, name) for name in columns)
            world.execute(
                "WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < ?) "  # noqa: S608 - our own names
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"SELECT {taken} FROM counter, (SELECT * FROM {table} ORDER BY rowid DESC LIMIT 1)",
                [number],
            )
        world.close()


@contextmanager
def sandbox() -> Iterator[Played]:
    """Inside the block a fresh sandbox runs on a day of trading, and the settings of every client point at it."""
    with tempfile.TemporaryDirectory(prefix="bench-sandbox-") as folder:
        played = Played(free_port(), Path(folder) / "world.sqlite")
        words = ["-m", "portal.sandbox", "--port", str(played.port), "--state", str(played.state)]
        child = subprocess.Popen([sys.executable, *words], cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL)
        try:
            wait_for(child, played.port, "/_control/health")
            played.control("POST", "/clock", {"at": TRADING})
            with override_settings(**addresses(played.url)):
                yield played
        finally:
            child.terminate()
            child.wait()


def addresses(url: str) -> dict[str, Any]:
    """Settings with which every client speaks to this sandbox, without waiting for its turn."""
    bases = {"FP": "fp", "SMALLCASE": "smallcase", "ODIN": "odin", "FIVEPAISA": "5paisa"}
    found: dict[str, Any] = {f"{name}_BASE_URL": f"{url}/{path}" for name, path in bases.items()}
    found |= {f"{name}_CALLS_PER_SECOND": FAST for name in bases}
    return found | {"SANDBOX": True, "ODIN_WEB_URL": f"{url}/odin", "FIVEPAISA_LOGIN_URL": f"{url}/5paisa"}
