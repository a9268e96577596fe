"""The inbox: a webhook or a browser's return is stored, answered, and worked later. It is a doorbell, never a fact."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

from portal import audit, redaction
from portal.models import InboundEvent, User
from portal.scope import ALL, scope

log = structlog.get_logger(__name__)
MAX_TRIES = 8

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
) -> tuple[InboundEvent, bool]:
    """The event is in the inbox, once: the same delivery again only counts. Returns (event, whether it is new).

    `key` is the provider's event id where there is one; without it the body and subject are the identity.
    """
    identity = key or json.dumps([kind, subject, dict(body)], sort_keys=True, default=str)
    # A doorbell rings for nobody in particular: whoever's request this is sees no inbox before and after.
    with scope(ALL):
        event, made = InboundEvent.objects.get_or_create(
            provider=provider,
            fingerprint=hashlib.sha256(identity.encode()).hexdigest(),
            defaults={
                "kind": kind,
                "body": redaction.redact(dict(body)),
                "subject_kind": subject[0],
                "subject_id": subject[1],
                "received_at": at,
            },
        )
        if not made:
            InboundEvent.objects.filter(pk=event.pk).update(times_seen=F("times_seen") + 1)
    return event, made


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
