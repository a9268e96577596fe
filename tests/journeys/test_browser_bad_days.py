"""What an investor sees when something goes wrong, in a real browser: refused, declined, not compliant, not known."""

from __future__ import annotations

import re

import pytest

from tests import factories
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack, until
from tests.journeys.visitor import Visitor
from tests.patience import Stopwatch

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
PARI = "pari@journey.example"
ISIN = "INF179K01608"
PAY = re.compile("^Pay ₹")
CHECKING = "We are checking, do not buy again"


@pytest.fixture
def pari(eyes: Eyes) -> Eyes:
    """An investor who is signed in, and ready to invest."""
    eyes.go("/accounts/login/")
    eyes.write(login=PARI, password=factories.PASSWORD)
    eyes.page.locator("main").get_by_role("button", name="Log in", exact=True).click()
    eyes.sees("Needs your attention")
    return eyes


def order(eyes: Eyes, stack: LiveStack, amount: int) -> str:
    """Buy, as far as the order's page; returns the order's code."""
    eyes.go(f"/funds/{ISIN}/buy/")
    eyes.write(amount=str(amount))
    eyes.press("Review")
    eyes.page.wait_for_url("**/orders/confirm/**")
    eyes.write(otp=Visitor(stack, PARI).code_from_outbox(f"{amount:,}.00"))
    eyes.press("Confirm and order")
    eyes.page.wait_for_url(re.compile("/orders/ORD-"))
    return eyes.page.url.strip("/").rsplit("/", 1)[-1]


def at_the_bank(eyes: Eyes, answer: str) -> None:
    """Go to the bank's page, press this button there, and come back."""
    eyes.page.get_by_role("button", name=PAY).click()
    eyes.page.get_by_role("button", name=re.compile(answer)).click()
    eyes.page.wait_for_url(re.compile("/orders/ORD-"))


def test_an_order_that_the_fund_house_refuses(pari, stack):
    code = order(pari, stack, 5_101)
    at_the_bank(pari, "^Approve")
    pari.sees("The order was not accepted", within_s=60)
    pari.sees("Your money comes back to the same account")
    pari.look("rejected")
    assert stack.operation(code)["units"] is None
    pari.assert_clean()


def test_a_declined_payment_is_followed_by_another_one(pari, stack):
    code = order(pari, stack, 5_110)
    at_the_bank(pari, "^Decline")
    pari.sees("Your last payment did not go through.", within_s=60)
    pari.look("declined")
    pari.press("Try to pay again")
    at_the_bank(pari, "^Approve")
    pari.page.get_by_role("heading", name="Units allotted").first.wait_for()
    (theirs,) = stack.at_fp(code)
    assert sorted(each["status"] for each in theirs["payments"]) == ["APPROVED", "FAILED"]
    pari.assert_clean()


def test_an_unknown_outcome_is_said_within_two_seconds_and_settles_by_itself(pari, stack):
    # FP takes the order, says nothing for three seconds, hangs up, and does not list it for a while.
    stack.sandbox.fault("hang+invisible:15", path="/orders/purchase/", when="after", delay_s=3)
    code = order(pari, stack, 5_120)
    until(lambda: stack.operation(code)["state"] == "unknown", within_s=30, words="the outcome was clear")
    known = Stopwatch()
    pari.sees(CHECKING)
    assert known.seconds() <= 2
    assert not pari.page.get_by_role("button", name=PAY).is_visible()
    pari.look("unknown", dark=True)
    for path, name in (("/orders/", "unknown-in-the-list"), ("/", "unknown-at-home")):
        pari.go(path)
        pari.sees("We are checking")
        pari.look(name)
    pari.go(f"/orders/{code}/")
    pari.page.get_by_role("button", name=PAY).wait_for()
    assert [each["received"] for each in stack.at_fp(code)] == [1]
    pari.assert_clean()


def test_a_pan_that_the_registries_do_not_know_gets_an_honest_page(eyes, stack):
    email = "sunil@journey.example"
    eyes.go("/accounts/signup/")
    eyes.write(email=email, password1="a-long-monsoon-evening")
    eyes.page.locator("main").get_by_role("button", name="Sign up").click()
    eyes.write(code=Visitor(stack, email).code_from_outbox(""))
    eyes.press("Continue")
    eyes.go("/onboarding/pan/")
    eyes.write(pan="SNLPK3753K")
    eyes.press("Check this PAN")
    eyes.sees("What to do")
    eyes.look("kyc-unknown", dark=True)
    eyes.go(f"/funds/{ISIN}/buy/")
    eyes.sees("Finish getting ready first")
    eyes.assert_clean()


def test_what_is_not_there_is_said_with_a_way_on(pari):
    pari.expects(404)
    pari.go("/orders/ORD-000000000000/")
    pari.look("not-found")
    pari.assert_clean()


def test_the_keyboard_reaches_everything(pari):
    page = pari.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip", "the first stop is the skip link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q", "/ goes to the search"
    page.keyboard.type("hdfc flexi")
    page.keyboard.press("Enter")
    pari.sees("HDFC Flexi Cap Fund")
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    pari.assert_clean()


def test_enter_in_the_amount_never_orders_anything(pari, stack):
    pari.go(f"/funds/{ISIN}/buy/")
    pari.write(amount="5130")
    pari.page.keyboard.press("Enter")
    pari.page.wait_for_url("**/orders/confirm/**")
    pari.sees("Type the code we sent you")
    assert stack.rows("SELECT code FROM orders_mforder WHERE amount = 5130") == []
