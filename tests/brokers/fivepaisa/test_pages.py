"""The 5paisa route on its pages: log in, place, order by ticket, change, and what the broker says of the account."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from brokers.models import BrokerAccount, LinkState
from brokers.operations import journeys
from orders.models import BasketOrder, StockChange, StockHolding, StockOrder
from orders.operations import stock_changes
from portal import clock, gates, identifiers
from portal.models import GatewayCall
from tests.brokers.fivepaisa.test_placing import by_hand, low
from tests.brokers.fivepaisa.trading import follow, journey, log_in, received, share, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("trading_hours")]
TWENTY = tuple(
    "ITC TCS INFY RELIANCE HDFCBANK ICICIBANK SBIN LT AXISBANK KOTAKBANK BHARTIARTL HINDUNILVR ASIANPAINT TITAN"
    " SUNPHARMA WIPRO TATASTEEL NTPC ONGC IDEA".split()
)


@pytest.fixture
def browser(asha, client_for) -> Client:
    return client_for(asha)


def state_of(answer: Any) -> str:
    return str(answer["Location"].split("State=")[1])


def come_back(sandbox: Any, browser: Client, state: str, client_code: str = "50000001") -> str:
    """What 5paisa's login page does once the PIN was right."""
    token = sandbox.call("POST", "/5paisa/request_token", {"client_code": client_code})["RequestToken"]
    answer = browser.get("/5paisa/callback/", {"RequestToken": token, "state": state}, follow=True)
    return str(answer.content.decode())


# --- Logging in -------------------------------------------------------------------------------------------------------


def test_a_login_links_the_account_for_its_day_and_leads_back_to_the_order(sandbox, asha, browser):
    order = journey(asha, symbols=("ITC",))
    page = browser.get(f"/stock-orders/{order.code}/").content.decode()
    assert "Log in at 5paisa" in page
    answer = browser.post("/broker-accounts/log-in/", {"broker": "5paisa", "house": "", "order": order.code})
    assert "VendorKey=sandbox-app-key" in answer["Location"]
    page = come_back(sandbox, browser, state_of(answer))
    assert "Place 1 share order" in page
    account = BrokerAccount.objects.get()
    assert account.account_ref == "50000001"
    assert account.session_expires_at
    assert account.session_expires_at.astimezone(clock.IST).strftime("%H:%M") == "23:59"
    assert account.session not in page
    assert re.search(r"[0-9]+ min left", browser.get("/broker-accounts/").content.decode())


def test_the_token_is_kept_encrypted_and_written_down_nowhere_else(sandbox, asha, browser):
    answer = browser.post("/broker-accounts/log-in/", {"broker": "5paisa", "house": ""})
    come_back(sandbox, browser, state_of(answer))
    token = BrokerAccount.objects.get().session or ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT session::text FROM brokers_brokeraccount")
        assert token not in str(cursor.fetchone()[0])
    for call in GatewayCall.objects.filter(provider="5paisa"):
        assert token not in f"{call.request_body} {call.response_body} {call.path}"


@pytest.mark.parametrize("state", ["", "made-up"])
def test_a_way_back_that_nobody_began_links_nothing(sandbox, asha, browser, state):
    browser.post("/broker-accounts/log-in/", {"broker": "5paisa", "house": ""})
    come_back(sandbox, browser, state)
    assert not BrokerAccount.objects.exists()


def test_a_state_works_once(sandbox, asha, browser):
    answer = browser.post("/broker-accounts/log-in/", {"broker": "5paisa", "house": ""})
    come_back(sandbox, browser, state_of(answer))
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    come_back(sandbox, browser, state_of(answer))
    assert BrokerAccount.objects.get().session is None
    assert LinkState.objects.get().used_at


def test_a_login_as_somebody_else_changes_nothing(sandbox, asha, browser):
    account = log_in(sandbox, asha)
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    answer = browser.post("/broker-accounts/log-in/", {"account": account.code})
    page = come_back(sandbox, browser, state_of(answer), "50000009")
    assert "another account" in page
    assert BrokerAccount.objects.get().session is None


