"""Rows of which nobody knows whether a provider has them: looked at in time, and with a person in fifteen minutes (P4).

Each app looks its own rows up, on the clock of `portal/attempts.py`. Here is what holds for all of them, however their
look-ups fare: when a provider answers again everything unknown is due at once, and what stays unknown becomes a case.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.apps import apps
from django.db import DatabaseError
from django.db.models import QuerySet

from portal import cases
from portal.attempts import PATIENCE, Attempted
from portal.models import Case
from portal.scope import ALL, scope

log = structlog.get_logger(__name__)
UNKNOWN = Attempted.Outcome.UNKNOWN
SETTLED = "The outcome is known."


def models() -> list[type[Attempted]]:
    """Every kind of row that is sent to a provider."""
    return [model for model in apps.get_models() if issubclass(model, Attempted)]


def look_now(provider: str, at: datetime) -> int:
    """The provider answers again: whatever is unknown there is due now. Returns how many; trouble stops nothing."""
    found = 0
    try:
        with scope(ALL):
            for model in models():
                rows: QuerySet[Any] = model._default_manager.filter(attempt=UNKNOWN, due_at__gt=at)
                if any(field.name == "provider" for field in model._meta.fields):
                    rows = rows.filter(provider=provider)
                found += rows.update(due_at=at)
    except DatabaseError as error:
        log.warning("unknowns_not_brought_forward", provider=provider, error=type(error).__name__)
    return found


def look_first() -> None:
    """What waits to be sent counts as tried once: it may be at its provider, and is looked up before it goes out."""
    for model in models():
        model._default_manager.filter(attempt_no=0, due_at__isnull=False).update(attempt_no=1)


def hand_to_people(at: datetime) -> int:
    """Each row that has been unknown for fifteen minutes has its open case, and none other has. Returns how many are
    new.
    """
    return sum(_of(model, at) for model in models())


def _of(model: type[Attempted], at: datetime) -> int:
    label = model._meta.label_lower
    about = Case.objects.filter(kind=model.unknown_case(), subject_kind=label, state="OPEN")
    open_ids = {int(key) for key in about.values_list("subject_id", flat=True)}
    unknown = model._default_manager.filter(attempt=UNKNOWN)
    still = set(unknown.filter(pk__in=open_ids).values_list("pk", flat=True)) if open_ids else set()
    for case in about.filter(subject_id__in=[str(pk) for pk in open_ids - still]):
        cases.close(case=case, resolution=SETTLED, actor=None, at=at)
    late = list(unknown.filter(unknown_since__lte=at - PATIENCE).exclude(pk__in=open_ids)[:500])
    for row in late:
        what = str(model._meta.verbose_name).capitalize()
        cases.open_case(
            kind=model.unknown_case(),
            subject=row,
            title=f"{what} {row}: nobody knows whether the provider has it",
            detail="Unknown for 15 minutes. Compare with the provider before anything is sent again.",
            at=at,
        )
    return len(late)
