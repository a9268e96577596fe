"""What every test may ask for: the sandbox, the cast, clients, the clock, the sweep.

The cast is fixed. Asha is ready to invest, Bharat's KYC is incomplete, Chitra is a stranger who is ready too, Dev is
ops. With the `sandbox` fixture in the same test, Asha and Chitra are really registered there.
"""

from __future__ import annotations

import gc
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.servers.basehttp import WSGIRequestHandler
from django.db import connection
from django.test import Client, TransactionTestCase
from django.test.client import ClientHandler
from django.test.signals import setting_changed
from django.urls import get_resolver
from whitenoise.middleware import WhiteNoiseMiddleware

from orders.queries import schemes
from portal import clock, jobs
from portal.gateway.breaker import Breaker
from portal.late import read_all, read_pages
from portal.models import User
from tests import database, emptying, factories, world
from tests.control import SandboxControl, SandboxProcess
from tests.patience import CI, END_AT, ONE_TAKES_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NO_CHROMIUM = (
    "BROWSER TESTS SKIPPED: no Chromium on PATH. On Debian and Ubuntu: apt install --no-install-recommends chromium"
)
# As every web server does. Without it each answer of Django's live server waits 40 ms for the caller's acknowledgement.
WSGIRequestHandler.disable_nagle_algorithm = True
_started = time.time()
_rules_of_migrations: list[Any] = []


# --- collecting and reporting -----------------------------------------------------------------------------------


def pytest_collection() -> None:
    """The admin's pages and every address are read before the first request, as in a web process (`portal/wsgi.py`)."""
    read_pages()
    read_all(get_resolver())


# As `run` knows them.
LIVE_TESTS = ("tests/journeys/", "tests/portal/test_up.py")


def is_alive(item: pytest.Item) -> bool:
    """Does it need real processes or a browser?"""
    return bool(item.get_closest_marker("live_stack") or item.get_closest_marker("browser"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Browser tests need a Chromium, `redis` a redis-server to start, `on_redis` a REDIS_URL for the tests."""
    if lost := [item.nodeid for item in items if is_alive(item) and not item.nodeid.startswith(LIVE_TESTS)]:
        raise pytest.UsageError(f"`./run test` asks live tests in {LIVE_TESTS} only; these lie elsewhere: {lost}")
    for item in items:
        if item.get_closest_marker("browser") and not CHROMIUM:
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))
    there = {"redis": bool(shutil.which("redis-server")), "on_redis": bool(settings.REDIS_URL)}
    without = [item for item in items if any(item.get_closest_marker(name) and not there[name] for name in there)]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """On a machine that stands still a run must end all the same: red, and what was not asked is named at the end."""
    if time.time() + ONE_TAKES_S > END_AT:
        pytest.fail("NOT ASKED: no time was left", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How long it took from the first command, and one loud line when browser tests did not run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any(NO_CHROMIUM in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(NO_CHROMIUM, yellow=True, bold=True)
    started = float(os.environ.get("RUN_STARTED_AT", _started))
    terminalreporter.write_line(f"{time.time() - started:.1f} s from the command to here")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything is installed, so every skip is a mistake."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if CI and reporter and reporter.stats.get("skipped") and not session.exitstatus:
        reporter.write_line("CI expects no skipped test", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# --- made once per process --------------------------------------------------------------------------------------


def pytest_collection_finish() -> None:
    """What is there now stays until the end: the collector of garbage need not walk through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _static_files_found_once() -> Iterator[None]:
    """Every new browser loads the middleware, and WhiteNoise looks up all static files each time."""
    found: dict[str, Any] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def remember(self: WhiteNoiseMiddleware) -> None:
        if not found:
            look(self)
            found.update(self.files)
        self.files.update(found)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WhiteNoiseMiddleware, "add_files_from_finders", remember)
        yield


@pytest.fixture(scope="session", autouse=True)
def _middleware_loaded_once() -> Iterator[None]:
    """A new browser takes the middleware of the one before, as requests of a server share it, until a setting changes.

    Each load also leaves a receiver of request errors behind (django-structlog), which every later request walks past.
    """
    names = ("_middleware_chain", "_view_middleware", "_template_response_middleware", "_exception_middleware")
    kept: dict[str, Any] = {}
    load = ClientHandler.load_middleware

    def remember(self: ClientHandler, is_async: bool = False) -> None:
        if not kept:
            load(self, is_async)
            kept.update({name: getattr(self, name) for name in names})
        vars(self).update(kept)

    def forget(**_: object) -> None:
        kept.clear()

    setting_changed.connect(forget)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ClientHandler, "load_middleware", remember)
        yield
    setting_changed.disconnect(forget)


