"""The journal: every call to a provider as a redacted row, on the page of the thing it was about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models

from portal import audit, clock, redaction
from portal.gateway import errors
from portal.gateway.gathered import gathered, may_wait
from portal.gateway.transport import Request, Response
from portal.models import GatewayCall
from portal.scope import ALL, scope

# The methods of a provider's writes.
WRITING = ("POST", "PATCH")
# CERT-In, directions of 28 Apr 2022, (iv).
KEPT_AT_LEAST_DAYS = 180
# A batch is one short statement; a run of so many of them ends, and the next day goes on.
PURGE_BATCH = 2_000
PURGE_BATCHES = 500


@dataclass(frozen=True)
class About:
    """What a call is about: our object, the reference the provider hears, and the attempt on the row."""

    subject_kind: str = ""
    subject_id: str = ""
    our_ref: str = ""
    attempt_no: int = 0
    # False for master data by the megabyte: the journal keeps that the call was made, not what it carried.
    keep_body: bool = True


@dataclass(frozen=True)
class Fenced(About):
    """An `About` of a write that only the holder of an attempt may send: what `fenced` makes."""

    # The table of the row (`portal/attempts.py`) whose attempt must still be open when the call begins. Empty where no
    # row stands behind the call, as in benchmarks.
    fence: str = ""


def about(subject: models.Model, *, our_ref: str = "", attempt_no: int = 0) -> About:
    """An `About` for one of our rows."""
    return About(audit.kind_of(subject), str(subject.pk), our_ref, attempt_no)


def fenced(subject: models.Model, *, our_ref: str = "", attempt_no: int) -> Fenced:
    """The same for a write that may begin only while `subject` still has this attempt open.

    Whoever takes an attempt over concludes from the journal that nothing was sent. So a worker that slept through its
    lease and wakes before its row of the journal must not send any more: the row is written only together with a look
    at the fencing number, under a lock that waits for whoever takes over just now.
    """
    kind = audit.kind_of(subject)
    return Fenced(kind, str(subject.pk), our_ref, attempt_no, fence=subject._meta.db_table)


OUTCOMES: dict[type[errors.GatewayError], str] = {
    errors.Unreachable: GatewayCall.Outcome.UNREACHABLE,
    errors.Throttled: GatewayCall.Outcome.THROTTLED,
    errors.OutcomeUnknown: GatewayCall.Outcome.OUTCOME_UNKNOWN,
    errors.NotAuthorised: GatewayCall.Outcome.NOT_AUTHORISED,
    errors.Refused: GatewayCall.Outcome.REFUSED,
    errors.Garbled: GatewayCall.Outcome.GARBLED,
}

# Written out, because a write waits for them twice. The end of a call need not wait for the disk: should the machine
# fail in that second, the row says SENDING, which sends us to look.
_BEGUN = ("provider", "method", "path", "our_ref", "attempt_no", "subject_kind", "subject_id", "outcome", "started_at")
_COLUMNS = f"INSERT INTO portal_gatewaycall ({', '.join(_BEGUN)}, request_body, error)"
_VALUES = f"{', '.join(['%s'] * len(_BEGUN))}, %s::jsonb, ''"
_INSERT = f"{_COLUMNS} VALUES ({_VALUES}) RETURNING id"
_INSERT_FENCED = (
    f"{_COLUMNS} SELECT {_VALUES}"  # noqa: S608 - our own names
    " FROM (SELECT 1 FROM {table} WHERE id = %s AND attempt_no = %s AND attempt = 'OPEN' FOR SHARE) AS held"
    " RETURNING id"
)
_ENDED = ("outcome", "status", "error", "took_ms")
_UPDATE = (
    f"UPDATE portal_gatewaycall SET {', '.join(f'{name} = %s' for name in _ENDED)}, response_body = %s::jsonb"  # noqa: S608
    " WHERE id = %s AND set_config('synchronous_commit', 'off', true) IS NOT NULL"
)


def begin(provider: str, request: Request, subject: About, *, effect: bool) -> GatewayCall:
    """The row of a call; of one that may have an effect it is committed before the first byte leaves.

    Raises Unreachable for a fenced call whose attempt somebody else has taken over: nothing may be sent.
    """
    call = GatewayCall(
        provider=provider,
        method=request.method,
        path=redaction.text(_path(request))[:300],
        our_ref=subject.our_ref,
        attempt_no=subject.attempt_no,
        subject_kind=subject.subject_kind,
        subject_id=subject.subject_id,
        outcome=GatewayCall.Outcome.SENDING,
        request_body=_said(request),
        started_at=clock.now(),
    )
    if effect and not _begin(call, subject.fence if isinstance(subject, Fenced) else ""):
        why = "somebody else has taken over this attempt"
        raise errors.Unreachable(provider, request.method, request.path, said=why)
    return call


def end(
    call: GatewayCall,
    response: Response | None,
    error: errors.GatewayError | None,
    started: datetime,
    *,
    keep_body: bool = True,
) -> None:
    """What became of the call; a read is written down only now, with others. The body of a failure is kept."""
    became = {
        "outcome": OUTCOMES[type(error)] if error else GatewayCall.Outcome.OK,
        "status": response.status if response else None,
        "response_body": readable(response) if response and (keep_body or error) else None,
        "error": redaction.text(str(error))[:500] if error else "",
        "took_ms": max(0, int((clock.now() - started).total_seconds() * 1000)),
    }
    for field, value in became.items():
        setattr(call, field, value)
    if call.pk is not None:
        _finish(call)
    elif may_wait():
        gathered.add(call)
    else:
        call.save(force_insert=True)


def _begin(call: GatewayCall, fence: str) -> bool:
    """Write the row down. False where the fence has closed."""
    values = [*(getattr(call, name) for name in _BEGUN), _json(call.request_body)]
    with connection.cursor() as cursor:
        if fence:
            statement = _INSERT_FENCED.format(table=connection.ops.quote_name(fence))
            cursor.execute(statement, [*values, int(call.subject_id), call.attempt_no])
        else:
            cursor.execute(_INSERT, values)
        row = cursor.fetchone()
    call.pk = row[0] if row else None
    return row is not None


def _finish(call: GatewayCall) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [*(getattr(call, name) for name in _ENDED), _json(call.response_body), call.pk])


def _json(body: Any) -> str | None:
    return None if body is None else json.dumps(body)


def was_begun(subject: models.Model, attempt_no: int, path_part: str = "") -> bool:
    """Did any byte of this attempt possibly leave? False proves that nothing was sent."""
    # Also what a worker has sent: a call that this connection does not see must not prove that nothing was sent.
    with scope(ALL):
        return _sent(subject, attempt_no, path_part).exists()


def begun_at(subject: models.Model, attempt_no: int, path_part: str = "") -> datetime | None:
    """When this attempt began to leave; None when the journal has nothing of it (any more)."""
    with scope(ALL):
        calls = _sent(subject, attempt_no, path_part).order_by("started_at")
        return calls.values_list("started_at", flat=True).first()


def _sent(subject: models.Model, attempt_no: int, path_part: str) -> models.QuerySet[GatewayCall]:
    calls = GatewayCall.objects.filter(
        subject_kind=audit.kind_of(subject),
        subject_id=str(subject.pk),
        attempt_no=attempt_no,
        path__contains=path_part,
        method__in=WRITING,
    )
    return calls.exclude(outcome=GatewayCall.Outcome.UNREACHABLE)


def purge(at: datetime) -> int:
    """Calls older than `JOURNAL_DAYS` are forgotten, in small batches. Returns how many."""
    days = max(settings.JOURNAL_DAYS, KEPT_AT_LEAST_DAYS)
    old = GatewayCall.objects.filter(started_at__lt=at - timedelta(days=days)).order_by("started_at")
    forgotten = 0
    for _ in range(PURGE_BATCHES):
        found, _ = GatewayCall.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:PURGE_BATCH])).delete()
        forgotten += found
        if found < PURGE_BATCH:
            break
    return forgotten


def readable(response: Response) -> Any:
    """A body as the journal keeps it: redacted JSON, or redacted text when it is none."""
    try:
        return redaction.redact(response.json())
    except (ValueError, RecursionError, ArithmeticError):
        return {"unreadable": redaction.text(response.body[:2_000].decode("utf-8", "replace").replace("\x00", ""))}


def _said(request: Request) -> Any:
    """What was sent, redacted. Of a file only its kind and size: names of files name people."""
    if not request.files:
        return redaction.redact(request.json)
    files = {name: f"{file.content_type}, {len(file.content)} bytes" for name, file in request.files.items()}
    return redaction.redact({"files": files, "fields": dict(request.fields or {})})


def _path(request: Request) -> str:
    query = "&".join(f"{key}={redaction.redact(value, key)}" for key, value in (request.params or {}).items())
    return f"{request.path}?{query}" if query else request.path
