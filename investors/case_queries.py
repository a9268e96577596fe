"""Reads of cases as their investor sees them: in our words, their own only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Model, Q, QuerySet

from investors.case_words import KINDS, CaseWords
from investors.models import CaseMessage, Investor, InvestorCase

MOST = 50
PAGE_SIZE = 20
# Of a kind that is shown no longer.
SOMETHING = CaseWords("A case", "We looked into something.", "A person here follows it.")


@dataclass(frozen=True)
class Seen:
    """One case with what was written about it, oldest first."""

    row: InvestorCase
    words: CaseWords
    messages: list[CaseMessage] = field(default_factory=list)

    @property
    def code(self) -> str:
        """Its number."""
        return self.row.code

    @property
    def kind(self) -> str:
        """Of which kind it is."""
        return self.row.kind

    @property
    def url(self) -> str:
        """The page of what it is about."""
        return self.row.url

    @property
    def opened_at(self) -> datetime:
        """Since when."""
        return self.row.opened_at

    @property
    def is_open(self) -> bool:
        """Does somebody still work on it?"""
        return self.row.closed_at is None


def open_of(investor: Investor) -> list[Seen]:
    """The open cases of an investor, oldest first."""
    rows = InvestorCase.objects.filter(investor=investor, closed_at=None).order_by("id")
    return [_seen(row) for row in rows[:MOST]]


def page(investor: Investor, *, before: int | None) -> tuple[list[Seen], int | None]:
    """A page of an investor's cases, the newest first, and the key below which the next one begins."""
    rows = InvestorCase.objects.filter(investor=investor).order_by("-id")
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return [_seen(row) for row in shown], shown[-1].pk if len(found) > PAGE_SIZE else None


def one(investor: Investor, code: str) -> Seen | None:
    """A case of the investor's with everything that was written about it."""
    row = InvestorCase.objects.filter(investor=investor, code=code).first()
    return _with_messages([row])[0] if row else None


def about(investor_id: int, records: Mapping[str, Collection[int]]) -> list[Seen]:
    """The investor's open cases about these records (kind of record -> keys), oldest first, with their messages."""
    return _with_messages(_about(investor_id, records).filter(closed_at=None).order_by("id")[:MOST])


def cards(investor_id: int, *records: Model) -> list[dict[str, Seen]]:
    """The open cases about these records, as `components/_cases.html` takes them."""
    keys: dict[str, list[int]] = {}
    for record in records:
        keys.setdefault(record._meta.label_lower, []).append(record.pk)
    return [{"seen": each} for each in about(investor_id, keys)]


def _about(investor_id: int, records: Mapping[str, Collection[int]]) -> QuerySet[InvestorCase]:
    which = Q(pk__in=[])
    for kind, keys in records.items():
        which |= Q(subject_kind=kind, subject_id__in=[str(key) for key in keys])
    return InvestorCase.objects.filter(which, investor_id=investor_id)


def _with_messages(rows: Collection[InvestorCase] | QuerySet[InvestorCase]) -> list[Seen]:
    seen = [_seen(row) for row in rows]
    by_case = {each.row.pk: each for each in seen}
    if by_case:
        for message in CaseMessage.objects.filter(shown__in=by_case).order_by("id"):
            by_case[message.shown_id].messages.append(message)
    return seen


def _seen(row: InvestorCase) -> Seen:
    return Seen(row, KINDS.get(row.kind, SOMETHING))
