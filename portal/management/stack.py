"""The processes of one machine: start them, watch them, echo their errors, stop every one of them.

Each child leads a process group of its own, so Ctrl-C at the terminal reaches only the owner, which then stops the
children in order. If the owner is killed, the kernel (on Linux) tells the children.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

STOP_PATIENCE_S = 8.0
LOOK_EVERY_S = 0.2
LAST_LINES = 20
_TROUBLE = re.compile(r"\[(error|critical)\s*\]|\b(ERROR|CRITICAL)\b|^Traceback")
_PR_SET_PDEATHSIG = 1


class ChildDied(Exception):
    """A process that should run ended by itself."""


class AlreadyRunning(Exception):
    """Somebody holds the lock of this folder; the text is what they wrote into it."""


@dataclass
class Child:
    """One process, its log, and how far the log has been read."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    read_to: int = 0
    # It ends by itself once its work is done; a good end is then no accident.
    ends: bool = False

    @property
    def is_running(self) -> bool:
        """Has it not ended yet?"""
        return self.process.poll() is None

    def new_lines(self) -> list[str]:
        """Whole lines that were written since the last look."""
        with self.log.open("rb") as file:
            file.seek(self.read_to)
            text = file.read(1_000_000)
        whole = text[: text.rfind(b"\n") + 1]
        self.read_to += len(whole)
        return whole.decode("utf-8", "replace").splitlines()

    def last_lines(self) -> str:
        """What it said last."""
        lines = self.log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
        return "\n".join(f"    {line}" for line in lines)


class Stack:
    """The children of one owner. Leaving the `with` block stops them all, newest first."""

    def __init__(self, folder: Path, environment: dict[str, str], say: Callable[[str], None]) -> None:
        self.folder = folder
        self.environment = {**os.environ, **environment}
        self.say = say
        self.children: list[Child] = []
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, *words: str, ends: bool = False) -> Child:
        """Start `python <words>`; its output goes to `<folder>/<name>.log`. `ends`: `finish` will wait for its end."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *words],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_the_owner if sys.platform == "linux" else None,
            )
        child = Child(name, process, log, ends=ends)
        self.children.append(child)
        return child

    def look(self) -> None:
        """Echo new errors. Raises ChildDied when a child ended."""
        for child in self.children:
            for line in child.new_lines():
                if _TROUBLE.search(line):
                    self.say(f"{child.name} | {line}")
            if not child.is_running and not (child.ends and child.process.returncode == 0):
                self.children.remove(child)
                code = child.process.returncode
                raise ChildDied(
                    f"{child.name} stopped by itself (exit code {code}). Its last lines:\n{child.last_lines()}"
                )

    def finish(self, child: Child, *, echo: bool = False) -> None:
        """Wait for a child that ends by itself. Raises ChildDied when it failed."""
        while child.is_running:
            others = [each for each in self.children if each is not child]
            self._look_at(others)
            self._echo(child, echo)
            time.sleep(LOOK_EVERY_S)
        self._echo(child, echo)
        if child.process.returncode:
            raise ChildDied(f"{child.name} failed. Its last lines:\n{child.last_lines()}")
        self.children.remove(child)

    def _look_at(self, children: list[Child]) -> None:
        everyone, self.children = self.children, children
        try:
            self.look()
        finally:
            self.children = [child for child in everyone if child in children or child.is_running]

    def _echo(self, child: Child, echo: bool) -> None:
        for line in child.new_lines():
            if echo or _TROUBLE.search(line):
                self.say(line if echo else f"{child.name} | {line}")

    def wait_for(self, url: str, *, patience_s: float = 90.0) -> None:
        """Until `url` answers 200. Raises ChildDied, or TimeoutError after `patience_s`."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            self.look()
            if _answers(url):
                return
            time.sleep(LOOK_EVERY_S)
        raise TimeoutError(f"{url} does not answer")

    def watch(self) -> None:
        """For ever, until a signal or a ChildDied."""
        while True:
            self.look()
            time.sleep(0.5)

    def stop(self) -> None:
        """End every process of every child's group: politely, then not."""
        for child in reversed(self.children):
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE_S
        while time.monotonic() < deadline and any(_group_lives(child) for child in self.children):
            time.sleep(0.05)
        for child in self.children:
            _signal_group(child, signal.SIGKILL)
            child.process.wait()
        self.children = []


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - an address of this machine
            return bool(answer.status == 200)
    except OSError:
        return False


def _end_with_the_owner() -> None:
    """Runs in the child before it becomes the program: SIGTERM when the owner dies, even by SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(child: Child, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)


def _group_lives(child: Child) -> bool:
    child.process.poll()  # collects the leader, so that a finished group is gone
    try:
        os.killpg(child.process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def port_is_free(port: int) -> bool:
    """May a server listen on this port of loopback?"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def only_owner(path: Path, note: str) -> Iterator[IO[str]]:
    """Hold the lock of a folder; the kernel lets go of it however this process ends. Raises AlreadyRunning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise AlreadyRunning(file.read().strip()) from None
        file.truncate(0)
        file.write(note)
        file.flush()
        yield file
