"""Background entries about mandates: ids in, one operation. Imported by `investors/tasks.py`."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task

from investors import lifecycle
from investors.models import Mandate
from investors.operations import mandate_sending
from portal import clock, jobs
from portal.attempts import claim_due

SWEEP = "mandates"
PACE_S = {**mandate_sending.PACE_S, lifecycle.APPROVED: mandate_sending.APPROVED_PACE_S}


def _find(at: datetime) -> list[int]:
    return claim_due(Mandate, at=at, pace=PACE_S)


def _advance(mandate_id: int, at: datetime) -> None:
    mandate_sending.advance(mandate_id=mandate_id, at=at)


jobs.register_sweep(SWEEP, jobs.Sweep(find=_find, advance=_advance, task="investors.advance_mandate"))


@shared_task(name="investors.advance_mandate")
def advance_mandate(*, row_id: int, **_: object) -> None:
    """Take a mandate one step further: create it, have its page made, look it up, cancel it, or ask FP."""
    jobs.advance(SWEEP, row_id, clock.now())
