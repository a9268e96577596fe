"""Registering an investor at FP: the investor first, then the investment account, each of them once.

    advance   whatever the row needs next: send, look up, or nothing. Safe to call at any time, by anybody

The gateway looks at the investor only when the account is asked for, so FP may take the one and refuse the other. What
is corrected then goes to the investor that FP has, and only when FP holds it is the account asked for again.

FP does not refuse a second investor with the same PAN, so nothing is sent without a look first, and an
unknown outcome is looked up for at least five minutes (FP's lists may lag) before the application may be
sent again. No transaction is open during a call; the journal says whether a byte of a worker that died
had left, and lets only the holder of the attempt send.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from investors import gateway, lifecycle, queries, refusals, steps
from investors.models import BankAccount, Document, InvestmentAccount, Investor
from investors.operations import documents, kyc, onboarding, papers, registration_notices
from investors.operations.onboarding import locked, move_to
from investors.steps import Profile
from portal import audit, cases, jobs
from portal.fintech_primitives import messages
from portal.gateway import errors, journal
from portal.models import User

RESEND_AFTER_S = 10
# FP's names of the files of an application.
PAPER_FIELDS = {
    Document.Kind.SIGNATURE.value: "kyc_identity_detail.signature",
    Document.Kind.CANCELLED_CHEQUE.value: "bank_accounts.cancelled_cheque",
}
# How long an unknown outcome is looked up before an empty answer is believed.
SURE_AFTER = timedelta(minutes=5)
SURE_LOOKS = 4

UNKNOWN_CASE = "registration_unknown"
REFUSED_CASE = "registration_refused"
OTHER_DETAILS_CASE = "pan_known_under_other_details"
CREDENTIALS_CASE = "provider_refuses_our_credentials"
OTHER_DETAILS = (
    "FP already has an investor with this PAN, and none of its bank accounts is the one entered here. Find out whether "
    "it is the same person before anything is sent; then let the registration go on."
)
PAN_TAKEN_CASE = "pan_used_by_two_logins"
PAN_TAKEN = (
    "Find the other one by searching for the PAN on this investor's page. Nothing was sent, and nothing was changed on "
    "either. When it is the same person with a second login, close one of them; else find out whose PAN it is. Then "
    "let the registration go on."
)
CASES = (UNKNOWN_CASE, REFUSED_CASE, OTHER_DETAILS_CASE, PAN_TAKEN_CASE)


def advance(*, investor_id: int, at: datetime) -> None:
    """The registration is one step further, or the row says when it will be looked at again."""
    row = _take(investor_id, at)
    if row is None:
        return
    try:
        profile = queries.profile(row)
        found = _look(profile)
    except errors.GatewayError as error:
        _look_failed(row, error, at)
        return
    except gateway.KnownUnderOtherDetails:
        _known_under_other_details(row, at)
        return
    if found:
        _record(row, found, at, how="look-up")
    elif row.is_unknown:
        _found_nothing(row, at)
    else:
        _send(profile, at)


Answer = messages.Investor | str
"""FP's investor while that is what is missing or behind, else the id of the investment account."""


def _look(profile: Profile) -> Answer | None:
    """What FP has of the part that we are missing."""
    if profile.investor.provider_ref is None:
        return gateway.find_investor(profile)
    if profile.investor.provider_is_behind:
        # What is not uploaded yet has no number by which it could stand in the application.
        return None if papers.unsent(profile) else gateway.find_corrected(profile)
    return gateway.find_account(profile.investor)


def _send(profile: Profile, at: datetime) -> None:
    row = profile.investor
    if not _is_accounts_turn(row) and (document := papers.unsent(profile)):
        _send_paper(row, document, at)
        return
    try:
        answer = _say(profile)
    except errors.GatewayError as error:
        _record_trouble(row, error, at)
    else:
        _record(row, answer, at, how="answer to our application")


def _say(profile: Profile) -> Answer:
    row = profile.investor
    if _is_accounts_turn(row):
        return gateway.create_account(row)
    return gateway.create_investor(profile) if row.provider_ref is None else gateway.correct_investor(profile)


def _is_accounts_turn(row: Investor) -> bool:
    """Does FP have the application as it stands here?"""
    return row.provider_ref is not None and not row.provider_is_behind


