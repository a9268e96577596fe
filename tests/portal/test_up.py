"""`up` as a newcomer meets it: real processes, real signals (issue: two commands on a bare machine)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import world
from tests.patience import FACTOR, Stopwatch

pytestmark = [pytest.mark.live_stack, pytest.mark.xdist_group("live_stack")]
STARTS_WITHIN_S = 120
STOPS_WITHIN_S = 20


class Up:
    """One `manage.py up` at a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = (world._free_port(), world._free_port())
        self.process: subprocess.Popen[str] | None = None
        self.out = folder / "up.out"

    def environment(self, **extra: str) -> dict[str, str]:
        web, sandbox = (str(port) for port in self.ports)
        mine = {
            "VAR_DIR": str(self.folder),
            "WEB_PORT": web,
            "SANDBOX_PORT": sandbox,
            "RUN_STARTED_AT": repr(time.time()),
        }
        return {**world.outside(), **mine, **extra}

    def start(self) -> None:
        with self.out.open("w") as out:
            words = [sys.executable, "manage.py", "up"]
            self.process = subprocess.Popen(
                words, cwd=world.ROOT, env=self.environment(), stdout=out, stderr=out, start_new_session=True
            )

    def once(self, **extra: str) -> subprocess.CompletedProcess[str]:
        """Another `up` that is expected to refuse."""
        words = [sys.executable, "manage.py", "up"]
        return subprocess.run(
            words, cwd=world.ROOT, env=self.environment(**extra), capture_output=True, text=True, timeout=60 * FACTOR
        )

    def wait_for(self, words: str, within_s: float = STARTS_WITHIN_S) -> str:
        waited = Stopwatch()
        while waited.seconds() < within_s:
            text = self.out.read_text()
            if words in text:
                return text
            assert self.process.poll() is None, f"up ended by itself:\n{text}"
            time.sleep(0.1)
        raise AssertionError(f"{words!r} not within {within_s} s:\n{self.out.read_text()}")

    def processes(self) -> dict[int, str]:
        """Every process whose environment or command names this folder."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.folder).encode() in text:
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        return found

    def child(self, part: str) -> int:
        return next(pid for pid, words in sorted(self.processes().items()) if part in words)

    def ends(self) -> int:
        return self.process.wait(STOPS_WITHIN_S * FACTOR)

    def left_over(self, but: str = "nothing of ours") -> dict[int, str]:
        waited = Stopwatch()
        while True:
            found = {pid: words for pid, words in self.processes().items() if but not in words}
            if not found or waited.seconds() > 15:
                return found
            time.sleep(0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared by the tests of this module: the first one pays for the cold start."""
    return tmp_path_factory.mktemp("up")


@pytest.fixture
def up(folder: Path) -> Iterator[Up]:
    """A running `up` whose pages answer."""
    up = Up(folder)
    up.start()
    try:
        up.wait_for("pages answer")
        yield up
    finally:
        for pid in up.processes():
            os.kill(pid, signal.SIGKILL)
        up.process.wait()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")
class TestUp:
    """In one class, so that one worker runs them all on one folder."""

    def test_serves_pages_says_that_it_runs_and_leaves_nothing_behind_after_ctrl_c(self, up):
        with urllib.request.urlopen(f"http://127.0.0.1:{up.ports[0]}/healthz") as answer:
            assert answer.status == 200
        second = up.once()
        assert second.returncode == 1
        assert f"Already running from {up.folder}" in second.stderr
        assert f"http://127.0.0.1:{up.ports[0]}" in second.stderr
        up.process.send_signal(signal.SIGINT)
        assert up.ends() == 0
        assert "continues from here" in up.out.read_text()
        assert up.left_over() == {}

    def test_takes_its_processes_along_even_when_it_is_killed(self, up):
        up.process.kill()
        up.ends()
        # PostgreSQL survives on purpose: it is no child, and the next `up` joins it.
        assert up.left_over(but="postgres") == {}

    def test_stops_everything_when_one_process_dies_and_says_which(self, up):
        up.wait_for("ready")
        os.kill(up.child("celery -A portal.celery worker"), signal.SIGKILL)
        assert up.ends() == 1
        assert "worker stopped by itself (exit code -9)" in up.out.read_text()
        assert up.left_over() == {}


@pytest.mark.parametrize(("variable", "what"), [("WEB_PORT", "the web server"), ("SANDBOX_PORT", "the sandbox")])
def test_names_a_port_in_use_and_the_way_out(tmp_path, variable, what):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = Up(tmp_path).once(**{variable: str(port)})
    assert refused.returncode == 1
    assert f"Port {port} for {what} is in use" in refused.stderr
    assert f"{variable}=" in refused.stderr


def test_collects_static_files_again_when_those_of_an_app_change(tmp_path, settings):
    from portal.management.commands import up

    (tmp_path / "requirements.txt").write_text("")
    style = tmp_path / "portal" / "static" / "ops" / "ops.css"
    style.parent.mkdir(parents=True)
    settings.BASE_DIR, settings.STATICFILES_DIRS = tmp_path, []
    digests = set()
    for words in ("a { color: red }", "a { color: blue }"):
        style.write_text(words)
        digests.add(up._static_digest())
    assert len(digests) == 2
