"""The two servers that are compared: gunicorn with the words of `./run up`, once bare and once ours."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from portal.management.bench import load

STARTS_WITHIN_S = 60.0
WORDS = ["--worker-class", "gthread", "--workers", "2", "--threads", "8", "--keep-alive", "30", "--log-level", "error"]


class Ports(NamedTuple):
    """Where each answers on loopback."""

    bare: int
    ours: int


@contextmanager
def both() -> Iterator[Ports]:
    """Start both, wait until they answer, stop them afterwards. Ours has the bench's database and its own folder."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment = {**os.environ, **_environment(Path(folder))}
        command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(command, env=environment, cwd=settings.BASE_DIR, check=True)
        ports = Ports(free_port(), free_port())
        children = [
            _start("portal.management.bench.bare", ports.bare, environment),
            _start("portal.management.bench.served", ports.ours, environment),
        ]
        try:
            for child, port, path in zip(children, ports, ("/", "/healthz"), strict=True):
                wait_for(child, port, path)
            yield ports
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait()


def _environment(folder: Path) -> dict[str, str]:
    (folder / "queue" / "messages").mkdir(parents=True)
    (folder / "queue" / "control").mkdir()
    return {"DATABASE_URL": database_url(), "VAR_DIR": str(folder), "MODE": "sandbox", "LOG_LEVEL": "ERROR"}


def database_url() -> str:
    """The address of the database that this process uses now: the throw-away one."""
    now = connection.settings_dict
    secret = f":{quote(now['PASSWORD'], safe='')}" if now["PASSWORD"] else ""
    port = f":{now['PORT']}" if now["PORT"] else ""
    return f"postgres://{quote(now['USER'], safe='')}{secret}@{quote(now['HOST'], safe='')}{port}/{now['NAME']}"


def _start(module: str, port: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", f"{module}:application", "--bind", f"127.0.0.1:{port}", *WORDS]
    return subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(child: subprocess.Popen[bytes], port: int, path: str) -> None:
    """Until it answers 200. Raises RuntimeError when it ends or says nothing."""
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and child.poll() is None:
        try:
            if load.Connection(port).ask(load.get(path))[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"no server on port {port} within {STARTS_WITHIN_S:.0f} s; its words are above")
