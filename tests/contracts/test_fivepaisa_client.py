"""Every call of the 5paisa client against the sandbox, over real HTTP."""

from __future__ import annotations

import urllib.request
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from brokers.fivepaisa import auth, events
from brokers.fivepaisa import client as fivepaisa
from brokers.fivepaisa.auth import Session
from brokers.fivepaisa.messages import OrderStatus
from brokers.fivepaisa.requests import (
    Change,
    Exchange,
    MarginLine,
    NewOrder,
    Scrip,
    Segment,
    Side,
    Validity,
)
from portal import clock
from portal.gateway import errors
from portal.gateway.journal import About
from portal.models import GatewayCall

pytestmark = pytest.mark.django_db

CLIENT = "50000001"
ITC = Scrip(exchange=Exchange.NSE, code=1660)
# A Friday on which the exchanges are open (providers.md 6.3).
TRADING = "2026-11-20T11:00"
NIGHT = "2026-11-20T21:00"


@pytest.fixture
def client(sandbox, at):
    at(TRADING)
    return fivepaisa.build()


def request_token(sandbox) -> str:
    """As the login page would give it to the browser."""
    return sandbox.call("POST", "/5paisa/request_token", {"client_code": CLIENT})["RequestToken"]


@pytest.fixture
def session(client, sandbox) -> Session:
    found = client.create_access_token(request_token(sandbox))
    return Session(found.client_code, found.access_token)


def order(reference: str, **changes) -> NewOrder:
    values = {"scrip": ITC, "side": Side.BUY, "quantity": 10, "remote_order_id": reference, **changes}
    return NewOrder(**values)


def place(client, session, reference: str, **changes):
    return client.create_order(session, order(reference, **changes), About(our_ref=reference))


def status_of(client, session, reference: str):
    (found,) = client.fetch_order_statuses(session, [(Exchange.NSE, reference)])
    return found


def limit_far_below(client, session) -> Decimal:
    """A price within the day's limits at which nobody sells."""
    (snapshot,) = client.fetch_snapshots(session, [ITC])
    return snapshot.lower_circuit_limit


# --- logging in -------------------------------------------------------------------------------------------------------


def test_a_request_token_becomes_a_session_once(client, sandbox):
    token = request_token(sandbox)
    found = client.create_access_token(token)
    assert found.client_code == CLIENT
    assert found.allow_nse_cash is True
    assert auth.ends_at(found.access_token, clock.now()).strftime("%H:%M") == "23:59"
    with pytest.raises(errors.NotAuthorised):
        client.create_access_token(token)


def test_the_login_page_is_there_and_asks_for_what_we_must_not(client):
    with urllib.request.urlopen(client.login_url("http://127.0.0.1:1/back", "state-1")) as page:
        assert page.status == 200
        assert b"<form" in page.read()


def test_a_login_comes_back_with_our_state(client):
    address = urlsplit(client.login_url("http://127.0.0.1:1/back", "state-1"))
    assert parse_qs(address.query)["State"] == ["state-1"]
    assert events.read_callback({"RequestToken": "eyJ.a.b", "state": "state-1"}, "state-1") == "eyJ.a.b"


@pytest.mark.parametrize("wrong", ["FIVEPAISA_APP_KEY", "FIVEPAISA_ENCRYPTION_KEY", "FIVEPAISA_USER_ID"])
def test_wrong_credentials_are_not_authorised(sandbox, settings, wrong):
    token = request_token(sandbox)
    setattr(settings, wrong, "wrong")
    with pytest.raises(errors.NotAuthorised):
        fivepaisa.build().create_access_token(token)


def test_a_wrong_token_is_not_authorised(client):
    session = Session(CLIENT, "eyJhbGciOiJIUzI1NiJ9.e30.bm9wZQ")
    with pytest.raises(errors.NotAuthorised):
        client.fetch_holdings(session)
    with pytest.raises(errors.NotAuthorised):
        place(client, session, "NOPE1")


def test_a_session_ends_at_the_end_of_its_day(client, session, at):
    at("2026-11-21T00:30")
    with pytest.raises(errors.NotAuthorised):
        client.fetch_holdings(session)


# --- orders -----------------------------------------------------------------------------------------------------------


def test_a_market_order_is_executed_and_found_by_our_reference(client, session):
    placed = place(client, session, "MARKET1")
    assert placed.remote_order_id == "MARKET1"
    found = status_of(client, session, "MARKET1")
    assert found.status is OrderStatus.FULLY_EXECUTED
    assert (found.traded_qty, found.pending_qty) == (10, 0)
    assert found.average_price > 0


@pytest.mark.parametrize("intraday", [True, False])
def test_delivery_and_intraday_are_told_apart(client, session, intraday):
    place(client, session, "NATURE1", intraday=intraday)
    (booked,) = [each for each in client.fetch_order_book(session) if each.remote_order_id in ("NATURE1", "")]
    assert booked.delv_intra[:1].upper() == ("I" if intraday else "D")


