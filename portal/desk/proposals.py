"""Acts that a second person decides (reliability.md P34): one mechanism for everything that is kept as data.

    ask        what would change is a row, with before and after; the record shows that it waits
    approve    somebody else says yes, and it is applied in the same transaction
    refuse     nothing changes; whoever asked may withdraw in this way

Which acts need one, from how many rupees, and whose yes it takes is data too (`SecondPersonRule`), and a rule about
that always takes two persons. Nobody approves their own, superusers included: a constraint of the database holds it;
triggers refuse a change of such tables that no approved proposal stands for (`portal_changes_by_proposal`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from portal import audit, roles
from portal.desk.models import Proposal, SecondPersonRule
from portal.errors import Failure
from portal.models import User


class SecondPerson(Failure):
    """Whoever asked does not decide."""

    code = "second_person"
    message = "Somebody else has to decide: you asked for this."


class WrongRole(Failure):
    """The rule names a role that this person does not have."""

    code = "wrong_role"
    message = "The rule for this act asks for the yes of another role."


class AlreadyAsked(Failure):
    """The same thing waits for a second person already."""

    code = "already_asked"
    message = "A change of this waits for a second person already. Decide or withdraw that one first."


class AlreadyDecided(Failure):
    """Somebody was faster."""

    code = "already_decided"
    message = "This was decided already. Nothing was changed now."


class ChangedMeanwhile(Failure):
    """What was shown as before is not so any more."""

    code = "changed_meanwhile"
    message = "The record has changed since this was proposed. Refuse it, and propose it anew."


class NotPossible(Failure):
    """The values are refused by the record's own rules."""

    code = "not_possible"
    message = "The record's own rules refuse these values."


@dataclass(frozen=True)
class Kind:
    """One kind of act. `always`: no rule can do without the second person. `after` is called once it is applied.
    `why_not` says why a row (None: a new one) may not become so now (None: go), beside what its own model checks.
    `on_its_page`: decided on the page of the record, where more can be seen than values.
    `guards` are what its triggers may still say in the very moment (a midnight between the two), with words for it.
    """

    act: str
    label: str
    ask: str
    approve: str
    always: bool = False
    on_its_page: bool = False
    affects: Callable[[Mapping[str, Any]], str] = lambda _: ""
    after: Callable[[], None] = lambda: None
    why_not: Callable[[models.Model | None, Mapping[str, Any] | None, datetime], str] = lambda *_: ""
    guards: Mapping[str, str] = field(default_factory=dict)


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """From now on this act goes through a second person."""
    _kinds[kind.act] = kind


def kind_of(act: str) -> Kind:
    """The kind of an act. Raises KeyError."""
    return _kinds[act]


def kinds() -> list[Kind]:
    """All kinds, in the order of their labels."""
    return sorted(_kinds.values(), key=lambda each: each.label)


def rule_of(act: str, *, rupees: Decimal | None, at: datetime) -> tuple[bool, str]:
    """(does a second person decide, the role that must): the newest rule in force, else everybody's act needs one."""
    rule = SecondPersonRule.objects.filter(act=act, valid_from__lte=at).order_by("-valid_from").first()
    if rule is None or _kinds[act].always:
        return True, rule.role if rule else ""
    is_small = rule.from_rupees is not None and rupees is not None and rupees < rule.from_rupees
    return rule.needed and not is_small, rule.role


def values_of(row: models.Model, names: list[str]) -> dict[str, Any]:
    """Fields of a row as they stand in a proposal."""
    return {name: _plain(row._meta.get_field(name).value_from_object(row)) for name in names}  # type: ignore[union-attr]


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | None):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def ask(
    *,
    act: str,
    subject: models.Model,
    title: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    actor: User,
    reason: str,
    at: datetime,
    rupees: Decimal | None = None,
) -> Proposal:
    """It waits for a second person; where the rule asks for none it is applied at once. Raises AlreadyAsked, and
    NotPossible, ChangedMeanwhile as `approve` does.
    """
    needed, role = rule_of(act, rupees=rupees, at=at)
    row = Proposal(
        act=act,
        subject_kind=audit.kind_of(subject),
        subject_id="" if before is None else str(subject.pk),
        title=title[:200],
        before=before,
        after=after,
        affects=_kinds[act].affects(after or before or {})[:300],
        rupees=rupees,
        asked_by=actor,
        asked_at=at,
        reason=reason[:300],
        needs_second=needed,
        role=role,
    )
    try:
        with transaction.atomic():
            row.save()
            audit.record(row, "proposal.asked", actor=actor, at=at, reason=reason, act=act, before=before, after=after)
            if not needed:
                _settle(row, Proposal.State.APPROVED, actor, "No second person is asked for by the rule.", at)
                _apply(row, actor, at)
    except IntegrityError as error:
        if "one_open_proposal" not in str(error):
            raise
        raise AlreadyAsked from error
    return row


