"""Background entries about changes of details: ids in, one operation. Imported by `investors/tasks.py`."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task

from investors.models import ChangeRequest
from investors.operations import change_sending
from portal import clock, jobs
from portal.attempts import claim_due

SWEEP = "changes"


def _find(at: datetime) -> list[int]:
    return claim_due(ChangeRequest, at=at, pace=change_sending.PACE_S)


def _advance(change_id: int, at: datetime) -> None:
    change_sending.advance(change_id=change_id, at=at)


jobs.register_sweep(SWEEP, jobs.Sweep(find=_find, advance=_advance, task="investors.advance_change"))


@shared_task(name="investors.advance_change")
def advance_change(*, row_id: int, **_: object) -> None:
    """Take a change one step further: out of its cooling-off, to FP, or to another look."""
    jobs.advance(SWEEP, row_id, clock.now())
