"""Changes that wait on purpose, at 360 pixels with the keyboard alone: another main account, another email address.

They move the world's clock by days, so they come after every other journey (see `CLOCK` in conftest.py).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from tests.factories import files
from tests.journeys.keys import Keys
from tests.journeys.stack import LiveStack, until
from tests.journeys.test_browser_mandate import sign_in
from tests.journeys.visitor import Visitor

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
PARI, RAVI, NEW_ADDRESS = "pari@journey.example", "ravi@journey.example", "ravi.new@journey.example"
LATEST = """SELECT c.id, c.state FROM investors_changerequest c
    JOIN investors_investor i ON i.id = c.investor_id
    JOIN portal_user u ON u.id = i.user_id WHERE u.email = %s ORDER BY c.id DESC LIMIT 1"""


def newest(stack: LiveStack, who: str, *wanted: str) -> dict[str, Any]:
    """Somebody's newest change, once it is in one of these states."""
    found: dict[str, Any] = until(
        lambda: next((row for row in stack.rows(LATEST, who) if row["state"] in wanted), None),
        within_s=60,
        words=f"no change is {wanted}",
    )
    return found


def ten_days_later(stack: LiveStack) -> None:
    """The world's clock goes on; the portal follows within seconds."""
    stack.sandbox.set_clock(stack.sandbox.now() + timedelta(days=10, hours=1))


def second_person_approves(stack: LiveStack) -> None:
    """Somebody of the desk, in the admin."""
    change = newest(stack, PARI, "CHECKING")
    desk = Visitor(stack, "checker@journey.example").log_in()
    address = reverse("admin:investors_changerequest_act", args=[change["id"], "approve"])
    seen = re.search(r'name="seen" value="([0-9a-f]{16})"', desk.get(address).text)
    assert seen
    assert desk.post(address, reason="name and cheque compared", seen=seen[1]).status_code == 302
    newest(stack, PARI, "DONE")


def confirm(keys: Keys, stack: LiveStack, button: str, email: str = PARI) -> None:
    """Type the newest code that came to this address."""
    keys.page.locator("[name=otp]").wait_for()
    keys.write(otp=Visitor(stack, email).code_from_outbox("change details"))
    keys.press(button)


def test_another_main_account_waits_ten_days_and_for_a_second_person(keys: Keys, stack: LiveStack):
    page = keys.page
    sign_in(keys, PARI)
    keys.go("/banks/")
    keys.press("Add an account")
    keys.press("Review")
    keys.sees("Enter the IFSC of your branch")
    keys.look("nothing-entered")
    keys.write(ifsc="ICIC0000611", number="50100099991121", number_again="50100099991121", holder_name="Pari Journey")
    keys.tick(page.locator("[name=kind][value=SAVINGS]"))
    keys.press("Review")
    page.wait_for_url("**/banks/confirm/**")
    keys.look("a-new-account", dark=True)
    confirm(keys, stack, "Confirm the change")
    keys.sees("being checked by us")
    keys.press("Send a cancelled cheque")
    keys.attach("cheque", {"name": "cheque.jpg", "mimeType": "image/jpeg", "buffer": files.picture()})
    keys.look("cheque")
    keys.press("Send it")
    keys.sees("We have your cheque")
    second_person_approves(stack)
    keys.go("/banks/")
    keys.sees("nothing is paid out to it before")
    keys.look("added", dark=True)
    keys.press("Make it the main account")
    confirm(keys, stack, "Confirm the change")
    keys.sees("waiting out its cooling-off time")
    keys.look("cooling-off", dark=True)
    ten_days_later(stack)
    second_person_approves(stack)
    sign_in(keys, PARI)
    keys.go("/banks/")
    assert "ICICI" in page.locator("section.card", has_text="Main account").first.inner_text()
    keys.look("the-main-account-now")
    keys.assert_clean()


def test_another_email_address_proves_itself_and_waits_ten_days(keys: Keys, stack: LiveStack):
    page = keys.page
    sign_in(keys, RAVI)
    keys.go("/profile/")
    keys.look("profile", dark=True)
    keys.press("Change the email address")
    keys.write(email="no address")
    keys.press("Review")
    keys.sees(re.compile("It looks like"))
    keys.look("refused")
    keys.write(email=NEW_ADDRESS)
    keys.press("Review")
    keys.look("old-address")
    confirm(keys, stack, "Confirm the change", RAVI)
    keys.sees("must prove itself")
    keys.look("new-address", dark=True)
    confirm(keys, stack, "Confirm the new address", NEW_ADDRESS)
    keys.sees("waiting out its cooling-off time")
    keys.look("cooling-off", dark=True)
    keys.press("Change the mobile number")
    keys.write(mobile="9812300001")
    keys.press("Review")
    keys.sees("cannot change within ten days of each other")
    keys.look("mobile-must-wait")
    ten_days_later(stack)
    newest(stack, NEW_ADDRESS, "DONE")
    sign_in(keys, NEW_ADDRESS)
    keys.go("/profile/")
    assert NEW_ADDRESS in page.locator("main").inner_text()
    keys.go("/privacy/")
    keys.look("privacy", dark=True)
    keys.go("/profile/changes/")
    keys.look("changes")
    keys.assert_clean()
