"""Mandates at 360 pixels with the keyboard alone: online by the bank's page, and on paper with a signed scan."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests import factories
from tests.factories import files
from tests.journeys.keys import Keys
from tests.journeys.stack import LiveStack, until
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
# Nobody else pays from her account: a payment would verify it before the mandate does.
VEENA, PARI = "veena@journey.example", "pari@journey.example"
LATEST = """SELECT m.code, m.state, m.provider_ref FROM investors_mandate m
    JOIN investors_investor i ON i.id = m.investor_id
    JOIN portal_user u ON u.id = i.user_id WHERE u.email = %s ORDER BY m.id DESC LIMIT 1"""


def sign_in(keys: Keys, email: str) -> None:
    """Through the login page, as nobody yet."""
    keys.context.clear_cookies()
    keys.go("/accounts/login/")
    keys.write(login=email, password=factories.PASSWORD)
    keys.press(re.compile("^Log in|^Sign in"))
    keys.page.wait_for_url(lambda url: "/accounts/" not in url)


def test_an_online_mandate_from_the_limit_to_the_banks_approval(keys: Keys, stack: LiveStack):
    page = keys.page
    sign_in(keys, VEENA)
    keys.go("/mandates/")
    keys.look("none-yet")
    keys.press("Give a mandate")
    keys.sees("Net banking, debit card or Aadhaar")
    keys.look("what-it-can-be", dark=True)
    keys.press("Review")
    keys.sees("Enter the most that may be debited")
    keys.write(limit="25,000")
    keys.press("Review")
    page.wait_for_url("**/mandates/confirm/**")
    keys.look("confirm")
    keys.write(otp=Visitor(stack, VEENA).code_from_outbox("25,000.00"))
    keys.press("Confirm the mandate")
    page.get_by_role("button", name="Authorise at your bank").wait_for()
    keys.look("authorise", dark=True)
    keys.press("Authorise at your bank")
    page.get_by_role("button", name=re.compile("^Authorise up to")).wait_for()
    keys.look("bank", ours=False)
    keys.press(re.compile("^Authorise up to"), inside=page.locator("body"))
    page.wait_for_url(re.compile("/mandates/MND-"))
    page.get_by_role("heading", name="The bank has approved it").wait_for()
    keys.look("approved", dark=True)
    keys.go("/mandates/")
    keys.look("list")
    keys.go("/banks/")
    keys.sees("the bank approved a mandate on it")
    keys.look("banks")
    keys.assert_clean()


def newest(stack: LiveStack, email: str, *wanted: str) -> dict[str, Any]:
    """The newest mandate of somebody, once it is in one of these states."""
    found: dict[str, Any] = until(
        lambda: next((row for row in stack.rows(LATEST, email) if row["state"] in wanted), None),
        within_s=60,
        words=f"no mandate is {wanted}",
    )
    return found


def test_a_paper_mandate_from_the_form_to_the_banks_approval(keys: Keys, stack: LiveStack):
    page = keys.page
    sign_in(keys, PARI)
    keys.go("/mandates/new/")
    keys.write(limit="40,000")
    keys.tick(page.locator("[name=kind][value=NACH]"))
    keys.press("Review")
    page.wait_for_url("**/mandates/confirm/**")
    keys.write(otp=Visitor(stack, PARI).code_from_outbox("40,000.00"))
    keys.press("Confirm the mandate")
    page.get_by_role("link", name="Get the filled form (PDF)").wait_for()
    keys.look("print-and-sign", dark=True)
    with page.expect_download() as download:
        keys.press("Get the filled form (PDF)")
    assert download.value.path().read_bytes().startswith(b"%PDF")
    keys.attach("form", {"name": "signed.pdf", "mimeType": "application/pdf", "buffer": files.pdf()})
    keys.press("Send the signed form")
    keys.sees("We have your form")
    keys.look("form-sent")
    mandate = newest(stack, PARI, "AWAITING_INVESTOR", "SUBMITTED")
    for state in ("SUBMITTED", "APPROVED"):
        stack.sandbox.call("POST", f"/fp/mandates/{mandate['provider_ref']}", {"status": state})
    newest(stack, PARI, "APPROVED")
    keys.go(f"/mandates/{mandate['code']}/")
    page.get_by_role("heading", name="The bank has approved it").wait_for()
    keys.look("approved")
    keys.assert_clean()
