"""What all processes of a deployment share about a provider: the line for the next call, and how the provider is.

One row a provider, in an unlogged table: it is read and moved in one statement, costs no write to disk, and may be
lost in a crash. Nobody waits for it: a row that is held, or a database in trouble, means that a process goes by what
it knows itself.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from enum import Enum

import structlog
from django.db import DatabaseError, connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Greatest

from portal.models import Provider

log = structlog.get_logger(__name__)
# The row is held for the length of one statement; whoever finds it held looks again a few times.
TRIES = 20
PAUSE_S = 0.001

# Skipping a held row is what makes this never wait; `clock_timestamp` is one clock for all machines.
_TAKE = """
    UPDATE portal_provider SET free_at = greatest(free_at, clock_timestamp()) + make_interval(secs => %(length)s)
     WHERE name = (SELECT name FROM portal_provider WHERE name = %(name)s FOR UPDATE SKIP LOCKED)
    RETURNING extract(epoch FROM free_at - clock_timestamp())::float8 - %(length)s
"""


def take(provider: str, length_s: float) -> float | None:
    """The next `length_s` seconds of the provider's line are ours. Returns in how many seconds they begin.

    None when the line cannot be asked: inside a transaction (the row would stay held), or in trouble.
    """
    if connection.in_atomic_block:
        return None
    try:
        return _take(provider, length_s)
    except DatabaseError as error:
        log.warning("shared_pace_away", provider=provider, error=type(error).__name__)
        return None


def _take(provider: str, length_s: float) -> float | None:
    for attempt in range(TRIES):
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, {"name": provider, "length": length_s})
            found = cursor.fetchone()
        if found:
            return float(found[0])
        # Held by somebody at this instant, or never made.
        if attempt == 0:
            Provider.objects.bulk_create([Provider(name=provider)], ignore_conflicts=True)
        time.sleep(PAUSE_S)
    return None


class Turn(Enum):
    """Whose turn it is to try a provider that was given a rest."""

    OURS = "ours"
    ANOTHERS = "another process tries, or rests still"
    ANSWERED = "another process was answered"


def probe(provider: str, at: datetime, lease_s: float) -> Turn:
    """Claim the one try of all processes, for `lease_s` at most. In trouble a process goes by what it knows itself."""
    try:
        return _probe(Provider.objects.filter(pk=provider), at, timedelta(seconds=lease_s))
    except DatabaseError as error:
        log.warning("shared_probe_away", provider=provider, error=type(error).__name__)
        return Turn.OURS


def _probe(row: QuerySet[Provider], at: datetime, lease: timedelta) -> Turn:
    # No rest and no lease reaches nearly so far: that was written by a clock that has been set back since. Clocks of
    # machines differ by seconds, and whoever claimed just now may have looked at its clock after us.
    due = Q(open_until__lte=at) | Q(open_until__gt=at + 2 * lease)
    if row.filter(due).update(open_until=at + lease):
        return Turn.OURS
    found = list(row.values_list("open_until", flat=True))
    # Without a row nobody has said anything: a crash of the database emptied the table.
    if not found:
        return Turn.OURS
    return Turn.ANSWERED if found[0] is None else Turn.ANOTHERS


def rest(provider: str, until: datetime, *, probed: bool) -> None:
    """Nobody tries before `until`; a probe that is out is waited for, unless it is the one that failed."""
    note(provider, open_until=until if probed else Greatest("open_until", Value(until)))


def note(provider: str, **what: object) -> None:
    """Write down how the provider is (fields of `Provider`), for operations to see. Trouble with that is no trouble."""
    row = Provider.objects.filter(pk=provider)
    try:
        if not row.update(**what):
            Provider.objects.bulk_create([Provider(name=provider)], ignore_conflicts=True)
            row.update(**what)
    except DatabaseError as error:
        log.warning("provider_not_noted", provider=provider, error=type(error).__name__)
