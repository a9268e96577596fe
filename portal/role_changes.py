"""Roles of staff change with two persons: one asks, another approves, and only then anything is applied.

Reliability.md P34: nobody approves what they asked for or what is about themselves, superusers included. The database
holds the same rule (migration `0005_second_person`): outside of a console it refuses every change of a group, a staff
flag or a permission that no approved `RoleChange` stands for.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from portal import audit, roles
from portal.errors import Failure
from portal.models import RoleChange, User


class OwnRole(Failure):
    """Nobody asks for a role for themselves, or has one of their own taken."""

    code = "own_role"
    message = "Somebody else has to ask for a change of your own roles."


class AlreadyAsked(Failure):
    """The same role of the same person waits for a second person already."""

    code = "already_asked"
    message = "This change waits for a second person already."


class NothingToChange(Failure):
    """The person has the role already, or has it not."""

    code = "nothing_to_change"
    message = "Nothing would change: look at the roles that the person has."


class SecondPerson(Failure):
    """Whoever asked, and whoever it is about, cannot approve."""

    code = "second_person"
    message = "Somebody else has to decide: you asked for this, or it is about you."


class AlreadyDecided(Failure):
    """Somebody was faster."""

    code = "already_decided"
    message = "This was decided already. Nothing was changed now."


def ask(*, user: User, role: str, give: bool, actor: User, reason: str, at: datetime) -> RoleChange:
    """The change waits for a second person. Raises OwnRole, AlreadyAsked, NothingToChange."""
    if user.pk == actor.pk:
        raise OwnRole
    if roles.has(user, role) == give:
        raise NothingToChange
    try:
        with transaction.atomic():
            change = RoleChange.objects.create(
                user=user, role=role, give=give, asked_by=actor, asked_at=at, reason=reason[:300]
            )
            audit.record(user, "user.role_change_asked", actor=actor, at=at, reason=reason, role=role, give=give)
    except IntegrityError as error:
        if "one_open_role_change" not in str(error):
            raise
        raise AlreadyAsked from error
    return change


def approve(*, change: RoleChange, actor: User, reason: str, at: datetime) -> None:
    """The role is given or taken, now. Raises SecondPerson, AlreadyDecided."""
    with transaction.atomic():
        row = _decide(change, RoleChange.State.APPROVED, actor, reason, at)
        (roles.grant if row.give else roles.withdraw)(row.user, row.role)
        RoleChange.objects.filter(pk=row.pk).update(state=RoleChange.State.APPLIED)
        action = "user.role_given" if row.give else "user.role_taken"
        asked_by = audit.actor_name(row.asked_by)
        audit.record(row.user, action, actor=actor, at=at, reason=reason, role=row.role, asked_by=asked_by)


def refuse(*, change: RoleChange, actor: User, reason: str, at: datetime) -> None:
    """Nothing changes; whoever asked may withdraw in this way too. Raises SecondPerson for the person concerned."""
    state = RoleChange.State.WITHDRAWN if actor.pk == change.asked_by_id else RoleChange.State.REFUSED
    with transaction.atomic():
        row = _decide(change, state, actor, reason, at)
        action = f"user.role_change_{state.lower()}"
        audit.record(row.user, action, actor=actor, at=at, reason=reason, role=row.role, give=row.give)


def may_not_approve(change: RoleChange) -> tuple[int, int]:
    """The two persons who cannot approve: who asked, and whom it is about."""
    return change.asked_by_id, change.user_id


def _decide(change: RoleChange, state: str, actor: User, reason: str, at: datetime) -> RoleChange:
    row = RoleChange.objects.select_for_update(of=("self",)).select_related("user", "asked_by").get(pk=change.pk)
    withdraws = state == RoleChange.State.WITHDRAWN
    if actor.pk == row.user_id or (actor.pk == row.asked_by_id and not withdraws):
        raise SecondPerson
    if row.state != RoleChange.State.ASKED:
        raise AlreadyDecided
    row.state, row.decided_by, row.decided_at, row.answer = state, actor, at, reason[:300]
    row.save(update_fields=["state", "decided_by", "decided_at", "answer"])
    return row
