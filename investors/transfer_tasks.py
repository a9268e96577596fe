"""Background entry about transfers to other partners. Imported by `investors/tasks.py`."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task

from investors.operations import transfers
from portal import clock, jobs

TRANSFERS = "transfers"


def _advance(transfer_id: int, at: datetime) -> None:
    transfers.advance(transfer_id=transfer_id, at=at)


jobs.register_sweep(TRANSFERS, jobs.Sweep(find=transfers.find_due, advance=_advance, task="investors.end_transfer"))


@shared_task(name="investors.end_transfer")
def end_transfer(*, row_id: int, **_: object) -> None:
    """Carry out a transfer whose time for objections is over."""
    jobs.advance(TRANSFERS, row_id, clock.now())
