"""Background entries of commission statements."""

from __future__ import annotations

import structlog
from celery import shared_task

from orders.operations import commission_statements
from portal import clock, jobs

log = structlog.get_logger(__name__)


@shared_task(name="orders.match_commission")
@jobs.singleton
def match_commission(**_: object) -> None:
    """Lines of statements whose folio or scheme has come since they were entered count from now on."""
    try:
        commission_statements.match(at=clock.now())
    except commission_statements.Busy as busy:
        # The next turn comes within the hour.
        log.warning("commission_not_matched", error=busy.message)