# --- Placing ----------------------------------------------------------------------------------------------------------


def test_pressing_place_places_and_the_page_follows_it(sandbox, asha, browser, recover):
    log_in(sandbox, asha)
    order = journey(asha, symbols=("ITC", "TCS"))
    browser.post(f"/stock-orders/{order.code}/go/")
    browser.post(f"/stock-orders/{order.code}/go/")
    assert "Your shares are being placed" in browser.get(f"/stock-orders/{order.code}/").content.decode()
    follow(order, recover)
    follow(order, recover)
    page = browser.get(f"/stock-orders/{order.code}/").content.decode()
    assert "Everything was executed" in page
    assert [received(sandbox, line) for line in order.lines.all()] == [1, 1]


def test_a_lost_answer_is_said_and_not_offered_for_placing_again(sandbox, asha, browser, recover):
    log_in(sandbox, asha)
    order = journey(asha, symbols=("ITC", "TCS"))
    browser.post(f"/stock-orders/{order.code}/go/")
    sandbox.fault("reset", path="*PlaceOrderRequest", when="before", provider="5paisa")
    follow(order, recover)
    page = browser.get(f"/stock-orders/{order.code}/").content.decode()
    assert "1 share being checked" in page
    assert "Place the other" not in page


def test_a_session_that_ended_half_way_is_said_with_its_numbers(sandbox, asha, browser, recover):
    log_in(sandbox, asha)
    order = journey(asha, symbols=("ITC", "TCS"))
    browser.post(f"/stock-orders/{order.code}/go/")
    BrokerAccount.objects.update(session="not.a.token")
    follow(order, recover)
    page = browser.get(f"/stock-orders/{order.code}/").content.decode()
    assert "0 of 2 shares were sent, 2 were not" in page


def test_an_order_that_is_begun_again_goes_to_the_account_that_was_chosen_for_it(sandbox, asha, browser):
    chosen = log_in(sandbox, asha)
    order = journey(asha, symbols=("ITC",))
    BasketOrder.objects.filter(pk=order.pk).update(broker_account_ref=chosen.account_ref)
    journeys.give_up(order_id=order.pk, at=clock.now())
    log_in(sandbox, asha, "50000009")
    browser.post(f"/stock-orders/{order.code}/again/")
    assert BasketOrder.objects.exclude(pk=order.pk).get().broker_account_ref == chosen.account_ref


# --- The ticket -------------------------------------------------------------------------------------------------------


def ticket_of(symbol: str) -> str:
    return f"/shares/{share(symbol).isin}/ticket/"


def ticket(**changes: str) -> dict[str, str]:
    form = {
        "side": "BUY",
        "quantity": "3",
        "kind_of_order": "MARKET",
        "product": "DELIVERY",
        "when": "now",
        "account": BrokerAccount.objects.get().code,
        "form_ref": identifiers.new_client_ref(),
    }
    return {**form, **changes}


