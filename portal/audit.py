"""The audit log: an entry per act, chained by the database so that no edit, removal or reordering stays unseen.

Each entry is linked at commit by a deferred trigger: `hash = sha256(previous_hash || canonical text of the entry)`.
Linking at commit keeps the chain's lock for an instant only and after all row locks, so that it cannot deadlock with
them. `verify` walks the chain; a daily anchor kept elsewhere (`manage.py audit_verify --anchor`) shows a cut tail.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, models
from psycopg.types.json import Jsonb

from portal import redaction
from portal.models import AuditEntry, User

SYSTEM = "system"
# Staff looked at a person's page. Views within so long of the first are one visit.
SEEN = "personal.seen"
# Staff had identifiers shown in full, each time for a reason of its own.
UNMASKED = "personal.unmasked"
# Staff saw an investor's pages as the investor sees them: the look with its reason, and each page of it.
LOOKED_AS, SEEN_AS = "personal.looked_as", "personal.seen_as"
VISIT = timedelta(minutes=15)
# From which door the act at hand comes: set by the middleware and by the queue; a command keeps the default.
DOOR: ContextVar[str] = ContextVar("door", default="console")


def door_of(path: str) -> str:
    """The door that an address belongs to."""
    return next((door for start, door in (("/admin/", "admin"), ("/api/", "api")) if path.startswith(start)), "site")


def actor_name(actor: User | str | None) -> str:
    """How an actor is written into evidence: the user's key and address for people, a name for machines."""
    if isinstance(actor, User):
        return f"user:{actor.pk}"
    return actor or SYSTEM


def record(
    subject: models.Model,
    action: str,
    *,
    actor: User | str | None,
    at: datetime,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    """Append an entry about `subject`. Call it inside the transaction that makes the act true.

    `data` and the further keywords are what is worth knowing about the act; nothing personal or secret.
    """
    row: dict[str, Any] = {
        "at": at,
        "actor": actor_name(actor),
        "action": action,
        "subject_kind": kind_of(subject),
        "subject_id": str(subject.pk),
        "reason": redaction.without_aadhaar(reason)[:300],
        "data": Jsonb({key: _plain(value) for key, value in {**(data or {}), **more}.items()}),
        "door": DOOR.get(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_APPEND, row)


# Without RETURNING: whoever may write evidence need not be able to read it (migration 0003).
_APPEND = """
    INSERT INTO portal_auditentry (at, actor, action, subject_kind, subject_id, reason, data, door)
    VALUES (%(at)s, %(actor)s, %(action)s, %(subject_kind)s, %(subject_id)s, %(reason)s, %(data)s, %(door)s)
"""


def saw(person: models.Model, *, actor: User, at: datetime, page: str) -> None:
    """`actor` has looked at a page with personal data of `person`: one entry for each visit of some minutes."""
    lately = entries_of(person).filter(action=SEEN, actor=actor_name(actor), at__gt=at - VISIT)
    if not lately.exists():
        record(person, SEEN, actor=actor, at=at, page=page)


def kind_of(subject: models.Model) -> str:
    """The name under which evidence and cases refer to a model: `orders.mforder`."""
    return subject._meta.label_lower


def entries_of(subject: models.Model) -> models.QuerySet[AuditEntry]:
    """Everything that was recorded about `subject`, oldest first."""
    return AuditEntry.objects.filter(subject_kind=kind_of(subject), subject_id=str(subject.pk)).order_by("id")


class Told(NamedTuple):
    """What happened, when, and what is worth knowing about it: an entry as the pages of investors tell it."""

    action: str
    at: datetime
    data: dict[str, Any]


def story_of(subject: models.Model) -> list[Told]:
    """Everything that was recorded about `subject`, oldest first, for pages that are looked at often."""
    with connection.cursor() as cursor:
        cursor.execute(_STORY, [kind_of(subject), str(subject.pk)])
        return [Told(action, at, json.loads(data)) for action, at, data in cursor.fetchall()]


_STORY = "SELECT action, at, data FROM portal_auditentry WHERE subject_kind = %s AND subject_id = %s ORDER BY id"


def moments_of(kind: str, ids: list[str], actions: tuple[str, ...]) -> list[tuple[str, str, datetime]]:
    """(id, action, when) of these acts upon several subjects of a kind, oldest first, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_MOMENTS, [kind, ids, list(actions)])
        return cursor.fetchall()


_MOMENTS = """
    SELECT subject_id, action, at FROM portal_auditentry
     WHERE subject_kind = %s AND subject_id = ANY(%s) AND action = ANY(%s) ORDER BY id
"""


def _plain(value: Any) -> Any:
    if isinstance(value, int | bool | None | list | Mapping):
        return value
    return redaction.without_aadhaar(str(value))


@dataclass(frozen=True)
class Verification:
    """What walking the chain found. `problems` is empty when nothing was tampered with."""

    entries: int
    last_seq: int
    last_hash: str
    problems: tuple[str, ...]


_WALK = """
    SELECT link.seq, link.hash, link.previous_hash,
           lag(link.hash) OVER (ORDER BY link.seq), lag(link.seq) OVER (ORDER BY link.seq),
           portal_audit_hash(link.previous_hash, entry)
      FROM portal_auditlink AS link LEFT JOIN portal_auditentry AS entry ON entry.id = link.entry_id
     ORDER BY link.seq
"""


def verify(*, anchor: tuple[int, str] | None = None) -> Verification:
    """Walk the whole chain. `anchor` is a (seq, hash) that was kept elsewhere and must still be in it."""
    problems: list[str] = []
    count, seq, last = 0, 0, ""
    hashes: dict[int, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(_WALK)
        for seq, last, previous, before, before_seq, computed in cursor:
            count += 1
            if anchor and seq == anchor[0]:
                hashes[seq] = last
            if computed != last:
                problems.append(f"entry at {seq} was changed or removed")
            if previous != (before or ""):
                problems.append(f"the link before {seq} was changed or removed")
            if seq != (before_seq or 0) + 1:
                problems.append(f"links between {before_seq or 0} and {seq} are missing")
        cursor.execute(
            "SELECT count(*) FROM portal_auditentry e WHERE NOT EXISTS"
            " (SELECT 1 FROM portal_auditlink l WHERE l.entry_id = e.id)"
        )
        loose = cursor.fetchone()[0]
    if loose:
        problems.append(f"{loose} entries stand outside the chain")
    if anchor and hashes.get(anchor[0]) != anchor[1]:
        problems.append(f"the anchor at {anchor[0]} is not in the chain: it was rewritten or cut")
    return Verification(count, seq, last, tuple(problems))
