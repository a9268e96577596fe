"""Keeping step with FP's list of open orders: for the whole tenant, page by page, never all of it in memory.

    fresh    every twenty seconds: newest first, until a page holds nothing of the last day
    full     every ten minutes while the market works, else every half hour: every open order

Each page is compared with ours in one statement, and only what differs is touched. Ours that a pass should have seen
and did not have ended: those are fetched one by one, a limited number each time. An order that slipped from page to
page while we read is fetched once too often, and never missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any

import structlog
from django.conf import settings
from django.db import connection

from orders import calendar, gateway, lifecycle
from orders.gateway import OrderSnapshot
from orders.operations import instalments, news, sending, switches
from orders.queries import schemes as scheme_queries
from portal.clock import IST
from portal.gateway import errors
from portal.lifecycle import Verdict
from portal.models import Heartbeat

log = structlog.get_logger(__name__)

FULL = "orders compared with FP's list"
FRESH_FOR = timedelta(days=1)
MARKET = (time(9, 0), time(18, 0))
OFTEN, SELDOM = timedelta(minutes=10), timedelta(minutes=30)
PAGE = 100
# Orders that one pass fetches singly; the rest follows with the next one.
ENDED_AT_ONCE = 200


@dataclass
class Pass:
    """What one pass over the list has seen and done."""

    pages: int = 0
    seen: int = 0
    moved: int = 0
    fetched: int = 0


def poll(*, at: datetime) -> Pass:
    """The newest orders have been compared, and all of them when it is time for that. Raises the errors of a read."""
    heard = Heartbeat.objects.filter(name=FULL).values_list("at", flat=True).first()
    if heard is not None and at - heard < full_every(at):
        return run(at=at, since=at - FRESH_FOR)
    found = run(at=at)
    Heartbeat.objects.update_or_create(name=FULL, defaults={"at": at})
    return found


def full_every(at: datetime) -> timedelta:
    """How often everything is compared: P10 asks for ten minutes in market hours and thirty else."""
    local = at.astimezone(IST)
    works = calendar.is_business_day(local.date(), scheme_queries.holidays())
    return OFTEN if works and MARKET[0] <= local.time() < MARKET[1] else SELDOM


def run(*, at: datetime, since: datetime | None = None) -> Pass:
    """One pass over FP's open orders, newest first; with `since`, until a page holds none of ours placed after it."""
    found = Pass()
    if not _has_open(since) and not instalments.expects_orders(at):
        return found
    _begin()
    for page in _pages():
        found.pages += 1
        found.seen += len(page)
        is_fresh = _take(page, found, at, since)
        if since and not is_fresh:
            break
    for order_id in _not_seen(at, since):
        found.fetched += 1
        _ask_singly(order_id, at)
    return found


def _ask_singly(order_id: int, at: datetime) -> None:
    """One order about which FP refuses to tell, or tells what cannot be read, keeps no other from being asked."""
    try:
        sending.refresh(order_id=order_id, at=at)
    except (errors.Refused, errors.Garbled) as error:
        log.warning("order_not_told", order_id=order_id, status=error.status)


def _pages() -> Iterator[list[OrderSnapshot]]:
    orders = gateway.list_open(settings.FP_ORDER_GATEWAY)
    while page := list(islice(orders, PAGE)):
        yield page


def _take(page: list[OrderSnapshot], found: Pass, at: datetime, since: datetime | None) -> bool:
    """Absorb what differs; returns whether any of ours on the page was placed after `since`."""
    ours = _ours(page)
    # FP makes the orders of SIPs by itself: these are new to us.
    of_plans = [each for each in page if each.plan_ref and not _row_of(each, ours)]
    found.moved += instalments.take_in(of_plans, at=at, source="poll")
    fresh = since is None or bool(of_plans)
    for snapshot in page:
        row = _row_of(snapshot, ours)
        if row is None or snapshot.kind == switches.KIND:
            continue
        order_id, state, is_known, placed_at, placed_by = row
        fresh = fresh or (since is not None and placed_at >= since)
        if placed_by != settings.FP_ORDER_GATEWAY:
            snapshot = gateway.read_by(snapshot, placed_by)
        if snapshot.state != state or not is_known:
            verdict = news.absorb(order_id=order_id, snapshot=snapshot, at=at, source="poll")
            found.moved += verdict == Verdict.APPLY
    return fresh


Row = tuple[int, str, bool, datetime, str]
_OURS = """
    WITH seen AS (
        INSERT INTO orders_seen SELECT unnest(%(refs)s::text[]) ON CONFLICT DO NOTHING
    )
    SELECT id, state, provider_ref, client_ref, placed_at, gateway FROM orders_mforder
     WHERE provider = 'fp' AND provider_ref = ANY(%(refs)s)
     UNION ALL
    SELECT id, state, NULL, client_ref, placed_at, gateway FROM orders_mforder
     WHERE provider_ref IS NULL AND client_ref = ANY(%(mine)s)
"""


def _ours(page: list[OrderSnapshot]) -> dict[str, Row]:
    """Our rows behind a page by FP's number, or by our reference where the number never reached us: one statement."""
    values: dict[str, Any] = {"refs": [each.provider_ref for each in page], "mine": [each.client_ref for each in page]}
    with connection.cursor() as cursor:
        cursor.execute(_OURS, values)
        return {
            ref or mine: (pk, state, ref is not None, placed, placed_by)
            for pk, state, ref, mine, placed, placed_by in cursor.fetchall()
        }


def _row_of(snapshot: OrderSnapshot, ours: dict[str, Row]) -> Row | None:
    return ours.get(snapshot.provider_ref) or ours.get(snapshot.client_ref or "")


def _begin() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS orders_seen (ref text PRIMARY KEY)")
        cursor.execute("TRUNCATE orders_seen")


_OPEN = """
    SELECT 1 FROM orders_mforder WHERE state = ANY(%(states)s) AND provider = 'fp'
       AND (%(since)s::timestamptz IS NULL OR placed_at >= %(since)s) LIMIT 1
"""


def _has_open(since: datetime | None) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"states": list(lifecycle.OPEN), "since": since})
        return cursor.fetchone() is not None


_NOT_SEEN = """
    SELECT o.id FROM orders_mforder o
     WHERE o.state = ANY(%(states)s) AND o.provider = 'fp' AND o.provider_ref IS NOT NULL AND o.state_since < %(at)s
       AND o.kind <> 'SWITCH_OUT'
       AND (%(since)s::timestamptz IS NULL OR o.placed_at >= %(since)s)
       AND NOT EXISTS (SELECT FROM orders_seen s WHERE s.ref = o.provider_ref)
     ORDER BY o.due_at NULLS LAST, o.id LIMIT %(limit)s
"""


def _not_seen(at: datetime, since: datetime | None) -> list[int]:
    """Open orders of ours that the pass should have met, and did not."""
    values: dict[str, Any] = {"states": list(lifecycle.OPEN), "at": at, "since": since, "limit": ENDED_AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(_NOT_SEEN, values)
        return [row[0] for row in cursor.fetchall()]
