"""A cart, payments that fail and payments that come late, and the exchange's page: in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests import factories, world
from tests.journeys.conftest import own_database
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
OMAR = "omar@journey.example"
HDFC, AXIS, SBI = "INF179K01608", "INF846K01768", "INF200KB1472"


def log_in(eyes: Eyes, email: str = OMAR) -> Eyes:
    eyes.go("/accounts/login/")
    eyes.write(login=email, password=factories.PASSWORD)
    eyes.page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    eyes.page.wait_for_url("**/")
    return eyes


@pytest.fixture
def omar(eyes: Eyes) -> Eyes:
    """An investor who is signed in, and ready to invest."""
    return log_in(eyes)


def at_the_bank(eyes: Eyes, pays: str, answer: str) -> None:
    """Go to the bank's page, press this button there, and come back."""
    eyes.page.get_by_role("button", name=re.compile(pays)).first.click()
    eyes.page.get_by_role("button", name=re.compile(answer)).click()
    eyes.page.wait_for_url(re.compile("/(cart/CRT-|orders/ORD-)"))


def test_a_cart_of_three_whose_payment_fails_first_and_whose_last_line_fails(omar, stack):
    page = omar.page
    omar.go("/cart/")
    omar.look("empty")
    # The amount of the last ends in 1: the sandbox's fund house refuses it after the payment.
    for isin, amount in ((HDFC, 6_000), (AXIS, 5_500), (SBI, 5_251)):
        omar.go(f"/funds/{isin}/buy/")
        omar.write(amount=str(amount))
        omar.press("Add to cart")
        page.wait_for_url("**/cart/")
    omar.look("cart", dark=True)
    page.locator("input[name^=amount_]").first.fill("50")
    omar.press("Save changes")
    omar.sees("Not ordered as it stands")
    omar.look("cart-with-a-line-held-back")
    page.locator("input[name^=amount_]").first.fill("6000")
    omar.press("Review")
    page.wait_for_url("**/cart/confirm/**")
    omar.sees("₹16,751.00")
    omar.look("confirm", dark=True)
    omar.write(otp=Visitor(stack, OMAR).code_from_outbox("16,751.00"))
    omar.press("Confirm and order all")
    page.wait_for_url(re.compile("/cart/CRT-"))
    cart = page.url.strip("/").rsplit("/", 1)[-1]
    page.get_by_role("button", name="Pay ₹16,751.00").wait_for()
    omar.look("to-be-paid", dark=True)
    at_the_bank(omar, "^Pay ₹", "^Decline")
    omar.sees("Your last payment did not go through", within_s=30)
    omar.look("payment-failed", dark=True)
    page.get_by_role("button", name="Try to pay again").click()
    at_the_bank(omar, "^Pay ₹", "^Approve")
    omar.sees("2 of 3 orders brought units", within_s=90)
    omar.sees("Paid, but not invested: comes back")
    omar.look("done", dark=True)
    found = stack.rows(
        "SELECT o.state, o.amount FROM orders_mforder o JOIN orders_cart k ON k.id = o.cart_id WHERE k.code = %s"
        " ORDER BY o.id",
        cart,
    )
    assert [(each["state"], int(each["amount"])) for each in found] == [
        ("ALLOTTED", 6_000),
        ("ALLOTTED", 5_500),
        ("REJECTED", 5_251),
    ]
    payments = stack.rows("SELECT state FROM payments_payment WHERE amount = 16751 ORDER BY id")
    assert payments[0]["state"] == "FAILED"
    assert len(payments) == 2
    page.get_by_role("link", name=re.compile("SBI")).first.click()
    omar.sees("The order was not accepted")
    omar.look("the-line-that-failed")
    omar.assert_clean()


def order(eyes: Eyes, stack: LiveStack, email: str, amount: int) -> str:
    eyes.go(f"/funds/{HDFC}/buy/")
    eyes.write(amount=str(amount))
    eyes.look("buy")
    eyes.press("Review")
    eyes.page.wait_for_url("**/orders/confirm/**")
    eyes.write(otp=Visitor(stack, email).code_from_outbox(f"{amount:,}.00"))
    eyes.press("Confirm and order")
    eyes.page.wait_for_url(re.compile("/orders/ORD-"))
    return eyes.page.url.strip("/").rsplit("/", 1)[-1]


def test_a_payment_that_arrives_after_it_had_failed(omar, stack):
    code = order(omar, stack, OMAR, 7_310)
    at_the_bank(omar, "^Pay ₹", "^Time out now")
    omar.sees("Your last payment did not go through", within_s=30)
    omar.look("failed")
    omar.sees("A payment went through after all", within_s=60)
    omar.look("late", dark=True)
    omar.sees("What you got", within_s=60)
    payment = stack.rows("SELECT state FROM payments_payment WHERE amount = 7310")
    assert [each["state"] for each in payment] == ["LATE"]
    cases = stack.rows("SELECT kind FROM portal_case WHERE kind = 'payment_succeeded_after_all'")
    assert cases
    assert len(stack.at_fp(code)) == 1
    omar.assert_clean()


# --- the other gateway --------------------------------------------------------------------------------------------


class BseStack(LiveStack):
    """The same product for a tenant whose orders go to BSE."""

    def _environment(self) -> dict[str, str]:
        tenant = {"FP_TENANT": "sandbox-bse", "FP_API_KEY_ID": "sandbox-bse", "FP_SECRET": "sandbox-bse-secret"}
        return {**super()._environment(), **tenant, "FP_ORDER_GATEWAY": "BSE"}


@pytest.fixture
def bse_stack() -> Iterator[LiveStack]:
    with own_database("bse") as url, BseStack(world.FOLDER / "live-bse", url) as live:
        live.start_everything(OMAR)
        yield live


def test_a_purchase_at_the_stock_exchange(bse_stack, chromium):
    eyes = Eyes(chromium, bse_stack.url, "a-purchase-at-the-stock-exchange")
    try:
        log_in(eyes)
        code = order(eyes, bse_stack, OMAR, 8_200)
        page = eyes.page
        page.get_by_role("button", name=re.compile("^Pay ₹")).click()
        page.wait_for_url("**/page/")
        # The frame's policy lets no script of the exchange's page run: that the browser says so is what we want.
        eyes.problems = [each for each in eyes.problems if "Blocked script execution" not in each]
        frame = page.frame_locator("iframe")
        frame.get_by_role("button", name="Continue to the bank", exact=True).last.wait_for()
        eyes.look("the-exchanges-form", dark=True)
        frame.get_by_role("button", name="Continue to the bank", exact=True).last.click()
        page.get_by_role("button", name=re.compile("^Pay ₹")).wait_for()
        assert page.url.startswith(bse_stack.sandbox.url)
        page.get_by_role("button", name=re.compile("^Pay ₹")).click()
        page.wait_for_url(re.compile("/orders/ORD-"))
        eyes.sees("What you got", within_s=90)
        eyes.look("allotted")
        assert bse_stack.at_fp(code)[0]["status"] == "SUCCESSFUL"
        eyes.problems = [each for each in eyes.problems if "Blocked script execution" not in each]
        eyes.assert_clean()
    finally:
        eyes.close()
