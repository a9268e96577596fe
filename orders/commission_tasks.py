"""Background entries of commission: what months should bring."""

from __future__ import annotations

from datetime import date

from celery import shared_task

from orders.operations import commission_months
from portal import clock, jobs

EXPECT, EXPECT_MONTH = "orders.expect_commission", "orders.expect_month_of_commission"


@shared_task(name=EXPECT)
@jobs.singleton
def expect(**_: object) -> None:
    """Have every month computed whose figures are behind what is known by now, each by a worker of its own."""
    for month in commission_months.due(at=clock.now()):
        jobs.nudge(EXPECT_MONTH, month=month.isoformat())


@shared_task(name=EXPECT_MONTH)
def expect_month(*, month: str, **_: object) -> None:
    """Compute what one month should bring, for the whole book."""
    commission_months.compute(date.fromisoformat(month), at=clock.now())
