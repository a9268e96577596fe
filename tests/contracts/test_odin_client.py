"""Every call of the ODIN client against the sandbox, over real HTTP, and every notice of the sandbox read by us."""

from __future__ import annotations

import html
import re
import urllib.error
import urllib.parse
import urllib.request
from decimal import Decimal

import pytest

from brokers.odin import client as odin
from brokers.odin import events
from brokers.odin.messages import Basket, Line, OrderEvent, OrderStatus, OrderType, Segment, Side, TradeEvent
from portal.gateway import errors
from portal.gateway.journal import About
from portal.models import GatewayCall

pytestmark = pytest.mark.django_db

TRADING = "2026-11-20T11:00"
ITC = Line(segment=Segment.NSE_CASH, token=1660, side=Side.BUY, quantity=10)
LOGIN = {"partner": "0AF1C1", "user": "ASHA01"}


@pytest.fixture
def client(sandbox, at):
    at(TRADING)
    return odin.build()


@pytest.fixture
def finish(sandbox):
    """Stand for the person at the basket page."""

    def complete(reco_id: str, outcome: str = "placed"):
        return sandbox.call("POST", "/odin/complete", {"sRecoId": reco_id, "outcome": outcome})

    return complete


def basket(reco_id: str, *lines: Line) -> Basket:
    return Basket(reco_id=reco_id, client_code="connector", lines=lines or (ITC,))


def button(client, reco_id: str, *lines: Line):
    return client.create_button_request("XYZ", basket(reco_id, *lines), About(our_ref=reco_id))


def latest(found):
    """The newest message of each order, by number and not by arrival."""
    orders = sorted(
        (each for each in found if isinstance(each, OrderEvent)), key=lambda each: each.message_sequence_number
    )
    return {each.order_key: each for each in orders}


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def browse(address: str, form: dict[str, str] | None = None) -> tuple[str, str]:
    """(the page, where the browser is sent next)."""
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        with urllib.request.build_opener(_Stay).open(address, data) as answer:
            return answer.read().decode(), ""
    except urllib.error.HTTPError as error:
        if error.code not in (302, 303):
            raise
        return "", error.headers["Location"]


def first_form(page: str) -> tuple[str, dict[str, str]]:
    """(where the first form of a page goes, what it already holds)."""
    action, inside = re.search(r'<form method="post" action="([^"]+)">(.*?)</form>', page, re.S).groups()
    fields = re.findall(r'<input[^>]* name="([^"]+)"[^>]*? value="([^"]*)"', inside)
    return action, {html.unescape(key): html.unescape(value) for key, value in fields}


def log_in(client, portal, minted: list[str], settings) -> events.WayBack:
    answer = lambda body: events.two_way_answer(  # noqa: E731
        events.read_two_way_question(body) in minted, "trace-1"
    )
    portal.answers["/odin/two-way-auth/"] = answer
    page, _ = browse(client.login_url("0AF1C1", "two-way-token-1"))
    action, fields = first_form(page)
    _, back = browse(urllib.parse.urljoin(settings.ODIN_WEB_URL, action), {**fields, "user": "ASHA01"})
    assert back.startswith(portal.url)
    return events.read_return(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query)))


def test_brokers_come_with_their_partner_ids(client):
    found = {each.partner_id: each.name for each in client.list_brokers()}
    assert found["0AF1C1"]


def test_a_login_whose_token_is_ours_brings_a_session(client, portal, settings):
    back = log_in(client, portal, ["two-way-token-1"], settings)
    assert back.succeeded
    assert back.session
    page = client.create_button_request(
        back.session, Basket(reco_id="01LOGN", client_code=back.vas_user_id, lines=(ITC,)), About()
    )
    assert "nRequestType=3" in page.data


def test_odin_asked_us_whether_the_token_is_ours(client, portal, settings):
    log_in(client, portal, ["two-way-token-1"], settings)
    asked = portal.bodies("/odin/two-way-auth/")
    assert {events.read_two_way_question(each) for each in asked} == {"two-way-token-1"}


def test_a_basket_becomes_a_page_on_odins_host(client, settings):
    page = button(client, "01F5h9")
    assert page.data.startswith(settings.ODIN_WEB_URL)
    assert "ITC" in browse(page.data)[0]


@pytest.mark.parametrize("key", ["orgQTY", "orgQty"])
def test_both_spellings_of_the_quantity_are_taken(sandbox, settings, key):
    settings.ODIN_QUANTITY_KEY = key
    assert button(odin.build(), "01QTY1").data


