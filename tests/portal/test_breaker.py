"""The circuit breaker: when a provider rests, and that one call of all processes tries it again before the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection

from portal import clock
from portal.gateway import breaker, errors, shared
from portal.gateway.breaker import OPENS_AFTER, PROBE_S, STAYS_OPEN_S, Breaker
from portal.models import Provider

WAITING, PROCESSES = 6, 4
TROUBLE = errors.OutcomeUnknown("fp", "GET", "/")


@pytest.fixture
def later(monkeypatch, at) -> Callable[[float], None]:
    """`later(10)`: so many seconds pass, by both clocks."""
    now = [100.0]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])

    def passes(seconds: float) -> None:
        now[0] += seconds
        at(clock.now() + timedelta(seconds=seconds))

    return passes


def opened() -> Breaker:
    """A breaker that has just opened."""
    guard = Breaker("fp")
    for _ in range(OPENS_AFTER):
        guard.check("fp", "GET", "/")
        guard.heard(TROUBLE)
    return guard


def passes(guard: Breaker) -> bool:
    """Does the breaker let a call through?"""
    try:
        guard.check("fp", "GET", "/")
    except errors.Unreachable:
        return False
    return True


def in_a_thread(act: Callable[[], None]) -> None:
    thread = threading.Thread(target=lambda: (act(), connection.close()))
    thread.start()
    thread.join(20)


def crowd(guards: list[Breaker]) -> int:
    """How many get through of the calls that wait in every process, all at once. None of them is answered yet."""
    start, through = threading.Barrier(WAITING * len(guards)), []

    def call(guard: Breaker) -> None:
        start.wait(10)
        try:
            if passes(guard):
                through.append(guard)
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=[guard]) for guard in guards for _ in range(WAITING)]
    [thread.start() for thread in threads]
    [thread.join(20) for thread in threads]
    return len(through)


# --- the crowd --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_without_a_turn_everybody_tries_at_once_after_the_pause(monkeypatch, later):
    """The guard off: a breaker that only waits, as it was."""
    monkeypatch.setattr(Breaker, "_may_probe", lambda self: self._turn(open_=False, troubles=9) or True)
    guards = [opened() for _ in range(PROCESSES)]
    later(STAYS_OPEN_S)
    assert crowd(guards) > PROCESSES


@pytest.mark.django_db(transaction=True)
def test_with_a_turn_in_each_process_only_every_process_tries(monkeypatch, later):
    """The shared half of the guard off."""
    monkeypatch.setattr(shared, "probe", lambda *_: shared.Turn.OURS)
    guards = [opened() for _ in range(PROCESSES)]
    later(STAYS_OPEN_S)
    assert crowd(guards) == PROCESSES


@pytest.mark.django_db(transaction=True)
def test_one_call_of_all_processes_tries_after_the_pause(later):
    guards = [opened() for _ in range(PROCESSES)]
    assert crowd(guards) == 0
    later(STAYS_OPEN_S)
    assert crowd(guards) == 1
    assert crowd(guards) == 0, "the probe is not answered yet"


# --- one probe --------------------------------------------------------------------------------------------------


@pytest.fixture
def probing(later) -> Breaker:
    """A breaker whose probe is this thread's."""
    guard = opened()
    later(STAYS_OPEN_S)
    assert passes(guard)
    return guard


@pytest.mark.django_db(transaction=True)
def test_a_thread_with_the_number_of_one_that_ended_is_not_its_probe(later):
    """The system gives numbers of threads again, often the last one first."""
    guard, numbers, through = opened(), [], []
    later(STAYS_OPEN_S)

    def call() -> None:
        numbers.append(threading.get_ident())
        through.append(passes(guard))

    for _ in range(50):
        in_a_thread(call)
    assert len(set(numbers)) < len(numbers), "no number came twice: nothing is shown"
    assert through == [True] + [False] * 49


@pytest.mark.django_db(transaction=True)
def test_the_probe_that_meets_trouble_gives_the_provider_another_rest(probing, later):
    probing.heard(TROUBLE)
    assert not passes(probing)
    assert Provider.objects.get(pk="fp").open_until == pytest.approx(
        clock.now() + timedelta(seconds=STAYS_OPEN_S), abs=timedelta(seconds=2)
    )
    later(STAYS_OPEN_S)
    assert passes(probing)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("answer", [None, errors.Refused("fp", "POST", "/"), errors.Throttled("fp", "GET", "/")])