def test_a_limit_order_waits_is_changed_and_cancelled(client, session):
    price = limit_far_below(client, session)
    place(client, session, "LIMIT1", price=price)
    waiting = status_of(client, session, "LIMIT1")
    assert waiting.status in (OrderStatus.PENDING, OrderStatus.PLACED)
    assert waiting.pending_qty == 10
    assert waiting.order_rate == price
    client.update_order(session, Change(exch_order_id=waiting.exch_order_id, price=price, quantity=7), About())
    changed = status_of(client, session, "LIMIT1")
    assert changed.status is OrderStatus.MODIFIED
    assert changed.order_qty == 7
    client.cancel_order(session, changed.exch_order_id, About())
    assert status_of(client, session, "LIMIT1").status is OrderStatus.CANCELLED


def test_the_documents_key_cancels_too(client, session, settings):
    settings.FIVEPAISA_CANCEL_KEY = "ExchangeOrderID"
    place(client, session, "LIMIT2", price=limit_far_below(client, session))
    found = status_of(client, session, "LIMIT2")
    fivepaisa.build().cancel_order(session, found.exch_order_id, About())
    assert status_of(client, session, "LIMIT2").status is OrderStatus.CANCELLED


@pytest.mark.parametrize("market", [False, True])
def test_a_stop_loss_waits_for_its_trigger(client, session, market):
    (snapshot,) = client.fetch_snapshots(session, [ITC])
    trigger = snapshot.upper_circuit_limit
    place(client, session, "STOP1", price=Decimal(0) if market else trigger, trigger_price=trigger)
    found = status_of(client, session, "STOP1")
    assert found.status not in (OrderStatus.FULLY_EXECUTED, OrderStatus.UNKNOWN)
    assert found.traded_qty == 0


def test_an_immediate_order_that_finds_nobody_is_cancelled(client, session):
    place(client, session, "IOC1", price=limit_far_below(client, session), validity=Validity.IOC)
    assert status_of(client, session, "IOC1").status is OrderStatus.CANCELLED


def test_an_after_market_order_waits_for_the_morning(client, session, at):
    at(NIGHT)
    place(client, session, "AMO1", after_market=True)
    found = status_of(client, session, "AMO1")
    assert found.status not in (OrderStatus.FULLY_EXECUTED, OrderStatus.UNKNOWN)
    assert found.traded_qty == 0


def test_a_closed_market_refuses_an_order_of_the_day(client, session, at):
    at(NIGHT)
    with pytest.raises(errors.Refused) as refused:
        place(client, session, "LATE1")
    assert refused.value.code.startswith("RMS:-")


def test_an_order_that_does_not_exist_is_neither_changed_nor_cancelled(client, session):
    with pytest.raises(errors.Refused):
        client.update_order(session, Change(exch_order_id="1100000099999999", price=Decimal(1)), About())
    with pytest.raises(errors.Refused):
        client.cancel_order(session, "1100000099999999", About())


def test_statuses_are_asked_in_batches_of_fifty(client, session):
    place(client, session, "FIRST")
    place(client, session, "LAST")
    asked = [(Exchange.NSE, "FIRST"), *((Exchange.NSE, f"X{n}") for n in range(99)), (Exchange.NSE, "LAST")]
    before = GatewayCall.objects.count()
    assert len(client.fetch_order_statuses(session, asked)) == 2
    assert GatewayCall.objects.count() - before == 3


def test_the_book_of_a_quiet_day_is_empty(client, session):
    assert client.fetch_order_book(session) == []
    assert client.fetch_trade_book(session) == []
    assert client.fetch_order_statuses(session, [(Exchange.NSE, "NEVER")]) == []


def test_the_book_can_be_asked_for_what_is_new(client, session, at):
    place(client, session, "OLD1")
    at("2026-11-20T11:30")
    place(client, session, "NEW1")
    assert len(client.fetch_order_book(session)) == 2
    assert len(client.fetch_order_book(session, updated_in_last_s=600)) == 1


def test_trades_belong_to_their_orders(client, session):
    place(client, session, "TRADE1", quantity=25)
    found = status_of(client, session, "TRADE1")
    trades = client.fetch_trade_book(session)
    assert {each.exch_order_id for each in trades} == {found.exch_order_id}
    assert sum(each.qty for each in trades) == 25
    assert len({each.exchange_trade_id for each in trades}) == len(trades)


# --- what is held and what it may cost --------------------------------------------------------------------------------


def test_a_purchase_shows_as_a_position_and_costs_margin(client, session):
    before = client.fetch_margin(session).equity.net_available_margin
    place(client, session, "POS1")
    (position,) = [each for each in client.fetch_positions(session) if each.scrip_code == "1660"]
    assert (position.net_qty, position.buy_qty, position.sell_qty) == (10, 10, 0)
    assert client.fetch_margin(session).equity.net_available_margin < before


