"""One person with two logins becomes one investor again: proposed with everything it would do, approved by a second.

    candidates   who is perhaps the same person, and why
    plan_for     what would move, be filled in, stay and be lost sight of; or why it is refused
    ask          the plan stands on record and waits; nothing has changed
    approve      exactly that plan is carried out, in one transaction
    undo         what moved goes back

The provider's ids and the ledger stay true: FP keeps no merged investors, and units hang on the investment account
under which they were bought. So whoever FP knows is never the one that goes, and orders, folios, payments and what
else money hangs on are never moved. What a login did and said (consents, answers of the registries, the audit log)
stays with it as evidence. A ready investor gains nothing that they would have to confirm with a code themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from pghistory.models import Event

from investors import lifecycle
from investors.models import PAN_INDEX, BankAccount, Investor, KycRequest, Merge
from portal import audit, cases
from portal.encryption import blind_indexes
from portal.errors import Failure
from portal.models import User
from portal.scope import ALL, scope

MAYBE_CASE = "perhaps_the_same_person"
# What belongs to an investor, by model. What is not named here keeps the investor that has it where they are.
MOVES_ALWAYS = ("document", "invite")
MOVES_TO_A_DRAFT = ("bankaccount", "address", "nominee", "taxresidence", "kycrequest", "fieldsource")
STAYS = {
    "kyccheck": "answers of the registries are facts about that login and are never changed",
    "consent": "what was said yes to stays with whoever said it",
    "changerequest": "it was confirmed with that login's code",
}
NOT_OURS = ("application", "nameword", "merge")
# Columns that a draft which lacks them takes over.
FILLS = (
    "name", "date_of_birth", "gender", "marital_status", "occupation", "mobile", "father_or_spouse_name",
    "mothers_name", "source_of_wealth", "gross_annual_income", "tax_resident_only_in_india",
    "is_politically_exposed", "is_related_to_politically_exposed", "nomination_opted_out",
)  # fmt: skip
MOST_CANDIDATES = 10


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


@dataclass
class Plan:
    """What a merge would do, by table and key; values are never in it."""

    moves: dict[str, list[int]] = field(default_factory=dict)
    fills: list[str] = field(default_factory=list)
    takes_pan: bool = False
    stays: dict[str, list[str]] = field(default_factory=dict)
    # Field -> how the two differ and what is done: the kept one's value stands.
    conflicts: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """SHA-256 of everything that would be done."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


# --- who is perhaps the same ------------------------------------------------------------------------------------


def candidates(investor: Investor) -> list[tuple[Investor, str]]:
    """Others with the same PAN, mobile number or bank account, and which of them it is. Each asks an index."""
    found: dict[int, list[str]] = {}
    for why, keys in _alike(investor).items():
        for key in keys:
            found.setdefault(key, []).append(why)
    gone = Merge.objects.filter(gone__in=list(found), state=Merge.State.APPLIED).values_list("gone_id", flat=True)
    others = Investor.objects.filter(pk__in=found.keys() - set(gone)).defer("pan", "guardian_pan").order_by("pk")
    return [(other, ", ".join(found[other.pk])) for other in others[:MOST_CANDIDATES]]


def _alike(investor: Investor) -> dict[str, list[int]]:
    others = Investor.objects.exclude(pk=investor.pk).order_by().values_list("pk", flat=True)
    numbers = BankAccount.objects.filter(investor=investor, closed_at=None).values_list("number_index", flat=True)
    same = BankAccount.objects.filter(number_index__in=list(numbers)).exclude(investor=investor).order_by()
    by_pan = others.filter(pan_index__in=blind_indexes(investor.pan, PAN_INDEX)) if investor.pan else others.none()
    by_mobile = others.filter(mobile=investor.mobile) if investor.mobile else others.none()
    return {
        "the same PAN": list(by_pan[:MOST_CANDIDATES]),
        "the same mobile number": list(by_mobile[:MOST_CANDIDATES]),
        "the same bank account": list(same.values_list("investor_id", flat=True).distinct()[:MOST_CANDIDATES]),
    }


def report(investor: Investor, at: datetime) -> None:
    """An investor who is perhaps another one already becomes a case. The investor hears nothing of it."""
    with scope(ALL):
        found = candidates(investor)
    if found:
        detail = "; ".join(f"{other.code}: {why}" for other, why in found)
        title = f"{investor.code} is perhaps somebody whom we know"
        cases.open_case(kind=MAYBE_CASE, subject=investor, title=title, detail=detail, at=at)