def approve(*, proposal: Proposal, actor: User, reason: str, at: datetime) -> None:
    """It is applied, now. Raises SecondPerson, WrongRole, AlreadyDecided, ChangedMeanwhile, NotPossible."""
    with transaction.atomic():
        row = _locked(proposal)
        if actor.pk == row.asked_by_id:
            raise SecondPerson
        if row.role and not roles.has(actor, row.role):
            raise WrongRole
        _settle(row, Proposal.State.APPROVED, actor, reason, at)
        _apply(row, actor, at)


def refuse(*, proposal: Proposal, actor: User, reason: str, at: datetime) -> None:
    """Nothing changes; by whoever asked it is a withdrawal. Raises AlreadyDecided."""
    with transaction.atomic():
        row = _locked(proposal)
        state = Proposal.State.WITHDRAWN if actor.pk == row.asked_by_id else Proposal.State.REFUSED
        _settle(row, state, actor, reason, at)
        audit.record(row, f"proposal.{state.lower()}", actor=actor, at=at, reason=reason)


def open_for(subjects: list[models.Model]) -> list[Proposal]:
    """What waits for a second person about these rows: the badge on their pages."""
    about = models.Q()
    for each in subjects:
        about |= models.Q(subject_kind=audit.kind_of(each), subject_id=str(each.pk))
    waiting = Proposal.objects.filter(about, state=Proposal.State.ASKED) if subjects else Proposal.objects.none()
    return list(waiting.select_related("asked_by").order_by("asked_at"))


def _locked(proposal: Proposal) -> Proposal:
    row = Proposal.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=proposal.pk)
    if row.state != Proposal.State.ASKED:
        raise AlreadyDecided
    return row


def _settle(row: Proposal, state: str, actor: User, answer: str, at: datetime) -> None:
    row.state, row.decided_by, row.decided_at, row.answer = state, actor, at, answer[:300]
    row.save(update_fields=["state", "decided_by", "decided_at", "answer"])


def _apply(row: Proposal, actor: User, at: datetime) -> None:
    kind = _kinds[row.act]
    changed = _write(row, at)
    Proposal.objects.filter(pk=row.pk).update(state=Proposal.State.APPLIED)
    name = row.subject_kind.partition(".")[2]
    what = "added" if row.before is None else "removed" if row.after is None else "changed"
    values = {"before": row.before, "after": row.after, "asked_by": audit.actor_name(row.asked_by)}
    audit.record(changed, f"{name}.{what}", actor=actor, at=at, reason=row.reason, data=values, proposal=row.code)
    audit.record(row, "proposal.applied", actor=actor, at=at, reason=row.answer)
    transaction.on_commit(kind.after)


def _write(row: Proposal, at: datetime) -> models.Model:
    """The record is what was proposed. Raises ChangedMeanwhile, NotPossible."""
    model: Any = apps.get_model(row.subject_kind)
    if row.before is None:
        subject = model()
    else:
        subject = model._default_manager.select_for_update().filter(pk=row.subject_id).first()
        if subject is None or values_of(subject, list(row.before)) != row.before:
            raise ChangedMeanwhile
    if words := _kinds[row.act].why_not(None if row.before is None else subject, row.after, at):
        raise NotPossible(words)
    try:
        with transaction.atomic():
            _become(subject, row)
    except IntegrityError as error:
        said = next((words for guard, words in _kinds[row.act].guards.items() if guard in str(error)), "")
        if not said:
            raise
        raise NotPossible(said) from error
    return subject


def _become(subject: Any, row: Proposal) -> None:
    if row.after is None:
        key = subject.pk
        subject.delete()
        subject.pk = key
        return
    model = type(subject)
    for name, value in row.after.items():
        setattr(subject, model._meta.get_field(name).attname, model._meta.get_field(name).to_python(value))
    try:
        subject.full_clean()
    except ValidationError as error:
        raise NotPossible(" ".join(error.messages)) from error
    subject.save(force_insert=row.before is None)
