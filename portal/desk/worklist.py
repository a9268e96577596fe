"""Who works on what, and what may wait: claim, hand back, snooze, set aside. Cases keep their owner themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.db.models import Q

from portal import audit, cases
from portal.desk.models import Handling, WorkItem
from portal.models import Case, User

LONGEST_SNOOZE = timedelta(days=30)


def may_see(user: User, kind: str) -> bool:
    """Does this person's role show such records?"""
    app, name = kind.split(".")
    return user.has_perm(f"{app}.view_{name}")


def visible(rows: models.QuerySet[WorkItem], user: User) -> models.QuerySet[WorkItem]:
    """The things about records that this person's role shows."""
    return rows.filter(subject_kind__in=[kind for kind in KINDS if may_see(user, kind)])


# What the view is made of (its migration stands in `payments`).
KINDS = (
    "portal.case", "portal.inboundevent", "portal.proposal", "portal.rolechange",
    "investors.investor", "investors.bankaccount", "investors.mandate", "investors.kycrequest",
    "investors.changerequest", "investors.merge",
    "orders.mforder", "orders.plan", "orders.planchange", "orders.basketorder", "orders.basketversion",
    "orders.basketchange", "orders.payout", "payments.payment",
)  # fmt: skip


def waiting(at: datetime) -> Q:
    """What is on the list now: neither set aside nor put off until later."""
    return Q(set_aside_at=None) & (Q(snoozed_until=None) | Q(snoozed_until__lte=at))


def claim(*, item: WorkItem, actor: User, reason: str, at: datetime) -> None:
    """It is `actor`'s to work on, whoever held it before."""
    if item.subject_kind == audit.kind_of(Case()):
        cases.claim(case=Case.objects.get(pk=item.subject_id), actor=actor, reason=reason, at=at)
    else:
        _handle(item, "work.claimed", actor, reason, at, owner=actor)


def hand_back(*, item: WorkItem, actor: User, reason: str, at: datetime, to: User | None = None) -> None:
    """It is nobody's again, or `to`'s."""
    if item.subject_kind == audit.kind_of(Case()):
        cases.hand_back(case=Case.objects.get(pk=item.subject_id), actor=actor, reason=reason, at=at, to=to)
    else:
        _handle(item, "work.handed_back", actor, reason, at, owner=to)


def snooze(*, item: WorkItem, until: datetime, actor: User, reason: str, at: datetime) -> None:
    """It leaves the list and comes back at `until`, a month ahead at most."""
    until = min(until, at + LONGEST_SNOOZE)
    _handle(item, "work.snoozed", actor, reason, at, snoozed_until=until)


def set_aside(*, item: WorkItem, actor: User, reason: str, at: datetime) -> None:
    """Looked at, and nothing more to do. The record keeps its state; a case is closed instead."""
    if item.subject_kind == audit.kind_of(Case()):
        cases.close(case=Case.objects.get(pk=item.subject_id), resolution=reason, actor=actor, at=at)
    else:
        _handle(item, "work.set_aside", actor, reason, at, set_aside_at=at)


def bring_back(*, item: WorkItem, actor: User, reason: str, at: datetime) -> None:
    """What was set aside is on the list again."""
    _handle(item, "work.brought_back", actor, reason, at, set_aside_at=None)


def _handle(item: WorkItem, action: str, actor: User, reason: str, at: datetime, **values: Any) -> None:
    subject = apps.get_model(item.subject_kind)(pk=item.subject_id)
    key: dict[str, Any] = {"subject_kind": item.subject_kind, "subject_id": item.subject_id}
    with transaction.atomic():
        Handling.objects.update_or_create(**key, defaults=values)
        told = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
        if isinstance(owner := values.get("owner"), User) and owner != actor:
            told["to"] = audit.actor_name(owner)
        audit.record(subject, action, actor=actor, at=at, reason=reason, data=told)


# One statement for the whole first page: a line per kind, and whose they are.
_SUMMARY = """
    SELECT source, count(*), count(*) FILTER (WHERE owner_id IS NULL), count(*) FILTER (WHERE owner_id = %(me)s),
           count(*) FILTER (WHERE due_at < %(at)s), min(since), sum(rupees)
      FROM portal_work
     WHERE subject_kind = ANY(%(kinds)s) AND set_aside_at IS NULL
       AND (snoozed_until IS NULL OR snoozed_until <= %(at)s)
     GROUP BY source ORDER BY min(due_at)
"""


def summary(user: User, at: datetime) -> list[tuple[Any, ...]]:
    """(kind, how many, nobody's, mine, late, since when, rupees at risk), first what is or will be late first."""
    kinds = [kind for kind in KINDS if may_see(user, kind)]
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARY, {"me": user.pk, "kinds": kinds, "at": at})
        return cursor.fetchall()
