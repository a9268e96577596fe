"""Keeping what was read: whoever reads a file or list of somebody's notes here what it held, and how it ended.

    with file_runs.kept(FileRun.Pipeline.SHARES, at=at) as run:
        run.fingerprint = ...        what was read, and counts, as they become known

The row is written after the work: a run whose process died is not here, and the next one does its work again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from orders.models import FileRun
from portal import redaction
from portal.clock import IST
from portal.errors import Failure
from portal.gateway.errors import GatewayError

BAD_LINES_KEPT = 100


@contextmanager
def kept(pipeline: FileRun.Pipeline, *, at: datetime) -> Iterator[FileRun]:
    """The run is on record, also when the work ends with a foreseen trouble, which goes on to the caller.

    Nothing is kept of a look that neither read anything nor met trouble.
    """
    run = FileRun(pipeline=pipeline, read_on=at.astimezone(IST).date(), first_at=at, last_at=at)
    try:
        yield run
    except (Failure, GatewayError) as trouble:
        # What a refused file held was not used.
        run.changed, run.refusal = 0, redaction.text(str(trouble))[:300]
        _keep(run)
        raise
    if run.fingerprint:
        _keep(run)


def _keep(run: FileRun) -> None:
    key = {name: getattr(run, name) for name in ("pipeline", "read_on", "fingerprint", "refusal")}
    counts = ("about_on", "lines", "ignored", "unreadable", "bad_lines")
    values: dict[str, Any] = {name: getattr(run, name) for name in counts}
    with transaction.atomic():
        row, made = FileRun.objects.get_or_create(
            **key, defaults={**values, "changed": run.changed, "first_at": run.first_at, "last_at": run.last_at}
        )
        if not made:
            changed = F("changed") + run.changed
            FileRun.objects.filter(pk=row.pk).update(
                **values, changed=changed, last_at=run.last_at, times=F("times") + 1
            )


def bad_lines(lines: Iterable[tuple[int, str, str]]) -> list[dict[str, Any]]:
    """(number, text, why) of what cannot be used, as a run keeps it: the first hundred."""
    return [{"line": number, "text": text[:200], "why": why} for number, text, why in lines][:BAD_LINES_KEPT]


def fingerprint(lines: Iterable[object]) -> str:
    """Of a list that comes in pages or as a stream: of its lines, in any order."""
    whole = hashlib.sha256()
    for line in sorted(map(repr, lines)):
        whole.update(f"{line}\n".encode())
    return whole.hexdigest()
