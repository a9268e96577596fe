"""Speaking to FP about a fresh KYC: one call an attempt, each safe to repeat.

    essentials   FP takes a second request for the same PAN without a word, and they carry no reference of ours. So a
                 look at FP's list comes before every sending, and an unknown outcome is looked up for five minutes.
    files        a file that nothing names does nothing: one whose answer was lost is sent again
    the rest     the same change twice is one change; after a lost answer FP is asked what it has, and it is sent again

No transaction is open during a call, and only the holder of the attempt sends.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from investors import kyc_gateway, kyc_steps, lifecycle, refusals
from investors.kyc_complaints import NEEDED
from investors.kyc_gateway import Snapshot
from investors.kyc_steps import Sheet
from investors.models import Document, KycRequest
from investors.operations import documents, kyc_notices, kyc_requests
from investors.operations.kyc_requests import locked, sheet_of
from portal import audit, cases, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.gateway import errors, journal

RESEND_AFTER_S = 10
# How long an unknown outcome is looked up before an empty answer is believed (as for registrations).
SURE_AFTER, SURE_LOOKS = timedelta(minutes=5), 4
UNKNOWN_CASE = "kyc_request_unknown"
REFUSED_CASE = "kyc_request_refused"
CREDENTIALS_CASE = "provider_refuses_our_credentials"
TASK = "investors.advance_kyc_request"


def advance(*, request_id: int, at: datetime) -> None:
    """The request is one call further, or the row says when it will be looked at again. Raises errors of reads."""
    row = KycRequest.objects.only("state", "submitted_at", "approved_at", "resent_by", "due_at").get(pk=request_id)
    if row.due_at is None:
        return
    if _is_to_send(row):
        _send_next(request_id, at)
    elif row.state in kyc_requests.OPEN:
        kyc_requests.refresh(request_id=request_id, at=at)
    else:
        kyc_requests.finish(request_id=request_id, at=at)


def _is_to_send(row: KycRequest) -> bool:
    """The essentials go at once; what was confirmed goes with the desk's yes, and so does all that the desk sends."""
    if kyc_requests.waits_for_the_desk(row):
        return row.state == lifecycle.DRAFT and row.resent_by_id is None
    return row.state == lifecycle.DRAFT or (row.state == lifecycle.PENDING and row.submitted_at is not None)


def _send_next(request_id: int, at: datetime) -> None:
    row = _take(request_id, at)
    if row is None:
        return
    sheet = sheet_of(row)
    try:
        found = _look(sheet)
    except errors.GatewayError as error:
        _look_failed(row, error, at)
        return
    if found:
        # What is sent again after a lost answer waits a moment, as everything does that was not taken.
        wait = timedelta(seconds=RESEND_AFTER_S if row.state == lifecycle.PENDING else 0)
        kyc_requests.absorb(request_id=row.pk, snapshot=found, at=at, source="look-up", wait=wait)
    elif row.is_unknown:
        _found_nothing(row, at)
    else:
        _send(sheet, at)


def _look(sheet: Sheet) -> Snapshot | None:
    """What FP has already: of the essentials always, of the rest only when an answer was lost."""
    if sheet.request.state == lifecycle.DRAFT:
        return kyc_gateway.find_open(sheet)
    return kyc_gateway.fetch(sheet) if sheet.request.is_unknown else None


def _send(sheet: Sheet, at: datetime) -> None:
    row = sheet.request
    document = _unsent(sheet) if row.state == lifecycle.PENDING else None
    try:
        if document:
            ref = kyc_gateway.upload(sheet, document, documents.content(document))
        else:
            answer = kyc_gateway.create(sheet) if row.state == lifecycle.DRAFT else kyc_gateway.complete(sheet)
    except errors.GatewayError as error:
        _record_trouble(sheet, document, error, at)
        return
    if document:
        _file_sent(row, document, ref, at)
    else:
        kyc_requests.absorb(request_id=row.pk, snapshot=answer, at=at, source="answer to our request")
        _give_back(row, at)


