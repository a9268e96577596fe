"""How an attempt at a broker ends, for a share and for an instruction about one alike: told, unknown, or taken over.

Only the holder of an attempt's fencing number records (`portal/attempts.py`); whoever comes late changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db import transaction

from portal import audit, cases, jobs
from portal.attempts import ATTEMPT_FIELDS, PATIENCE, Attempted

# Seconds after which an answer that was lost is looked up for the first time.
FIRST_LOOK_S = 2.0
Row = TypeVar("Row", bound=Attempted)


@dataclass(frozen=True)
class Sent(Generic[Row]):
    """One kind of row that is sent to a broker: how it is locked, who looks it up, and the words of its case."""

    locked: Callable[[int], Row]
    task: str
    title: Callable[[Row], str]
    detail: str


def still_open(row: Attempted, sent: Attempted) -> bool:
    """Is the attempt of `sent` still the one that may record on the locked `row`?"""
    return row.holds(sent.attempt_no) and row.attempt == Attempted.Outcome.OPEN


def unknown(kind: Sent[Row], sent: Row, *, why: str, at: datetime) -> None:
    """No trustworthy answer came: the row says so, and is looked up soon."""
    with transaction.atomic(durable=True):
        row = kind.locked(sent.pk)
        if still_open(row, sent):
            mark_unknown(kind, row, why=why, at=at)


def mark_unknown(kind: Sent[Row], row: Row, *, why: str, at: datetime) -> None:
    """The same for a row that the caller has locked."""
    row.mark_unknown(at)
    row.save(update_fields=[*ATTEMPT_FIELDS])
    audit.record(row, "stock.outcome_unknown", actor=None, at=at, why=why)
    jobs.nudge(kind.task, row_id=row.pk, delay_s=FIRST_LOOK_S)


def release(row: Attempted, *, due_at: datetime) -> None:
    """The locked row was certainly not taken: it is sent again when it is due."""
    row.close_attempt()
    row.due_at = due_at
    row.save(update_fields=[*ATTEMPT_FIELDS])


def still_unknown(kind: Sent[Row], row_id: int, *, why: str, at: datetime) -> None:
    """A look brought nothing: the next one is set; what stays unknown for too long is a case for a person."""
    with transaction.atomic(durable=True):
        row = kind.locked(row_id)
        if not row.is_unknown:
            return
        row.look_again(at)
        row.save(update_fields=[*ATTEMPT_FIELDS])
        if row.out_of_patience(at):
            minutes = int(PATIENCE.total_seconds() // 60)
            detail = f"Unknown for {minutes} minutes; {why}. {kind.detail}"
            cases.open_case(kind=row.unknown_case(), subject=row, title=kind.title(row), detail=detail, at=at)
