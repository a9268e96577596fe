"""What OMEX's messages mean for a journey, without a database: numbers, trades, statuses, reasons."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from brokers.models import OmexEvent
from brokers.odin import snapshots
from brokers.odin.messages import OrderStatus
from orders import lifecycle
from orders.models import BasketOrder, Security, StockOrder

TOKENS = {1: "1660"}
LINE = StockOrder(security=Security(pk=1, symbol="ITC"), side="BUY", quantity=10)
JOURNEY = BasketOrder(broker="odin", broker_account_ref="HERS")


def order(sequence: int, status: int, traded: int = 0, **more: object) -> OmexEvent:
    fields = {"order_key": "OD1", "token": "1660", "side": "BUY", "symbol": "ITC", "quantity": 10, **more}
    return OmexEvent(kind="ORDER", sequence=sequence, status=status, traded=traded, **fields)


def trade(sequence: int, shares: int, price: str, number: str = "T1", **more: object) -> OmexEvent:
    fields = {"order_key": "OD1", "token": "1660", "side": "BUY", "symbol": "ITC", **more}
    return OmexEvent(
        kind="TRADE", sequence=sequence, traded=shares, price=Decimal(price), trade_number=number, **fields
    )


def line(*events: OmexEvent):
    said = snapshots.of(JOURNEY, [LINE], TOKENS, events)
    assert said
    (only,) = said.lines
    return only


HISTORY = (order(1, 5), trade(2, 4, "100", "T1"), order(3, 5, 4), trade(4, 6, "101", "T2"), order(5, 7, 10))


@pytest.mark.parametrize("order_of_arrival", [*itertools.permutations(range(5))][::7])
def test_whatever_the_order_of_arrival_the_greatest_number_is_the_news(order_of_arrival):
    said = line(*[HISTORY[n] for n in order_of_arrival])
    assert (said.state, said.filled, said.average_price, said.sequence) == ("FILLED", 10, Decimal("100.6"), 5)


def test_a_trade_that_is_told_twice_counts_once():
    said = line(order(1, 5, 4), trade(2, 4, "100"), trade(3, 4, "100"))
    assert (said.state, said.filled) == ("PARTLY_FILLED", 4)


@pytest.mark.parametrize("status", [6, 7, 10])
def test_an_end_is_believed_once_its_trades_are_here(status):
    waits = line(order(1, 5), order(3, status, 10 if status == 7 else 4))
    assert (waits.state, waits.filled) == ("PLACED", 0)
    told = line(order(1, 5), order(3, status, 10 if status == 7 else 4), trade(2, 10 if status == 7 else 4, "100"))
    assert told.state == {6: "CANCELLED", 7: "FILLED", 10: "REJECTED"}[status]


def test_trades_alone_are_no_order_yet():
    said = snapshots.of(JOURNEY, [LINE], TOKENS, [trade(2, 4, "100")])
    assert said
    assert said.lines == ()


def test_every_status_is_mapped_and_an_unheard_of_one_moves_nothing():
    assert set(snapshots.STATES) == set(OrderStatus)
    assert line(order(1, -99)).state is None
    ends = {status.name for status, state in snapshots.STATES.items() if state in snapshots.ENDS}
    assert ends == {
        "CANCELLED", "ADMIN_CANCEL", "AMO_CANCELLED", "STOPPED",
        "GATEWAY_REJECT", "OMS_REJECT", "ORDER_ERROR", "FROZEN", "ADMIN_REJECT",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("Insufficient funds", "marginsExceeded"),
        ("RMS: Margin Shortfall", "marginsExceeded"),
        ("Holdings not available for T1", "checkHoldings"),
        ("Price 99 is outside the circuit limits", "circuit"),
        ("End of the day", "orderUnmatched"),
        ("Something else", "odin"),
        ("", ""),
    ],
)
def test_a_brokers_words_become_a_reason_that_people_can_act_on(reason, code):
    said = line(order(1, 10, reason=reason))
    assert (said.failure_code, said.failure_text) == (code, reason)


def test_an_earlier_try_that_came_to_nothing_is_no_second_order():
    said = line(order(1, 10), order(2, 7, 10, order_key="OD2"), trade(3, 10, "100", order_key="OD2"))
    assert (said.state, said.quantity) == ("FILLED", 10)


def test_two_orders_that_live_are_more_than_was_asked_for():
    second = {"order_key": "OD2"}
    said = line(order(1, 7, 10), trade(2, 10, "100"), order(3, 7, 10, **second), trade(4, 10, "102", "T9", **second))
    assert (said.quantity, said.filled, said.average_price) == (20, 20, Decimal("101"))


def test_a_message_of_another_account_is_named_to_the_judge():
    said = snapshots.of(JOURNEY, [LINE], TOKENS, [order(1, 5, account_ref="HERS"), order(2, 5, account_ref="OTHER")])
    assert said
    assert said.account_ref == "OTHER"


def test_a_share_that_was_not_asked_for_keeps_its_own_name():
    said = line(order(1, 5, token="999", symbol="WIPRO"))
    assert (said.symbol, said.state) == ("WIPRO", lifecycle.PLACED)