# --- the preview ------------------------------------------------------------------------------------------------


def plan_for(kept: Investor, gone: Investor) -> Plan:
    """Everything that merging `gone` into `kept` would do, or why it is refused. Reads only."""
    plan = Plan(refused=_who_cannot(kept, gone))
    is_draft = kept.state == lifecycle.DRAFT
    for relation in _relations():
        name = relation.related_model._meta.model_name or ""
        keys = list(_rows(relation, gone).order_by("pk").values_list("pk", flat=True))
        if keys:
            _sort_out(plan, name, relation, keys, kept, is_draft)
    if is_draft:
        _columns(plan, kept, gone)
    else:
        plan.stays["columns"] = ["the kept one is ready: details change by the investor's own request"]
    return plan


def _who_cannot(kept: Investor, gone: Investor) -> list[str]:
    why = []
    if kept.pk == gone.pk:
        why.append("These are the same investor.")
    if kept.provider_ref and gone.provider_ref:
        why.append(
            "FP knows both. Units hang on the investment account under which they were bought, and FP merges none: "
            "ask the fund houses to consolidate the folios first."
        )
    elif gone.provider_ref:
        why.append("FP knows the one that would go. Merge the other way round, so that FP's number stays.")
    if gone.state == lifecycle.REGISTERING or kept.state == lifecycle.REGISTERING:
        why.append("One of them is being registered at FP. Wait until that is done.")
    if kept.pan_index and gone.pan_index:
        why.append("Both have a PAN that the registries were asked about, and not the same one: two PANs, two persons.")
    elif gone.pan_index and kept.pan and kept.pan != gone.pan:
        why.append("The registries were asked about the PAN of the one that would go. Merge the other way round.")
    for each in (kept, gone):
        if Merge.objects.filter(gone=each, state=Merge.State.APPLIED).exists():
            why.append(f"{each.code} was merged into another investor already.")
    if KycRequest.objects.filter(investor=gone, state__in=(lifecycle.PENDING, lifecycle.SUBMITTED)).exists():
        why.append("The one that would go has a KYC on its way at FP. Wait until it is decided.")
    return why


def _relations() -> list[Any]:
    """Every table that says whose a row is, in every app: a new one keeps its investor until it is named above."""
    found = [each for each in Investor._meta.related_objects if not issubclass(each.related_model, Event)]
    return [each for each in found if each.related_model._meta.model_name not in NOT_OURS]


def _rows(relation: Any, investor: Investor) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = relation.related_model._base_manager.filter(**{relation.field.name: investor})
    return rows


def _sort_out(plan: Plan, name: str, relation: Any, keys: list[int], kept: Investor, is_draft: bool) -> None:
    words = str(relation.related_model._meta.verbose_name_plural)
    if name in STAYS:
        plan.stays[name] = [f"{len(keys)} {words}: {STAYS[name]}"]
    elif name in MOVES_ALWAYS or (name in MOVES_TO_A_DRAFT and is_draft):
        _move(plan, name, relation, keys, kept)
    elif name in MOVES_TO_A_DRAFT:
        plan.stays[name] = [f"{len(keys)} {words}: a ready investor adds such a thing with a code of their own"]
    else:
        plan.refused.append(f"The one that would go has {words}: what money hangs on stays where it was done.")


# What must not stand twice with one investor: model -> the columns by which rows are the same.
SAME_BY: dict[str, tuple[str, ...]] = {
    "address": ("kind",),
    "bankaccount": ("number_index", "ifsc"),
    "fieldsource": ("field",),
    "document": ("kind",),
}
# What is taken over whole or not at all.
WHOLE = ("nominee", "taxresidence")


def _move(plan: Plan, name: str, relation: Any, keys: list[int], kept: Investor) -> None:
    theirs = _rows(relation, kept)
    words = str(relation.related_model._meta.verbose_name_plural)
    staying: set[int] = set()
    if name in WHOLE and theirs.exists():
        staying = set(keys)
    elif name == "kycrequest" and theirs.exclude(state__in=lifecycle.KYC_REQUEST.final).exists():
        mine = relation.related_model._base_manager.filter(pk__in=keys)
        staying = set(mine.exclude(state__in=lifecycle.KYC_REQUEST.final).values_list("pk", flat=True))
    elif name in SAME_BY:
        staying = _doubles(relation, keys, theirs, SAME_BY[name])
    moving = [key for key in keys if key not in staying]
    if moving:
        plan.moves[name] = moving
    if staying:
        plan.conflicts.append(f"{words}: {len(staying)} of {len(keys)} stay behind, because the kept one has its own")


