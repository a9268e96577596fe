"""Background entries about people's own data: copies are made and forgotten, wishes to be forgotten are watched."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task

from investors import lifecycle
from investors.models import DataExport, ErasureRequest
from investors.operations import erasure, exports
from portal import clock, jobs
from portal.attempts import claim_due

EXPORTS, ERASURES = "data exports", "erasures"
EXPORT_PACE_S = {lifecycle.ASKED: 60.0, lifecycle.MADE: 3_600.0}
ERASURE_PACE_S = {lifecycle.HELD: 3_600.0}


def _find_exports(at: datetime) -> list[int]:
    return claim_due(DataExport, at=at, pace=EXPORT_PACE_S)


def _advance_export(export_id: int, at: datetime) -> None:
    exports.advance(export_id=export_id, at=at)


def _find_erasures(at: datetime) -> list[int]:
    return claim_due(ErasureRequest, at=at, pace=ERASURE_PACE_S)


def _advance_erasure(erasure_id: int, at: datetime) -> None:
    erasure.advance(erasure_id=erasure_id, at=at)


jobs.register_sweep(EXPORTS, jobs.Sweep(_find_exports, _advance_export, "investors.advance_export"))
jobs.register_sweep(ERASURES, jobs.Sweep(_find_erasures, _advance_erasure, "investors.advance_erasure"))


@shared_task(name="investors.advance_export")
def advance_export(*, row_id: int, **_: object) -> None:
    """Make the copy, or forget one that is old."""
    jobs.advance(EXPORTS, row_id, clock.now())


@shared_task(name="investors.advance_erasure")
def advance_erasure(*, row_id: int, **_: object) -> None:
    """Erase what is over its term."""
    jobs.advance(ERASURES, row_id, clock.now())