def test_an_ended_session_asks_for_a_new_login(client):
    with pytest.raises(errors.NotAuthorised) as refused:
        client.create_button_request("EXPIRED-SESSION", basket("01F5h9"), About())
    assert "login" in refused.value.said


def test_an_executed_basket_is_heard_by_sync_in_rupees(client, finish, sandbox):
    button(client, "01SYNC")
    finish("01SYNC")
    sandbox.advance("PT5M")
    found = list(client.sync_events())
    (order,) = latest(found).values()
    trades = [each for each in found if isinstance(each, TradeEvent)]
    assert (order.reco_id, order.side, order.scrip_code) == ("01SYNC", Side.BUY, "1660")
    assert order.order_status in (OrderStatus.EXECUTED, OrderStatus.COMPLETED)
    assert sum(each.trade_qty for each in trades) == order.traded_qty == 10
    for trade in trades:
        price = trade.rupees(trade.traded_price)
        assert Decimal(100) < price < Decimal(2000)
        assert price * 100 == trade.traded_price


def test_a_limit_price_keeps_its_paise(client, finish):
    line = ITC.model_copy(update={"order_type": OrderType.LIMIT, "price": Decimal("402.35")})
    button(client, "01LIMT", line)
    finish("01LIMT", "pending")
    (order,) = latest(client.sync_events()).values()
    assert order.rupees(order.order_price) == Decimal("402.35")
    assert order.order_status is OrderStatus.PENDING
    assert order.traded_qty == 0


@pytest.mark.parametrize(
    ("outcome", "statuses", "traded"),
    [
        ("unfilled", {OrderStatus.CANCELLED}, 0),
        ("low_funds", {OrderStatus.OMS_REJECT, OrderStatus.GATEWAY_REJECT, OrderStatus.ADMIN_REJECT}, 0),
        ("partial", {OrderStatus.CANCELLED}, 5),
    ],
)
def test_what_was_not_executed_is_not_read_as_executed(client, finish, outcome, statuses, traded):
    button(client, "01SOME")
    finish("01SOME", outcome)
    (order,) = latest(client.sync_events()).values()
    assert order.order_status in statuses
    assert order.traded_qty == traded


def test_the_sync_goes_on_where_it_stopped(client, finish):
    button(client, "01ONE1")
    finish("01ONE1")
    first = list(client.sync_events())
    last = max(each.message_sequence_number for each in first)
    button(client, "01TWO2")
    finish("01TWO2")
    assert {each.reco_id for each in client.sync_events(after=last)} == {"01TWO2"}


@pytest.mark.parametrize("mode", ["normal", "duplicate", "reorder"])
def test_pushed_events_end_in_the_same_state_in_any_order(client, finish, portal, sandbox, mode):
    sandbox.call("POST", "/webhooks", {"mode": mode})
    button(client, "01PUSH")
    finish("01PUSH")
    sandbox.advance("PT5M")
    synced = list(client.sync_events())
    bodies = portal.bodies("/webhooks/odin/", len(synced) * (2 if mode == "duplicate" else 1))
    pushed = [event for body in bodies for event in events.read_omex(body)]
    assert {each.message_sequence_number for each in pushed} == {each.message_sequence_number for each in synced}
    assert latest(pushed) == latest(synced)
    assert any(isinstance(each, OrderEvent) for each in pushed)


def test_the_way_back_from_a_basket_tells_no_order(client, finish, portal):
    button(client, "01BACK")
    read = events.read_return(finish("01BACK")["callback"])
    assert read.succeeded
    assert not read.session


@pytest.mark.parametrize(
    ("mode", "when", "error"),
    [
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
def test_a_basket_that_goes_wrong_is_sent_once_and_named(client, sandbox, mode, when, error):
    sandbox.fault(mode, path="*apiButtonRequest*", when=when, provider="odin")
    with pytest.raises(error):
        button(client, "01WRNG")
    assert GatewayCall.objects.count() == 1


def test_the_journal_keeps_no_session_token_or_client(client, settings, portal):
    back = log_in(client, portal, ["two-way-token-1"], settings)
    page = client.create_button_request(
        back.session, Basket(reco_id="01JRNL", client_code=back.vas_user_id, lines=(ITC,)), About()
    )
    list(client.sync_events())
    kept = str(list(GatewayCall.objects.values()))
    two_way = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.data).query))["sTwoWayToken"]
    for secret in (back.session, back.vas_user_id, two_way, settings.ODIN_OMEX_TOKEN):
        assert secret not in kept
    assert "01JRNL" in kept
