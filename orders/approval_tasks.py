"""Background entry about requests of partners. Imported by `orders/tasks.py`."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task

from orders.operations import approval_ends
from portal import clock, jobs

APPROVALS = "approvals"


def _end(approval_id: int, at: datetime) -> None:
    approval_ends.end(approval_id=approval_id, at=at)


jobs.register_sweep(APPROVALS, jobs.Sweep(find=approval_ends.find_due, advance=_end, task="orders.end_approval"))


@shared_task(name="orders.end_approval")
def end_approval(*, row_id: int, **_: object) -> None:
    """Tell the partner of a request whose time is over."""
    jobs.advance(APPROVALS, row_id, clock.now())
