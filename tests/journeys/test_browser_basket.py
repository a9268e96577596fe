"""A basket through smallcase in a real browser: bought, repaired, rebalanced to a new version, and sold."""

from __future__ import annotations

import re

import pytest

from tests import factories
from tests.journeys.eyes import Eyes

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]


def in_the_window(eyes: Eyes, ending: str = "Place order") -> None:
    """What a person does in smallcase's window: a broker, any account, one press."""
    window = eyes.page.frame_locator(".scdk iframe")
    window.get_by_role("button", name="Zerodha").click()
    window.get_by_role("button", name="Log in").click()
    if ending != "Place order":
        window.get_by_text("Or let it go wrong").click()
    window.get_by_role("button", name=re.compile(ending)).click()
    window.get_by_role("button", name="Done").click()


def confirm_again(eyes: Eyes) -> None:
    """The same by somebody whom smallcase knows: the broker is chosen, everything is executed."""
    eyes.press("Continue to your broker")
    eyes.sees("Confirm at your broker", within_s=60)
    eyes.press("Open the window")
    window = eyes.page.frame_locator(".scdk iframe")
    for name in ("Log in", "Place order", "Done"):
        window.get_by_role("button", name=name).click()
    eyes.sees("Everything was executed", within_s=90)


def test_a_basket_is_bought_repaired_rebalanced_and_sold_through_smallcase(eyes, stack):
    page = eyes.page
    eyes.guests = (stack.sandbox.url,)
    eyes.go("/accounts/login/")
    eyes.write(login="pari@journey.example", password=factories.PASSWORD)
    page.locator("main").get_by_role("button", name=re.compile("Log in|Sign in")).first.click()
    page.wait_for_url("**/")
    eyes.go("/baskets/")
    eyes.look("baskets", dark=True)
    page.get_by_role("link", name=re.compile("Household names")).click()
    eyes.look("basket", dark=True, charts=True)
    eyes.press("Invest")
    eyes.look("invest")
    eyes.write(amount="1")
    eyes.press("Go on")
    eyes.sees("The least that buys every share")
    eyes.look("too-little")
    eyes.write(amount="60,000")
    eyes.press("Go on")
    page.wait_for_url("**/stock-orders/**")
    eyes.look("to-confirm")
    eyes.press("Continue to your broker")
    eyes.sees("Confirm at your broker", within_s=60)
    eyes.look("window", dark=True)
    eyes.press("Open the window")
    in_the_window(eyes, "Some of it fills")
    page.wait_for_url(re.compile("/stock-orders/BKO-[0-9A-Z]+/$"))
    eyes.sees("Only part of it was executed", within_s=90)
    eyes.look("partly", dark=True)
    eyes.press("Order what is missing")
    eyes.look("repair")
    eyes.press("Go on")
    confirm_again(eyes)
    eyes.look("whole")
    eyes.go("/stock-orders/")
    eyes.look("list")
    eyes.go("/baskets/household-names/")
    eyes.sees("What you hold")
    eyes.look("held", charts=True)

    # A new version: one mixed order brings the shares to it.
    stack.publish_a_new_version("household-names")
    eyes.go("/baskets/household-names/")
    eyes.press("See the rebalance")
    eyes.look("rebalance", dark=True)
    eyes.press("Go on")
    confirm_again(eyes)
    eyes.look("rebalanced")

    # And out again.
    eyes.go("/baskets/household-names/sell/")
    eyes.look("sale")
    eyes.press("Go on")
    confirm_again(eyes)
    eyes.look("sold")
    eyes.assert_clean()
