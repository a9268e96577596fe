"""Doorbells wake workers: soon, each event in exactly one message, a burst in few of them."""

from __future__ import annotations

import threading
import time
from queue import Empty
from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from portal import bursts, clock, inbox, tasks

AT_ONCE, EACH = 8, 200


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The ids of each message, in their order."""
    found: list[list[int]] = []
    one = lambda kwargs, countdown: found.append([kwargs["event_id"]])  # noqa: E731
    many = lambda kwargs, countdown: found.append(kwargs["event_ids"])  # noqa: E731
    monkeypatch.setattr(current_app.tasks["portal.work_event"], "apply_async", one)
    monkeypatch.setattr(current_app.tasks["portal.work_events"], "apply_async", many)
    return found


@pytest.fixture
def burst(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a process gathers, for a moment that is shorter than a scheduler's."""
    settings.BELL_GATHER_S = 0.001
    found = bursts.Burst()
    monkeypatch.setattr(bursts, "burst", found)
    yield found
    found.end()


def ring_from_many_sides() -> set[int]:
    """Every id that was rung, from several threads at once."""

    def ring(side: int) -> None:
        for number in range(EACH):
            bursts.ring(side * EACH + number)

    threads = [threading.Thread(target=ring, args=[side]) for side in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return set(range(AT_ONCE * EACH))


class Careless:
    """A list that is read and then emptied: what the queue of `Burst` is there for."""

    def __init__(self) -> None:
        self.items: list[int | None] = []

    def put(self, item: int | None) -> None:
        before = list(self.items)
        time.sleep(0)
        self.items = [*before, item]

    def get(self) -> int | None:
        while not self.items:
            time.sleep(0.0001)
        return self.items.pop(0)

    def get_nowait(self) -> int | None:
        if not self.items:
            raise Empty
        return self.items.pop(0)


def test_every_event_is_in_exactly_one_message(burst: bursts.Burst, sent: list[list[int]]) -> None:
    rung = ring_from_many_sides()
    burst.end()
    told = [each for message in sent for each in message]
    assert len(told) == len(rung)
    assert set(told) == rung


def test_without_the_queue_some_events_wake_nobody(
    burst: bursts.Burst, sent: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(burst, "_waiting", Careless())
    rung = ring_from_many_sides()
    burst.end()
    assert {each for message in sent for each in message} < rung


def test_a_burst_is_one_message_and_a_lone_bell_another(
    burst: bursts.Burst, sent: list[list[int]], settings: Any
) -> None:
    settings.BELL_GATHER_S = 3_600.0
    for number in range(3):
        bursts.ring(number)
    burst.end()
    bursts.ring(3)
    burst.end()
    assert sent == [[0, 1, 2], [3]]


def test_a_bell_is_heard_soon_without_another_one(burst: bursts.Burst, sent: list[list[int]]) -> None:
    for number in range(3):
        bursts.ring(number)
        until = time.monotonic() + 10
        while len(sent) <= number and time.monotonic() < until:
            time.sleep(0.002)
    assert sent == [[0], [1], [2]]


def test_a_queue_that_is_down_does_not_stop_the_next_burst(
    burst: bursts.Burst, sent: list[list[int]], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise OSError("no queue")

    settings.BELL_GATHER_S = 3_600.0
    with monkeypatch.context() as patched:
        patched.setattr(current_app.tasks["portal.work_event"], "apply_async", broken)
        bursts.ring(1)
        burst.end()
    bursts.ring(2)
    burst.end()
    assert sent == [[2]]


def test_a_worker_hands_the_events_of_a_burst_on_one_by_one(
    db: None, sent: list[list[int]], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tasks.work_events(event_ids=[4, 5])
    assert sent == [[4], [5]]


@pytest.mark.django_db(transaction=True)
def test_nobody_is_woken_before_the_event_can_be_found(sent: list[list[int]]) -> None:
    with transaction.atomic():
        inbox.ring(provider="test", kind="bell", body={"id": "1"}, at=clock.now())
        assert not sent
    [event_id] = inbox.InboundEvent.objects.values_list("pk", flat=True)
    inbox.ring(provider="test", kind="bell", body={"id": "1"}, at=clock.now())
    assert sent == [[event_id]], "a repeated bell wakes nobody"


def test_what_comes_while_the_thread_is_told_to_end_is_sent_as_well(burst, sent):
    burst._waiting.put(7)
    burst._ends.set()
    burst._run()
    assert sent == [[7]]
