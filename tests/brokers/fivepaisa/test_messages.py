"""5paisa's answers in both vocabularies, its moments, and what is sent to it, digit for digit."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from brokers.fivepaisa import messages, moments, scrips
from brokers.fivepaisa.messages import OrderStatus
from brokers.fivepaisa.requests import Change, Exchange, MarginLine, NewOrder, Scrip, Side, Validity
from portal import redaction
from portal.clock import IST
from portal.gateway import errors
from portal.gateway.transport import Request

ITC = Scrip(exchange=Exchange.NSE, code=1660)
ORDER = {"scrip": ITC, "side": Side.BUY, "quantity": 1, "price": Decimal("445"), "remote_order_id": "CustomOrder123"}


# --- moments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("/Date(1658255400000+0530)/", datetime(2022, 7, 19, 18, 30, tzinfo=UTC)),
        ("/Date(1725516056000)/", datetime(2024, 9, 5, 6, 0, 56, tzinfo=UTC)),
        ("2025-05-19 10:30:15.000", datetime(2025, 5, 19, 10, 30, 15, tzinfo=IST)),
        ("2025-05-19T12:34:56Z", datetime(2025, 5, 19, 12, 34, 56, tzinfo=UTC)),
        ("2025-05-19T12:00:00", datetime(2025, 5, 19, 12, 0, tzinfo=IST)),
    ],
)
def test_reads_all_four_spellings_and_does_not_add_the_offset(text, moment):
    """providers.md 4.8."""
    assert moments.read(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "/Date(171674800000+0530)/",
        "/Date(-62135596800000)/",
        "/Date()/",
        "",
        None,
        7,
        "soon",
        "/Date(9" + "9" * 14 + ")/",
    ],
)
def test_what_can_be_no_time_of_an_order_is_none(text):
    assert moments.read(text) is None


def test_writes_milliseconds():
    assert moments.write(datetime(2024, 9, 5, 6, 0, 56, tzinfo=UTC)) == "/Date(1725516056000)/"


# --- what is sent --------------------------------------------------------------------------------------------


def test_an_order_has_the_names_and_types_of_the_documents_example():
    """Document 004, PlaceOrder; `Buy` is sent as the SDK writes it (providers.md 4.3)."""
    wire = NewOrder(**ORDER, intraday=True, device_id="MyAppDevice001").wire()
    assert wire == {
        "Exchange": "N",
        "ExchangeType": "C",
        "ScripCode": "1660",
        "ScripData": "",
        "Price": 445,
        "StopLossPrice": 0,
        "OrderType": "B",
        "Qty": 1,
        "DisQty": 0,
        "IsIntraday": True,
        "iOrderValidity": 0,
        "AHPlaced": "N",
        "RemoteOrderID": "CustomOrder123",
        "AlgoID": 0,
        "DeviceID": "MyAppDevice001",
    }


@pytest.mark.parametrize(
    "change", [{}, {"price": Decimal(0)}, {"trigger_price": Decimal("440.05")}, {"after_market": True}]
)
def test_price_and_our_reference_are_always_sent(change):
    """A missing price would mean at market (document 004, note)."""
    wire = NewOrder(**{**ORDER, **change}).wire()
    assert "Price" in wire
    assert wire["RemoteOrderID"] == "CustomOrder123"


@pytest.mark.parametrize(
    ("change", "wire"),
    [
        ({"price": Decimal("431.05")}, {"Price": 431.05, "StopLossPrice": 0}),
        ({"price": Decimal(0)}, {"Price": 0, "StopLossPrice": 0}),
        ({"trigger_price": Decimal("440.10")}, {"Price": 445, "StopLossPrice": 440.1}),
        ({"price": Decimal(0), "trigger_price": Decimal("440.10")}, {"Price": 0, "StopLossPrice": 440.1}),
        ({"after_market": True}, {"AHPlaced": "Y"}),
        ({"validity": Validity.IOC}, {"iOrderValidity": 3}),
        ({"intraday": True}, {"IsIntraday": True}),
        ({"side": Side.SELL}, {"OrderType": "S"}),
    ],
    ids=["limit", "market", "stop-loss", "stop-loss market", "after market", "immediate", "intraday", "sell"],
)
def test_every_kind_of_order_can_be_said(change, wire):
    said = NewOrder(**{**ORDER, **change}).wire()
    assert {key: said[key] for key in wire} == wire


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 0},
        {"quantity": 1.0},
        {"quantity": True},
        {"price": Decimal("-1")},
        {"price": Decimal("NaN")},
        {"price": Decimal("123456789012345678.05")},
        {"disclosed_quantity": 2},
        {"remote_order_id": ""},
        {"remote_order_id": "x" * 21},
        {"remote_order_id": "a b"},
        {"validity": Validity.IOC, "after_market": True},
        {"device_id": "x" * 101},
    ],
)
def test_an_order_that_makes_no_sense_is_never_made(change):
    with pytest.raises(ValidationError):
        NewOrder(**{**ORDER, **change})


def test_a_change_names_only_what_changes_and_always_the_price():
    change = Change(exch_order_id="1100000018012644", price=Decimal(0), quantity=10)
    assert change.wire() == {"ExchOrderID": "1100000018012644", "Price": 0, "Qty": 10}
    with pytest.raises(ValidationError):
        Change(exch_order_id="1100000018012644", quantity=10)


@pytest.mark.parametrize("order_id", ["", "0", "0123"])
def test_an_order_that_the_exchange_does_not_know_cannot_be_changed(order_id):
    with pytest.raises(ValidationError):
        Change(exch_order_id=order_id, price=Decimal(1))


def test_a_scrip_has_a_name():
    assert Scrip(exchange=Exchange.NSE, symbol="ITC_EQ").long()["ScripData"] == "ITC_EQ"
    with pytest.raises(ValidationError):
        Scrip(exchange=Exchange.NSE)


def test_a_margin_line_is_written_as_the_document_writes_it():
    """providers.md 4.4."""
    line = MarginLine(scrip=ITC, side=Side.SELL, quantity=5, price=Decimal("400.05"))
    assert line.wire() == {
        "Exch": "N",
        "ExchType": "C",
        "ScripCode": 1660,
        "PlaceModifyCancel": "P",
        "OrderType": "S",
        "Price": 400.05,
        "Qty": 5,
        "IsIntraday": False,
    }


# --- what is read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["BrokerOrderID", "BrokerOrderId"])
@pytest.mark.parametrize("ours", ["RemoteOrderID", "RemoteOrderId"])
def test_keys_are_read_in_every_spelling_and_ids_stay_exact(name, ours):
    said = {name: 672112769, ours: "A1", "ExchOrderID": 1100000018012644, "RMSResponseCode": 1, "Status": 0}
    found = messages.Acknowledged.model_validate(said)
    assert (found.broker_order_id, found.remote_order_id) == ("672112769", "A1")
    assert found.exch_order_id == "1100000018012644"


@pytest.mark.parametrize("nothing", [0, "0", "", None])
def test_nought_is_no_exchange_id_yet(nothing):
    assert messages.Acknowledged.model_validate({"BrokerOrderID": 1, "ExchOrderID": nothing}).exch_order_id == ""


LINE = {"ExchOrderID": 10000365323, "OrderQty": 1, "PendingQty": 1, "TradedQty": 0, "Status": "Modified"}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Fully Executed", OrderStatus.FULLY_EXECUTED),
        ("FULLY EXECUTED", OrderStatus.FULLY_EXECUTED),
        ("Rejected By 5P", OrderStatus.REJECTED_BY_5P),
        ("Rejected by Exch", OrderStatus.REJECTED_BY_EXCH),
        ("Open", OrderStatus.OPEN),
        ("Xmitted", OrderStatus.XMITTED),
        ("Executed on the moon", OrderStatus.UNKNOWN),
        ("", OrderStatus.UNKNOWN),
        (None, OrderStatus.UNKNOWN),
        (0, OrderStatus.UNKNOWN),
    ],
)
def test_words_that_are_not_known_are_unknown_and_never_final(word, status):
    assert messages.StatusOfOrder.model_validate({**LINE, "Status": word}).status is status


@pytest.mark.parametrize(
    "change", [{"TradedQty": 2}, {"OrderQty": True}, {"OrderQty": None}, {"PendingQty": -1}, {"AveragePrice": "NaN"}]
)
def test_numbers_that_cannot_be_are_not_read(change):
    with pytest.raises(ValidationError):
        messages.StatusOfOrder.model_validate({**LINE, **change})


BOOKED = {"BrokerOrderId": "987654321", "Exch": "NSE", "AveragePrice": "1500.25", "TradedQty": 100, "AtMarket": False}


@pytest.mark.parametrize("container", ["orderBook", "OrderBookDetail"])
def test_a_book_is_read_under_both_names(container):
    (order,) = messages.OrderBook.model_validate({"Status": 0, container: [BOOKED]}).orders
    assert (order.exch, order.average_price, order.at_market) == ("N", Decimal("1500.25"), False)


@pytest.mark.parametrize("container", ["NetPositions", "NetPositionDetail"])
def test_positions_are_read_under_both_names(container):
    (position,) = messages.Positions.model_validate({container: [{"ScripCode": 1, "NetQty": -5}]}).positions
    assert position.net_qty == -5


@pytest.mark.parametrize(
    "kind", [messages.OrderBook, messages.TradeBook, messages.Holdings, messages.Margin, messages.Ticks]
)
def test_a_list_that_is_missing_from_a_success_is_not_read_as_empty(kind):
    with pytest.raises(ValidationError):
        kind.model_validate({"Status": 0, "Message": "Success"})
    assert kind.model_validate({"Status": 1, "Message": "No record found."}).model_dump()


@pytest.mark.parametrize(
    "said",
    [
        {"Token": 1660, "LastRate": 444.6, "TickDt": "/Date(1725516056000)/"},
        {"ScripCode": "1660", "LTP": "444.6", "Time": "2024-09-05 11:30:56"},
    ],
)
def test_a_tick_is_read_in_both_vocabularies(said):
    """providers.md 7 #26."""
    tick = messages.Tick.model_validate(said)
    assert (tick.scrip_code, tick.at) == ("1660", datetime(2024, 9, 5, 11, 30, 56, tzinfo=IST))
    assert tick.last_rate == Decimal(str(said.get("LastRate", "444.6")))