def _send_paper(row: Investor, document: Document, at: datetime) -> None:
    """One file of the application. An answer that is lost costs a second copy at FP, and nothing else."""
    try:
        ref = gateway.upload(row, document, documents.content(document))
    except errors.GatewayError as error:
        with transaction.atomic(durable=True):
            mine = _still_mine(row)
            if mine and isinstance(error, errors.Refused):
                _refused(mine, error, at, about=PAPER_FIELDS[document.kind])
            elif mine:
                _release(mine, error, at)
        return
    with transaction.atomic(durable=True):
        papers.sent(document, ref, at=at)
        if mine := _still_mine(row):
            mine.close_attempt()
            mine.due_at = at
            mine.save()
            jobs.nudge("investors.advance", row_id=mine.pk)


def _path(row: Investor) -> str:
    return gateway.ACCOUNT_PATH if _is_accounts_turn(row) else gateway.INVESTOR_PATH


# --- claim ----------------------------------------------------------------------------------------------------


def _take(investor_id: int, at: datetime) -> Investor | None:
    """The row to work on: with an attempt of its own, or with an unknown one to be looked up. None when it rests."""
    with transaction.atomic(durable=True):
        row = locked(investor_id)
        # Without a due time it rests: it was refused, or corrected and not confirmed again yet.
        if row.state != lifecycle.REGISTERING or row.refusal or row.due_at is None:
            return None
        if row.attempt == Investor.Outcome.OPEN:
            if not row.lease_ran_out(at):
                return None
            if journal.was_begun(row, row.attempt_no, _path(row)):
                _mark_unknown(row, at, why="the worker stopped")
                return row
            row.close_attempt()
        if not kyc.claim(row):
            _pan_is_taken(row, at)
            return None
        if not row.is_unknown:
            row.open_attempt(at)
            row.save()
    return row


def _pan_is_taken(row: Investor, at: datetime) -> None:
    """Nothing has been sent, and nothing will be before people have looked at it."""
    row.refusal, row.due_at = [{"field": "", "message": "this PAN belongs to another investor"}], None
    row.save()
    audit.record(row, "registration.pan_is_taken", actor=None, at=at)
    _case(row, PAN_TAKEN_CASE, f"{row.code} gave a PAN that belongs to another investor", PAN_TAKEN, at)


def _mark_unknown(row: Investor, at: datetime, *, why: str) -> None:
    row.mark_unknown(at)
    row.save()
    audit.record(row, "registration.outcome_unknown", actor=None, at=at, why=why)
    jobs.nudge("investors.advance", row_id=row.pk, delay_s=2)


# --- record ---------------------------------------------------------------------------------------------------


def _still_mine(taken: Investor) -> Investor | None:
    """The locked row, if nobody else has taken it over since."""
    row = locked(taken.pk)
    same = row.state == lifecycle.REGISTERING and row.holds(taken.attempt_no) and row.attempt == taken.attempt
    return row if same else None


def _record(taken: Investor, answer: Answer, at: datetime, *, how: str) -> None:
    """What FP has is written down; with the investment account the investor is ready."""
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.close_attempt()
        if isinstance(answer, str):
            _ready(row, answer, at, how)
        else:
            _registered(row, answer, at, how)
        row.save()


def _registered(row: Investor, answer: messages.Investor, at: datetime, how: str) -> None:
    done = "corrected" if row.provider_is_behind else "exists"
    row.provider_ref, row.provider_is_behind, row.due_at = answer.id, False, at
    for account in BankAccount.objects.filter(investor=row):
        account.provider_ref = gateway.bank_ref(answer, account)
        account.save(update_fields=["provider_ref"])
    audit.record(row, f"registration.investor_{done}", actor=None, at=at, provider_ref=answer.id, how=how)
    jobs.nudge("investors.advance", row_id=row.pk)


def _ready(row: Investor, account: str, at: datetime, how: str) -> None:
    InvestmentAccount.objects.get_or_create(investor=row, defaults={"provider_ref": account})
    move_to(row, lifecycle.READY, at=at)
    row.due_at = None
    audit.record(row, "registration.ready", actor=None, at=at, account=account, how=how)
    cases.close_cases(subject=row, kinds=CASES, resolution="The investor is registered.", at=at)


# --- trouble --------------------------------------------------------------------------------------------------


