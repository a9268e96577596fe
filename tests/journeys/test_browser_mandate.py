"""An e-mandate in a real browser: what it can be, the code, the bank's page and back, approval; the accounts too."""

from __future__ import annotations

import re

import pytest

from tests import factories
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
OMAR = "omar@journey.example"


def signed_in(eyes: Eyes) -> None:
    eyes.go("/accounts/login/")
    eyes.write(login=OMAR, password=factories.PASSWORD)
    eyes.page.locator("main").get_by_role("button", name=re.compile("Log in|Sign in")).first.click()
    eyes.page.wait_for_url("**/")


def test_from_the_limit_to_the_banks_approval(eyes: Eyes, stack: LiveStack):
    page = eyes.page
    signed_in(eyes)
    eyes.go("/mandates/")
    eyes.look("none-yet")
    eyes.press("Give a mandate")
    eyes.sees("Net banking, debit card or Aadhaar")
    eyes.look("what-it-can-be", dark=True)
    eyes.press("Review")
    eyes.sees("Enter the most that may be debited")
    eyes.write(limit="25,000")
    eyes.press("Review")
    page.wait_for_url("**/mandates/confirm/**")
    eyes.look("confirm")
    eyes.write(otp=Visitor(stack, OMAR).code_from_outbox("25,000.00"))
    eyes.press("Confirm the mandate")
    page.get_by_role("button", name="Authorise at your bank").wait_for(timeout=60_000)
    eyes.look("authorise", dark=True)
    eyes.press("Authorise at your bank")
    page.get_by_role("button", name=re.compile("^Authorise up to")).wait_for()
    eyes.look("bank", ours=False)
    page.get_by_role("button", name=re.compile("^Authorise up to")).click()
    page.wait_for_url(re.compile("/mandates/MND-"))
    page.get_by_role("heading", name="The bank has approved it").wait_for(timeout=90_000)
    eyes.look("approved", dark=True)
    eyes.go("/mandates/")
    eyes.look("list")
    eyes.go("/banks/")
    eyes.sees("the bank approved a mandate on it")
    eyes.look("banks")
    eyes.press("Add an account")
    eyes.look("add-account")
    eyes.assert_clean()
