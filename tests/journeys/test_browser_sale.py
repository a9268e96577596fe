"""Selling in a real browser: by units with the normal days, and a part of a liquid fund with the money at once."""

from __future__ import annotations

import re

import pytest

from tests import factories
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
OMAR = "omar@journey.example"
# Nippon India Liquid Fund, which FP's sandbox pays at once (providers.md 3.13).
LIQUID = "INF204K01UN9"


def buy(stack: LiveStack) -> None:
    """Units that were paid and allotted; how one buys is another journey's."""
    order = Visitor(stack, OMAR).log_in().order(LIQUID, 50_010)
    order.pay()
    order.watch_until("allotted", within_s=120)


def log_in(eyes: Eyes) -> None:
    eyes.go("/accounts/login/")
    eyes.write(login=OMAR, password=factories.PASSWORD)
    eyes.page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    eyes.page.wait_for_url("**/")


def confirmed(eyes: Eyes, stack: LiveStack, subject: str) -> dict:
    """Type the code of the message with this subject; what FP has in the end."""
    eyes.page.wait_for_url("**/orders/confirm-sale/**")
    eyes.look("confirm", dark=True)
    eyes.write(otp=Visitor(stack, OMAR).code_from_outbox(subject))
    eyes.press("Confirm and sell")
    eyes.page.wait_for_url(re.compile("/orders/ORD-"))
    code = eyes.page.url.strip("/").rsplit("/", 1)[-1]
    eyes.sees("What you sold", within_s=120)
    (theirs,) = stack.at_fp(code)
    assert theirs["received"] == 1
    return stack.operation(code)


def test_a_sale_by_units_and_a_sale_at_once(eyes: Eyes, stack: LiveStack):
    buy(stack)
    log_in(eyes)
    eyes.go(f"/portfolio/{LIQUID}/")
    eyes.press("Sell")
    eyes.page.wait_for_url("**/sell/")
    eyes.look("sell", dark=True)
    eyes.tick(eyes.page.locator("[name=by][value=units]"))
    eyes.write(units="99,999")
    eyes.press("Review")
    eyes.page.locator(".field-error").first.wait_for()
    eyes.look("more-than-is-free")
    eyes.write(units="1.250")
    eyes.press("Review")
    assert confirmed(eyes, stack, "Your code to sell units")["state"] == "redeemed"
    eyes.look("sold-by-units", dark=True)

    eyes.go(f"/portfolio/{LIQUID}/sell/")
    eyes.press("Do you need money at once?")
    eyes.page.wait_for_url("**/sell-instantly/**")
    eyes.look("at-once", dark=True)
    eyes.write(amount="1,000")
    eyes.press("Review")
    assert confirmed(eyes, stack, "1,000.00")["state"] == "redeemed"
    eyes.look("sold-at-once")
    done = stack.rows("SELECT redeemed_as FROM orders_mforder WHERE kind = 'REDEMPTION' ORDER BY id")
    assert [each["redeemed_as"] for each in done] == ["NORMAL", "INSTANT"]
    eyes.assert_clean()