def test_a_ticket_shows_money_and_limits_and_sends_nothing_before_it_is_confirmed(sandbox, asha, browser, recover):
    log_in(sandbox, asha)
    share("ITC")
    form = ticket()
    page = browser.post(ticket_of("ITC"), form).content.decode()
    assert "Money this order needs" in page
    assert "limits" in page
    assert not StockOrder.objects.exists()
    kept = browser.post(ticket_of("ITC"), {**form, "confirmed": "back"}, follow=True).content.decode()
    assert 'name="quantity" value="3"' in kept
    answers = [browser.post(ticket_of("ITC"), {**form, "confirmed": "yes"}) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    order = BasketOrder.objects.get()
    follow(order, recover)
    assert states(follow(order, recover)) == {"ITC": "FILLED"}
    assert received(sandbox, order.lines.get()) == 1


def test_a_ticket_that_is_changed_once_it_is_on_record_sends_nothing_of_either(sandbox, asha, browser, recover):
    log_in(sandbox, asha)
    share("ITC")
    form = ticket()
    gates.turn(name=gates.of("5paisa"), closed=True, reason="drill", actor="test", at=clock.now())
    browser.post(ticket_of("ITC"), {**form, "confirmed": "yes"})
    gates.turn(name=gates.of("5paisa"), closed=False, reason="drill", actor="test", at=clock.now())
    page = browser.post(ticket_of("ITC"), {**form, "quantity": "1", "confirmed": "yes"}, follow=True).content.decode()
    assert "What you changed was not sent" in page
    recover()
    order = BasketOrder.objects.get()
    assert (order.state, received(sandbox, order.lines.get())) == ("CREATED", 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind_of_order": "LIMIT"}, "Enter the limit price."),
        ({"kind_of_order": "LIMIT", "price": "0.5"}, "Today the exchange takes prices from"),
        ({"kind_of_order": "LIMIT", "price": "431.03"}, "steps of ₹0.05"),
        ({"kind_of_order": "STOP_LOSS_MARKET"}, "Enter the trigger price."),
        ({"kind_of_order": "STOP_LOSS", "price": "400", "trigger": "410"}, "at or below the limit price"),
        ({"price": "400"}, "has no limit price"),
        ({"quantity": "99999"}, "free. Nothing was ordered"),
        ({"side": "SELL", "quantity": "5000"}, "This account holds"),
        ({"quantity": "1.5"}, "whole number of shares"),
    ],
)
def test_a_ticket_that_cannot_be_says_why_at_its_place(sandbox, asha, browser, changes, words):
    log_in(sandbox, asha)
    share("ITC")
    answer = browser.post(ticket_of("ITC"), ticket(**changes), follow=True)
    assert words in answer.content.decode()
    assert not StockOrder.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({"kind_of_order": "MARKET", "when": "immediate"}, {"iOrderValidity": 3, "Price": 0}),
        ({"kind_of_order": "MARKET", "product": "INTRADAY"}, {"IsIntraday": True}),
        ({"kind_of_order": "MARKET", "when": "after_market"}, {"AHPlaced": "Y"}),
    ],
)
def test_a_ticket_becomes_exactly_the_order_that_was_confirmed(sandbox, asha, browser, recover, changes, sent):
    log_in(sandbox, asha)
    share("ITC")
    browser.post(ticket_of("ITC"), {**ticket(**changes), "confirmed": "yes"})
    follow(BasketOrder.objects.get(), recover)
    body = GatewayCall.objects.get(path__contains="PlaceOrder").request_body["body"]
    assert {name: body[name] for name in sent} == sent
    assert body["Qty"] == 3


def test_shares_of_the_demat_account_are_sold_by_ticket(sandbox, asha, browser, recover):
    log_in(sandbox, asha)
    share("ITC")
    form = ticket(side="SELL", quantity="10")
    page = browser.post(ticket_of("ITC"), form).content.decode()
    assert "come out of your demat account" in page
    assert "TPIN" in page
    browser.post(ticket_of("ITC"), {**form, "confirmed": "yes"})
    follow(BasketOrder.objects.get(), recover)
    assert states(follow(BasketOrder.objects.get(), recover)) == {"ITC": "FILLED"}


def test_a_sale_without_power_of_attorney_is_explained_before_and_after(sandbox, asha, browser, recover):
    log_in(sandbox, asha, "50000003")
    share("ITC")
    page = browser.post(ticket_of("ITC"), ticket(side="SELL", quantity="10")).content.decode()
    assert "Approve this sale at 5paisa first" in page
    browser.post(ticket_of("ITC"), {**ticket(side="SELL", quantity="10"), "confirmed": "yes"})
    refused = follow(BasketOrder.objects.get(), recover)
    assert states(refused) == {"ITC": "REJECTED"}
    assert "TPIN" in browser.get(f"/stock-orders/{refused.code}/").content.decode()
    sandbox.call("POST", "/5paisa/approve_sales", {"client_code": "50000003"})
    browser.post(ticket_of("ITC"), {**ticket(side="SELL", quantity="10"), "confirmed": "yes"})
    sold = BasketOrder.objects.exclude(pk=refused.pk).get()
    follow(sold, recover)
    assert states(follow(sold, recover)) == {"ITC": "FILLED"}


# --- Changing and cancelling ------------------------------------------------------------------------------------------


