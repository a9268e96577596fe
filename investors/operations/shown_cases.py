"""Cases that their investors see: shown when they open, written about while they are open, told of when they close.

Cases belong to operations, so what is written here is written beyond the investor's own scope, after the investor's own
row was found within it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import models, transaction
from django.urls import reverse

from investors import case_words
from investors.models import CaseMessage, Investor, InvestorCase
from investors.models.cases import LONGEST
from portal import audit, cases, redaction, roles
from portal.errors import Failure
from portal.models import Case, User
from portal.notices import writing
from portal.notices.catalogue import EMAIL, Event, register
from portal.scope import ALL, scope

GROUP = "Cases"
OPENED, ANSWERED, CLOSED, WRITTEN = "case.opened", "case.answered", "case.closed", "case.written"
register(
    Event(
        OPENED,
        GROUP,
        "We look into something",
        "{title}",
        "{what}. {happened} {doing} Case {code}.",
        (EMAIL,),
        (EMAIL,),
    ),
    Event(
        ANSWERED,
        GROUP,
        "We answered about a case",
        "We have answered about your case {code}",
        "{what}. Our answer stands on the page of the case.",
        (EMAIL,),
        (EMAIL,),
    ),
    Event(
        CLOSED,
        GROUP,
        "A case is closed",
        "Your case {code} is closed",
        "{what}. What was written about it stays on its page. If you see it otherwise, write to us again.",
        (EMAIL,),
        (EMAIL,),
    ),
    Event(
        WRITTEN,
        GROUP,
        "An investor wrote about a case",
        "An investor wrote about {code}",
        "{title}. The message stands on the page of the case.",
        (EMAIL,),
        listed=False,
    ),
)
# What an investor begins by writing about a record of theirs.
QUESTION = "investor_asks"


class CaseIsClosed(Failure):
    """Nothing more is written about a case that is closed."""

    code = "case_closed"
    message = "This case is closed. Write to us from the page of the order, and a new case begins."


class NothingLeft(Failure):
    """All of the message was hidden, because it looked like an identifier."""

    code = "nothing_left"
    message = "Say it in words: what looks like a PAN, an account number, an address or a code is not kept here."


def opened(case: Case, subject: models.Model, at: datetime) -> None:
    """A case of a kind that investors see has opened: its investor sees it and is told. Others are left alone."""
    words, found = case_words.KINDS.get(case.kind), case_words.ABOUT.get(case.subject_kind)
    about = found(subject) if words and found else None
    if words is None or about is None:
        return
    row = InvestorCase.objects.create(
        investor_id=about.investor_id,
        case=case,
        code=case.code,
        kind=case.kind,
        subject_kind=case.subject_kind,
        subject_id=case.subject_id,
        what=about.what[:200],
        url=about.url,
        opened_at=at,
    )
    if not words.is_told:
        _tell_investor(row, OPENED, at=at, title=words.title, happened=words.happened, doing=words.doing)


def closed(case: Case, at: datetime) -> None:
    """The investor who saw the case knows that it is closed. A trigger has closed their row with it."""
    row = InvestorCase.objects.filter(case=case).first()
    if row is not None:
        InvestorCase.objects.filter(pk=row.pk).update(waits_since=None)
        _tell_investor(row, CLOSED, at=at)


def write(*, row: InvestorCase, text: str, form_ref: str, author: User, at: datetime) -> CaseMessage:
    """The investor's message stands at their case, and whoever works on it knows. Sent twice, it stands once.

    `row` is the investor's own, found in their scope. Raises CaseIsClosed and NothingLeft.
    """
    kept = _kept(text)
    with scope(ALL), transaction.atomic():
        locked = InvestorCase.objects.select_for_update(of=("self",)).select_related("case").get(pk=row.pk)
        if known := CaseMessage.objects.filter(form_ref=form_ref, shown=locked).first():
            return known
        message = _add(locked, kept, form_ref, author=author, by_staff=False, at=at)
        InvestorCase.objects.filter(pk=locked.pk, waits_since=None).update(waits_since=at)
        audit.record(locked.case, "case.investor_wrote", actor=author, at=at)
        _tell_staff(locked.case, message)
    return message


def ask(*, subject: models.Model, title: str, text: str, form_ref: str, author: User, at: datetime) -> InvestorCase:
    """The investor's question about a record of theirs is a case with their message; an open one is gone on with.

    Raises NothingLeft.
    """
    _kept(text)
    with transaction.atomic():
        case = cases.open_case(kind=QUESTION, subject=subject, title=title, detail="", at=at)
        with scope(ALL):
            row = InvestorCase.objects.get(case=case)
        write(row=row, text=text, form_ref=form_ref, author=author, at=at)
    return row


def answer(*, case: Case, text: str, form_ref: str, author: User, at: datetime) -> CaseMessage:
    """Our answer stands at the investor's case, and they are told. Raises CaseIsClosed and NothingLeft."""
    kept = _kept(text)
    with scope(ALL), transaction.atomic():
        row = InvestorCase.objects.select_for_update(of=("self",)).get(case=case)
        if known := CaseMessage.objects.filter(form_ref=form_ref, shown=row).first():
            return known
        message = _add(row, kept, form_ref, author=author, by_staff=True, at=at)
        InvestorCase.objects.filter(pk=row.pk).update(waits_since=None)
        audit.record(case, "case.answered", actor=author, at=at)
        _tell_investor(row, ANSWERED, at=at, about=str(message.pk))
    return message


def _add(row: InvestorCase, text: str, form_ref: str, *, author: User, by_staff: bool, at: datetime) -> CaseMessage:
    if row.closed_at is not None:
        raise CaseIsClosed
    return CaseMessage.objects.create(
        investor_id=row.investor_id, shown=row, author=author, by_staff=by_staff, text=text, at=at, form_ref=form_ref
    )


def _kept(text: str) -> str:
    """What is kept of a message: identifiers, codes and addresses are hidden before anything is written."""
    kept = redaction.storable(redaction.text(redaction.without_aadhaar(text.strip())))[:LONGEST]
    if not kept.replace(redaction.HIDDEN, "").strip():
        raise NothingLeft
    return kept


# --- telling ------------------------------------------------------------------------------------------------------


def _tell_investor(row: InvestorCase, event: str, *, at: datetime, about: str = "", **words: object) -> None:
    writing.tell(
        user_id=Investor.objects.values_list("user_id", flat=True).get(pk=row.investor_id),
        event=event,
        subject=row,
        url=reverse("orders:case", args=[row.code]),
        at=at,
        about=about,
        facts=(("Case", row.code), ("About", row.what)),
        code=row.code,
        what=row.what,
        **words,
    )


def _tell_staff(case: Case, message: CaseMessage) -> None:
    """Whoever holds the case; while nobody does, everybody whose work it is."""
    for user_id in _who_works_on(case):
        writing.tell(
            user_id=user_id,
            event=WRITTEN,
            subject=case,
            url=reverse("admin:portal_case_change", args=[case.pk]),
            at=message.at,
            about=str(message.pk),
            code=case.code,
            title=case.title,
        )


def _who_works_on(case: Case) -> Iterable[int]:
    if case.owner_id:
        return [case.owner_id]
    return User.objects.filter(groups__name=roles.MAKER, is_active=True).values_list("pk", flat=True)


cases.follow(opened=opened, closed=closed)