def test_the_probe_that_is_answered_lets_everybody_through_in_every_process(probing, later, answer):
    other = opened()
    probing.heard(answer)
    assert Provider.objects.get(pk="fp").open_until is None
    assert crowd([probing]) == WAITING
    assert crowd([other]) == 0, "its own pause is not over"
    later(STAYS_OPEN_S)
    assert passes(other)
    assert crowd([other]) == WAITING


@pytest.mark.django_db(transaction=True)
def test_one_more_trouble_opens_a_breaker_that_only_heard_of_an_answer(probing, later):
    other = opened()
    probing.heard(None)
    later(STAYS_OPEN_S)
    assert passes(other)
    other.heard(TROUBLE)
    assert not passes(other)


@pytest.mark.django_db(transaction=True)
def test_what_the_probe_itself_needs_is_let_through(probing):
    assert passes(probing), "a login before the call"


@pytest.mark.django_db(transaction=True)
def test_trouble_of_calls_from_before_the_pause_lets_nobody_else_try(probing, later):
    other = opened()
    in_a_thread(lambda: probing.heard(TROUBLE))
    in_a_thread(lambda: other.heard(TROUBLE))
    later(STAYS_OPEN_S + 1)
    assert crowd([probing, other]) == 0
    probing.heard(None)
    assert crowd([probing]) == WAITING


@pytest.mark.django_db(transaction=True)
def test_a_probe_that_was_never_sent_leaves_its_turn_to_the_next(probing):
    probing.release()
    assert crowd([probing]) == 1


@pytest.mark.django_db(transaction=True)
def test_a_probe_that_was_lost_with_its_process_is_forgotten(probing, later):
    other = opened()
    later(PROBE_S - 1)
    assert crowd([probing, other]) == 0
    later(2)
    assert crowd([probing, other]) == 1


# --- what is shared ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_days(probing, later):
    Provider.objects.filter(pk="fp").update(open_until=clock.now() + timedelta(days=3))
    other = opened()
    Provider.objects.filter(pk="fp").update(open_until=clock.now() + timedelta(days=3))
    later(STAYS_OPEN_S)
    assert passes(other)


@pytest.mark.django_db(transaction=True)
def test_an_emptied_table_and_a_database_in_trouble_leave_a_process_to_itself(monkeypatch, later):
    first, second = opened(), opened()
    Provider.objects.all().delete()
    later(STAYS_OPEN_S)
    assert crowd([first]) == 1

    def away(*_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(shared, "_probe", away)
    assert crowd([second]) == 1


@pytest.mark.django_db
def test_a_closed_breaker_asks_the_database_nothing(django_assert_num_queries):
    guard = Breaker("fp")
    guard.heard(None)
    with django_assert_num_queries(0):
        for _ in range(50):
            guard.check("fp", "GET", "/")
            guard.heard(None)


@pytest.mark.django_db
def test_while_another_process_tries_this_one_looks_once_a_second(django_assert_num_queries, later):
    waiting, prober = opened(), opened()
    later(STAYS_OPEN_S)
    assert passes(prober)
    assert not passes(waiting)
    with django_assert_num_queries(0):
        assert not any(passes(waiting) for _ in range(50))
    later(breaker.LOOKS_AGAIN_S)
    with django_assert_num_queries(2):
        assert not passes(waiting)


# --- counting ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_gives_a_provider_a_rest_after_ten_troubles_in_a_row(later):
    guard = opened()
    assert not passes(guard)
    later(STAYS_OPEN_S)
    assert passes(guard)
    guard.heard(TROUBLE)
    assert not passes(guard)


@pytest.mark.django_db
def test_forgets_troubles_after_any_answer_also_a_refusal():
    guard = Breaker("fp")
    for _ in range(3):
        for _ in range(OPENS_AFTER - 1):
            guard.heard(TROUBLE)
        guard.heard(errors.Refused("fp", "POST", "/"))
    assert passes(guard)
