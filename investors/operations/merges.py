"""One person with two logins becomes one investor again: proposed with everything it would do, approved by a second.

    ask          the plan stands on record and waits; nothing has changed
    approve      exactly that plan is carried out, in one transaction
    undo         what moved goes back

The provider's ids and the ledger stay true: FP keeps no merged investors, and units hang on the investment account
under which they were bought. So whoever FP knows is never the one that goes, and orders, folios, payments and what
else money hangs on are never moved. What a login did and said (consents, answers of the registries, the audit log)
stays with it as evidence. A ready investor gains nothing that they would have to confirm with a code themselves.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from investors import lifecycle
from investors.models import ErasureRequest, Investor, Merge
from investors.operations import doubles, merge_plans
from investors.operations.merge_plans import Plan
from portal import audit, cases
from portal.api import leaving
from portal.errors import Failure
from portal.models import User


class Refused(Failure):
    """The two cannot be merged; the words say why."""

    code = "merge_refused"
    message = "These two cannot be merged."


class SecondPerson(Failure):
    """Whoever asked, and whoever it is about, does not decide (reliability.md P34)."""

    code = "second_person"
    message = "Somebody else has to decide: you asked for this, or it is about you."


class AlreadyDecided(Failure):
    """Somebody was faster."""

    code = "already_decided"
    message = "This was decided already. Nothing was changed now."


class PlanChanged(Failure):
    """What would be done is no longer what was shown."""

    code = "plan_changed"
    message = (
        "Something has changed since this was proposed. Nothing was merged: withdraw it and look at a new preview."
    )


def ask(*, kept: Investor, gone: Investor, actor: User, reason: str, at: datetime) -> Merge:
    """The plan stands and waits for a second person; nothing has moved. Raises Refused with every cause."""
    plan = merge_plans.plan_for(kept, gone)
    if plan.refused:
        raise Refused(" ".join(plan.refused))
    try:
        with transaction.atomic():
            row = Merge.objects.create(
                kept=kept, gone=gone, plan=asdict(plan), digest=plan.digest, asked_by=actor, asked_at=at,
                reason=reason[:300],
            )  # fmt: skip
            audit.record(row, "merge.asked", actor=actor, at=at, reason=reason, kept=kept.code, gone=gone.code)
    except IntegrityError as error:
        if "one_merge_takes_an_investor_away" not in str(error):
            raise
        raise Refused(f"A merge of {gone.code} is open or done already.") from None
    return row


def approve(*, merge_id: int, actor: User, reason: str, at: datetime) -> Merge:
    """Exactly what was shown has been done. Raises SecondPerson, AlreadyDecided, PlanChanged."""
    with transaction.atomic():
        row = _to_decide(merge_id, actor)
        plan = merge_plans.plan_for(row.kept, row.gone)
        if plan.refused or plan.digest != row.digest:
            raise PlanChanged
        _carry_out(row, plan)
        leaving.investor_left(investor_id=row.gone_id, partner_id=row.gone.partner_id, actor=actor, at=at)
        if _has_no_other(row.gone):
            # A login that was switched off before stays nobody's to give back.
            row.took_login = bool(User.objects.filter(pk=row.gone.user_id, is_active=True).update(is_active=False))
            row.save(update_fields=["took_login"])
        _decide(row, Merge.State.APPLIED, actor, reason, at)
        for each, words in ((row.kept, "investor.merged"), (row.gone, "investor.merged_away")):
            audit.record(each, words, actor=actor, at=at, reason=reason, merge=row.code, plan=row.plan)
        doubles.forget(row.gone)
        cases.close_cases(subject=row.gone, kinds=(doubles.CASE,), resolution=f"Merged: {row.code}", at=at)
    return row


def refuse(*, merge_id: int, actor: User, reason: str, at: datetime) -> Merge:
    """Nothing changes; whoever asked withdraws in this way. Raises AlreadyDecided."""
    with transaction.atomic():
        row = _locked(merge_id)
        if row.state != Merge.State.ASKED:
            raise AlreadyDecided
        state = Merge.State.WITHDRAWN if row.asked_by_id == actor.pk else Merge.State.REFUSED
        _decide(row, state, actor, reason, at)
    return row


def undo(*, merge_id: int, actor: User, reason: str, at: datetime) -> Merge:
    """What moved, and is still where it was moved to, has gone back; a login that the merge took works again.

    Raises SecondPerson, AlreadyDecided when it is not merged, and Refused once FP knows the kept one with it.
    """
    with transaction.atomic():
        row = _locked(merge_id)
        if row.state != Merge.State.APPLIED:
            raise AlreadyDecided
        if actor.pk in may_not_decide(row):
            raise SecondPerson
        if row.kept.state != lifecycle.DRAFT and any(row.plan[each] for each in ("moves", "fills", "takes_pan")):
            raise Refused("FP has the kept investor with what was moved to them. It stays, and a person corrects it.")
        login_returns = _login_is_to_return(row)
        _decide(row, Merge.State.UNDONE, actor, reason, at)
        _put_back(row, Plan(**row.plan))
        if login_returns:
            User.objects.filter(pk=row.gone.user_id).update(is_active=True)
    return row


def kept_first(one: Investor, other: Investor) -> tuple[Investor, Investor]:
    """Who would be kept, and who would go: FP's number is kept, then a PAN that is claimed, then who came first."""
    kept, gone = sorted((one, other), key=lambda each: (not each.provider_ref, each.pan_index is None, each.pk))
    return kept, gone


