"""Speaking to FP about a mandate: create, authorise, settle, cancel, refresh, absorb.

    create      claim, commit, call, record: FP hears of the mandate once
    settle      the outcome is unknown: look for it by account, limit and time, never send blindly
    authorise   an address of the bank's page, for one visit; a lost one authorises nothing and is simply replaced
    cancel      asked until FP says that it is cancelled; asking twice cancels once
    refresh     ask FP what it says now; `absorb` makes it true here

No transaction is open during a call.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from investors import lifecycle, mandate_gateway, mandate_refusals, refusals
from investors.mandate_gateway import MandateSnapshot
from investors.mandate_rules import GATEWAYS, PAGE_LIVES
from investors.models import BankAccount, Mandate
from investors.operations import mandate_notices
from portal import audit, cases, gates, jobs
from portal.attempts import ATTEMPT_FIELDS, PATIENCE
from portal.clock import IST
from portal.gateway import errors, journal
from portal.lifecycle import Verdict
from portal.models import User

UNKNOWN_CASE = "mandate_outcome_unknown"
CONFLICT_CASE = "mandate_news_conflict"
CANCEL_CASE = "mandate_not_cancelled"
REFUSED_CASE = "mandate_refused"
PAGE_CASE = "mandate_page_refused"
CREDENTIALS_CASE = "provider_refuses_our_credentials"
RESEND_AFTER_S = 10
# How long an unknown outcome is looked up before an empty answer is believed, as for registrations: lists may lag.
SURE_AFTER = timedelta(minutes=5)
SURE_LOOKS = 4
# After FP has refused to make the bank's page: people must look, and it is asked again by itself.
ASK_FOR_A_PAGE_AGAIN = timedelta(minutes=15)
# Seconds until somebody looks at a mandate again, by state. Banks answer within days; the doorbell is quicker.
PACE_S = {
    lifecycle.CREATED: 30.0,
    lifecycle.AWAITING_INVESTOR: 300.0,
    lifecycle.SUBMITTED: 900.0,
}
# An approved mandate can be taken back at the bank: looked at once a day.
APPROVED_PACE_S = 86_400.0
STILL_OPEN = frozenset(PACE_S)


# --- create ---------------------------------------------------------------------------------------------------


def create(*, mandate_id: int, at: datetime) -> None:
    """FP has the mandate, or the row says what happens next. Safe to call at any time.

    Raises gates.GateClosed while the kill switch is on; the mandate waits.
    """
    mandate = _claim(mandate_id, at, has_ref=False)
    if mandate is None:
        return
    try:
        # Before anything is sent a second time, FP is asked whether it has the first.
        found = _find(mandate) if mandate.attempt_no > 1 else None
    except errors.GatewayError as error:
        _not_sent(mandate, at, why=f"look-up failed: {type(error).__name__}")
        return
    if found:
        _known(mandate, found.provider_ref, at, how="look-up before sending again")
        return
    try:
        ref = mandate_gateway.create(mandate, on=at.astimezone(IST).date())
    except errors.GatewayError as error:
        _trouble(mandate, error, at)
    else:
        _known(mandate, ref, at, how="answer to our request")


def _find(mandate: Mandate) -> MandateSnapshot | None:
    others = Mandate.objects.filter(bank_account=mandate.bank_account_id, provider_ref__isnull=False)
    return mandate_gateway.find(mandate, {ref for ref in others.values_list("provider_ref", flat=True) if ref})


def _claim(mandate_id: int, at: datetime, *, has_ref: bool) -> Mandate | None:
    """The row with an attempt of its own; None when there is nothing to send now."""
    with transaction.atomic(durable=True):
        gates.check()
        row = locked(mandate_id)
        wanted = wants_a_page(row) if has_ref else row.state == lifecycle.CREATED and row.provider_ref is None
        if row.attempt or not wanted or row.cancel_asked_at:
            return None
        row.open_attempt(at)
        row.save(update_fields=[*ATTEMPT_FIELDS])
    return row


def _still_mine(taken: Mandate) -> Mandate | None:
    """The locked row, if nobody else has taken it over since."""
    row = locked(taken.pk)
    return row if row.holds(taken.attempt_no) and row.attempt == taken.attempt else None


def _known(taken: Mandate, provider_ref: str, at: datetime, *, how: str) -> None:
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.provider_ref = provider_ref
        row.close_attempt()
        row.save(update_fields=["provider_ref", *ATTEMPT_FIELDS])
        audit.record(row, "mandate.known_to_provider", actor=None, at=at, provider_ref=provider_ref, how=how)
        cases.close_cases(subject=row, kinds=(UNKNOWN_CASE,), resolution="FP has the mandate.", at=at)
        move_to(row, lifecycle.AWAITING_INVESTOR, at=at)
        wait = GATEWAYS[settings.FP_ORDER_GATEWAY].settles
        row.due_at = at + wait
        row.save(update_fields=["due_at"])
        jobs.nudge("investors.advance_mandate", row_id=row.pk, delay_s=wait.total_seconds())


def _trouble(taken: Mandate, error: errors.GatewayError, at: datetime) -> None:
    """What an attempt that brought no number means for the row."""
    if isinstance(error, (*errors.NOT_TAKEN, errors.NotAuthorised)):
        _not_sent(taken, at, why=type(error).__name__, error=error)
        return
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        if isinstance(error, errors.Refused):
            _refused(row, error, at)
        else:
            _mark_unknown(row, at, why=type(error).__name__)


def _refused(row: Mandate, error: errors.Refused, at: datetime) -> None:
    """FP does not take it: each complaint for its field of the next try; ops hear of those at no field."""
    row.close_attempt()
    row.reason, row.refusal = error.said[:300], refusals.told(error)
    row.save(update_fields=["reason", "refusal", *ATTEMPT_FIELDS])
    move_to(row, lifecycle.REJECTED, at=at, by="FP", fields=[each["field"] for each in row.refusal])
    if mandate_refusals.nowhere(row.refusal):
        title = f"FP refused mandate {row.code} for what no form asks for"
        _case(row, REFUSED_CASE, title, refusals.for_ops(row.refusal), at)


def _mark_unknown(row: Mandate, at: datetime, *, why: str) -> None:
    row.mark_unknown(at)
    row.save(update_fields=[*ATTEMPT_FIELDS])
    audit.record(row, "mandate.outcome_unknown", actor=None, at=at, why=why)
    jobs.nudge("investors.advance_mandate", row_id=row.pk, delay_s=2)


def _not_sent(taken: Mandate, at: datetime, *, why: str, error: errors.GatewayError | None = None) -> None:
    """The attempt ended before anything was taken: the next one may send, after a look."""
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.close_attempt()
        row.due_at = at + timedelta(seconds=RESEND_AFTER_S)
        row.save(update_fields=[*ATTEMPT_FIELDS])
        audit.record(row, "mandate.not_sent", actor=None, at=at, why=why)
        if isinstance(error, errors.NotAuthorised):
            _case(row, CREDENTIALS_CASE, "FP does not accept our credentials", f"{error}. The mandate waits.", at)


# --- settle ---------------------------------------------------------------------------------------------------


def settle(*, mandate_id: int, at: datetime) -> None:
    """An attempt whose worker died, or whose outcome is unknown. Raises the gateway error of a look-up that failed."""
    row = _take_over(mandate_id, at)
    if row is None:
        return
    try:
        found = _find(row)
    except errors.GatewayError:
        _look_later(row, at)
        raise
    if found:
        _known(row, found.provider_ref, at, how="look-up by account, limit and time")
    else:
        _found_nothing(row, at)


def _take_over(mandate_id: int, at: datetime) -> Mandate | None:
    with transaction.atomic(durable=True):
        row = locked(mandate_id)
        if row.lease_ran_out(at):
            creating = row.provider_ref is None
            if creating and journal.was_begun(row, row.attempt_no, mandate_gateway.CREATE_PATH):
                _mark_unknown(row, at, why="the worker stopped")
            else:
                # Nothing was sent, or only a page was asked for, which nobody has.
                row.close_attempt()
                row.due_at = at
                row.save(update_fields=[*ATTEMPT_FIELDS])
                jobs.nudge("investors.advance_mandate", row_id=row.pk)
        return row if row.is_unknown else None


def _look_later(taken: Mandate, at: datetime) -> None:
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.look_again(at)
        row.save(update_fields=[*ATTEMPT_FIELDS])
        if row.out_of_patience(at):
            title = f"Nobody knows whether FP has mandate {row.code}"
            _case(row, UNKNOWN_CASE, title, "Look-ups fail. Compare the account's mandates with FP.", at)


def _found_nothing(taken: Mandate, at: datetime) -> None:
    """An empty look-up is believed only after several of them over five minutes."""
    since = taken.unknown_since or at
    if at - since < SURE_AFTER or taken.looks < SURE_LOOKS:
        _look_later(taken, at)
        return
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.close_attempt()
        row.due_at = at
        row.save(update_fields=[*ATTEMPT_FIELDS])
        audit.record(row, "mandate.not_taken", actor=None, at=at, why="look-ups found nothing")
        jobs.nudge("investors.advance_mandate", row_id=row.pk)


# --- the bank's page ------------------------------------------------------------------------------------------


def wants_a_page(row: Mandate) -> bool:
    """An e-mandate that waits for the investor and has no page that was not handed out yet."""
    online = row.kind == Mandate.Kind.E_MANDATE and row.state == lifecycle.AWAITING_INVESTOR
    return online and not row.page_url and row.page_expires_at is None and row.cancel_asked_at is None


def authorise(*, mandate_id: int, at: datetime) -> None:
    """The bank's page is ready to be opened, or the row says what happens next. Safe to call at any time."""
    taken = _claim(mandate_id, at, has_ref=True)
    if taken is None:
        return
    try:
        address = mandate_gateway.authorise(taken)
    except errors.Refused as error:
        # FP says that it does not wait for the investor: ask what it is instead.
        _not_sent(taken, at, why="Refused")
        refresh(mandate_id=mandate_id, at=at)
        _page_refused(mandate_id, error, at)
        return
    except errors.GatewayError as error:
        # Whatever became of it: a page whose address is lost authorises nothing.
        _not_sent(taken, at, why=type(error).__name__, error=error)
        return
    with transaction.atomic(durable=True):
        row = _still_mine(taken)
        if row is None:
            return
        row.page_url, row.page_expires_at, row.refusal = address, at + PAGE_LIVES, []
        row.close_attempt()
        row.due_at = at + timedelta(seconds=PACE_S[lifecycle.AWAITING_INVESTOR])
        row.save(update_fields=["page_url", "page_expires_at", "refusal", *ATTEMPT_FIELDS])
        audit.record(row, "mandate.page_ready", actor=None, at=at)
        cases.close_cases(subject=row, kinds=(PAGE_CASE,), resolution="The page is ready.", at=at)


