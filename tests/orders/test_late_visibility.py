"""P3 and P4: what FP shows only later is not sent again, and what is unknown is settled once FP answers again.

P3 in CI: 12 orders whose answer is lost and which FP lists after 0 to 1.5 seconds. The promise's 200 runs at 0, 5, 30
and 120 seconds: `LATE_RUNS=200 ./run test tests/orders/test_late_visibility.py` (four minutes).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from datetime import datetime, timedelta

import pytest

from orders.models import MfOrder
from orders.operations import sending
from portal import clock, jobs, unknowns
from portal.attempts import LOOK_UP_AFTER_S
from portal.fintech_primitives import client as fp
from portal.gateway import client, errors
from portal.gateway.breaker import Breaker
from portal.models import Case
from tests.orders.conftest import ours_at_fp
from tests.orders.test_unclear_outcomes import PURCHASE

pytestmark = pytest.mark.django_db
RUNS = int(os.environ.get("LATE_RUNS", "12"))
SOON_S = (0, 0.5, 1, 1.5)
SHOWN_AFTER_S = (0, 5, 30, 120) if RUNS > 12 else SOON_S


@pytest.fixture
def lost(asha, place, sandbox):
    """`lost(3)`: so many orders whose answer was lost, listed after different times."""

    def run(count: int, shown_after: tuple[float, ...] = SOON_S) -> list[MfOrder]:
        found = []
        for number in range(count):
            order = place(asha, 5_000 + number)
            sandbox.fault(f"reset+invisible:{shown_after[number % 4]}", path=PURCHASE, when="after")
            fp.client().breaker = Breaker("fp")  # each was lost on a day of its own
            sending.submit(order_id=order.pk, at=clock.now())
            found.append(order)
        fp.client().breaker = Breaker("fp")
        return found

    return run


def look(orders: list[MfOrder], shown_after: tuple[float, ...] = SOON_S) -> int:
    """The clock comes by every order until FP has shown them all; returns how many looks found nothing."""
    began, passes, empty = clock.now(), itertools.count(1), 0
    all_shown = time.monotonic() + shown_after[-1]
    while time.monotonic() < all_shown:
        empty += _pass(orders, began + timedelta(minutes=next(passes)))
        time.sleep(shown_after[1] / 5)
    _pass(orders, began + timedelta(minutes=next(passes)))
    return empty


def _pass(orders: list[MfOrder], at: datetime) -> int:
    for order in reversed(orders):  # the last one lost is among those that are hidden longest
        with contextlib.suppress(errors.GatewayError):
            sending.advance(order_id=order.pk, at=at)
        order.refresh_from_db()
    return sum(order.state == "SUBMITTING" for order in orders)


def heard_twice(orders: list[MfOrder], sandbox) -> list[str]:
    return [order.code for order in orders if [each["received"] for each in ours_at_fp(sandbox, order)] != [1]]


def test_an_order_that_fp_shows_only_later_is_never_sent_again(lost, sandbox):
    orders, empty = [], 0
    for slower in (1, 4, 16):  # a busy machine may take longer to come by than they are hidden
        hidden = tuple(slower * each for each in SHOWN_AFTER_S)
        orders += (new := lost(RUNS, hidden))
        if empty := look(new, hidden):
            break
    assert empty > 0, "no look came before the order was shown"
    assert heard_twice(orders, sandbox) == []
    assert {order.state for order in orders} == {"AWAITING_PAYMENT"}


def test_whoever_takes_a_lost_answer_for_not_sent_sends_again(lost, sandbox, monkeypatch):
    """The harness bites: with unclear answers believed to be refusals on the way out, FP hears of orders twice."""
    monkeypatch.setattr(errors, "NOT_TAKEN", (*errors.NOT_TAKEN, errors.OutcomeUnknown))
    orders = lost(4)
    look(orders)
    assert heard_twice(orders, sandbox) != []


def test_with_fp_away_for_fifteen_minutes_all_is_with_people_in_time_and_settled_within_a_minute(
    lost, sandbox, monkeypatch
):
    """P4: every look of the clock, through a quarter of an hour in which FP answers nothing."""
    monkeypatch.setattr(client, "READ_TRIES", 1)  # the next look is the next try
    away = clock.now()
    orders = lost(8)
    sandbox.fault("status:500", method="", path="*", when="before", times=1_000_000)
    for second in (*LOOK_UP_AFTER_S, 895):
        jobs.recover(away + timedelta(seconds=second))
        unknowns.hand_to_people(away + timedelta(seconds=second))
    assert not Case.objects.exists(), "nobody was called before it was time"
    back = clock.now() + timedelta(minutes=15)
    unknowns.hand_to_people(back)
    assert Case.objects.filter(kind="order_outcome_unknown", state="OPEN").count() == len(orders)

    time.sleep(SOON_S[-1])  # by the sandbox's clock, the quarter of an hour has shown them all
    sandbox.no_faults()
    fp.client().breaker = Breaker("fp")  # its ten seconds are over
    fp.client().fetch_scheme(orders[0].scheme.isin)
    unknowns.look_now("fp", back)
    for second in (0, 30, 59):
        jobs.recover(back + timedelta(seconds=second))
        unknowns.hand_to_people(back + timedelta(seconds=second))
    assert set(MfOrder.objects.values_list("state", "attempt")) == {("AWAITING_PAYMENT", "")}
    assert heard_twice(orders, sandbox) == []
    assert not Case.objects.filter(state="OPEN").exists()
