"""What operations do about mandates: push on what waits, and cancel with two people (reliability.md P34)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from investors.models import Mandate
from investors.operations import mandate_sending, mandates
from investors.operations.mandate_sending import locked
from investors.operations.mandates import NotPossible
from portal import audit, cases
from portal.models import Case, User

CANCEL_CASE = "approval_mandate_cancel"
WANTED = "mandate.cancel_wanted"


def go_on(*, mandate_id: int, actor: User, reason: str, at: datetime) -> None:
    """What waits for its time is done now; the guards are those of the background work. Raises the gateway errors."""
    with transaction.atomic():
        audit.record(locked(mandate_id), "mandate.pushed_on", actor=actor, at=at, reason=reason)
    mandate_sending.advance(mandate_id=mandate_id, at=at)


def want_cancelled(*, mandate_id: int, actor: User, reason: str, at: datetime) -> None:
    """A second person is asked to approve. Raises NotPossible, also when somebody has asked already."""
    with transaction.atomic():
        row = locked(mandate_id)
        if not mandates.may_cancel(row) or who_wants_it_cancelled(row):
            raise NotPossible
        audit.record(row, WANTED, actor=actor, at=at, reason=reason)
        title = f"Approve that mandate {row.code} is cancelled"
        cases.open_case(kind=CANCEL_CASE, subject=row, title=title, detail=reason, at=at)


def who_wants_it_cancelled(mandate: Mandate) -> User | None:
    """Who in operations asked, while it waits for a second person: the case is open, the audit log says who."""
    about = {"subject_kind": audit.kind_of(mandate), "subject_id": str(mandate.pk)}
    if not Case.objects.filter(kind=CANCEL_CASE, state=Case.State.OPEN, **about).exists():
        return None
    entry = audit.entries_of(mandate).filter(action=WANTED).order_by("-id").first()
    return User.objects.filter(pk=entry.actor.removeprefix("user:")).first() if entry else None


def approve_cancel(*, mandate_id: int, actor: User, reason: str, at: datetime) -> None:
    """The bank is told to cancel. Raises NotPossible: nobody asked, or the same person did."""
    with transaction.atomic():
        row = locked(mandate_id)
        asker = who_wants_it_cancelled(row)
        if asker is None:
            raise NotPossible("Nobody has asked for it.")
        mandates.cancel_by_two(mandate_id=mandate_id, asked_by=asker, actor=actor, reason=reason, at=at)
        cases.close_cases(subject=row, kinds=(CANCEL_CASE,), resolution=reason, at=at)
