"""The feed of a partner's events: a page behind a random cursor in a short and in a long feed, and what an event costs.

The limit of the feed is the same page of a feed of 10,000 events, so the row says whether a partner who has been here
for years waits longer. The limit of an event is the same change of state for an investor whom no partner brought.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from decimal import Decimal

from django.db import connection, transaction

from investors.models import Investor
from orders.models import MfOrder, Scheme
from portal.management.bench import Row, cast, row
from portal.models import Partner, PartnerEvent
from portal.webhooks import feed

SHORT, LONG = 10_000, 1_000_000
PAGE, ROUNDS, WRITES = 100, 300, 300
FEED_TARGET, WRITE_TARGET = 1.5, 1.35

_FILL = """
    INSERT INTO portal_partnerevent (code, partner_id, type, kind, at, data, seq, day, hash)
    SELECT 'evt_bench_' || %(partner)s || '_' || n, %(partner)s, 'order.placed', 'order', now(),
           jsonb_build_object('object', 'order', 'id', 'ORD-' || n, 'investor', 'INV-1', 'state', 'PLACED',
                              'previous_state', 'PAID', 'reason', NULL),
           n, current_date, md5(n::text) || md5(n::text)
      FROM generate_series(1, %(events)s) AS n
"""


def run() -> list[Row]:
    """A row for reading, a row for writing."""
    cast.schemes()
    return [_reading(), _writing()]


def _reading() -> Row:
    short, long_ = _filled("BENCH-SHORT", SHORT), _filled("BENCH-LONG", LONG)
    dice = random.Random(7)  # noqa: S311 - cursors of a benchmark
    limit, ours = [], []
    for _ in range(ROUNDS):
        limit.append(_timed(lambda: _page(short, dice.randrange(SHORT - PAGE))))
        ours.append(_timed(lambda: _page(long_, dice.randrange(LONG - PAGE))))
    return row(
        work=f"feed: {PAGE} events of {LONG:,}, beside {SHORT:,}", unit="µs", limit=limit, ours=ours,
        target=FEED_TARGET, at_most=True,
    )  # fmt: skip


def _filled(code: str, events: int) -> Partner:
    partner = Partner.objects.create(code=code, name=code)
    with connection.cursor() as cursor:
        # The rows are given their numbers here, so nothing has to give them any at commit.
        cursor.execute("ALTER TABLE portal_partnerevent DISABLE TRIGGER event_is_numbered_at_commit")
        cursor.execute(_FILL, {"partner": partner.pk, "events": events})
        cursor.execute("ALTER TABLE portal_partnerevent ENABLE TRIGGER event_is_numbered_at_commit")
        cursor.execute("ANALYZE portal_partnerevent")
    return partner


def _page(partner: Partner, seq: int) -> None:
    shown = [feed.shown(event) for event in feed.after(partner_id=partner.pk, seq=seq, limit=PAGE)]
    if [event["seq"] for event in shown] != list(range(seq + 1, seq + PAGE + 1)):
        raise RuntimeError(f"the page behind {seq} has a hole")


def _writing() -> Row:
    alone, brought = cast.investor(5_001), cast.investor(5_002)
    partner = Partner.objects.create(code="BENCH-WRITES", name="Bench")
    Investor.objects.filter(pk=brought.pk).update(partner=partner)
    scheme = Scheme.objects.all()[7]
    orders = [cast.order(each, scheme, Decimal(5_000)).pk for each in (alone, brought)]
    limit, ours = [], []
    for number in range(WRITES):
        state = ("SUBMITTING", "CREATED")[number % 2]
        limit.append(_timed(lambda state=state: _move(orders[0], state)))  # type: ignore[misc]
        ours.append(_timed(lambda state=state: _move(orders[1], state)))  # type: ignore[misc]
    told = PartnerEvent.objects.filter(partner=partner, kind="order").count()
    if told < WRITES:
        raise RuntimeError(f"{WRITES} changes, and {told} events")
    return row(
        work="change a state, with an event of it", unit="µs", limit=limit, ours=ours, target=WRITE_TARGET, at_most=True
    )


def _move(order_id: int, state: str) -> None:
    with transaction.atomic():
        MfOrder.objects.filter(pk=order_id).update(state=state)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return 1e6 * (time.perf_counter() - began)
