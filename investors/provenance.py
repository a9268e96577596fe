"""Where each value of an application comes from: typed by the investor, entered by somebody else, or looked up.

What staff or a partner entered (`Invite.filled`: step -> field -> text) stands in the investor's forms as a beginning
and nowhere else: it counts once the investor has looked it over and saved the step. That is when it is confirmed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from investors.models import FieldSource, Investor, Invite
from portal.models import User
from portal.scope import ALL, scope

Texts = Mapping[str, str]
# Values that a step saves and that we, not the investor, have found out.
LOOKED_UP = {"address.city", "address.state", "bank.bank_name", "bank.branch_name"}
# Never kept by name: answers that are lists, and what is typed twice.
NOT_KEPT = {"nominees", "residences", "number_again"}
# The address whose fields are called as they are; those of others carry its kind before them.
PLAIN = "CORRESPONDENCE"


@dataclass(frozen=True)
class Drafts:
    """What somebody else knew already, and who they are."""

    by_step: Mapping[str, Texts] = field(default_factory=dict)
    by: str = ""

    def of(self, slug: str) -> Texts:
        """Field -> text for one step."""
        return self.by_step.get(slug, {})


def drafts_for(investor: Investor) -> Drafts:
    """What the newest invitation that this investor has accepted fills in."""
    if investor.pk is None:
        return Drafts()
    invite = Invite.objects.filter(investor=investor, used_at__isnull=False).order_by("-used_at").first()
    if invite is None:
        return Drafts()
    with scope(ALL):  # the investor may not look at colleagues and partners, only read who it was
        return Drafts(filled_of(invite), inviter(invite))


def inviter(invite: Invite) -> str:
    """Who invites, as the person invited reads it: `Meera Iyer, Northstar Wealth LLP`."""
    if invite.invited_by is None:
        return str(invite.partner)
    person = invite.invited_by.get_full_name() or "Our team"
    return f"{person}, {invite.partner}" if invite.partner else person


def filled_of(invite: Invite) -> dict[str, Texts]:
    """What an invitation fills in: step -> field -> text."""
    found: dict[str, Texts] = json.loads(invite.filled or "{}")
    return found


def from_others(investor: Investor) -> list[str]:
    """The fields that somebody else filled in and the investor confirmed, in words."""
    if investor.pk is None:
        return []
    theirs = FieldSource.objects.filter(investor=investor, confirmed_at__isnull=False).order_by("field")
    return [words_of(row.field) for row in theirs]


def words_of(field: str) -> str:
    """`personal.date_of_birth` -> `date of birth`."""
    name = field.partition(".")[2]
    return "PAN" if name == "pan" else name.replace("_", " ")


def wait_for(investor: Investor, invite: Invite, at: datetime) -> None:
    """Every value of the invitation is on record as somebody else's, and not confirmed."""
    source = FieldSource.Source.PARTNER if invite.partner_id else FieldSource.Source.STAFF
    names = [f"{slug}.{name}" for slug, texts in filled_of(invite).items() for name in texts]
    rows = [FieldSource(investor=investor, field=name, source=source, by=invite.invited_by, at=at) for name in names]
    FieldSource.objects.bulk_create(rows, ignore_conflicts=True)


def note(investor: Investor, slug: str, values: Mapping[str, Any], *, actor: User | str, at: datetime) -> None:
    """The investor has saved this step: what stayed as it was filled in is confirmed, everything else is theirs."""
    drafts = drafts_for(investor).of(slug)
    kept = {row.field: row for row in FieldSource.objects.filter(investor=investor, field__startswith=f"{slug}.")}
    rows = [
        _row(investor, f"{slug}.{name}", kept, same=name in drafts and as_text(value) == drafts[name], at=at)
        for name, value in _flat(values)
        if name not in NOT_KEPT
    ]
    by = actor if isinstance(actor, User) else None
    for row in rows:
        row.by = row.by or by
    FieldSource.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["investor", "field"],
        update_fields=["source", "by", "at", "confirmed_at"],
    )


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Field and value, also of what a step saves in groups (addresses by kind)."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            prefix = "" if name == PLAIN else f"{name.lower()}."
            yield from ((f"{prefix}{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _row(investor: Investor, name: str, kept: Mapping[str, FieldSource], *, same: bool, at: datetime) -> FieldSource:
    before = kept.get(name)
    if name in LOOKED_UP:
        return FieldSource(investor=investor, field=name, source=FieldSource.Source.LOOKED_UP, at=at)
    if same and before and before.source in (FieldSource.Source.STAFF, FieldSource.Source.PARTNER):
        confirmed = before.confirmed_at or at
        return FieldSource(
            investor=investor, field=name, source=before.source, by=before.by, at=before.at, confirmed_at=confirmed
        )
    return FieldSource(investor=investor, field=name, source=FieldSource.Source.INVESTOR, at=at)


def as_text(value: Any) -> str:
    """How a value is written in `Invite.filled`: dates as ISO, yes and no as the forms have them."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
