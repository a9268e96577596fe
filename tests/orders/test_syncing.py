"""Keeping step with FP's list: what moved, what ended, what nobody knew of, in few statements a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders import gateway
from orders.gateway import OrderSnapshot
from orders.models import MfOrder
from orders.operations import sending, syncing
from portal import clock
from portal.clock import IST
from portal.gateway import errors
from portal.models import Heartbeat
from tests import factories

pytestmark = pytest.mark.django_db


def says(order: MfOrder, state: str) -> OrderSnapshot:
    return OrderSnapshot(order.provider_ref or f"fp-{order.pk}", order.client_ref, state, state, amount=order.amount)


@pytest.fixture
def listed(monkeypatch):
    """`listed([...])`: what FP lists as open. `listed.fetched`: orders that were asked for one by one."""

    class Listed:
        fetched: list[int] = []

        def __call__(self, snapshots: list[OrderSnapshot]) -> None:
            monkeypatch.setattr(gateway, "list_open", lambda _: iter(snapshots))

    its = Listed()
    its.fetched = []
    monkeypatch.setattr(sending, "refresh", lambda *, order_id, at: its.fetched.append(order_id))
    return its


def orders(count: int, state: str = "AWAITING_PAYMENT", **more) -> list[MfOrder]:
    investor, scheme = factories.ReadyInvestorFactory(), factories.SchemeFactory()
    return factories.OrderFactory.create_batch(count, investor=investor, scheme=scheme, state=state, **more)


def later() -> datetime:
    return clock.now() + timedelta(seconds=5)


def test_reads_an_order_by_the_gateway_it_was_placed_through(listed):
    (order,) = orders(1, state="PLACED", gateway="BSE")
    # FP's "pending" is "awaiting payment" at RTA, which is the setting, and "placed" at BSE.
    listed([OrderSnapshot(order.provider_ref, order.client_ref, "AWAITING_PAYMENT", "PENDING", amount=order.amount)])
    syncing.run(at=later())
    order.refresh_from_db()
    assert order.state == "PLACED"


def test_moves_what_moved_and_fetches_only_what_is_no_longer_listed(listed):
    same, moved, ended = orders(3)
    listed([says(same, "AWAITING_PAYMENT"), says(moved, "PAID")])
    found = syncing.run(at=later())
    moved.refresh_from_db()
    assert (moved.state, listed.fetched) == ("PAID", [ended.pk])
    assert (found.pages, found.seen, found.moved, found.fetched) == (1, 2, 1, 1)


def test_recognises_an_order_whose_number_never_reached_us(listed):
    (lost,) = orders(1, state="SUBMITTING", attempt="UNKNOWN", attempt_no=1, unknown_since=clock.now())
    listed([says(lost, "AWAITING_PAYMENT")])
    syncing.run(at=later())
    lost.refresh_from_db()
    assert (lost.state, lost.attempt, lost.provider_ref) == ("AWAITING_PAYMENT", "", f"fp-{lost.pk}")


def test_a_fresh_pass_stops_at_the_first_page_of_old_orders_and_concludes_nothing_about_them(listed):
    new = orders(100)
    old = orders(150, placed_at=clock.now() - timedelta(days=3))
    listed([says(order, "AWAITING_PAYMENT") for order in [*new, *old[:120]]])
    found = syncing.run(at=later(), since=clock.now() - syncing.FRESH_FOR)
    assert (found.pages, listed.fetched) == (2, [])
    assert syncing.run(at=later()).pages == 3
    assert len(listed.fetched) == 30, "a full pass misses those that are not listed"


def test_a_page_costs_one_statement_however_many_orders_it_has(listed):
    many = orders(250)
    listed([says(order, "AWAITING_PAYMENT") for order in many])
    with CaptureQueriesContext(connection) as asked:
        syncing.run(at=later())
    # Is there anything open, the table of what was seen (two), three pages, what was not seen.
    assert len(asked) == 7


def test_everything_is_compared_when_it_is_time_and_the_newest_between(listed, monkeypatch):
    orders(1)
    passes: list[datetime | None] = []
    monkeypatch.setattr(syncing, "run", lambda *, at, since=None: passes.append(since))
    noon = datetime(2026, 11, 20, 12, tzinfo=IST)
    for minutes in (0, 1, 9, 11):
        syncing.poll(at=noon + timedelta(minutes=minutes))
    assert [since is None for since in passes] == [True, False, False, True]
    assert Heartbeat.objects.get(name=syncing.FULL).at == noon + timedelta(minutes=11)


@pytest.mark.parametrize(
    ("moment", "minutes"), [("20T12:00", 10), ("20T20:00", 30), ("21T12:00", 30), ("24T12:00", 30)]
)
def test_looks_often_while_the_market_works(moment, minutes):
    at = datetime.fromisoformat(f"2026-11-{moment}").replace(tzinfo=IST)
    assert syncing.full_every(at) == timedelta(minutes=minutes)


def test_asks_nothing_when_nothing_is_open(listed):
    listed([])
    assert syncing.run(at=later()).pages == 0
    assert not MfOrder.objects.filter(amount=Decimal(1)).exists()


@pytest.mark.parametrize("trouble", [errors.Refused, errors.Garbled])
def test_an_order_that_fp_does_not_tell_about_keeps_no_other_from_being_asked(trouble, listed, monkeypatch):
    def told(*, order_id, at):
        listed.fetched.append(order_id)
        raise trouble("fp", "GET", "/orders/1", status=404)

    both = orders(2)
    listed([])
    monkeypatch.setattr(sending, "refresh", told)
    assert syncing.run(at=later()).fetched == 2
    assert sorted(listed.fetched) == [order.pk for order in both]