@pytest.fixture
def open_line(sandbox, asha, browser, recover) -> StockOrder:
    """A limit order at a price at which nobody sells."""
    account = log_in(sandbox, asha)
    share("ITC")
    price = str(low(account, "ITC"))
    browser.post(ticket_of("ITC"), {**ticket(kind_of_order="LIMIT", price=price), "confirmed": "yes"})
    order = BasketOrder.objects.get()
    follow(order, recover)
    follow(order, recover)
    line = order.lines.get()
    assert (line.state, bool(line.exchange_ref)) == ("PLACED", True)
    return line


def instruct(browser: Client, line: StockOrder, act: str, **numbers: str) -> StockChange:
    form = {"act": act, "form_ref": identifiers.new_client_ref(), **numbers}
    browser.post(f"/share-orders/{line.code}/", form)
    return StockChange.objects.get()


def test_an_open_order_is_changed(sandbox, browser, recover, open_line):
    price = open_line.price + Decimal("0.10")
    change = instruct(browser, open_line, "modify", quantity="5", price=str(price))
    recover()
    change.refresh_from_db()
    open_line.refresh_from_db()
    assert (change.state, open_line.quantity, open_line.price) == ("DONE", 5, price)
    assert sandbox.call("GET", "/ledger/5paisa")["orders"][0]["quantity"] == 5
    follow(open_line.basket_order, recover)
    open_line.refresh_from_db()
    assert open_line.state == "PLACED"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_change_whose_answer_was_lost_ends_as_it_was_asked(sandbox, browser, recover, open_line, when):
    change = instruct(browser, open_line, "modify", quantity="5", price=str(open_line.price))
    sandbox.fault("reset", path="*ModifyOrderRequest", when=when, provider="5paisa")
    recover()
    change.refresh_from_db()
    assert (change.state, change.attempt) == ("SUBMITTING", "UNKNOWN")
    recover(clock.now() + timedelta(seconds=3))
    recover(clock.now() + timedelta(seconds=90))
    change.refresh_from_db()
    open_line.refresh_from_db()
    assert (change.state, open_line.quantity) == ("DONE", 5)


@pytest.mark.parametrize("fault", ["", "before", "after"])
def test_an_open_order_is_cancelled(sandbox, browser, recover, open_line, fault):
    change = instruct(browser, open_line, "cancel")
    if fault:
        sandbox.fault("reset", path="*CancelOrderRequest", when=fault, provider="5paisa")
    recover()
    recover(clock.now() + timedelta(seconds=3))
    recover(clock.now() + timedelta(seconds=90))
    follow(open_line.basket_order, recover)
    change.refresh_from_db()
    open_line.refresh_from_db()
    assert (change.state, open_line.state) == ("DONE", "CANCELLED")


def test_a_cancellation_that_comes_too_late_is_no_cancellation(sandbox, browser, recover, open_line):
    by_hand(sandbox, open_line, "Fully Executed")
    change = instruct(browser, open_line, "cancel")
    recover()
    follow(open_line.basket_order, recover)
    change.refresh_from_db()
    open_line.refresh_from_db()
    assert (change.state, open_line.state) == ("FAILED", "FILLED")


def test_a_share_that_was_executed_before_its_cancellation_is_not_called_cancelled(
    sandbox, browser, recover, open_line
):
    change = instruct(browser, open_line, "cancel")
    with transaction.atomic():
        stock_changes.close(change=stock_changes.locked(change.pk), done=True, at=clock.now())
    by_hand(sandbox, open_line, "Fully Executed")
    follow(open_line.basket_order, recover)
    open_line.refresh_from_db()
    assert open_line.state == "FILLED"
    page = browser.get(f"/stock-orders/{open_line.basket_order.code}/").content.decode()
    assert "You cancelled" not in page


