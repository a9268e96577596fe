"""What ODIN brings to us: ways back in its own spellings, its question, OMEX's news in any order."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from decimal import Decimal

import pytest

from brokers.odin import events
from brokers.odin.messages import OrderEvent, OrderStatus, Side, TradeEvent, read_event
from portal.clock import IST

LOGIN = {
    "sStatusCode": "vasprd-200-001",
    "sStatusMessage": "Login successful",
    "sSession": "SESSION-1",
    "sVasUserId": "VAS1",
    "sTradingUserId": "T1",
    "sRestsession": "REST-1",
}
ORDER = {
    "MessageType": "ORD_NRML",
    "OrderNumber": "1100000000012345",
    "Exchange": "NSE",
    "ScripCode": 1660,
    "Symbol": "ITC",
    "Series": "EQ",
    "Buy_Sell": 1,
    "OrderOriginalQty": 10,
    "PendingQty": 4,
    "TradedQTY": 6,
    "OrderPrice": 40235,
    "OrderStatus": 5,
    "Reason": "",
    "OrderEntryTime": "15Jun2019 15.25.15",
    "MessageSequenceNumber": 7,
    "sThirdpartyRecoId": "01F5h9",
    "UniqueCode": "OD1",
    "UCC": "CLIENT1",
}
TRADE = {
    "MessageType": "TRD_MSG",
    "UniqueCode": "OD1",
    "MessageSequenceNumber": 8,
    "Buy_Sell": "2",
    "TradeQty": 6,
    "TradedPrice": 40230,
    "TradeNumber": 77,
    "TradeTime": "15Jun2019 15.25.16",
    "DecimalLocator": 0,
}


# --- ways back -----------------------------------------------------------------------------------------------


def test_a_login_brings_its_session():
    back = events.read_return(LOGIN)
    assert back.succeeded
    assert (back.session, back.rest_session, back.vas_user_id, back.trading_user_id) == (
        "SESSION-1",
        "REST-1",
        "VAS1",
        "T1",
    )
    assert "SESSION-1" not in repr(back)


@pytest.mark.parametrize(
    "change",
    [
        {"sStatusCode": "vasprd-400-500"},
        {"sStatusCode": "failed"},
        {"sStatusCode": "1"},
        {"sSession": ""},
        {"sVasUserId": ""},
    ],
)
def test_a_login_that_failed_brings_no_session(change):
    back = events.read_return({**LOGIN, **change})
    assert not back.succeeded
    assert back.session == back.rest_session == ""


@pytest.mark.parametrize("params", [{}, {"sSession": "SESSION-1"}, {"sStatusCode": ""}, {**LOGIN, "SSESSION": "other"}])
def test_a_way_back_that_tells_no_single_outcome_is_unreadable(params):
    with pytest.raises(events.Unreadable):
        events.read_return(params)


@pytest.mark.parametrize("name", ["oEcoBackObject", "oEchoBackObject"])
def test_the_echo_is_read_in_both_spellings(name):
    """providers.md 7 #35."""
    sent = base64.b64encode(json.dumps({"basket": 7}).encode()).decode()
    assert events.read_return({"sStatusCode": "200", name: sent}).echo == {"basket": 7}


@pytest.mark.parametrize("echo", ["", "%%%", "bm8gSlNPTg==", "é"])
def test_an_echo_that_is_none_is_left_out(echo):
    assert events.read_return({"sStatusCode": "200", "oEcoBackObject": echo}).echo is None


# --- ODIN's question -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sTwoWayToken", "twoWayToken", "TwoWayToken", "token"])
def test_the_token_is_read_under_every_name(name):
    assert events.read_two_way_question(json.dumps({name: "T1", "sAppToken": "A"}).encode()) == "T1"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"sTwoWayToken": 7}', b'{"sTwoWayToken": ""}', b"\xff"])
def test_a_question_without_a_token_is_unreadable(body):
    with pytest.raises(events.Unreadable):
        events.read_two_way_question(body)


@pytest.mark.parametrize("ours", [True, False])
def test_the_answer_says_only_whether_the_token_is_ours(ours):
    assert events.two_way_answer(ours, "trace")["success"] is ours


# --- OMEX ----------------------------------------------------------------------------------------------------


def test_an_order_is_read_in_rupees():
    (order,) = events.read_omex(json.dumps(ORDER).encode())
    assert isinstance(order, OrderEvent)
    assert (order.reco_id, order.side, order.order_status) == ("01F5h9", Side.BUY, OrderStatus.PENDING)
    assert (order.order_original_qty, order.pending_qty, order.traded_qty) == (10, 4, 6)
    assert order.rupees(order.order_price) == Decimal("402.35")
    assert order.order_entry_time == datetime(2019, 6, 15, 15, 25, 15, tzinfo=IST)


def test_a_trade_is_read_in_rupees():
    (trade,) = events.read_omex(json.dumps([TRADE]).encode())
    assert isinstance(trade, TradeEvent)
    assert (trade.side, trade.trade_qty, trade.trade_number) == (Side.SELL, 6, "77")
    assert trade.rupees(trade.traded_price) == Decimal("402.3")


@pytest.mark.parametrize(("locator", "price"), [(None, "402.35"), (0, "402.35"), (100, "402.35"), (10000, "4.0235")])
def test_the_scale_of_a_price_is_its_locator(locator, price):
    event = read_event({**ORDER, "DecimalLocator": locator})
    assert event.rupees(event.order_price) == Decimal(price)


@pytest.mark.parametrize("status", [99, "executed", None, True, [], 7.5])
def test_a_status_that_is_not_known_is_unknown_and_never_final(status):
    assert read_event({**ORDER, "OrderStatus": status}).order_status is OrderStatus.UNKNOWN


@pytest.mark.parametrize("status", [7, "7", " 7 "])
def test_a_status_may_be_text(status):
    assert read_event({**ORDER, "OrderStatus": status}).order_status is OrderStatus.EXECUTED


def test_types_that_we_do_not_know_are_left_out():
    other = {"MessageType": "ORD_SPRD", "MessageSequenceNumber": 9}
    assert [type(each) for each in events.read_omex(json.dumps([other, ORDER]).encode())] == [OrderEvent]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b"{}",
        b"<html>",
        b"[" * 100_000,
        json.dumps({**ORDER, "TradedQTY": 11}).encode(),
        json.dumps({**ORDER, "OrderOriginalQty": True}).encode(),
        json.dumps({**ORDER, "ordernumber": "another"}).encode(),
        json.dumps({**TRADE, "TradeQty": -1}).encode(),
    ],
)
def test_what_is_no_omex_message_is_unreadable(body):
    with pytest.raises(events.Unreadable):
        events.read_omex(body)
