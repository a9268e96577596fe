"""A fresh KYC, from the first answer to the registries' yes.

    begin, save_step, confirm   what the investor does; every step is kept at once, encrypted
    refresh, absorb, finish     what FP says, and what follows from it

FP hears the essentials as soon as "About you" is saved, so that its clock and its list of missing fields are known
early; the files and the rest follow when the investor confirms (kyc_sending.py). A rejected or expired request is
final: the next one begins with the same answers and points back at it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from investors import kyc_complaints, kyc_gateway, kyc_reasons, kyc_steps, lifecycle, queries
from investors.kyc_gateway import Snapshot
from investors.kyc_steps import SAVED, Sheet
from investors.models import Investor, KycRequest
from investors.operations import documents, kyc, kyc_notices, onboarding
from portal import audit, cases, jobs
from portal.errors import Failure
from portal.files.quarantine import CleanFile
from portal.lifecycle import Verdict
from portal.models import User

OPEN = (lifecycle.DRAFT, lifecycle.PENDING, lifecycle.SUBMITTED)
CONFLICT_CASE = "kyc_request_contradicts_itself"
STILL_NOT_CASE = "kyc_done_and_registries_disagree"
FIELDS_CASE = "kyc_request_needs_unknown_fields"
# How soon a decision is looked for: the first minutes after sending, and later.
SOON, SOON_FOR, LATER = timedelta(seconds=10), timedelta(minutes=5), timedelta(minutes=10)
# After a success the registries follow; for so long they are asked again before a person looks.
REGISTRIES_FOLLOW, ASK_EVERY = timedelta(days=3), timedelta(hours=2)


class NotNeeded(Failure):
    """Raised when a fresh KYC would help nothing: the registries say yes, or their no has another cure."""

    code = "kyc_not_needed"
    message = "A new KYC is not what is missing. The page about your PAN says what is."


class NotEditable(Failure):
    """Raised when a request that was sent is changed."""

    code = "kyc_not_editable"
    message = "Your papers have been sent and can no longer be changed here."


class Incomplete(Failure):
    """Raised when papers are confirmed while something is missing."""

    code = "kyc_incomplete"
    message = "Something is still missing. The list shows what; nothing you entered is lost."


class NoSuchPaper(Failure):
    """Raised when a paper is asked for again that has not come yet."""

    code = "no_such_paper"
    message = "The investor has not sent this paper yet, so there is nothing to send again."


# --- reading ----------------------------------------------------------------------------------------------------


def newest(investor: Investor) -> KycRequest | None:
    """The investor's last request, whatever became of it."""
    return KycRequest.objects.filter(investor=investor).select_related("previous").order_by("-id").first()


def sheet_of(request: KycRequest) -> Sheet:
    """The request with the person and the files that count now; once decided, those it was decided on."""
    investor = Investor.objects.select_related("user").get(pk=request.investor_id)
    sent_at = request.submitted_at if request.decided_at else None
    return Sheet(investor, request, documents.current(investor, at=sent_at))


def may_begin(investor: Investor) -> bool:
    """Do the registries say no, with a reason that a fresh KYC cures, and is none on its way or done?"""
    check = queries.profile(investor).kyc_of_this_pan
    last = newest(investor)
    if check is None or check.is_compliant or (last and last.state in OPEN):
        return False
    waits = last is not None and last.state == lifecycle.SUCCESSFUL and last.due_at is not None
    return kyc_reasons.default(check.reason).fresh and not waits


def missing(sheet: Sheet) -> list[str]:
    """The slugs of steps that are not done, in order."""
    wrong = kyc_complaints.by_step(sheet)
    return [
        step.slug for step in kyc_steps.steps_of(sheet) if step.slug in wrong or not kyc_steps.is_given(sheet, step)
    ]


# --- what the investor does -------------------------------------------------------------------------------------


def begin(*, investor: Investor, actor: User | str, at: datetime) -> KycRequest:
    """The investor's open request; a new one, with the answers of the last, if there is none. Raises NotNeeded."""
    with transaction.atomic():
        row = onboarding.locked(investor.pk)
        last = newest(row)
        if last and last.state in OPEN:
            return last
        if not may_begin(row):
            raise NotNeeded
        answers = {name: value for name, value in _answers(last).items() if name != SAVED}
        made = KycRequest.objects.create(
            investor=row, previous=last, answers=json.dumps(answers), created_at=at, state_since=at
        )
        audit.record(made, "kyc_request.begun", actor=actor, at=at, previous=last.code if last else "")
    return made