@pytest.mark.parametrize("key", ["FundsPayln", "FundsPayIn"])
def test_the_typo_of_the_margin_is_read(key):
    margin = messages.Margin.model_validate({"EquityMargin": [{"NetAvailableMargin": "1000.50", key: 7}]})
    assert (margin.equity.net_available_margin, margin.equity.funds_pay_in) == (Decimal("1000.50"), 7)


# --- the scrip master ----------------------------------------------------------------------------------------

MASTER = Request("GET", "/VendorsAPI/Service1.svc/ScripMaster/segment/all")
HEADER = (
    "Exch,ExchType,ScripCode,Name,Expiry,ScripType,StrikeRate,FullName,TickSize,LotSize,QtyLimit,Multiplier,SymbolRoot,"
    "BOCOAllowed,ISIN,ScripData,Series\n"
)
ROW = "N,C,1660,ITC,,EQ,0,ITC LTD,0.05,1,0,1,ITC,Y,INE154A01025,ITC_EQ,EQ\n"
QUOTED = 'N,C,2885,RELIANCE,,EQ,0,"RELIANCE INDUSTRIES, LTD",0.05,1,0,1,RELIANCE,Y,INE002A01018,RELIANCE_EQ,EQ\n'
ODD = "N,C,ABC,ODD,,EQ,0,ODD LTD,0.05,1,0,1,ODD,Y,,ODD_EQ,EQ\n"


