"""A write under an Idempotency-Key happens once (P6 of reliability.md): the same key and body get the same bytes.

    note      the key is on record before anything is done
    work      under the row's lock, in one transaction: the effect, and the answer on the row

So the effect and its answer commit together. A call that was killed half-way has left neither, its lock has gone with
its connection, and whoever comes next under the key does the work. Calls that come meanwhile wait for a while, and are
told to come back when that was not enough.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.http import HttpResponse

from portal.api.errors import Trouble
from portal.api.models import IdempotentCall
from portal.models import Partner

KEPT = timedelta(days=30)
WAIT = "10s"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# The disk is not waited for: the effect is logged behind the note, so whatever keeps the effect keeps the note.
_NOTE = """
    INSERT INTO portal_idempotentcall (partner_id, route, key, fingerprint, headers, body, created_at)
    VALUES (%s, %s, %s, %s, '{}', '', %s) ON CONFLICT (partner_id, route, key) DO NOTHING
    RETURNING set_config('synchronous_commit', 'off', true)
"""


def answer(
    *, partner: Partner, route: str, key: str, body: bytes, at: datetime, work: Callable[[], HttpResponse]
) -> HttpResponse:
    """What `work` answers, now or by an earlier call. Raises Trouble for a missing or reused key, or one in work.

    `work` is called in a transaction and changes nothing outside of the database before it commits.
    """
    if not _KEY.fullmatch(key):
        raise Trouble("idempotency_key_missing")
    print_of_body = hashlib.sha256(body).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [partner.pk, route, key, print_of_body, at])
    try:
        with transaction.atomic():
            return _answer(_locked(partner, route, key), print_of_body, at, work)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        raise Trouble("still_running", Retry_After="1") from None


# The patience is for this row alone: it begins before the lock is asked for, and ends once the row is there.
_LOCK = """
    SELECT id, fingerprint, status, set_config('lock_timeout', '0', true) FROM (
        SELECT * FROM portal_idempotentcall
         WHERE partner_id = %s AND route = %s AND key = %s AND set_config('lock_timeout', %s, true) IS NOT NULL
           FOR UPDATE) AS locked
"""


def _locked(partner: Partner, route: str, key: str) -> tuple[int, str, int | None]:
    """The row's id, the fingerprint of its body, and the status of its answer if it has one."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [partner.pk, route, key, WAIT])
        row_id, fingerprint, status, _ = cursor.fetchone()
    return row_id, fingerprint, status


def _answer(
    row: tuple[int, str, int | None], print_of_body: str, at: datetime, work: Callable[[], HttpResponse]
) -> HttpResponse:
    row_id, fingerprint, status = row
    if fingerprint != print_of_body:
        raise Trouble("idempotency_key_reused")
    if status is not None:
        return _again(IdempotentCall.objects.get(pk=row_id))
    response = work()
    IdempotentCall.objects.filter(pk=row_id).update(
        status=response.status_code,
        answered_at=at,
        headers={name: response[name] for name in ("Content-Type", "Location") if name in response},
        body=response.content.decode(),
    )
    return response


def _again(row: IdempotentCall) -> HttpResponse:
    response = HttpResponse(row.body, status=row.status)
    for name, value in {**row.headers, "Idempotency-Replayed": "true"}.items():
        response[name] = value
    return response


def forget(at: datetime) -> int:
    """Keys are kept for thirty days. Returns how many were forgotten."""
    return IdempotentCall.objects.filter(created_at__lt=at - KEPT).delete()[0]
