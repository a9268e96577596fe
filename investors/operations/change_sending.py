"""A change on its way to FP: the whole application again, with one thing in it that is new.

    advance   whatever the row needs next: cooled off, look, send, or nothing. Safe to call at any time

"A bank account without `id` is added" (document, "Update Investor"), so nothing is sent without a look first, and an
unknown outcome is looked up for five minutes before it may be sent again. No transaction is open during a call, and
only the holder of the attempt sends: an old application would undo what was changed since.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.db import transaction

from investors import change_refusals, gateway, lifecycle, refusals
from investors.models import ChangeRequest, Investor
from investors.operations import change_kinds
from investors.operations.changes import cooled, locked, move_to, tell
from portal import audit, cases, jobs, logins
from portal.attempts import ATTEMPT_FIELDS
from portal.fintech_primitives import client as fp
from portal.fintech_primitives import messages
from portal.gateway import errors, journal
from portal.gateway.journal import fenced

UNKNOWN_CASE = "change_outcome_unknown"
RESEND_AFTER_S = 10
SURE_AFTER = timedelta(minutes=5)
SURE_LOOKS = 4
PACE_S = {lifecycle.COOLING: 3_600.0, lifecycle.SENDING: 60.0}
REFUSED_CASE = "change_refused"
NOT_ACCEPTED = "The fund houses' side did not accept it. Nothing was changed."
CORRECT_IT = f"{NOT_ACCEPTED} What to correct stands at its field when you ask again."
OURS_TO_MEND = f"{NOT_ACCEPTED} Our team has been told what is wrong, and writes to you."


def advance(*, change_id: int, at: datetime) -> None:
    """The change is one step further, or the row says when it will be looked at again."""
    row = _take(change_id, at)
    if row is None:
        return
    try:
        theirs = fp.client().fetch_investor(row.investor.provider_ref or "")
    except errors.GatewayError as error:
        _look_failed(row, error, at)
        return
    if _is_there(row, theirs):
        _done(row, theirs, at)
    elif row.is_unknown:
        _found_nothing(row, at)
    else:
        _send(row, at)


def _take(change_id: int, at: datetime) -> ChangeRequest | None:
    """The row with an attempt of its own, or with an unknown one to be looked up. None when it rests."""
    owner = ChangeRequest.objects.values_list("investor_id", flat=True).get(pk=change_id)
    with transaction.atomic(durable=True):
        # FP takes the whole application, so changes of one investor are sent one after the other.
        Investor.objects.select_for_update().only("pk").get(pk=owner)
        row = locked(change_id)
        if row.state == lifecycle.COOLING and row.effective_at and row.effective_at <= at:
            cooled(row, at=at)
        if row.state != lifecycle.SENDING:
            return None
        if row.attempt == ChangeRequest.Outcome.OPEN:
            if not row.lease_ran_out(at):
                return None
            if journal.was_begun(row, row.attempt_no, gateway.INVESTOR_PATH):
                _mark_unknown(row, at, why="the worker stopped")
                return row
            row.close_attempt()
        if not row.is_unknown and not _may_open(row, at):
            return None
    return row


def _may_open(row: ChangeRequest, at: datetime) -> bool:
    """Opens the attempt, unless another change of the investor is under way or the address was lost to somebody."""
    if ChangeRequest.objects.filter(investor=row.investor_id).exclude(pk=row.pk).exclude(attempt="").exists():
        row.due_at = at + timedelta(seconds=RESEND_AFTER_S)
        row.save(update_fields=["due_at"])
        return False
    if row.what == ChangeRequest.What.EMAIL and _is_taken(row):
        _refused(row, logins.AddressTaken.message, at, by="us")
        return False
    row.open_attempt(at)
    row.save(update_fields=[*ATTEMPT_FIELDS])
    return True


def _is_taken(row: ChangeRequest) -> bool:
    return logins.is_taken(json.loads(row.after)["email"], by_other_than=row.investor.user_id)


def _is_there(row: ChangeRequest, theirs: messages.Investor) -> bool:
    """Does FP hold it as it shall be?"""
    return change_kinds.found(row, theirs) is not None


def _send(row: ChangeRequest, at: datetime) -> None:
    about = fenced(row, our_ref=row.code, attempt_no=row.attempt_no)
    body = change_kinds.application(row)
    try:
        asked = messages.NewInvestor.checked(body)
        theirs = fp.client().update_investor(row.investor.provider_ref or "", asked, about)
    except errors.Refused as error:
        _refused_by_fp(row, change_refusals.told(error, what=row.what, accounts=len(body["bank_accounts"])), at)
        return
    except errors.GatewayError as error:
        _trouble(row, error, at)
        return
    if _is_there(row, theirs):
        _done(row, theirs, at)
    else:
        _trouble(row, errors.Garbled("fp", "POST", gateway.INVESTOR_PATH, said="the change is not in the answer"), at)


# --- record ---------------------------------------------------------------------------------------------------


def _still_mine(taken: ChangeRequest) -> ChangeRequest | None:
    row = locked(taken.pk)
    same = row.state == lifecycle.SENDING and row.holds(taken.attempt_no) and row.attempt == taken.attempt
    return row if same else None


def _done(taken: ChangeRequest, theirs: messages.Investor, at: datetime) -> None:
    try:
        _keep(taken, theirs, at)
    except logins.AddressTaken:
        _lost_address(taken, at)


def _keep(taken: ChangeRequest, theirs: messages.Investor, at: datetime) -> None:
    """Raises logins.AddressTaken, and nothing is kept, where somebody proved the new address while FP was told."""
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.close_attempt()
        row.done_at = at
        row.save(update_fields=["done_at", *ATTEMPT_FIELDS])
        change_kinds.keep(row, theirs, at)
        move_to(row, lifecycle.DONE, at=at, actor=None)
        cases.close_cases(subject=row, kinds=(UNKNOWN_CASE,), resolution="FP has the change.", at=at)
        tell(row, at=at)


def _lost_address(taken: ChangeRequest, at: datetime) -> None:
    """FP has an address that is somebody else's login: the login keeps its own, and people put FP's right."""
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.close_attempt()
        row.save(update_fields=[*ATTEMPT_FIELDS])
        _refused(row, logins.AddressTaken.message, at, by="us")
        detail = "The new address became another login's while FP was told. The next change of details repairs FP's."
        title = f"FP has another email address of {row.investor.code} than we"
        cases.open_case(kind=change_kinds.CONTACT_CASE, subject=row, title=title, detail=detail, at=at)


# --- trouble --------------------------------------------------------------------------------------------------


def _trouble(taken: ChangeRequest, error: errors.GatewayError, at: datetime) -> None:
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        if isinstance(error, errors.IN_DOUBT):
            _mark_unknown(row, at, why=type(error).__name__)
        else:
            _release(row, at, why=type(error).__name__)


def _refused_by_fp(taken: ChangeRequest, complaints: list[refusals.Complaint], at: datetime) -> None:
    """Nothing was changed; each complaint waits for its field, and ops hear of those that the investor cannot mend."""
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.close_attempt()
        row.refusal = complaints
        row.save(update_fields=["refusal", *ATTEMPT_FIELDS])
        _refused(row, OURS_TO_MEND if change_refusals.nowhere(row) else CORRECT_IT, at, by="FP")
        if any(map(refusals.is_at_no_field, complaints)):
            title = f"FP refused change {row.code} for what no form asks for"
            detail = refusals.for_ops(complaints)
            cases.open_case(kind=REFUSED_CASE, subject=row, title=title, detail=detail, at=at)


def _refused(row: ChangeRequest, reason: str, at: datetime, *, by: str) -> None:
    row.reason = reason
    row.save(update_fields=["reason"])
    move_to(row, lifecycle.REFUSED, at=at, actor=None, by=by)
    tell(row, at=at)


def _mark_unknown(row: ChangeRequest, at: datetime, *, why: str) -> None:
    row.mark_unknown(at)
    row.save(update_fields=[*ATTEMPT_FIELDS])
    audit.record(row, "change.outcome_unknown", actor=None, at=at, why=why)
    jobs.nudge("investors.advance_change", row_id=row.pk, delay_s=2)


def _release(row: ChangeRequest, at: datetime, *, why: str, wait_s: float = RESEND_AFTER_S) -> None:
    """Nothing was taken: the next attempt may send, after another look."""
    row.close_attempt()
    row.due_at = at + timedelta(seconds=wait_s)
    row.save(update_fields=[*ATTEMPT_FIELDS])
    audit.record(row, "change.not_sent", actor=None, at=at, why=why)


def _look_failed(taken: ChangeRequest, error: errors.GatewayError, at: datetime) -> None:
    """Trouble while looking is no answer: an unknown stays unknown, an unsent one stays unsent."""
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is not None and row.is_unknown:
            _look_later(row, at)
        elif row is not None:
            _release(row, at, why=f"look-up failed: {type(error).__name__}")


def _found_nothing(taken: ChangeRequest, at: datetime) -> None:
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None or row.unknown_since is None:
            return
        if at - row.unknown_since < SURE_AFTER or row.looks < SURE_LOOKS:
            _look_later(row, at)
        else:
            _release(row, at, why="look-ups found nothing", wait_s=0)


def _look_later(row: ChangeRequest, at: datetime) -> None:
    row.look_again(at)
    row.save(update_fields=[*ATTEMPT_FIELDS])
    if row.out_of_patience(at):
        title = f"Nobody knows whether FP has change {row.code}"
        cases.open_case(kind=UNKNOWN_CASE, subject=row, title=title, detail="Compare with FP.", at=at)