def _page_refused(mandate_id: int, error: errors.Refused, at: datetime) -> None:
    """FP says that the mandate waits for its investor, and makes no page for it: nothing of it is the investor's."""
    with transaction.atomic(durable=True):
        row = locked(mandate_id)
        if row.attempt or not wants_a_page(row):
            return
        row.refusal, row.due_at = refusals.told(error), at + ASK_FOR_A_PAGE_AGAIN
        row.save(update_fields=["refusal", "due_at"])
        title = f"FP makes no page at the bank for mandate {row.code}"
        _case(row, PAGE_CASE, title, refusals.for_ops(row.refusal), at)


# --- cancel ---------------------------------------------------------------------------------------------------


def cancel(*, mandate_id: int, at: datetime) -> None:
    """FP has been asked to cancel, and what it says afterwards is absorbed. Raises the gateway errors of the read."""
    row = Mandate.objects.select_related("bank_account").get(pk=mandate_id)
    if row.provider_ref is None:
        with transaction.atomic(durable=True):
            row = locked(mandate_id)
            if not row.attempt and row.provider_ref is None and row.state == lifecycle.CREATED:
                move_to(row, lifecycle.CANCELLED, at=at)
        return
    try:
        mandate_gateway.cancel(row)
    except errors.GatewayError as error:
        audit.record(row, "mandate.cancel_unclear", actor=None, at=at, why=type(error).__name__)
        if row.cancel_asked_at and at - row.cancel_asked_at >= PATIENCE:
            _case(row, CANCEL_CASE, f"Mandate {row.code} is not cancelled yet", f"{error}. We go on asking.", at)
    refresh(mandate_id=mandate_id, at=at)


