"""The live stack, once per run, for every journey."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import time
from time import sleep
from typing import Any

import psycopg
import pytest
from django.conf import settings
from playwright.sync_api import Browser, expect, sync_playwright
from psycopg import sql

from portal import clock
from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from tests import database, world
from tests.conftest import CHROMIUM
from tests.journeys.eyes import Eyes
from tests.journeys.keys import Keys
from tests.journeys.stack import LiveStack
from tests.patience import Stopwatch, milliseconds

_NAMES = ("nila", "omar", "pari", "ravi", "gita", "odil", "usha", "veena")
INVESTORS = tuple(f"{name}@journey.example" for name in _NAMES)
CLOCK = "test_waiting_time"
LATEST = time(23, 50)
_failed = pytest.StashKey[bool]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Alone, journeys run last: their processes then cost no other test its time. Beside other workers, first: they
    wait more than they work."""
    beside = hasattr(config, "workerinput")
    # Of the journeys, those that move the world's clock by days come last: no other has to live in the future.
    items.sort(key=lambda item: ((item.get_closest_marker("live_stack") is None) == beside, item.path.stem == CLOCK))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Remember that something failed, so that the logs are kept."""
    report = yield
    if report.failed and item.get_closest_marker("live_stack"):
        item.session.stash[_failed] = True
    return report


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[LiveStack]:
    """Web, worker, beat, sandbox and a database of their own; `INVESTORS` are ready to invest."""
    waited = Stopwatch()
    with own_database() as url, LiveStack(world.FOLDER / "live", url) as live:
        try:
            live.start_everything(*INVESTORS)
            print(f"live stack: {waited.seconds():.1f} s until ready")
            yield live
        except BaseException:
            request.session.stash[_failed] = True
            raise
        finally:
            if request.session.stash.get(_failed, False):
                print(f"live stack: logs in {live.keep_logs()}")


@contextmanager
def own_database(prefix: str = "live") -> Iterator[str]:
    """A migrated database on the server of the test run, gone at the end; gives its URL."""
    name = f"{prefix}_" + world.FOLDER.name.rsplit("-", 1)[-1].lower()
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        server.execute(words.format(sql.Identifier(name), sql.Identifier(database.template())))
        try:
            yield database.address(name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright; it brings no browser of its own."""
    expect.set_options(timeout=milliseconds(60))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sandbox in this process, for the brokers' own pages."""
    running = Running(Sandbox(tmp_path_factory.mktemp("brokers") / "world.sqlite", "fast"))
    yield running
    running.close()


@pytest.fixture
def one_day() -> None:
    """A journey with a broker's login, which ends with the day in India: in its last minutes, until it is over."""
    while clock.now().astimezone(clock.IST).time() >= LATEST:
        sleep(5)


@pytest.fixture
def eyes(request: pytest.FixtureRequest, chromium: Browser, stack: LiveStack) -> Iterator[Eyes]:
    """A fresh browser session on the live stack, named after the test for its pictures."""
    seeing = Eyes(chromium, stack.url, request.node.name.removeprefix("test_").replace("_", "-")[:60])
    yield seeing
    print("\n".join(seeing.problems))
    print(seeing.weights)
    seeing.close()


@pytest.fixture
def keys(request: pytest.FixtureRequest, chromium: Browser, stack: LiveStack) -> Iterator[Keys]:
    """The same at 360 pixels by somebody without a mouse."""
    typing = Keys(chromium, stack.url, request.node.name.removeprefix("test_").replace("_", "-")[:60])
    yield typing
    print("\n".join(typing.problems))
    typing.close()
