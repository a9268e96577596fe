"""What merging one investor into another would do, by table and key: read and shown before anything is done.

A table that is named nowhere here keeps the investor that has rows in it: money hangs on it, or nobody has thought
about it yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import models
from pghistory.models import Event

from investors import lifecycle
from investors.models import Investor, KycRequest, Merge, Transfer

# What belongs to an investor, by model. What is not named here keeps the investor that has it where they are.
MOVES_ALWAYS = ("document", "invite")
MOVES_TO_A_DRAFT = ("bankaccount", "address", "nominee", "taxresidence", "kycrequest", "fieldsource")
STAYS = {
    "kyccheck": "answers of the registries are facts about that login and are never changed",
    "consent": "what was said yes to stays with whoever said it",
    "authority": "who may act for the one that goes, and on what ground, stays on record with it",
    "investorcase": "it was told to that login",
    "casemessage": "it was written by that login, or to it",
    "changerequest": "it was confirmed with that login's code",
    "transfer": "to which firm that login went, or did not, stays on record with it",
    "approval": "what a firm asked of that login stays on record with it; what is undecided ends",
    "approvalline": "what a firm asked of that login stays on record with it; what is undecided ends",
}
NOT_OURS = ("application", "nameword", "merge")
# Columns that a draft which lacks them takes over.
FILLS = (
    "name", "date_of_birth", "gender", "marital_status", "occupation", "mobile", "father_or_spouse_name",
    "mothers_name", "source_of_wealth", "gross_annual_income", "tax_resident_only_in_india",
    "is_politically_exposed", "is_related_to_politically_exposed", "nomination_opted_out",
)  # fmt: skip


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


def plan_for(kept: Investor, gone: Investor) -> Plan:
    """Everything that merging `gone` into `kept` would do, or why it is refused. Reads only."""
    plan = Plan(refused=_who_cannot(kept, gone))
    is_draft = kept.state == lifecycle.DRAFT
    for relation in relations():
        name = relation.related_model._meta.model_name or ""
        keys = list(rows(relation, gone).order_by("pk").values_list("pk", flat=True))
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
    for row in Transfer.objects.filter(investor=gone, state__in=(lifecycle.WAITING, lifecycle.OBJECTED)):
        why.append(
            f"The one that would go is to go to {row.to_name} ({row.code}). Stop that, or wait until it is done."
        )
    return why


def relations() -> list[Any]:
    """Every table that says whose a row is, in every app: a new one keeps its investor until it is named above."""
    found = [each for each in Investor._meta.related_objects if not issubclass(each.related_model, Event)]
    return [each for each in found if each.related_model._meta.model_name not in NOT_OURS]


def rows(relation: Any, investor: Investor) -> models.QuerySet[Any]:
    """The investor's rows of one of those tables."""
    found: models.QuerySet[Any] = relation.related_model._base_manager.filter(**{relation.field.name: investor})
    return found


def _sort_out(plan: Plan, name: str, relation: Any, keys: list[int], kept: Investor, is_draft: bool) -> None:
    words = str(relation.related_model._meta.verbose_name_plural)
    if name in STAYS:
        one = str(relation.related_model._meta.verbose_name)
        plan.stays[name] = [f"{len(keys)} {one if len(keys) == 1 else words}: {STAYS[name]}"]
    elif name in MOVES_ALWAYS or (name in MOVES_TO_A_DRAFT and is_draft):
        _move(plan, name, relation, keys, kept)
    elif name in MOVES_TO_A_DRAFT:
        plan.stays[name] = [f"{len(keys)} {words}: a ready investor adds such a thing with a code of their own"]
    else:
        plan.refused.append(f"The one that would go has {words}: what money hangs on stays where it was done.")


# What must not stand twice with one investor: model -> the columns by which rows are the same.
SAME_BY: dict[str, tuple[str, ...]] = {
    "address": ("kind",),
    "fieldsource": ("field",),
    "document": ("kind",),
}
# What is taken over whole or not at all. An application has one bank account: its owner adds a second one, by code.
WHOLE = ("nominee", "taxresidence", "bankaccount")


def _move(plan: Plan, name: str, relation: Any, keys: list[int], kept: Investor) -> None:
    theirs = rows(relation, kept)
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