def _doubles(relation: Any, keys: list[int], theirs: models.QuerySet[Any], columns: Sequence[str]) -> set[int]:
    have = set(theirs.values_list(*columns))
    mine = relation.related_model._base_manager.filter(pk__in=keys).values_list("pk", *columns)
    return {row[0] for row in mine if tuple(row[1:]) in have}


def _columns(plan: Plan, kept: Investor, gone: Investor) -> None:
    for name in FILLS:
        mine, other = getattr(kept, name), getattr(gone, name)
        if other in (None, "") or mine == other:
            continue
        if mine in (None, ""):
            plan.fills.append(name)
        else:
            plan.conflicts.append(f"{name.replace('_', ' ')}: they differ; the kept one's stays")
    plan.takes_pan = bool(gone.pan and (not kept.pan or (gone.pan_index and kept.pan == gone.pan)))
    if kept.pan and gone.pan and kept.pan != gone.pan:
        plan.conflicts.append("PAN: they differ; the kept one's stays")


# --- asking and deciding ----------------------------------------------------------------------------------------


def ask(*, kept: Investor, gone: Investor, actor: User, reason: str, at: datetime) -> Merge:
    """The plan stands and waits for a second person; nothing has moved. Raises Refused with every cause."""
    plan = plan_for(kept, gone)
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
        plan = plan_for(row.kept, row.gone)
        if plan.refused or plan.digest != row.digest:
            raise PlanChanged
        _carry_out(row, plan)
        _decide(row, Merge.State.APPLIED, actor, reason, at)
        User.objects.filter(pk=row.gone.user_id).update(is_active=False)
        for each, words in ((row.kept, "investor.merged"), (row.gone, "investor.merged_away")):
            audit.record(each, words, actor=actor, at=at, reason=reason, merge=row.code, plan=row.plan)
        cases.close_cases(subject=row.gone, kinds=(MAYBE_CASE,), resolution=f"Merged: {row.code}", at=at)
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
    """What moved, and is still where it was moved to, has gone back; the other login works again.

    Raises SecondPerson, AlreadyDecided when it is not merged, and Refused once FP knows the kept one with it.
    """
    with transaction.atomic():
        row = _locked(merge_id)
        if row.state != Merge.State.APPLIED:
            raise AlreadyDecided
        if actor.pk == row.asked_by_id:
            raise SecondPerson
        if row.kept.state != lifecycle.DRAFT and row.plan["moves"]:
            raise Refused("FP has the kept investor with what was moved to them. It stays, and a person corrects it.")
        _decide(row, Merge.State.UNDONE, actor, reason, at)
        _put_back(row, Plan(**row.plan))
        User.objects.filter(pk=row.gone.user_id).update(is_active=True)
    return row


def may_not_decide(row: Merge) -> tuple[int, ...]:
    """Who asked, and the two whom it is about."""
    return row.asked_by_id, row.kept.user_id, row.gone.user_id


def _locked(merge_id: int) -> Merge:
    row = Merge.objects.select_for_update(of=("self",)).get(pk=merge_id)
    both = Investor.objects.select_for_update(of=("self",)).select_related("user").order_by("pk")
    found = {each.pk: each for each in both.filter(Q(pk=row.kept_id) | Q(pk=row.gone_id))}
    row.kept, row.gone = found[row.kept_id], found[row.gone_id]
    return row


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
    by_name = {relation.related_model._meta.model_name: relation for relation in _relations()}
    for name, keys in plan.moves.items():
        relation = by_name[name]
        rows = _rows(relation, source).filter(pk__in=keys)
        if name == "bankaccount" and BankAccount.objects.filter(investor=target, is_primary=True).exists():
            rows.update(is_primary=False)
        rows.update(**{relation.field.name: target})


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
            setattr(kept, name, Investor._meta.get_field(name).get_default())
    index = kept.pan_index
    if plan.takes_pan and kept.pan == gone.pan:
        kept.pan, kept.pan_index = "", None
        kept.save()
        gone.pan_index = index
        gone.save()
    elif plan.fills:
        kept.save()
