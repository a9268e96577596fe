"""Background entries about SIPs: ids in, one operation. Imported by `orders/tasks.py`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from celery import shared_task

from orders.models import Plan, PlanChange
from orders.operations import instalments, plan_change_sending, plan_news, plan_sending
from portal import clock, gates, jobs
from portal.attempts import claim_due
from portal.gateway.errors import GatewayError

log = structlog.get_logger(__name__)

PLANS, CHANGES = "plans", "plan_changes"


def _find_plans(at: datetime) -> list[int]:
    return claim_due(Plan, at=at, pace=plan_news.PACE_S)


def _advance_plan(plan_id: int, at: datetime) -> None:
    plan_sending.advance(plan_id=plan_id, at=at)


def _find_changes(at: datetime) -> list[int]:
    return claim_due(PlanChange, at=at, pace=plan_change_sending.PACE_S)


def _advance_change(change_id: int, at: datetime) -> None:
    plan_change_sending.advance(change_id=change_id, at=at)


jobs.register_sweep(PLANS, jobs.Sweep(find=_find_plans, advance=_advance_plan, task="orders.advance_plan"))
jobs.register_sweep(CHANGES, jobs.Sweep(find=_find_changes, advance=_advance_change, task="orders.advance_plan_change"))


@shared_task(name="orders.advance_plan")
def advance_plan(*, row_id: int, **_: object) -> None:
    """Take a SIP one step further: send it, look it up, or ask FP about it and its instalments."""
    jobs.advance(PLANS, row_id, clock.now())


@shared_task(name="orders.advance_plan_change")
def advance_plan_change(*, row_id: int, **_: object) -> None:
    """Take a change of a SIP one step further: send it, look it up, or ask FP whether it is done."""
    jobs.advance(CHANGES, row_id, clock.now())


@shared_task(name="orders.expect_plan")
def expect_plan(*, plan_id: int, **_: object) -> None:
    """A new SIP expects its first instalment, if that is near."""
    instalments.expect_of(plan_id=plan_id, at=clock.now())


def _tell_all(*, at: datetime) -> None:
    while instalments.tell(at=at):
        at = clock.now()


# What one of them cannot do now holds the others up no longer than that.
SIP_DAY: tuple[Callable[..., object], ...] = (
    instalments.expect_all,
    _tell_all,
    instalments.catch_up,
)


@shared_task(name="orders.sip_days")
@jobs.singleton
def sip_days(**_: object) -> None:
    """Expect the instalments of the next days, tell their investors, and catch up on their orders."""
    for step in SIP_DAY:
        try:
            step(at=clock.now())
        except (gates.GateClosed, GatewayError) as error:
            log.warning("sip_day_stopped", step=step.__name__, error=str(error))
