"""A worker that sleeps past its lease with a write to FP in its hands, while everybody else goes on.

`@GUARDS` runs a test with the journal's fence and without it: the race is shown first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal import clock
from portal.fintech_primitives import client as fp
from portal.gateway import journal

GUARDS = pytest.mark.parametrize("fence", [False, True], ids=["guard off", "guard on"])
# Past the lease, and through the looks of those who take over.
SLEEPS_S = (46, 60, 110)


def put_to_sleep(
    monkeypatch: pytest.MonkeyPatch, method: str, meanwhile: Callable[[], object], *, fence: bool
) -> list[int]:
    """Whoever calls this method of FP's client first sleeps meanwhile. Returns the attempts that have called it."""
    call, awake = getattr(fp.client(), method), []

    def sleep_first(*args: Any, **named: Any) -> Any:
        told = next(each for each in (*args, *named.values()) if isinstance(each, journal.About))
        awake.append(told.attempt_no)
        if len(awake) == 1:
            meanwhile()
        return call(*args, **named)

    monkeypatch.setattr(fp.client(), method, sleep_first)
    if not fence:
        begin = journal._begin
        monkeypatch.setattr(journal, "_begin", lambda call, _: begin(call, ""))
    return awake


def while_asleep(advance: Callable[[Any], object]) -> Callable[[], None]:
    """`advance(moment)` at each moment at which the sweep comes by."""

    def sweep() -> None:
        for seconds in SLEEPS_S:
            advance(clock.now() + timedelta(seconds=seconds))

    return sweep