def _record_trouble(taken: Investor, error: errors.GatewayError, at: datetime) -> None:
    """What an attempt that brought no id means for the row."""
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        if isinstance(error, errors.Refused):
            _refused(row, error, at)
        elif isinstance(error, errors.IN_DOUBT):
            _mark_unknown(row, at, why=type(error).__name__)
        else:
            _release(row, error, at)


def _refused(row: Investor, error: errors.Refused, at: datetime, *, about: str = "") -> None:
    """`about`: FP's name of what was refused, where the answer itself says nothing of it."""
    complaints = [_kept(row, {**each, "field": about or each["field"]}) for each in refusals.told(error)]
    row.close_attempt()
    row.refusal, row.due_at = complaints, None
    row.save()
    audit.record(row, "registration.refused", actor=None, at=at, fields=[each["field"] for each in complaints])
    if refusals.steps_of(complaints):
        registration_notices.tell_refused(row, at=at)
    if any(map(refusals.is_at_no_field, complaints)):
        title = "FP refused a registration for what no form asks for"
        _case(row, REFUSED_CASE, title, refusals.for_ops(complaints), at)


def _kept(row: Investor, complaint: refusals.Complaint) -> refusals.Complaint:
    """With an empty `step` where this application has none for it: nobody waits for the investor then.

    A PAN is that too once FP has the investor: another PAN would be another person under FP's number.
    """
    mendable = {step.slug for step in steps.steps_of(row)} - ({steps.PAN} if row.provider_ref else set())
    return complaint if refusals.placed(complaint)[0] in mendable else {**complaint, "step": ""}


def _release(row: Investor, error: errors.GatewayError, at: datetime) -> None:
    """Nothing was taken: the next attempt may send, after another look."""
    wait = max(RESEND_AFTER_S, getattr(error, "retry_after_s", 0))
    row.close_attempt()
    row.due_at = at + timedelta(seconds=wait)
    row.save()
    audit.record(row, "registration.not_sent", actor=None, at=at, why=type(error).__name__)
    if isinstance(error, errors.NotAuthorised):
        _case(row, CREDENTIALS_CASE, "FP does not accept our credentials", f"{error}. It waits.", at)


def _look_failed(taken: Investor, error: errors.GatewayError, at: datetime) -> None:
    """Trouble while looking is no answer: an unknown stays unknown, an unsent one stays unsent."""
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        if row.is_unknown:
            _look_later(row, at)
        else:
            _release(row, error, at)


def _found_nothing(taken: Investor, at: datetime) -> None:
    """An empty look-up: believed only after several of them over five minutes."""
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None or row.unknown_since is None:
            return
        if at - row.unknown_since < SURE_AFTER or row.looks < SURE_LOOKS:
            _look_later(row, at)
            return
        row.close_attempt()
        row.due_at = at
        row.save()
        audit.record(row, "registration.not_taken", actor=None, at=at, why="look-ups found nothing")
        jobs.nudge("investors.advance", row_id=row.pk)


def _look_later(row: Investor, at: datetime) -> None:
    row.look_again(at)
    row.save()
    if row.out_of_patience(at):
        title = f"Nobody knows whether FP has investor {row.code}"
        _case(row, UNKNOWN_CASE, title, "Look-ups fail. Compare with FP.", at)


def _known_under_other_details(taken: Investor, at: datetime) -> None:
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.close_attempt()
        row.refusal, row.due_at = [{"field": "", "message": "FP knows this PAN with other bank accounts"}], None
        row.save()
        audit.record(row, "registration.known_under_other_details", actor=None, at=at)
        _case(row, OTHER_DETAILS_CASE, f"FP knows the PAN of {row.code} under other details", OTHER_DETAILS, at)


def _case(row: Investor, kind: str, title: str, detail: str, at: datetime) -> None:
    cases.open_case(kind=kind, subject=row, title=title, detail=detail, at=at)


def register_again(*, investor_id: int, actor: User, reason: str, at: datetime) -> None:
    """An operator lets a stopped registration go on: a look first, as always. Raises onboarding.NotEditable."""
    with transaction.atomic():
        row = locked(investor_id)
        if row.state != lifecycle.REGISTERING or row.attempt:
            raise onboarding.NotEditable("Only a registration that rests can be started again.")
        row.refusal, row.due_at = [], at
        row.save()
        audit.record(row, "registration.again", actor=actor, at=at, reason=reason)
        jobs.nudge("investors.advance", row_id=row.pk)
