"""The inbox: a webhook or a browser's return is stored, answered, and worked later. It is a doorbell, never a fact."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

import structlog
from django.db import transaction

from portal import audit, bursts, redaction
from portal.models import InboundEvent, User
from portal.rows import opening
from portal.scope import OwnScope

log = structlog.get_logger(__name__)
MAX_TRIES = 8
# One statement, which sees the inbox for itself alone (migration `0003_guards`).
_STORE = OwnScope("event_id, made", "portal_store_event(%s, %s, %s, %s::jsonb, %s, %s, %s)")

# (provider, kind) -> handler, filled by `portal/routes.py`. A handler fetches and absorbs; it believes nothing.
Handler = Callable[[InboundEvent, datetime], None]
_handlers: dict[tuple[str, str], Handler] = {}


def handles(provider: str, kind: str, handler: Handler) -> None:
    """Name the handler of a kind of event."""
    _handlers[provider, kind] = handler


def store(
    *,
    provider: str,
    kind: str,
    body: Mapping[str, Any],
    at: datetime,
    subject: tuple[str, str] = ("", ""),
    key: str = "",
) -> tuple[int, bool]:
    """The event is in the inbox, once: the same delivery again only counts. Returns (its id, whether it is new).

    `key` is the provider's event id where there is one; without it the body and subject are the identity.
    """
    identity = key or json.dumps([kind, subject, dict(body)], sort_keys=True, default=str)
    said = json.dumps(redaction.redact(dict(body)), default=str)
    fingerprint = hashlib.sha256(identity.encode()).hexdigest()
    # Run twice it counts twice: a row whose first answer was lost with its connection is found by `work`.
    row = cast("Iterator[Any]", opening(_STORE, [provider, kind, fingerprint, said, *subject, at]))
    return next(row), next(row)


def ring(**event: Any) -> None:
    """`store`, and a worker is woken when the event is new. A lost nudge costs time only: `work` finds every row."""
    event_id, made = store(**event)
    if made:
        transaction.on_commit(functools.partial(bursts.ring, event_id))


def work(at: datetime, *, limit: int = 200) -> int:
    """Work up to `limit` new events, oldest first. Returns how many were worked."""
    ids = list(InboundEvent.objects.filter(state="NEW").order_by("received_at").values_list("pk", flat=True)[:limit])
    return sum(work_one(event_id=pk, at=at) for pk in ids)


def work_again(*, event: InboundEvent, actor: User, reason: str, at: datetime) -> bool:
    """The event is handed to its handler once more, with all tries ahead. Handlers fetch, so a repeat is harmless."""
    with transaction.atomic():
        InboundEvent.objects.filter(pk=event.pk).update(state="NEW", tries=0, note="")
        audit.record(event, "event.worked_again", actor=actor, at=at, reason=reason)
    return work_one(event_id=event.pk, at=at)


def work_one(*, event_id: int, at: datetime) -> bool:
    """Hand one event to its handler. A handler's trouble leaves the event NEW for another try, then FAILED."""
    with transaction.atomic():
        event = InboundEvent.objects.select_for_update(skip_locked=True).filter(pk=event_id, state="NEW").first()
        if event is None:
            return False
        event.tries += 1
        event.save(update_fields=["tries"])
    try:
        _handlers[event.provider, event.kind](event, at)
    except Exception as error:  # noqa: BLE001 - trouble of any kind must not lose the event
        log.warning("inbound_event_failed", event_id=event.pk, error=repr(error))
        state = "FAILED" if event.tries >= MAX_TRIES else "NEW"
        InboundEvent.objects.filter(pk=event.pk).update(state=state, note=redaction.text(repr(error))[:300])
        return False
    InboundEvent.objects.filter(pk=event.pk).update(state="DONE", worked_at=at, note="")
    return True
