"""One share, bought and sold by the Invest button: the same journey as a basket's, with one line."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from orders.models import BasketOrder
from portal import clock, identifiers
from portal.notices.models import Notice
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def itc(sandbox):
    return factories.SecurityFactory(
        symbol="ITC", name="ITC Limited", isin="INE154A01025", last_price=Decimal(440), priced_at=clock.now()
    )


def order_of(answer) -> BasketOrder:
    return BasketOrder.objects.get(code=answer["Location"].split("/")[2])


def ask(browser, share, act="buy", **form):
    form = {"quantity": "3", "broker": "smallcase", "form_ref": identifiers.new_client_ref(), **form}
    return browser.post(f"/shares/{share.isin}/{act}/", form)


@pytest.mark.parametrize(("act", "side"), [("buy", "BUY"), ("sell", "SELL")])
def test_one_share_is_taken_to_the_broker_and_followed(sandbox, asha, itc, client_for, recover, act, side):
    browser = client_for(asha)
    order = order_of(ask(browser, itc, act))
    line = order.lines.get()
    assert (order.intent, order.basket, line.side, line.quantity) == ("SINGLE", None, side, 3)
    browser.post(f"/stock-orders/{order.code}/go/")
    order.refresh_from_db()
    sandbox.call(
        "POST", "/smallcase/complete", {"transactionId": order.provider_ref, "outcome": "filled", "user": "ASHA1"}
    )
    BasketOrder.objects.update(due_at=clock.now())
    recover()
    order.refresh_from_db()
    assert (order.state, order.lines.get().state) == ("COMPLETE", "FILLED")
    page = browser.get(f"/stock-orders/{order.code}/").content.decode()
    assert "ITC Limited" in page
    assert "Everything was executed" in page
    assert "ITC Limited" in browser.get("/stock-orders/").content.decode()
    assert Notice.objects.get(event="basket.done").title.endswith("ITC Limited")


def test_a_double_click_is_one_order_and_an_open_one_is_shown_before_a_second(asha, itc, client_for):
    browser, ref = client_for(asha), identifiers.new_client_ref()
    assert order_of(ask(browser, itc, form_ref=ref)) == order_of(ask(browser, itc, form_ref=ref))
    assert "that is not over" in browser.get(f"/shares/{itc.isin}/buy/").content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter how many shares."),
        ("0", "Enter at least 1 share."),
        ("1.5", "Enter a whole number of shares"),
        ("100001", "Enter at most 100,000 shares"),
    ],
)
def test_a_wrong_number_is_said_at_its_field_and_kept(asha, itc, client_for, typed, words):
    browser = client_for(asha)
    answer = ask(browser, itc, quantity=typed)
    page = browser.get(answer["Location"]).content.decode()
    assert words in page
    assert f'value="{typed}"' in page or not typed
    assert not BasketOrder.objects.exists()


def test_a_share_that_is_no_longer_listed_is_not_for_sale(asha, itc, client_for):
    itc.is_active = False
    itc.save()
    browser = client_for(asha)
    assert browser.get(f"/shares/{itc.isin}/buy/").status_code == 404
    assert "/buy/" not in browser.get(f"/shares/{itc.isin}/").content.decode()


def test_what_can_be_sold_is_what_brokers_reported_with_its_time(asha, chitra, itc, client_for):
    at = clock.now() - timedelta(hours=2)
    factories.StockHoldingFactory(investor=asha, security=itc, quantity=731, unsettled=9, reported_at=at)
    factories.StockHoldingFactory(investor=chitra, security=itc, quantity=555)
    page = client_for(asha).get(f"/shares/{itc.isin}/sell/").content.decode()
    assert "731 held" in page
    assert "9 more are not delivered yet" in page
    assert "555" not in page