def _answers(request: KycRequest | None) -> dict[str, Any]:
    return kyc_steps.answers_of(request) if request else {}


def save_step(
    *,
    request: KycRequest,
    slug: str,
    values: Mapping[str, Any],
    files: Mapping[str, CleanFile],
    actor: User,
    at: datetime,
) -> KycRequest:
    """The step holds these answers, in FP's names, and these files; what was wrong with it is answered.

    Once the essentials are there FP hears of the request. Raises NotEditable.
    """
    with transaction.atomic():
        row = locked(request.pk)
        if not may_change(row):
            raise NotEditable
        for kind, file in files.items():
            documents.keep(investor=row.investor, kind=kind, file=file, actor=actor, at=at)
        answers = _answers(row)
        answers |= values
        answers[SAVED] = sorted({*answers.get(SAVED, ()), slug})
        row.answers = json.dumps(answers)
        row.refusal = kyc_complaints.without(row.refusal, slug, answers)
        if row.state == lifecycle.DRAFT and _may_begin_at_fp(row):
            _wake(row, at)
        row.save()
        audit.record(row, f"kyc_request.{slug}", actor=actor, at=at)
    return row


def _may_begin_at_fp(row: KycRequest) -> bool:
    about = kyc_steps.BY_SLUG[kyc_steps.ABOUT]
    return not row.attempt and row.due_at is None and not row.refusal and kyc_steps.is_given(sheet_of(row), about)


def confirm(*, request: KycRequest, actor: User, at: datetime, declared: str) -> KycRequest:
    """The investor has looked everything over: the files and the rest go to FP. A second time changes nothing.

    Raises Incomplete.
    """
    with transaction.atomic():
        row = locked(request.pk)
        if not may_change(row):
            return row
        if missing(sheet_of(row)):
            raise Incomplete
        row.submitted_at, row.approved_at, row.approved_by = at, None, None
        if not settings.KYC_DESK_APPROVES:
            row.approved_at = at
            _wake(row, at)
        row.save()
        audit.record(row, "kyc_request.confirmed", actor=actor, at=at, declared=declared)
    return row


def locked(request_id: int) -> KycRequest:
    """The row, locked until the end of the caller's transaction."""
    rows = KycRequest.objects.select_for_update(of=("self",)).select_related("investor__user", "previous")
    return rows.get(pk=request_id)


def _wake(row: KycRequest, at: datetime) -> None:
    """Something can be sent: now, unless an attempt is on its way already."""
    if not row.attempt:
        row.due_at = at
    jobs.nudge("investors.advance_kyc_request", row_id=row.pk)


def may_change(request: KycRequest) -> bool:
    """Has it not been confirmed yet, or did FP give it back?"""
    return request.state in (lifecycle.DRAFT, lifecycle.PENDING) and request.submitted_at is None


def waits_for_the_desk(request: KycRequest) -> bool:
    """Confirmed, or sent again by the desk, and nobody has said yet that it may go to FP?"""
    open_here = request.state in (lifecycle.DRAFT, lifecycle.PENDING)
    return open_here and request.submitted_at is not None and request.approved_at is None


def ask_again(*, request: KycRequest, kind: str, code: str, actor: User, reason: str, at: datetime) -> None:
    """The desk wants a better paper of this kind, for a reason of the catalogue; the investor is written to.

    What waits for the desk's yes goes back to the investor. Raises NotEditable once it was sent, documents.NoReason,
    NoSuchPaper.
    """
    with transaction.atomic():
        row = locked(request.pk)
        if not may_change(row) and not waits_for_the_desk(row):
            raise NotEditable("This request has been confirmed; nothing in it can be asked for again.")
        document = documents.current(row.investor).get(kind)
        if document is None:
            raise NoSuchPaper
        documents.refuse(document=document, code=code, actor=actor, reason=reason, at=at)
        if waits_for_the_desk(row):
            row.submitted_at = None
            row.save(update_fields=["submitted_at"])
        audit.record(row, "kyc_request.asked_again", actor=actor, at=at, reason=reason, paper=kind, code=code)
        jobs.nudge("investors.tell_kyc", row_id=row.pk)


# --- what FP says -----------------------------------------------------------------------------------------------


def refresh(*, request_id: int, at: datetime, actor: User | None = None, reason: str = "") -> None:
    """What FP says about the request now has been absorbed. Raises the gateway errors of a read."""
    row = KycRequest.objects.get(pk=request_id)
    if actor:
        audit.record(row, "kyc_request.refresh_asked", actor=actor, at=at, reason=reason)
    if row.provider_ref:
        absorb(request_id=request_id, snapshot=kyc_gateway.fetch(sheet_of(row)), at=at, source="refresh")


