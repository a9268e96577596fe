"""Cases: the inbox of things that people must look at, opened by the code that first knows.

Cases are for operations only, so each of these acts sees them also when an investor's request has found the thing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.db.models import F

from portal import audit, redaction
from portal.models import Case, User
from portal.scope import ALL, scope

Opened = Callable[[Case, models.Model, datetime], None]
Closed = Callable[[Case, datetime], None]
_followers: list[tuple[Opened, Closed]] = []


def follow(*, opened: Opened, closed: Closed) -> None:
    """From now on these are called in the transaction in which a case opens or closes, in a scope that sees cases."""
    _followers.append((opened, closed))


def open_case(
    *, kind: str, subject: models.Model, title: str, detail: str, at: datetime, rupees: Decimal | None = None
) -> Case:
    """An open case of this kind about `subject` exists; a second report of the same thing is counted on it.

    `rupees` are at risk, where that can be said.
    """
    key = {
        "kind": kind,
        "subject_kind": audit.kind_of(subject),
        "subject_id": str(subject.pk),
        "state": "OPEN",
    }
    with scope(ALL), transaction.atomic():
        case, made = Case.objects.get_or_create(
            **key,
            defaults={
                "title": _kept(title)[:200],
                "detail": _kept(detail),
                "opened_at": at,
                "reported_at": at,
                "rupees": rupees,
            },
        )
        if made:
            audit.record(case, "case.opened", actor=None, at=at, kind=kind)
            for opened, _ in _followers:
                opened(case, subject, at)
        else:
            Case.objects.filter(pk=case.pk).update(reported_at=at, times_reported=F("times_reported") + 1)
    return case


def subjects_of(kind: str) -> list[int]:
    """The keys of everything that an open case of this kind is about: all of one model, for a kind of its own."""
    with scope(ALL):
        found = Case.objects.filter(kind=kind, state="OPEN").order_by().values_list("subject_id", flat=True)
        return [int(key) for key in found]


def was_ever(*, subject: models.Model, kinds: tuple[str, ...]) -> bool:
    """Was there ever a case of one of these kinds about `subject`, open or closed?"""
    about = {"subject_kind": audit.kind_of(subject), "subject_id": str(subject.pk)}
    with scope(ALL):
        return Case.objects.filter(kind__in=kinds, **about).exists()


def close_cases(*, subject: models.Model, kinds: tuple[str, ...], resolution: str, at: datetime) -> int:
    """No open case of these kinds about `subject` is left, because the thing has settled. Returns how many closed."""
    cases = Case.objects.filter(
        kind__in=kinds, subject_kind=audit.kind_of(subject), subject_id=str(subject.pk), state="OPEN"
    )
    closed = 0
    with scope(ALL):
        for case in cases:
            close(case=case, resolution=resolution, actor=None, at=at)
            closed += 1
    return closed


def claim(*, case: Case, actor: User, reason: str, at: datetime) -> None:
    """The case is `actor`'s to work on, whoever held it before. A closed case stays as it is."""
    with scope(ALL), transaction.atomic():
        if Case.objects.filter(pk=case.pk, state="OPEN").update(owner=actor):
            audit.record(case, "case.claimed", actor=actor, at=at, reason=reason)


def hand_back(*, case: Case, actor: User, reason: str, at: datetime, to: User | None = None) -> None:
    """The case is nobody's again, or `to`'s. A closed case stays as it is."""
    told: dict[str, Any] = {"to": audit.actor_name(to)} if to else {}
    with scope(ALL), transaction.atomic():
        if Case.objects.filter(pk=case.pk, state="OPEN").update(owner=to):
            audit.record(case, "case.handed_back", actor=actor, at=at, reason=reason, **told)


def close(*, case: Case, resolution: str, actor: User | None, at: datetime) -> None:
    """The case is closed with words about how it ended. A second closing changes nothing."""
    with scope(ALL), transaction.atomic():
        closed = Case.objects.filter(pk=case.pk, state="OPEN").update(
            state="CLOSED", closed_at=at, resolution=_kept(resolution)[:300]
        )
        if closed:
            audit.record(case, "case.closed", actor=actor, at=at, reason=resolution)
            for _, said in _followers:
                said(case, at)


def _kept(text: str) -> str:
    """What people write may name an Aadhaar number; of that we keep four digits."""
    return redaction.without_aadhaar(text)
