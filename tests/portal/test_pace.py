"""The pace of calls to a provider: one for all processes of a deployment, and never in anybody's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from portal.gateway import shared
from portal.gateway.pace import LEASE_S, Pace
from portal.models import Provider

RATE = 50
PROCESSES = 4


def together(act: Callable[[], None]) -> None:
    """`act` in several threads, each with its own connection and its own memory: as processes have them."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(PROCESSES)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def calls_in_a_second() -> list[float]:
    """When calls were let through, by as many processes as there are, each as fast as it may."""
    calls: list[float] = []
    ends = time.monotonic() + 1.0

    def work() -> None:
        pace = Pace("fp", RATE)
        while True:
            pace.wait()
            if (now := time.monotonic()) > ends:
                return
            calls.append(now)

    together(work)
    return sorted(calls)


@pytest.mark.django_db(transaction=True)
def test_the_race_without_the_shared_line_lets_every_process_have_the_whole_rate(monkeypatch):
    monkeypatch.setattr(shared, "take", lambda *_: None)
    assert len(calls_in_a_second()) > 2 * RATE


@pytest.mark.django_db(transaction=True)
def test_all_processes_together_keep_the_rate():
    calls = calls_in_a_second()
    # A lease may begin just before the second and end just after it.
    assert len(calls) <= RATE * (1 + LEASE_S) + PROCESSES


class Line:
    """A clock that only moves when somebody sleeps, and the shared line on it."""

    def __init__(self) -> None:
        self.now = self.free_at = 1_000.0
        self.asked = 0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def take(self, _: str, length_s: float) -> float:
        self.asked += 1
        begins_at = max(self.now, self.free_at)
        self.free_at = begins_at + length_s
        return begins_at - self.now


def test_a_single_process_uses_the_rate_and_asks_seldom(monkeypatch):
    line = Line()
    monkeypatch.setattr("portal.gateway.pace.time", line)
    monkeypatch.setattr(shared, "take", line.take)
    begun = line.now
    pace = Pace("fp", 200)
    for _ in range(101):
        pace.wait()
    assert line.now - begun == pytest.approx(100 / 200)
    assert line.asked < 15, "a busy process takes slots by the handful"


@pytest.mark.django_db(transaction=True)
def test_a_process_that_was_idle_takes_one_slot_only(monkeypatch):
    asked: list[float] = []
    real = shared.take
    monkeypatch.setattr(shared, "take", lambda *args: asked.append(args[1]) or real(*args))
    pace = Pace("fp", 200)
    pace.wait()
    time.sleep(2 * LEASE_S)
    pace.wait()
    assert asked == [1 / 200, 1 / 200]


@pytest.mark.django_db(transaction=True)
def test_a_line_that_somebody_holds_stops_nobody():
    Provider.objects.create(name="fp")
    url = settings.DATABASE_URL.rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM portal_provider FOR UPDATE")
        assert shared.take("fp", 1.0) is None, "it is not waited for: each process keeps its own pace meanwhile"


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_the_line_is_left_alone():
    Provider.objects.create(name="fp")
    before = Provider.objects.get().free_at
    with transaction.atomic():
        assert shared.take("fp", 1.0) is None
    assert Provider.objects.get().free_at == before


@pytest.mark.django_db(transaction=True)
def test_without_the_database_each_process_keeps_its_own_pace(monkeypatch):
    def away(*_: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(shared, "_take", away)
    pace = Pace("fp", RATE)
    begun = time.monotonic()
    for _ in range(11):
        pace.wait()
    assert time.monotonic() - begun >= 10 / RATE


@pytest.mark.django_db(transaction=True)
def test_a_deployment_of_two_providers_has_two_lines():
    assert shared.take("fp", 30.0) < 1.0
    assert shared.take("fp", 1.0) > 20.0
    assert shared.take("5paisa", 1.0) < 1.0
