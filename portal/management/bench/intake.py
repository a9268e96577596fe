"""A webhook taken in: its checksum, one row in the inbox, 204. What it says is fetched later, by a worker."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from brokers.smallcase import events
from portal import clock
from portal.management.bench import Row, load, row
from portal.management.bench.pages import statements
from portal.management.bench.servers import Ports, both
from portal.models import InboundEvent

ROUNDS = 5
PER_ROUND = 1_600
TARGET = 0.20
LINE = {
    "orderId": "1100000000", "tradingsymbol": "ITC", "exchange": "NSE", "transactionType": "BUY", "product": "CNC",
    "orderType": "MARKET", "status": "COMPLETE", "quantity": 12, "filledQuantity": 12, "averagePrice": 431.25,
    "orderTimestamp": "2026-11-20T10:04:11+05:30", "exchangeOrderId": "1300000000123", "statusMessage": None,
}  # fmt: skip


def run() -> list[Row]:
    """One row for notices that are new, one for notices that come again."""
    started = InboundEvent.objects.count()
    posts = [_post(number) for number in range((ROUNDS + 1) * PER_ROUND)]
    with both() as ports:
        fresh = _measure(ports, "webhook intake, new notices", iter(posts))
        # The same ones again: smallcase repeats what it is not sure of.
        again = _measure(ports, "webhook intake, repeated notices", iter(posts))
        fresh["note"] = f"{statements(ports, [_post(-1)])} statements"
    stored = InboundEvent.objects.count() - started
    if stored != len(posts) + 1:
        raise RuntimeError(f"{len(posts) + 1} different notices came, {stored} are stored")
    return [fresh, again]


def _measure(ports: Ports, work: str, posts: Iterator[bytes]) -> Row:
    limit: list[float] = []
    ours: list[float] = []
    for turn in range(ROUNDS + 1):
        theirs = load.run(ports.bare, itertools.repeat(load.get("/")), seconds=1.0)
        mine = load.run(ports.ours, itertools.islice(posts, PER_ROUND), seconds=60.0)
        if set(mine.statuses) != {204}:
            raise RuntimeError(f"notices were not taken in: {dict(mine.statuses)}")
        if turn:
            limit.append(theirs.per_second)
            ours.append(mine.per_second)
    return row(work=work, unit="notices/s", limit=limit, ours=ours, target=TARGET)


def _post(number: int) -> bytes:
    """A genuine notice about a basket of five lines, like no other."""
    at = (clock.now() + timedelta(milliseconds=number)).isoformat(timespec="milliseconds")
    account = "5aa7c8d4a3f2b1908e7d6c5b"
    batch = {"batchId": f"{number:024d}", "status": "COMPLETED", "orders": [LINE] * 5, "unplaced": []}
    said = {
        "orders": {"batches": [batch]}, "transactionId": f"TRX_{number:032d}", "notes": f"SO-{number:010d}",
        "broker": "kite", "smallcaseAuthId": account, "timestamp": at,
        "checksum": events.checksum(settings.SMALLCASE_API_SECRETS[0], at, account),
    }  # fmt: skip
    path = reverse("doorbells:smallcase")
    body = json.dumps(said).encode()
    return load.message("POST", path, {"Content_Type": "application/json"}, body)