def _unsent(sheet: Sheet) -> Document | None:
    """The next file that FP does not have."""
    kinds = [kind for step in kyc_steps.steps_of(sheet) for kind in step.files]
    waiting = (sheet.documents[kind] for kind in kinds if kind in sheet.documents)
    return next((each for each in waiting if each.provider_ref is None), None)


def _file_sent(taken: KycRequest, document: Document, ref: str, at: datetime) -> None:
    with transaction.atomic(durable=True):
        document.provider_ref = ref
        document.save(update_fields=["provider_ref"])
        audit.record(document, "document.sent", actor=None, at=at, provider_ref=ref)
        row = locked(taken.pk)
        if _mine(row, taken):
            _go_on(row, at)


def _give_back(taken: KycRequest, at: datetime) -> None:
    """FP took everything and still misses something: the investor is told what, at its step."""
    with transaction.atomic(durable=True):
        row = locked(taken.pk)
        if row.state != lifecycle.PENDING or row.submitted_at is None or taken.state != lifecycle.PENDING:
            return
        if row.fields_needed:
            row.refusal = kyc_steps.placed({"field": name, "message": NEEDED} for name in row.fields_needed)
            row.submitted_at = None
            row.due_at = kyc_requests.next_look(row, at)
        else:
            row.due_at = at + kyc_requests.LATER
        row.save()
        audit.record(row, "kyc_request.still_needed", actor=None, at=at, fields=row.fields_needed)
        _tell(row, at)


def _tell(row: KycRequest, at: datetime) -> None:
    """Whoever has something to correct hears of it: they were told that they may close the page."""
    if any(kyc_steps.place_of(each["field"])[0] for each in row.refusal):
        kyc_notices.tell_given_back(row, at=at)


# --- claim ------------------------------------------------------------------------------------------------------


def _take(request_id: int, at: datetime) -> KycRequest | None:
    """The row with an attempt of its own, or an unknown one to be looked up. None when it rests or is somebody's."""
    with transaction.atomic(durable=True):
        row = locked(request_id)
        if row.due_at is None or not _is_to_send(row):
            return None
        if row.attempt == KycRequest.Outcome.OPEN:
            if not row.lease_ran_out(at):
                return None
            if row.state == lifecycle.DRAFT and journal.was_begun(row, row.attempt_no, kyc_gateway.PATH):
                _mark_unknown(row, at, "the worker stopped")
                return row
            row.close_attempt()
        if not row.is_unknown:
            row.open_attempt(at)
            row.save(update_fields=[*ATTEMPT_FIELDS])
    return row


def _mine(row: KycRequest, taken: KycRequest) -> bool:
    return row.holds(taken.attempt_no) and row.attempt == taken.attempt and row.state == taken.state


def _go_on(row: KycRequest, at: datetime) -> None:
    row.close_attempt()
    row.due_at = at
    row.save(update_fields=[*ATTEMPT_FIELDS])
    jobs.nudge(TASK, row_id=row.pk)


# --- trouble ----------------------------------------------------------------------------------------------------


def _mark_unknown(row: KycRequest, at: datetime, why: str) -> None:
    row.mark_unknown(at)
    row.save(update_fields=[*ATTEMPT_FIELDS])
    audit.record(row, "kyc_request.outcome_unknown", actor=None, at=at, why=why)
    jobs.nudge(TASK, row_id=row.pk, delay_s=2)


def _record_trouble(sheet: Sheet, document: Document | None, error: errors.GatewayError, at: datetime) -> None:
    """What an attempt that brought no usable answer means for the row."""
    taken = sheet.request
    if isinstance(error, errors.Refused) and document is None and _has_moved_on(sheet, at):
        return
    with transaction.atomic(durable=True):
        row = locked(taken.pk)
        if not _mine(row, taken):
            return
        if isinstance(error, errors.Refused):
            _refused(row, document, error, at)
        elif isinstance(error, errors.IN_DOUBT) and document is None:
            _mark_unknown(row, at, type(error).__name__)
        else:
            _release(row, error, at)