def read(text: str | bytes, size: int = 7) -> list[scrips.ScripRow]:
    raw = text.encode() if isinstance(text, str) else text
    return list(scrips.read(MASTER, (raw[start : start + size] for start in range(0, len(raw), size))))


@given(st.integers(min_value=1, max_value=400))
def test_rows_are_whole_wherever_the_chunks_end(size):
    rows = read(HEADER + ROW + QUOTED, size)
    assert [(row.scrip_code, row.full_name) for row in rows] == [(1660, "ITC LTD"), (2885, "RELIANCE INDUSTRIES, LTD")]
    assert rows[0].tick_size == Decimal("0.05")


def test_a_compressed_master_is_opened():
    assert len(read(gzip.compress((HEADER + ROW).encode()))) == 1


def test_an_odd_row_is_left_out_and_the_others_are_kept():
    assert [row.scrip_code for row in read(HEADER + ODD + ROW)] == [1660]


def test_columns_are_found_by_name_not_by_place():
    assert read("Name,ScripCode,Exch,ExchType,TickSize,LotSize\nITC,1660,N,C,0.05,1\n")[0].name == "ITC"


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROW + ROW[:30],
        gzip.compress((HEADER + ROW * 50).encode())[:-20],
        gzip.compress((HEADER + ROW * 50).encode(), mtime=0)[:60] + b"broken" * 5,
        HEADER + "x" * 20_000,
        "<html></html>",
        "",
    ],
)
def test_a_master_that_is_cut_off_is_not_taken_for_whole(text):
    with pytest.raises(errors.Garbled):
        read(text)


def test_a_wrong_segment_is_refused():
    with pytest.raises(errors.Refused):
        read("Invalid segment 'nse'. Valid are ...")


# --- redaction -----------------------------------------------------------------------------------------------


def test_hides_what_5paisa_says_about_people():
    token = "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl"
    said = {
        "head": {"Key": "app-key-1", "key": "app-key-2"},
        "body": {
            "EncryKey": "encry-key-1",
            "RequestToken": token,
            "AccessToken": "opaque-token",
            "RefreshToken": "opaque-refresh",
            "ClientCode": "50012322",
            "ClientName": "Mahendra Rao",
            "PIN": "111111",
            "TOTP": "123456",
            "Email_ID": "50012322",
        },
        "numeric": {"ClientCode": 50012322},
        "Cookie": "5paisacookie=abc",
        "path": "/oauth/callback?RequestToken=opaque-request&state=x",
        "note": "back at /oauth/callback?RequestToken=opaque-request&state=x",
    }
    kept = str(redaction.redact(said))
    for secret in (
        "app-key",
        "encry-key",
        token,
        "opaque-token",
        "opaque-refresh",
        "50012322",
        "Mahendra",
        "5paisacookie=abc",
    ):
        assert secret not in kept
    assert "111111" not in kept
    assert "123456" not in kept
    assert "opaque-request" not in str(redaction.redact({"note": said["note"]}))


def test_keeps_what_ops_need_to_find_an_order():
    said = {
        "RemoteOrderID": "0327020205139304480",
        "BrokerOrderID": 672112769,
        "ExchOrderID": "1100000018012644",
        "Time": "/Date(1658255400000+0530)/",
        "Price": 431.05,
    }
    assert redaction.redact(said) == said