# --- the database -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The database of a run, or of a worker, begins as a copy of a migrated one."""
    connection.settings_dict["TEST"]["TEMPLATE"] = database.template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A test with real transactions ends with every table as migrations left it. Dated rules are read here once."""
    with django_db_blocker.unblock():
        kept = emptying.kept()
        _, holidays, book = schemes._read_market()
    _rules_of_migrations.append((math.inf, holidays, book))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", lambda case: kept.bring_back())
        yield


@pytest.fixture(autouse=True)
def _rules_are_known() -> None:
    """A process reads dated rules and holidays every half minute: which test would meet that, only its clock knew."""
    schemes._market = _rules_of_migrations[0] if _rules_of_migrations else None


# --- time -------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _real_time() -> Iterator[None]:
    """Every test begins at real time."""
    yield
    (world.FOLDER / "clock-offset").unlink(missing_ok=True)
    clock._read = (None, 0.0)


@pytest.fixture
def at(request: pytest.FixtureRequest) -> Callable[[str | datetime], datetime]:
    """`at("2026-11-20T14:59")`: it is that moment (IST unless said) from now on, in the sandbox too if it runs."""

    def go(moment: str | datetime) -> datetime:
        when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        when = when if when.tzinfo else when.replace(tzinfo=clock.IST)
        if "sandbox" in request.fixturenames:
            request.getfixturevalue("sandbox").set_clock(when)
        clock.set_offset(when.timestamp() - time.time())
        return clock.now()

    return go


# --- the sandbox ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    """One sandbox per process of the test run."""
    process = SandboxProcess(settings.SANDBOX_URL)
    try:
        process.wait()
        yield process
    finally:
        process.stop()


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxControl:
    """The sandbox with a fresh world at real time, and a client without memories of the last one."""
    from portal.fintech_primitives.client import client as fp

    control = SandboxControl(sandbox_process.url)
    control.reset()
    # A fresh world keeps the pace of the last one.
    control.call("POST", "/pace", {"mode": "fast"})
    fp().breaker = Breaker("fp")
    fp().renew()
    return control


@pytest.fixture
def bse(sandbox: SandboxControl, settings: Any) -> Iterator[None]:
    """FP's tenant whose orders go to BSE. Ask for it before anybody who is to be registered there."""
    from portal.fintech_primitives.client import client as fp

    settings.FP_ORDER_GATEWAY = "BSE"
    before = fp()._credentials
    fp()._credentials = replace(before, tenant="sandbox-bse", api_key_id="sandbox-bse", secret="sandbox-bse-secret")
    fp()._renew_at = 0.0
    yield
    fp()._credentials = before
    fp()._renew_at = 0.0


@pytest.fixture
def sandbox_control(sandbox: SandboxControl) -> SandboxControl:
    """Another name for `sandbox`, for tests that read better with it."""
    return sandbox


@pytest.fixture
def recover() -> Callable[..., dict[str, int]]:
    """`recover()` or `recover(at)`: run every sweep once; a sweep that fails fails the test."""

    def run(at: datetime | None = None) -> dict[str, int]:
        touched = jobs.recover(at or clock.now())
        failed = [name for name, count in touched.items() if count < 0]
        assert not failed, f"sweeps failed: {failed} (see the log above)"
        return touched

    return run


# --- the cast ---------------------------------------------------------------------------------------------------


def _ready(request: pytest.FixtureRequest, **who: object):  # type: ignore[no-untyped-def]
    investor = factories.ReadyInvestorFactory(**who)
    if {"sandbox", "sandbox_control"} & set(request.fixturenames):
        request.getfixturevalue("sandbox")
        factories.register_at_fp(investor)
    return investor


@pytest.fixture
def asha(request: pytest.FixtureRequest, db: None):  # type: ignore[no-untyped-def]
    """Ready to invest."""
    return _ready(request, user__email="asha@portal.example", name="Asha Rao", given_pan="ASHPR3751C")


@pytest.fixture
def bharat(db: None):  # type: ignore[no-untyped-def]
    """Signed up; the registries do not know his PAN."""
    return factories.InvestorFactory(user__email="bharat@portal.example", name="Bharat Mehta", given_pan="BHRPM3753D")


@pytest.fixture
def chitra(request: pytest.FixtureRequest, db: None):  # type: ignore[no-untyped-def]
    """A stranger to Asha, ready to invest."""
    return _ready(request, user__email="chitra@portal.example", name="Chitra Nair", given_pan="CHTPN3751E")


@pytest.fixture
def dev(db: None) -> User:
    """Ops, with every right in the admin."""
    return factories.UserFactory(email="dev@portal.example", first_name="Dev", is_staff=True, is_superuser=True)


@pytest.fixture
def client_for(db: None) -> Callable[..., Client]:
    """`client_for(asha)` or `client_for(user)`: a browser in which they are signed in; CSRF off unless asked for."""

    def make(person: object = None, **options: object) -> Client:
        client = Client(**options)
        if person is not None:
            client.force_login(getattr(person, "user", person))
        return client

    return make