# --- refresh and absorb ---------------------------------------------------------------------------------------


def refresh(*, mandate_id: int, at: datetime, actor: User | None = None, reason: str = "") -> None:
    """What FP says about the mandate now has been absorbed. Raises the gateway errors of a read."""
    mandate = Mandate.objects.select_related("bank_account").get(pk=mandate_id)
    if actor:
        audit.record(mandate, "mandate.refresh_asked", actor=actor, at=at, reason=reason)
    if mandate.is_unknown:
        settle(mandate_id=mandate_id, at=at)
    elif mandate.provider_ref:
        absorb(mandate_id=mandate_id, snapshot=mandate_gateway.fetch(mandate), at=at)


def absorb(*, mandate_id: int, snapshot: MandateSnapshot, at: datetime) -> Verdict | None:
    """Judge what FP says about a mandate and make it true here; another account or limit moves nothing."""
    with transaction.atomic(durable=True):
        row = locked(mandate_id)
        if wrong := _contradiction(row, snapshot):
            _case(row, CONFLICT_CASE, f"Mandate {row.code}: FP says something that cannot be", wrong, at)
            return Verdict.CONFLICT
        if snapshot.state is None:
            return None
        verdict = lifecycle.MANDATE.judge(row.state, snapshot.state)
        if verdict == Verdict.CONFLICT:
            what = f"FP says {snapshot.their_word}, we hold {row.state}. Nothing was changed."
            _case(row, CONFLICT_CASE, f"Mandate {row.code}: FP says something that cannot be", what, at)
        elif verdict != Verdict.STALE:
            _take_in(row, snapshot)
        if verdict == Verdict.APPLY:
            _apply(row, snapshot, at)
    return verdict