def absorb(
    *, request_id: int, snapshot: Snapshot, at: datetime, source: str, wait: timedelta = timedelta(0)
) -> Verdict | None:
    """The row knows what FP said. None for a word that we do not know: nothing moves, and FP is asked again."""
    with transaction.atomic():
        row = locked(request_id)
        row.provider_ref = snapshot.provider_ref
        row.close_attempt()
        verdict = lifecycle.KYC_REQUEST.judge(row.state, snapshot.state) if snapshot.state else None
        if verdict in (Verdict.APPLY, Verdict.REPEAT):
            _apply(row, snapshot, at, source)
        elif verdict == Verdict.CONFLICT:
            _contradiction(row, snapshot, at)
        if verdict == Verdict.APPLY or row.state in OPEN:  # what was decided and told is not told again
            look = next_look(row, at) if snapshot.state else at + LATER
            row.due_at = look and look + wait
        row.save()
    if row.due_at and row.due_at <= at:
        jobs.nudge("investors.advance_kyc_request", row_id=row.pk)
    return verdict


def _apply(row: KycRequest, snapshot: Snapshot, at: datetime, source: str) -> None:
    row.expires_at = snapshot.expires_at or row.expires_at
    row.fields_needed = list(snapshot.fields_needed)
    if unknown := kyc_steps.nobody_answers(row.fields_needed):
        _case(row, FIELDS_CASE, f"KYC request {row.code}: FP asks for what no page has", ", ".join(unknown), at)
    if snapshot.state == row.state:
        return
    was, row.state, row.state_since = row.state, snapshot.state or row.state, at
    if row.state in lifecycle.KYC_REQUEST.final:
        row.decided_at, row.rejections = at, list(snapshot.rejections)
    codes = {each["field"]: each["code"] for each in row.rejections}
    audit.record(row, f"kyc_request.{row.state.lower()}", actor=None, at=at, was=was, source=source, rejected=codes)


def _contradiction(row: KycRequest, snapshot: Snapshot, at: datetime) -> None:
    detail = f"Here it is {row.state}, FP says {snapshot.state}. Nothing was changed."
    _case(row, CONFLICT_CASE, f"KYC request {row.code} contradicts itself", detail, at)


def _case(row: KycRequest, kind: str, title: str, detail: str, at: datetime) -> None:
    cases.open_case(kind=kind, subject=row, title=title, detail=detail, at=at)


def next_look(row: KycRequest, at: datetime) -> datetime | None:
    """When somebody must look at a row that no attempt is open for."""
    if row.state == lifecycle.DRAFT:
        return at if not row.refusal else None
    if row.state == lifecycle.PENDING:
        # Confirmed: go on sending. Otherwise it rests until FP's clock has run out.
        return (
            at if row.submitted_at and row.approved_at else max(at + LATER, row.expires_at) if row.expires_at else None
        )
    if row.state == lifecycle.SUBMITTED:
        return at + (SOON if at - row.state_since < SOON_FOR else LATER)
    return at  # decided: the registries must be asked and the investor told


# --- after the decision -----------------------------------------------------------------------------------------


def finish(*, request_id: int, at: datetime) -> None:
    """A decided request has had its effect: after a success the registries said yes, and the investor was told.

    Raises the gateway errors of a KYC check; the row stays due.
    """
    row = KycRequest.objects.select_related("investor__user").get(pk=request_id)
    if row.due_at is None or row.state not in lifecycle.KYC_REQUEST.final:
        return
    if row.state == lifecycle.SUCCESSFUL and not kyc.recheck(investor=row.investor, at=at).is_compliant:
        _registries_lag(request_id, at)
        return
    with transaction.atomic():
        row = locked(request_id)
        if row.due_at is None:
            return
        kyc_notices.tell(row, at=at)
        row.due_at = None
        row.save(update_fields=["due_at"])
        cases.close_cases(subject=row, kinds=(STILL_NOT_CASE,), resolution="The registries say yes.", at=at)


def _registries_lag(request_id: int, at: datetime) -> None:
    with transaction.atomic():
        row = locked(request_id)
        waited = at - (row.decided_at or at)
        row.due_at = at + ASK_EVERY
        row.save(update_fields=["due_at"])
        if waited >= REGISTRIES_FOLLOW:
            title = f"KYC of {row.investor.code} is done, and the registries do not say so"
            _case(row, STILL_NOT_CASE, title, "FP calls the request successful. Ask FP.", at)
