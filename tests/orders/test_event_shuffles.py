"""P9: news in any order, repeated or lost, ends where FP is. All 720 orders of six events, and seeded random traces.

CI plays 400 traces; the promise's 10,000 (and more) are `TRACES=10000 ./run test tests/orders/test_event_shuffles.py`.
A trace that fails names its seed, and the same seed plays the same trace again.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from orders.gateway import OrderSnapshot
from orders.models import Holding, MfOrder
from orders.operations import news
from portal import clock
from portal.management.bench import filling
from portal.models import Case
from tests import factories

pytestmark = pytest.mark.django_db
TRACES = int(os.environ.get("TRACES", "400"))
UNITS, NAV = Decimal("99.995"), Decimal("50.0000")
# FP's own way of a purchase, and where it may turn off.
WAY = ("AWAITING_PAYMENT", "PAID", "PLACED", "ALLOTTED", "REVERSED")
WITH_UNITS = ("ALLOTTED", "REVERSED")
MARK_PAID = "the payment's own news"
SIX = (*WAY, MARK_PAID)


def fill(count: int) -> list[int]:
    """So many orders that FP has just taken."""
    like = factories.OrderFactory(state="AWAITING_PAYMENT")
    filling.orders(like, count, state="SUBMITTING")
    return list(range(filling.FIRST + 1, filling.FIRST + count + 1))


def deliver(pk: int, event: str) -> None:
    """One event reaches us."""
    if event == MARK_PAID:
        news.mark_paid(order_id=pk, at=clock.now(), payment="PAY-1")
        return
    has_units = event in WITH_UNITS
    snapshot = OrderSnapshot(
        str(pk), f"R{pk}", event, event, amount=Decimal(5_000),
        units=UNITS if has_units else None, nav=NAV if has_units else None,
        traded_on=date(2026, 11, 20) if has_units else None, folio_number=f"F{pk}" if has_units else None,
        net_amount=Decimal("4999.75") if has_units else None,
    )  # fmt: skip
    news.absorb(order_id=pk, snapshot=snapshot, at=clock.now(), source="shuffle")


def end_of(pk: int) -> tuple[str, Decimal]:
    """The state and the units that are held because of the order."""
    order = MfOrder.objects.get(pk=pk)
    units = Holding.objects.filter(folio__number=f"F{pk}").values_list("units", flat=True).first()
    return order.state, units or Decimal(0)


def units_in(state: str) -> Decimal:
    return UNITS if state == "ALLOTTED" else Decimal(0)


def differences(traces: Sequence[tuple[Sequence[str], str]]) -> list[str]:
    """What ended otherwise than at FP, over all traces."""
    found = []
    for pk, (trace, final) in zip(fill(len(traces)), traces, strict=True):
        for event in trace:
            deliver(pk, event)
        if end_of(pk) != (final, units_in(final)):
            found.append(f"{trace} ended as {end_of(pk)}, at FP {final}")
    return found


def test_all_720_orders_of_six_events_end_where_fp_is():
    orders = list(itertools.permutations(SIX))
    assert len(orders) == 720
    assert differences([(order, "REVERSED") for order in orders]) == []
    # The reversal opens its own case for each; nothing else was in conflict.
    assert set(Case.objects.values_list("kind", flat=True)) == {news.REVERSED_CASE}


def trace_of(seed: int) -> tuple[list[str], str]:
    """A life at FP up to a random point, shuffled, with 30 % repeated and 20 % lost; a poll tells the end at last."""
    dice = random.Random(seed)
    lived = list(WAY[: dice.randint(1, len(WAY))])
    if lived[-1] not in WITH_UNITS and dice.random() < 0.3:
        lived.append("REJECTED")
    heard = [event for event in lived if dice.random() >= 0.2]
    heard += [event for event in heard if dice.random() < 0.3]
    dice.shuffle(heard)
    return [*heard, lived[-1]], lived[-1]


def test_the_same_seed_gives_the_same_trace():
    assert [trace_of(seed) for seed in range(100)] == [trace_of(seed) for seed in range(100)]


# The news of a test is one transaction, in which PostgreSQL keeps every version of a row that is written again.
TRACES_AT_ONCE = 200


@pytest.mark.parametrize("first", range(0, TRACES, TRACES_AT_ONCE))
def test_random_traces_with_repeats_and_losses_end_where_fp_is(first):
    seeds = range(first, min(first + TRACES_AT_ONCE, TRACES))
    assert differences([trace_of(seed) for seed in seeds]) == []
    assert not Case.objects.exclude(kind=news.REVERSED_CASE).exists()


def test_the_shuffle_finds_a_judgement_that_is_not_made(monkeypatch):
    """The harness bites: with every piece of news believed as it comes, orders end elsewhere."""

    def believe(*, order_id, snapshot, at, source):
        MfOrder.objects.filter(pk=order_id).update(state=snapshot.state, provider_ref=snapshot.provider_ref)

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_mforder DROP CONSTRAINT an_allotted_order_has_units_nav_day_and_folio")
    monkeypatch.setattr(news, "absorb", believe)
    assert differences([(trace, "REVERSED") for trace in list(itertools.permutations(WAY))[:20]])