def _contradiction(row: Mandate, said: MandateSnapshot) -> str:
    checks = (
        (row.provider_ref != said.provider_ref, "another mandate's number"),
        (said.bank_ref is not None and said.bank_ref != row.bank_account.provider_ref, "another bank account"),
        (said.limit is not None and said.limit != row.limit, f"another limit: {said.limit}"),
    )
    return next((f"{words}. Nothing was changed." for wrong, words in checks if wrong), "")


TAKEN_IN = ("mandate_ref", "umrn", "received_at", "submitted_at", "approved_at", "rejected_at")


def _take_in(row: Mandate, said: MandateSnapshot) -> None:
    """References and times; what we know already is never emptied."""
    changed = [name for name in TAKEN_IN if getattr(said, name) and getattr(said, name) != getattr(row, name)]
    for name in changed:
        setattr(row, name, getattr(said, name))
    if changed:
        row.save(update_fields=changed)


def _apply(row: Mandate, said: MandateSnapshot, at: datetime) -> None:
    if row.attempt:
        # FP knows more than our open attempt: its answer, when it comes, finds that it no longer holds the row.
        row.close_attempt()
    row.page_url, row.page_expires_at, row.refusal = "", None, []
    row.reason = said.reason if said.state == lifecycle.REJECTED else row.reason
    row.save(update_fields=["page_url", "page_expires_at", "refusal", "reason", *ATTEMPT_FIELDS])
    move_to(row, said.state or row.state, at=at)
    cases.close_cases(subject=row, kinds=(PAGE_CASE,), resolution="The mandate has moved on.", at=at)
    if row.state == lifecycle.APPROVED:
        _verified(row.bank_account, at)
    if row.state in lifecycle.MANDATE.final:
        cases.close_cases(subject=row, kinds=(CANCEL_CASE,), resolution="The mandate has ended.", at=at)


def _verified(account: BankAccount, at: datetime) -> None:
    """The bank itself has recognised account and holder."""
    if not account.verified:
        account.verified, account.verified_at = BankAccount.Verified.MANDATE, at
        account.save(update_fields=["verified", "verified_at"])
        audit.record(account, "bank_account.verified", actor=None, at=at, by="mandate")


# --- the sweep ------------------------------------------------------------------------------------------------


def advance(*, mandate_id: int, at: datetime) -> None:
    """Do what the row says remains to be done."""
    row = Mandate.objects.get(pk=mandate_id)
    if row.attempt:
        settle(mandate_id=mandate_id, at=at)
    elif row.cancel_asked_at and row.state not in lifecycle.MANDATE.final:
        cancel(mandate_id=mandate_id, at=at)
    elif row.state == lifecycle.CREATED:
        create(mandate_id=mandate_id, at=at)
    elif wants_a_page(row):
        authorise(mandate_id=mandate_id, at=at)
    elif row.state not in lifecycle.MANDATE.final:
        refresh(mandate_id=mandate_id, at=at)


# --- shared ---------------------------------------------------------------------------------------------------


def locked(mandate_id: int) -> Mandate:
    """The row, locked and fresh; the account beside it is read, not locked."""
    rows = Mandate.objects.select_for_update(of=("self",)).select_related("bank_account", "investor")
    return rows.get(pk=mandate_id)


def move_to(row: Mandate, state: str, *, at: datetime, **data: object) -> None:
    """The locked row is in `state`, with an audit entry that names skipped steps, and the next look is set."""
    was, way = row.state, lifecycle.MANDATE.path(row.state, state)
    if not way:
        raise ValueError(f"no way from {was} to {state}")
    row.state, row.state_since = state, at
    pace = APPROVED_PACE_S if state == lifecycle.APPROVED else PACE_S.get(state)
    row.due_at = at + timedelta(seconds=pace) if pace else None
    row.save(update_fields=["state", "state_since", "due_at"])
    audit.record(row, f"mandate.{state.lower()}", actor=None, at=at, was=was, skipped=list(way[:-1]), data=data)
    mandate_notices.tell(row, at=at)


def _case(row: Mandate, kind: str, title: str, detail: str, at: datetime) -> None:
    cases.open_case(kind=kind, subject=row, title=title, detail=detail, at=at)
