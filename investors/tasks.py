"""Background entries about people: ids in, one operation."""

from __future__ import annotations

from datetime import datetime

import structlog
from celery import shared_task

from investors import lifecycle
from investors.models import Investor
from investors.operations import kyc, registration
from portal import clock, jobs
from portal.attempts import claim_due

log = structlog.get_logger(__name__)
# Seconds until a row is looked at again when its own work has not said when.
PACE_S = {lifecycle.REGISTERING: 60.0}


@shared_task(name="investors.register")
def register(*, investor_id: int, **_: object) -> None:
    """Take a registration one step further."""
    registration.advance(investor_id=investor_id, at=clock.now())


@shared_task(name="investors.recheck_kyc")
@jobs.singleton
def recheck_kyc(**_: object) -> None:
    """Ask the registries again about investors whose check is older than 30 days."""
    kyc.recheck_old(at=clock.now())


@jobs.sweep("investors")
def sweep(at: datetime) -> int:
    """Advance every registration that is due; one that fails does not stop the others."""
    due = claim_due(Investor, at=at, pace=PACE_S)
    for investor_id in due:
        try:
            registration.advance(investor_id=investor_id, at=at)
        except Exception:
            log.exception("registration_failed", investor=investor_id)
    return len(due)