def may_not_decide(row: Merge) -> tuple[int, ...]:
    """Who asked, and the two whom it is about."""
    return row.asked_by_id, row.kept.user_id, row.gone.user_id


def _locked(merge_id: int) -> Merge:
    row = Merge.objects.select_for_update(of=("self",)).get(pk=merge_id)
    both = Investor.objects.select_for_update(of=("self",)).select_related("user").order_by("pk")
    found = {each.pk: each for each in both.filter(Q(pk=row.kept_id) | Q(pk=row.gone_id))}
    row.kept, row.gone = found[row.kept_id], found[row.gone_id]
    return row


def _has_no_other(gone: Investor) -> bool:
    """Is the login of no use to anybody else: neither the kept one's nor that of a family member?"""
    return not Investor.objects.filter(user_id=gone.user_id).exclude(pk=gone.pk).exists()


def _login_is_to_return(row: Merge) -> bool:
    """Did the merge take the login, and has nobody decided about it since: an administrator, or an erasure?"""
    switched = ("user.switched_on", "user.switched_off")
    since = audit.entries_of(row.gone.user).filter(action__in=switched, at__gte=row.decided_at)
    is_erased = ErasureRequest.objects.filter(investor=row.gone, state=lifecycle.DONE).exists()
    return row.took_login and not since.exists() and not is_erased


def _to_decide(merge_id: int, actor: User) -> Merge:
    row = _locked(merge_id)
    if actor.pk in may_not_decide(row):
        raise SecondPerson
    if row.state != Merge.State.ASKED:
        raise AlreadyDecided
    return row


def _decide(row: Merge, state: str, actor: User, reason: str, at: datetime) -> None:
    row.state, row.decided_by, row.decided_at, row.answer = state, actor, at, reason[:300]
    row.save(update_fields=["state", "decided_by", "decided_at", "answer"])
    audit.record(row, f"merge.{state.lower()}", actor=actor, at=at, reason=reason)


def _shift(plan: Plan, source: Investor, target: Investor) -> None:
    by_name = {relation.related_model._meta.model_name: relation for relation in merge_plans.relations()}
    for name, keys in plan.moves.items():
        rows = merge_plans.rows(by_name[name], source).filter(pk__in=keys)
        rows.update(**{by_name[name].field.name: target})


def _carry_out(row: Merge, plan: Plan) -> None:
    kept, gone = row.kept, row.gone
    _shift(plan, gone, kept)
    for name in plan.fills:
        setattr(kept, name, getattr(gone, name))
    if plan.takes_pan:
        kept.pan, kept.pan_index = gone.pan, gone.pan_index
        gone.pan_index = None
    if plan.takes_pan or plan.fills:
        gone.save()
        kept.save()


def _put_back(row: Merge, plan: Plan) -> None:
    kept, gone = row.kept, row.gone
    _shift(plan, kept, gone)
    for name in plan.fills:
        if getattr(kept, name) == getattr(gone, name):
            setattr(kept, name, getattr(Investor(), name))
    index = kept.pan_index
    if plan.takes_pan and kept.pan == gone.pan:
        kept.pan, kept.pan_index = "", None
        kept.save()
        gone.pan_index = index
        gone.save()
    elif plan.fills:
        kept.save()
