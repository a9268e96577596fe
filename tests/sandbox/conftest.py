"""One real server for all tests of the sandbox, with a fresh world for each test. No Django, no database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from tests.sandbox.api import Caller, Shop


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(Sandbox(tmp_path_factory.mktemp("sandbox") / "world.sqlite", "fast"))
    yield running
    running.close()


@pytest.fixture
def caller(served: Running) -> Iterator[Caller]:
    served.sandbox.world.reset()
    served.sandbox.world.set_meta("pace", "fast")
    one = Caller(served.url)
    yield one
    one.connection.close()
    stuck = [dict(row) for row in served.sandbox.world.all("SELECT * FROM stuck")]
    assert not stuck, "steps of the world failed"


@pytest.fixture
def shop(caller: Caller) -> Shop:
    return Shop(caller)
