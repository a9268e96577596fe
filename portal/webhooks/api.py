"""Partner endpoints about events: the feed behind a number, and counts and hashes by day."""

from __future__ import annotations

from typing import Any

from portal.api import catalogue
from portal.api.door import Call
from portal.api.endpoints import get
from portal.api.errors import Trouble
from portal.api.shapes import Field, Filter, Shape, col
from portal.webhooks import feed
from portal.webhooks.models import KINDS

USUAL = 100
EXAMPLE = {
    "object": "order",
    "id": "ORD-7K3F9QW2M4TX",
    "investor": "INV-2B8D4F6H1J3K",
    "state": "ALLOTTED",
    "previous_state": "PLACED",
    "reason": None,
}
EVENT = Shape(
    "Event",
    "A state that changed. It carries codes and states and nothing personal; read the object for more.",
    {
        "id": col("id", "code", "Opaque id; a webhook's `webhook-id`.", example="evt_3f0c9a5467d977d84731b4cf1cca444a"),
        "seq": col("count", "seq", "Your events count 1, 2, 3 … without a gap.", example=1842),
        "type": col("text", "type", "The kind of object and the state that it came to.", example="order.allotted"),
        "timestamp": col("moment", "at", "When it happened, to the millisecond."),
        "data": Field("any", "The object, its investor, its state and the one before, and the reason.", "data",
                      example=EXAMPLE),
        "hash": col("text", "hash", "Covers this event and every one before it.", example="9c0e" * 16),
    },
)  # fmt: skip
FEED = Shape(
    "Feed",
    "What follows a number, oldest first. Ask again with `after` set to `last_seq`.",
    {
        "data": Field("any", "The events.", "data", inner=EVENT, is_many=True),
        "last_seq": col("count", "last_seq", "The number of the last one here, or `after` when there is none.",
                        example=1842),
        "has_more": col("yes", "has_more", "Is there more already?", example=False),
    },
)  # fmt: skip
DAY = Shape(
    "EventDay",
    "How many events a day had, and the hash of the last one.",
    {
        "day": col("date", "day", "The day in India. It never runs backwards."),
        "events": col("count", "events", "How many.", example=212),
        "first_seq": col("count", "first_seq", "The number of the first.", example=1631),
        "last_seq": col("count", "last_seq", "The number of the last.", example=1842),
        "last_hash": col("text", "last_hash", "Covers every event up to this day's last.", example="9c0e" * 16),
    },
)


@get("events", answer=FEED, scope="events:read", is_plain=True, filters={
    "after": Filter("seq__gt", "The number that you have seen; 0 begins at the beginning.", "text"),
    "limit": Filter("", f"How many at most, 1 to {feed.MOST}; usually {USUAL}.", "text"),
    "kind": Filter("kind", "Only of this kind of object. Numbers then have gaps.", choices=tuple(KINDS)),
})  # fmt: skip
def read_events(call: Call) -> dict[str, Any]:
    """Read what follows a number: nothing is missing before the last one that you get."""
    seq, limit = _number(call, "after", 0, 10**15), _number(call, "limit", USUAL, feed.MOST)
    kind = call.params.get("kind")
    if kind is not None and kind not in KINDS:
        raise Trouble("invalid", fields={"kind": [f"One of: {', '.join(KINDS)}."]})
    found = feed.after(partner_id=call.partner.pk, seq=seq, limit=limit + 1, kinds=[kind] if kind else [])
    shown = [feed.shown(event) for event in found[:limit]]
    return {"data": shown, "last_seq": shown[-1]["seq"] if shown else seq, "has_more": len(found) > limit}


def _number(call: Call, name: str, usual: int, most: int) -> int:
    text = call.params.get(name, str(usual))
    least = 0 if name == "after" else 1
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and least <= int(text) <= most):
        raise Trouble("invalid", fields={name: [f"A number from {least} to {most}."]})
    return int(text)


@get("events/days", answer=DAY, scope="events:read")
def event_days(call: Call) -> Any:
    """List days with the number of their events and the hash of the last one, newest first."""
    return feed.days(call.partner.pk)


catalogue.add("event_kinds", lambda: KINDS)
