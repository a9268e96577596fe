"""The 5paisa route in a real browser: log in, buy a basket, repair it, a ticket, rebalance, sell everything."""

from __future__ import annotations

import re

import pytest

from tests import factories
from tests.journeys.eyes import Eyes

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
CLIENT, PIN, TOTP = "50000021", "111111", "123456"
REFUSED = {"mode": "status:400", "path": "*PlaceOrderRequest", "when": "before", "provider": "5paisa"}


def log_in_at_5paisa(eyes: Eyes) -> None:
    """What a person does on 5paisa's own page."""
    page = eyes.page
    page.wait_for_url(re.compile("/WebVendorLogin/"))
    page.locator("[name=ClientCode]").fill(CLIENT)
    page.locator("[name=PIN]").fill(PIN)
    page.locator("[name=TOTP]").fill(TOTP)
    page.get_by_role("button", name="Sign in").click()


def test_a_basket_a_ticket_and_a_sale_through_5paisa(eyes, stack, one_day):
    page = eyes.page
    eyes.go("/accounts/login/")
    eyes.write(login="pari@journey.example", password=factories.PASSWORD)
    page.locator("main").get_by_role("button", name=re.compile("Log in|Sign in")).first.click()
    page.wait_for_url("**/")

    # A basket, begun without a login: it is kept, and the login leads back to it.
    eyes.go("/baskets/banks-of-india/invest/")
    eyes.write(amount="60,000")
    page.get_by_role("radio", name=re.compile("^5paisa")).check()
    eyes.press("Go on")
    page.wait_for_url("**/stock-orders/**")
    eyes.sees("Log in at 5paisa to place this order")
    eyes.look("needs-login", dark=True)
    eyes.press("Log in at 5paisa")
    log_in_at_5paisa(eyes)
    page.wait_for_url("**/stock-orders/**")
    assert "RequestToken" not in page.url
    eyes.look("ready-to-place")
    stack.sandbox.fault(**REFUSED)
    eyes.press(re.compile("^Place 5 share orders"))
    eyes.sees("Only part of it was executed", within_s=90)
    eyes.look("partly", dark=True)
    eyes.press("Order what is missing")
    page.get_by_role("radio", name=re.compile("^5paisa")).check()
    eyes.press("Go on")
    eyes.press(re.compile("^Place 1 share order"))
    eyes.sees("Everything was executed", within_s=90)
    eyes.look("whole")

    # One share by ticket: a limit order that waits, is changed, and is cancelled.
    eyes.go("/shares/INE154A01025/")
    eyes.press("Open the order ticket")
    eyes.look("ticket", dark=True)
    eyes.write(quantity="2")
    page.get_by_role("radio", name=re.compile("^Limit")).check()
    page.get_by_role("radio", name=re.compile("^Now")).check()
    eyes.press("Check the order")
    eyes.sees("Enter the limit price.")
    eyes.look("ticket-refused")
    eyes.write(price="0.05")
    eyes.press("Check the order")
    eyes.sees("Today the exchange takes prices from")
    said = page.get_by_text("Today the exchange takes prices from").first.inner_text()
    lowest = re.search(r"from ₹([0-9.,]+) to", said)
    assert lowest
    eyes.write(price=lowest[1].replace(",", ""))
    eyes.press("Check the order")
    eyes.sees("What 5paisa says")
    eyes.look("review", dark=True)
    eyes.press("Buy now")
    eyes.press("Change or cancel")
    eyes.look("change", dark=True)
    eyes.write(quantity="3")
    eyes.press("Change the order")
    eyes.sees("0 of 3", within_s=60)
    eyes.press("Change or cancel")
    eyes.press("Cancel what is open")
    eyes.sees("Nothing was executed", within_s=60)
    eyes.look("cancelled")

    # What the broker says of the account.
    eyes.go("/broker-accounts/")
    eyes.look("accounts", dark=True)
    eyes.press("Holdings and orders")
    eyes.sees("Not delivered yet")
    eyes.look("holdings", dark=True)
    eyes.press("Positions")
    eyes.look("positions")
    eyes.press("Order book")
    eyes.look("order-book", dark=True)

    # A new version: one mixed order brings the shares to it.
    stack.publish_a_new_version("banks-of-india")
    eyes.go("/baskets/banks-of-india/")
    eyes.sees("You bought version 1")
    eyes.press("See the rebalance")
    page.get_by_role("radio", name=re.compile("^5paisa")).check()
    eyes.look("rebalance", dark=True)
    eyes.press("Go on")
    eyes.press(re.compile("^Place [0-9]+ share orders"))
    eyes.sees("Everything was executed", within_s=90)
    eyes.look("rebalanced")

    # And out again.
    eyes.go("/baskets/banks-of-india/sell/")
    page.get_by_role("radio", name=re.compile("^5paisa")).check()
    eyes.press("Go on")
    eyes.look("sale-to-place")
    eyes.press(re.compile("^Place 5 share orders"))
    eyes.sees("Everything was executed", within_s=90)
    eyes.look("sold")
    eyes.assert_clean()