def test_holdings_have_isins_and_quantities(client, session):
    for held in client.fetch_holdings(session):
        assert len(held.isin) == 12
        assert held.quantity >= 0


def test_several_orders_are_weighed_together(client, session):
    lines = [
        MarginLine(scrip=ITC, side=Side.BUY, quantity=10, price=Decimal("400.05")),
        MarginLine(scrip=ITC, side=Side.BUY, quantity=5, price=Decimal("400.05")),
    ]
    found = client.fetch_multi_order_margin(session, lines)
    assert found.total_margin_required == Decimal("6000.75")
    assert found.available_margin > 0


# --- market data ------------------------------------------------------------------------------------------------------


def test_a_snapshot_a_feed_and_a_depth_agree(client, session):
    (snapshot,) = client.fetch_snapshots(session, [ITC])
    (tick,) = client.fetch_feed(session, [ITC], clock.now() - timedelta(days=1))
    (depth,) = client.fetch_depth(session, [ITC])
    assert snapshot.scrip_code == tick.scrip_code == depth.scrip_code == "1660"
    assert snapshot.lower_circuit_limit <= snapshot.last_traded_price <= snapshot.upper_circuit_limit
    assert tick.low <= tick.last_rate <= tick.high
    assert len(depth.bids) == len(depth.asks) == 5
    assert depth.bids[0].price < depth.asks[0].price


def test_a_scrip_is_found_by_its_symbol(client, session):
    (found,) = client.fetch_snapshots(session, [Scrip(exchange=Exchange.NSE, symbol="ITC_EQ")])
    assert found.scrip_code == "1660"


def test_prices_are_asked_in_batches_of_fifty(client, session):
    rows = (row for row in client.list_scrips(Segment.NSE_EQ) if row.series == "EQ")
    wanted = [Scrip(exchange=Exchange.NSE, code=row.scrip_code) for row, _ in zip(rows, range(60), strict=False)]
    before = GatewayCall.objects.count()
    assert len(client.fetch_snapshots(session, wanted)) == len(wanted)
    assert len(client.fetch_depth(session, wanted)) == len(wanted)
    assert GatewayCall.objects.count() - before == 2 * -(-len(wanted) // 50)


@pytest.mark.parametrize("segment", [Segment.NSE_EQ, Segment.ALL])
def test_the_scrip_master_is_read_row_by_row(client, segment):
    rows = {(row.exch, row.scrip_code): row for row in client.list_scrips(segment)}
    itc = rows["N", 1660]
    assert (itc.isin, itc.series, itc.scrip_data) == ("INE154A01025", "EQ", "ITC_EQ")
    assert itc.tick_size == Decimal("0.05")
    assert len(rows) > 50


# --- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "when", "error"),
    [
        ("html_200", "before", errors.Garbled),
        ("html_200", "after", errors.Garbled),
        ("empty_200", "after", errors.Garbled),
        ("truncated", "after", errors.Garbled),
        ("wrong_types", "after", errors.Garbled),
        ("status:500", "before", errors.OutcomeUnknown),
        ("status:429", "before", errors.Throttled),
        ("timed_out_400", "after", errors.OutcomeUnknown),
        ("redirect", "before", errors.Garbled),
        ("reset", "after", errors.OutcomeUnknown),
        ("close_half_way", "after", errors.OutcomeUnknown),
    ],
)
def test_an_order_that_goes_wrong_is_sent_once_and_named(client, session, sandbox, mode, when, error):
    before = GatewayCall.objects.count()
    sandbox.fault(mode, path="*PlaceOrderRequest*", when=when, provider="5paisa")
    with pytest.raises(error):
        place(client, session, "WRONG1")
    assert GatewayCall.objects.count() - before == 1
    assert len(client.fetch_order_statuses(session, [(Exchange.NSE, "WRONG1")])) == (1 if when == "after" else 0)


def test_a_master_that_is_cut_off_says_so(client, sandbox):
    sandbox.fault("truncated", method="GET", path="*ScripMaster*", when="after", provider="5paisa")
    with pytest.raises(errors.Garbled):
        list(client.list_scrips(Segment.NSE_EQ))


def test_the_journal_keeps_no_token_key_or_client(client, session, settings):
    place(client, session, "JOURNAL1")
    client.fetch_margin(session)
    kept = str(list(GatewayCall.objects.values()))
    secrets = (
        session.access_token,
        CLIENT,
        settings.FIVEPAISA_APP_KEY,
        settings.FIVEPAISA_ENCRYPTION_KEY,
    )
    for secret in secrets:
        assert secret not in kept
    assert "JOURNAL1" in kept


def test_moments_are_read_as_the_worlds_time(client, session):
    placed = place(client, session, "CLOCK1")
    assert placed.time is not None
    assert abs(placed.time - datetime.fromisoformat(f"{TRADING}+05:30")) < timedelta(minutes=2)
