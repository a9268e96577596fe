"""Reads of a partner's events: what a webhook carries, the feed after a cursor, days with counts and hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from portal.clock import IST
from portal.webhooks.models import PartnerDay, PartnerEvent

MOST = 500


def shown(event: PartnerEvent) -> dict[str, Any]:
    """An event as the feed shows it."""
    return {
        "id": event.code,
        "seq": event.seq,
        "type": event.type,
        "timestamp": _moment(event.at),
        "data": event.data,
        "hash": event.hash,
    }


def body(event: PartnerEvent) -> bytes:
    """The bytes that a webhook carries: the same at every try."""
    said = {"type": event.type, "timestamp": _moment(event.at), "seq": event.seq, "data": event.data}
    return json.dumps(said, separators=(",", ":"), sort_keys=True).encode()


def _moment(at: datetime) -> str:
    return at.astimezone(IST).isoformat(timespec="milliseconds")


def after(*, partner_id: int, seq: int, limit: int = 100, kinds: Iterable[str] = ()) -> list[PartnerEvent]:
    """The partner's next events after number `seq`, oldest first. What is seen has no hole: see the package."""
    events = of_partner(partner_id).filter(seq__gt=seq).order_by("seq")
    wanted = list(kinds)
    return list((events.filter(kind__in=wanted) if wanted else events)[: min(limit, MOST)])


def of_partner(partner_id: int) -> QuerySet[PartnerEvent]:
    """The owner filter: events of one partner that have their number."""
    return PartnerEvent.objects.filter(partner_id=partner_id, seq__isnull=False)


def days(partner_id: int) -> QuerySet[PartnerDay]:
    """Counts and hashes by day, the newest first."""
    return PartnerDay.objects.filter(partner_id=partner_id).order_by("-day")


def chained(previous: str, event: Mapping[str, Any]) -> str:
    """The hash of an event as the feed shows it, given the hash of the one before it ("" before the first).

    SHA-256 over lines: the previous hash, seq, id, type, timestamp, then `key=value` for each entry of data in the
    order of their keys, with nothing for null. The database computes the same (migration of `portal_number_event`).
    """
    facts = [f"{key}={'' if value is None else value}" for key, value in sorted(event["data"].items())]
    lines = [previous, str(event["seq"]), event["id"], event["type"], event["timestamp"], *facts]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
