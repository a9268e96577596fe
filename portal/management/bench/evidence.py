"""What journal and audit add to a write: claim, call, record, with both and without either.

The claim and the record are a transaction each, as in every operation that calls a provider. Beside a journal the claim
leaves the disk to it; without one it waits by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import transaction

from portal import audit, clock
from portal.attempts import leave_the_disk_to_the_journal
from portal.gateway import journal
from portal.management.bench import Row, row
from portal.models import Heartbeat

ROUNDS, WRITES, TARGET = 7, 25, 1.35


def run(place: Callable[[], Any]) -> list[Row]:
    """One row, in microseconds a write."""
    Heartbeat.objects.get_or_create(name="bench", defaults={"at": clock.now()})
    rounds = [(_without(place), _us(place, audited=True)) for _ in range(ROUNDS + 1)][1:]
    limits, ours = ([pair[side] for pair in rounds] for side in (0, 1))
    note = "limit: claim, call and record of an order at FP without journal and audit"
    return [row(work="journal and audit of a write", unit="us", limit=limits, ours=ours, target=TARGET,
                at_most=True, note=note)]  # fmt: skip


def _without(place: Callable[[], Any]) -> float:
    with _unjournalled():
        return _us(place, audited=False)


@contextmanager
def _unjournalled() -> Iterator[None]:
    with mock.patch.object(journal, "begin", return_value=None), mock.patch.object(journal, "end"):
        yield


def _us(place: Callable[[], Any], *, audited: bool) -> float:
    began = time.perf_counter()
    for _ in range(WRITES):
        _commit("bench.claimed" if audited else "", claim=audited)
        place()
        _commit("bench.recorded" if audited else "")
    return 1e6 * (time.perf_counter() - began) / WRITES


def _commit(event: str, *, claim: bool = False) -> None:
    with transaction.atomic(durable=True):
        if claim:
            leave_the_disk_to_the_journal()
        at = clock.now()
        beat = Heartbeat.objects.select_for_update().get(name="bench")
        beat.at = at
        beat.save(update_fields=["at"])
        if event:
            audit.record(beat, event, actor=None, at=at)
