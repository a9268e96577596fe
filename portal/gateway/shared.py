"""What all processes of a deployment share about a provider: the line for the next call, and how the provider is.

One row a provider, in an unlogged table: it is read and moved in one statement, costs no write to disk, and may be
lost in a crash. Nobody waits for it: a row that is held, or a database in trouble, means that a process goes by what
it knows itself.
"""

from __future__ import annotations

import time

import structlog
from django.db import DatabaseError, connection

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


def note(provider: str, **what: object) -> None:
    """Write down how the provider is (fields of `Provider`), for operations to see. Trouble with that is no trouble."""
    try:
        if not Provider.objects.filter(pk=provider).update(**what):
            Provider.objects.bulk_create([Provider(name=provider, **what)], ignore_conflicts=True)
    except DatabaseError as error:
        log.warning("provider_not_noted", provider=provider, error=type(error).__name__)
