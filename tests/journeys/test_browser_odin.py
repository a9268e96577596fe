"""A basket through ODIN in a real browser: bought, repaired, rebalanced, and a sale of which it first says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests import factories
from tests.factories import files
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
ORDER = re.compile("/stock-orders/BKO-[0-9A-Z]+/$")


@pytest.fixture
def told(one_day: None, stack: LiveStack) -> Iterator[LiveStack]:
    """ODIN knows where we are: it asks about logins, rings about orders, and sends the browser back."""
    targets = {"odin": "/webhooks/odin/", "odin_two_way": "/odin/two-way-auth/", "odin_callback": "/odin/callback/"}
    stack.sandbox.call("POST", "/webhooks", {"targets": {name: stack.url + path for name, path in targets.items()}})
    yield stack
    stack.sandbox.call("POST", "/webhooks", {"targets": dict.fromkeys(targets, "")})
    stack.sandbox.call("POST", "/odin/settings", {"callback_method": "get"})


def through(eyes: Eyes) -> None:
    """ODIN among the ways to a broker."""
    eyes.page.get_by_label(re.compile("ODIN Connector")).check()


def confirm(eyes: Eyes, how: str = "Place orders") -> None:
    """What a person does on ODIN's page."""
    page = eyes.page
    eyes.press("Continue to your broker")
    page.get_by_role("heading", name=re.compile("Your basket at")).wait_for()
    if how != "Place orders":
        page.get_by_text("Or let it go another way").click()
    page.get_by_role("button", name=how).click()
    page.wait_for_url(ORDER)


def test_a_basket_is_bought_repaired_rebalanced_and_sold_through_odin(eyes: Eyes, told: LiveStack):
    page = eyes.page
    eyes.go("/accounts/login/")
    eyes.write(login="odil@journey.example", password=factories.PASSWORD)
    page.locator("main").get_by_role("button", name=re.compile("Log in|Sign in")).first.click()
    page.wait_for_url("**/")
    eyes.go("/baskets/household-names/invest/")
    eyes.write(amount="60,000")
    through(eyes)
    eyes.press("Go on")
    page.wait_for_url(ORDER)
    eyes.look("to-log-in")
    eyes.press("Log in at your broker")
    eyes.sees("Link an account through ODIN Connector")
    eyes.look("to-link", dark=True)
    eyes.press("Paper Boat Securities")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(ORDER)
    eyes.sees("is linked. You are logged in there until the end of the day.")
    assert "sSession" not in page.url
    eyes.look("linked")
    confirm(eyes, "Half of each fills")
    eyes.sees("Only part of it was executed", within_s=90)
    eyes.look("partly", dark=True)

    # The way back by a POST, as the document's "Method" says it, where every example is a query.
    told.sandbox.call("POST", "/odin/settings", {"callback_method": "post"})
    eyes.press("Order what is missing")
    through(eyes)
    eyes.press("Go on")
    confirm(eyes)
    eyes.sees("Everything was executed", within_s=90)

    told.publish_a_new_version("household-names")
    eyes.go("/baskets/household-names/")
    eyes.press("See the rebalance")
    eyes.look("rebalance")
    eyes.press("Go on")
    confirm(eyes)
    eyes.sees("Everything was executed", within_s=90)
    eyes.look("rebalanced")

    # Of the sale the broker tells nothing, because its page was left: one question, a paper, and then it is confirmed.
    eyes.go("/baskets/household-names/sell/")
    eyes.press("Go on")
    page.wait_for_url(ORDER)
    order = page.url
    eyes.press("Continue to your broker")
    page.get_by_role("heading", name=re.compile("Your basket at")).wait_for()
    eyes.look("basket-at-odin", ours=False)
    eyes.go(order)
    eyes.sees("We are asking your broker")
    eyes.look("handed-over")
    eyes.sees("Did you confirm the order at your broker?", within_s=90)
    eyes.look("question", dark=True)
    eyes.press("Yes, I confirmed")
    eyes.press("Send its confirmation")
    eyes.sees("Somebody here compares it with the order")
    eyes.press("Send it")
    eyes.sees("Choose the photo, scan or PDF first.")
    eyes.look("proof", dark=True)
    eyes.attach("proof", {"name": "note.jpg", "mimeType": "image/jpeg", "buffer": files.picture()})
    eyes.press("Send it")
    eyes.sees("You sent its confirmation")
    eyes.look("proof-sent")
    eyes.press("I have not confirmed yet: open it again")
    page.get_by_role("button", name="Place orders").click()
    page.wait_for_url(ORDER)
    eyes.sees("Everything was executed", within_s=90)
    eyes.look("sold")
    eyes.go("/broker-accounts/")
    eyes.look("accounts", dark=True)
    eyes.assert_clean()