def test_what_is_missing_of_an_order_with_a_limit_is_not_ordered_again_at_any_price(
    sandbox, asha, browser, recover, open_line
):
    by_hand(sandbox, open_line, "Fully Executed", qty=1)
    by_hand(sandbox, open_line, "Cancelled")
    order = follow(open_line.basket_order, recover)
    open_line.refresh_from_db()
    assert (order.state, open_line.filled) == ("COMPLETE", 1)
    page = browser.get(f"/stock-orders/{order.code}/").content.decode()
    assert "write a new order" in page
    assert "Order what is missing" not in page
    form = {"broker": "5paisa", "form_ref": identifiers.new_client_ref()}
    browser.post(f"/stock-orders/{order.code}/repair/", form)
    assert BasketOrder.objects.count() == 1


def test_an_order_whose_account_is_gone_says_so_before_a_login(sandbox, asha, browser):
    account = log_in(sandbox, asha)
    order = journey(asha, symbols=("ITC",))
    BasketOrder.objects.filter(pk=order.pk).update(broker_account_ref=account.account_ref)
    browser.post(f"/broker-accounts/{account.code}/unlink/")
    page = browser.get(f"/stock-orders/{order.code}/").content.decode()
    assert "no longer linked" in page


# --- What the broker says of the account ------------------------------------------------------------------------------


def test_holdings_positions_and_orders_are_shown_with_their_time(sandbox, asha, browser, recover):
    account = log_in(sandbox, asha)
    for symbol in ("ITC", "RELIANCE", "IDEA"):
        share(symbol)
    order = journey(asha, symbols=("TCS",))
    browser.post(f"/stock-orders/{order.code}/go/")
    follow(order, recover)
    assert states(follow(order, recover)) == {"TCS": "FILLED"}
    page = browser.get(f"/broker-accounts/{account.code}/holdings/").content.decode()
    assert "ITC" in page
    assert StockHolding.objects.get(security__symbol="TCS").unsettled == 1
    assert StockHolding.objects.get(security__symbol="ITC").quantity == 100
    assert "TCS" in browser.get(f"/broker-accounts/{account.code}/positions/").content.decode()
    assert order.code in browser.get(f"/broker-accounts/{account.code}/order-book/").content.decode()


def test_without_a_session_the_last_report_is_shown_with_its_time(sandbox, asha, browser):
    account = log_in(sandbox, asha)
    share("ITC")
    browser.get(f"/broker-accounts/{account.code}/holdings/")
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    for here in ("holdings", "positions", "order-book"):
        page = browser.get(f"/broker-accounts/{account.code}/{here}/").content.decode()
        assert "Log in to see it" in page
    assert StockHolding.objects.get().quantity == 100


def test_an_order_placed_elsewhere_is_shown_as_such(sandbox, asha, browser):
    from brokers.fivepaisa import requests
    from brokers.fivepaisa.adapter import session_of
    from brokers.fivepaisa.client import client
    from portal.gateway.journal import About

    account = log_in(sandbox, asha)
    scrip = requests.Scrip(exchange=requests.Exchange.NSE, symbol="ITC_EQ")
    order = requests.NewOrder(scrip=scrip, side=requests.Side.BUY, quantity=1, remote_order_id="elsewhere")
    client().create_order(session_of(account), order, About())
    assert "Not placed here" in browser.get(f"/broker-accounts/{account.code}/order-book/").content.decode()


# --- What pages cost --------------------------------------------------------------------------------------------------


def statements(browser: Client, address: str) -> int:
    browser.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(address).status_code == 200
    return len(seen)


def test_pages_cost_the_same_however_many_shares_there_are(sandbox, asha, browser, recover):
    account = log_in(sandbox, asha)
    few, many = journey(asha, symbols=("ITC", "TCS")), journey(asha, symbols=TWENTY)
    book = f"/broker-accounts/{account.code}/order-book/"
    costs = {}
    for order in (few, many):
        browser.post(f"/stock-orders/{order.code}/go/")
        follow(order, recover)
        follow(order, recover)
        costs[order] = (statements(browser, f"/stock-orders/{order.code}/"), statements(browser, book))
    assert costs[few][0] == costs[many][0] <= 14
    # A journey more is judged with the book, whatever its number of shares.
    assert costs[many][1] - costs[few][1] <= 12
    assert statements(browser, f"/broker-accounts/{account.code}/holdings/") <= 22
