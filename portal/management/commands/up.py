"""Everything on this machine, with one command: database, sandbox, web, worker, beat, demo data."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.management import demo
from portal.management.stack import AlreadyRunning, Child, ChildDied, Stack, only_owner, port_is_free

PORTS = {"WEB_PORT": "the web server", "SANDBOX_PORT": "the sandbox"}
CELERY = ("-m", "celery", "-A", "portal.celery")
WORKER_WORDS = (
    *CELERY, "worker", "--pool", "threads", "-c", "8", "--loglevel", "INFO",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
)  # fmt: skip
BEAT_WORDS = (*CELERY, "beat", "--loglevel", "INFO", "--pidfile", "")


class Stopped(BaseException):
    """Ctrl-C or SIGTERM."""


class Command(BaseCommand):
    """Start, watch and stop all processes. Continues where an earlier `up` stopped."""

    help = "Run everything: embedded PostgreSQL, sandbox, web server, worker, beat, demo data. Ctrl-C stops it all."
    requires_system_checks = "__all__"

    def handle(self, *args: Any, **options: Any) -> None:
        """Returns after Ctrl-C; raises CommandError with words when something stands in the way."""
        if not settings.SANDBOX:
            raise CommandError(
                "`up` is for the sandbox. In live mode run web, worker and beat as services: docs/operations.md"
            )
        self.started = float(os.environ.get("RUN_STARTED_AT", time.time()))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        try:
            with only_owner(settings.VAR_DIR / "up.lock", f"{settings.PUBLIC_URL} (process {os.getpid()})"):
                self._refuse_busy_ports()
                self._run()
        except AlreadyRunning as error:
            raise CommandError(
                f"Already running from {settings.VAR_DIR}: {error}.\n"
                "Stop it there, or set VAR_DIR, WEB_PORT and SANDBOX_PORT for a second one."
            ) from None
        except (ChildDied, TimeoutError) as error:
            raise CommandError(f"{error}\nEverything was stopped. Logs: {settings.VAR_DIR / 'log'}") from None
        except Stopped:
            self.stdout.write("Stopped. `./run up` continues from here.")

    def _refuse_busy_ports(self) -> None:
        for variable, what in PORTS.items():
            port = getattr(settings, variable)
            if not port_is_free(port):
                raise CommandError(
                    f"Port {port} for {what} is in use by another program.\n"
                    f"Stop that program, or choose another port: {variable}={port + 1000} ./run up"
                )

    def _run(self) -> None:
        environment = {"DATABASE_URL": settings.DATABASE_URL, "PYTHONUNBUFFERED": "1"}
        with Stack(settings.VAR_DIR / "log", environment, self.stdout.write) as stack:
            try:
                self._start(stack)
                stack.watch()
            finally:
                # From here on nothing may interrupt the stopping.
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)

    def _start(self, stack: Stack) -> None:
        self._step("database is up" + (" (embedded PostgreSQL)" if settings.DATABASE_IS_EMBEDDED else ""))
        state = settings.VAR_DIR / "sandbox.sqlite"
        sandbox_words = ["--host", "127.0.0.1", "--port", str(settings.SANDBOX_PORT), "--state", str(state)]
        sandbox_words += ["--portal", f"http://127.0.0.1:{settings.WEB_PORT}"]
        stack.start("sandbox", "-m", "portal.sandbox", *sandbox_words)
        static = self._collect_static(stack)
        self._migrate()
        self._step("tables are up to date")
        stack.wait_for(f"{settings.SANDBOX_URL}/_control/health")
        self._step("sandbox answers")
        if static:
            stack.finish(static)
            _static_stamp().write_text(_static_digest())
            self._step("static files are collected")
        stack.start("web", *web_words(settings.WEB_PORT))
        stack.wait_for(f"http://127.0.0.1:{settings.WEB_PORT}/healthz")
        self._step(f"pages answer: {settings.PUBLIC_URL}")
        self._start_background(stack)
        stack.finish(stack.start("demo", "manage.py", "seed_demo", "--quiet-when-done"), echo=True)
        self._step("ready")
        self.stdout.write(demo.welcome())
        # Not held back until the end when the output goes to a file.
        self.stdout.flush()

    def _start_background(self, stack: Stack) -> None:
        for name in ("messages", "control"):
            (settings.QUEUE_DIR / name).mkdir(parents=True, exist_ok=True)
        stack.start("worker", *WORKER_WORDS)
        stack.start("beat", *BEAT_WORDS)

    def _migrate(self) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.REDIS_URL:
            call_command("createcachetable", verbosity=0)

    def _collect_static(self, stack: Stack) -> Child | None:
        """Compressing takes seconds, so it happens beside the migrations, and only when something changed."""
        stamp = _static_stamp()
        if stamp.exists() and stamp.read_text() == _static_digest() and Path(settings.STATIC_ROOT).exists():
            return None
        return stack.start(
            "static", "manage.py", "collectstatic", "--noinput", "--clear", "--verbosity", "0", ends=True
        )

    def _step(self, words: str) -> None:
        self.stdout.write(f"{time.time() - self.started:6.1f} s  {words}")
        self.stdout.flush()


def _stop(*_: object) -> None:
    raise Stopped


def web_words(port: int) -> list[str]:
    """The web server on a port of loopback."""
    return [
        "-m", "gunicorn", "portal.wsgi:application", "--bind", f"127.0.0.1:{port}",
        "--worker-class", "gthread", "--workers", "2", "--threads", "8",
        "--preload", "--graceful-timeout", "5", "--keep-alive", "5",
    ]  # fmt: skip


def _static_stamp() -> Path:
    return Path(settings.VAR_DIR) / "static.digest"


def _static_digest() -> str:
    """Changes with our own files and with the versions of the packages that bring files."""
    files = [settings.BASE_DIR / "requirements.txt"]
    folders = [*settings.STATICFILES_DIRS, *sorted(settings.BASE_DIR.glob("*/static"))]
    files += sorted(path for folder in folders for path in Path(folder).rglob("*") if path.is_file())
    digest = hashlib.sha256(sys.version.encode())
    for path in files:
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()
