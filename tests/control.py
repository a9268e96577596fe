"""The control room of the sandbox, for tests: faults, the clock, what the person at the bank does, the ledger."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from portal import clock
from tests import world
from tests.patience import FACTOR

STARTS_WITHIN_S = 60 * FACTOR


class SandboxControl:
    """Talks to `/_control`. Moving the world's clock moves the portal's clock too."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: Any = None, timeout: float = 60 * FACTOR) -> Any:
        """The parsed answer of one control call. Raises AssertionError with the sandbox's words when it refuses."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error
        return json.loads(text) if text.strip().startswith((b"{", b"[")) else text.decode()

    def reset(self) -> None:
        """A fresh world at real time, without faults."""
        self.call("POST", "/reset", {})
        self.call("DELETE", "/faults")

    def fault(
        self,
        mode: str,
        *,
        method: str = "POST",
        path: str = "*",
        when: str = "before",
        times: int = 1,
        delay_s: float = 0,
        provider: str = "fp",
    ) -> Any:
        """The next `times` matching calls go wrong. Modes stand in the sandbox's README."""
        match = {"method": method, "path": path}
        body = {"provider": provider, "match": match, "when": when, "mode": mode, "times": times, "delay_s": delay_s}
        return self.call("POST", "/faults", body)

    def no_faults(self) -> None:
        """Every provider behaves again."""
        self.call("DELETE", "/faults")

    def now(self) -> datetime:
        """The world's time."""
        return datetime.fromisoformat(self.call("GET", "/clock")["now"])

    def advance(self, duration: str) -> datetime:
        """Let `duration` (ISO 8601: `PT1H`, `P1D`) pass in the world and here; what was due is done."""
        self.call("POST", "/clock", {"advance": duration})
        return self.follow()

    def set_clock(self, moment: datetime) -> datetime:
        """The world and the portal are at `moment` from now on."""
        self.call("POST", "/clock", {"at": moment.isoformat()})
        return self.follow()

    def follow(self) -> datetime:
        """The portal's clock runs with the world's."""
        ahead = self.now() - datetime.now(tz=clock.IST)
        clock.set_offset(0 if abs(ahead) < timedelta(seconds=2) else ahead.total_seconds())
        return clock.now()

    def pay(self, payment_id: str, outcome: str = "success") -> Any:
        """Stand for the person at the bank page."""
        return self.call("POST", f"/fp/payments/{payment_id}", {"outcome": outcome})

    def ledger(self, provider: str = "fp") -> Any:
        """The truth of the world."""
        return self.call("GET", f"/ledger/{provider}")


class SandboxProcess:
    """One real `python -m portal.sandbox` with its state in the run's folder."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.log = world.FOLDER / "sandbox.log"
        port = url.rsplit(":", 1)[1]
        words = ["-m", "portal.sandbox", "--port", port, "--state", str(world.FOLDER / "sandbox.sqlite")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words], cwd=world.ROOT, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Until it answers. Raises AssertionError with its last words."""
        deadline = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                SandboxControl(self.url).call("GET", "/health", timeout=2 * FACTOR)
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the sandbox did not start:\n{Path(self.log).read_text()[-2000:]}")

    def stop(self) -> None:
        """End it and wait for its end."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
