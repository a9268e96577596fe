"""Background entries of commission: what months should bring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from celery import shared_task

from orders.operations import commission_months
from portal import clock, jobs

EXPECT, EXPECT_MONTH = "orders.expect_commission", "orders.expect_month_of_commission"


@shared_task(name=EXPECT)
@jobs.singleton
def expect(**_: object) -> None:
    """Have every month computed whose figures are behind what is known by now."""
    _have_computed([month.isoformat() for month in commission_months.due(at=clock.now())])


@shared_task(name=EXPECT_MONTH)
def expect_month(*, month: str, then: Sequence[str] = (), **_: object) -> None:
    """Compute what one month should bring, for the whole book, and leave the others to whoever is free next."""
    commission_months.compute(date.fromisoformat(month), at=clock.now())
    _have_computed(then)


def _have_computed(months: Sequence[str]) -> None:
    """One after the other: a million holdings take a worker a minute or two, and orders need the rest of them."""
    if months:
        jobs.nudge(EXPECT_MONTH, month=months[0], then=list(months[1:]))