def _has_moved_on(sheet: Sheet, at: datetime) -> bool:
    """FP refuses to change what it has submitted already: then its state is the news, not the refusal."""
    if sheet.request.state != lifecycle.PENDING:
        return False
    try:
        now = kyc_gateway.fetch(sheet)
    except errors.GatewayError:
        return False
    if now.state in (None, lifecycle.PENDING):
        return False
    kyc_requests.absorb(request_id=sheet.request.pk, snapshot=now, at=at, source="look after a refusal")
    return True


def _refused(row: KycRequest, document: Document | None, error: errors.Refused, at: datetime) -> None:
    """FP does not take it as it is: back to the investor, each complaint at its field; ops hear of those at none."""
    said = refusals.told(error)
    if document:
        said = [{"field": _field_of(document), "message": each["message"]} for each in said]
    row.close_attempt()
    row.refusal = kyc_steps.placed(said)
    row.submitted_at = None
    row.due_at = kyc_requests.next_look(row, at)
    row.save()
    audit.record(row, "kyc_request.refused", actor=None, at=at, fields=[each["field"] for each in row.refusal])
    _tell(row, at)
    if any(kyc_steps.is_at_no_field(each["field"]) for each in row.refusal):
        title = f"FP refused KYC request {row.code} for what no form asks for"
        detail = refusals.for_ops(row.refusal)
        cases.open_case(kind=REFUSED_CASE, subject=row, title=title, detail=detail, at=at)


def _field_of(document: Document) -> str:
    found = {kind: name for name, kind in kyc_steps.FILE_FIELDS.items()}
    for address, files in kyc_steps.ADDRESS_FILES.items():
        found |= {kind: f"{address}.{name}" for name, kind in files.items()}
    return found[Document.Kind(document.kind)]


def _release(row: KycRequest, error: errors.GatewayError, at: datetime) -> None:
    """Nothing that counts was done: the next attempt sends again."""
    row.close_attempt()
    row.due_at = at + timedelta(seconds=max(RESEND_AFTER_S, getattr(error, "retry_after_s", 0)))
    row.save(update_fields=[*ATTEMPT_FIELDS])
    audit.record(row, "kyc_request.not_sent", actor=None, at=at, why=type(error).__name__)
    if isinstance(error, errors.NotAuthorised):
        title = "FP does not accept our credentials"
        cases.open_case(kind=CREDENTIALS_CASE, subject=row, title=title, detail=f"{error}. It waits.", at=at)


def _look_failed(taken: KycRequest, error: errors.GatewayError, at: datetime) -> None:
    """Trouble while looking is no answer: an unknown stays unknown, an unsent one stays unsent."""
    with transaction.atomic(durable=True):
        row = locked(taken.pk)
        if not _mine(row, taken):
            return
        if row.is_unknown:
            _look_later(row, at)
        else:
            _release(row, error, at)


def _found_nothing(taken: KycRequest, at: datetime) -> None:
    """An empty look-up: believed only after several of them over five minutes."""
    with transaction.atomic(durable=True):
        row = locked(taken.pk)
        if not _mine(row, taken) or row.unknown_since is None:
            return
        if at - row.unknown_since < SURE_AFTER or row.looks < SURE_LOOKS:
            _look_later(row, at)
            return
        audit.record(row, "kyc_request.not_taken", actor=None, at=at, why="look-ups found nothing")
        _go_on(row, at)


def _look_later(row: KycRequest, at: datetime) -> None:
    row.look_again(at)
    row.save(update_fields=[*ATTEMPT_FIELDS])
    if row.out_of_patience(at):
        title = f"Nobody knows whether FP has KYC request {row.code}"
        cases.open_case(kind=UNKNOWN_CASE, subject=row, title=title, detail="Look-ups fail. Compare with FP.", at=at)
