"""A SIP in a real browser: from its mandate to the third instalment by the sandbox's clock; skip one, end it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pytest

from orders import plan_rules
from portal import clock
from tests import factories, world
from tests.journeys.conftest import own_database
from tests.journeys.eyes import Eyes
from tests.journeys.stack import LiveStack, until
from tests.journeys.visitor import Visitor
from tests.orders.conftest import ISIN

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]
RAVI = "ravi@journey.example"


def signed_in(eyes: Eyes) -> None:
    eyes.go("/accounts/login/")
    if not eyes.page.locator("[name=login]").count():
        return  # still signed in: the page has led on
    eyes.write(login=RAVI, password=factories.PASSWORD)
    eyes.page.locator("main").get_by_role("button", name=re.compile("Log in|Sign in")).first.click()
    eyes.page.wait_for_url("**/")


@pytest.fixture(scope="module")
def stack() -> Iterator[LiveStack]:
    """A stack of its own: three months pass in it, which no other journey is to see."""
    with own_database("sip") as url, LiveStack(world.FOLDER / "live-sip", url) as live:
        live.start_everything(RAVI)
        yield live


@pytest.fixture
def go_to(stack: LiveStack) -> Callable[[datetime], None]:
    """Move the world's clock, and wait until the portal's runs with it."""

    def go(moment: datetime) -> None:
        stack.sandbox.call("POST", "/clock", {"at": moment.isoformat()})
        until(lambda: abs(_portals(stack) - _worlds(stack)) < 60, within_s=30, words="the clocks differ")
        # A process looks at the shared offset twice a second (portal/clock.py); until then it lives in the past.
        time.sleep(2)

    return go


def _worlds(stack: LiveStack) -> float:
    return datetime.fromisoformat(stack.sandbox.call("GET", "/clock")["now"]).timestamp()


def _portals(stack: LiveStack) -> float:
    """The portal's time: ours, and the offset that its processes share."""
    path = stack.var / "clock-offset"
    ahead = float(path.read_text()) if path.exists() else 0.0
    return datetime.now(tz=clock.IST).timestamp() + ahead


def soon(eyes: Eyes) -> date:
    """The nearest first date, some days ahead, of those that the fund offers."""
    offered = eyes.page.locator("[name=start_day] option").evaluate_all("all => all.map(each => Number(each.value))")
    today = datetime.now(tz=clock.IST).date()
    dates = (plan_rules.after(today, day) for day in offered if day <= 28)
    return min(on for on in dates if on - today >= timedelta(days=3))


def a_mandate(eyes: Eyes, stack: LiveStack) -> None:
    """Given, confirmed, authorised at the bank, approved: the mandate's own journey looks closer."""
    eyes.go("/mandates/new/")
    eyes.write(limit="25,000")
    eyes.press("Review")
    eyes.page.wait_for_url("**/mandates/confirm/**")
    eyes.write(otp=Visitor(stack, RAVI).code_from_outbox("25,000.00"))
    eyes.press("Confirm the mandate")
    eyes.page.get_by_role("button", name="Authorise at your bank").wait_for()
    eyes.press("Authorise at your bank")
    eyes.page.get_by_role("button", name=re.compile("^Authorise up to")).click()
    eyes.page.wait_for_url(re.compile("/mandates/MND-"))
    eyes.page.get_by_role("heading", name="The bank has approved it").wait_for()


def test_from_the_mandate_to_the_third_instalment_then_skip_and_end(eyes: Eyes, stack: LiveStack, go_to):
    page = eyes.page
    signed_in(eyes)
    eyes.go("/sips/")
    eyes.look("none-yet")
    eyes.go(f"/funds/{ISIN}/sip/")
    eyes.sees("First a mandate")
    eyes.look("first-a-mandate")
    a_mandate(eyes, stack)
    eyes.go(f"/funds/{ISIN}/")
    eyes.press("Start a SIP")
    eyes.look("start", dark=True)
    eyes.press("Review")
    eyes.sees("Enter how much you want to invest every month")
    eyes.look("start-wrong")
    eyes.write(amount="5,000", instalments="12")
    first_on = soon(eyes)
    page.locator("[name=start_day]").select_option(str(first_on.day))
    eyes.press("Review")
    page.wait_for_url("**/sips/confirm/**")
    eyes.look("confirm", dark=True)
    eyes.write(otp=Visitor(stack, RAVI).code_from_outbox("5,000.00"))
    eyes.press("Confirm and start")
    page.wait_for_url(re.compile("/sips/SIP-"))
    address = page.url
    page.get_by_role("heading", name="Your SIP is running").wait_for()
    eyes.look("running", dark=True)
    for number in (1, 2, 3):
        on = plan_rules.step(first_on, number - 1, first_on.day)
        go_to(datetime(on.year, on.month, on.day, 11, tzinfo=clock.IST))
        signed_in(eyes)
        eyes.go(address)
        eyes.sees(re.compile(f"{on:%-d %b %Y}, instalment {number} of 12"))
        done = page.locator("li.tl-done", has_text=f"instalment {number} of 12")
        until(lambda: page.reload() and done.count(), within_s=90, words=f"instalment {number} is not done")  # noqa: B023
    eyes.look("three-instalments", dark=True)
    held = stack.rows(
        "SELECT count(*) AS n FROM orders_transaction t JOIN orders_mforder o ON o.id = t.order_id"
        " WHERE o.plan_id IS NOT NULL AND t.kind = 'PURCHASE'"
    )
    assert held[0]["n"] == 3
    eyes.go("/sips/mandates/")
    eyes.look("matrix", dark=True)
    eyes.go(address)
    eyes.press(re.compile(r"^Skip \d"))
    page.get_by_text("You asked to skip the instalment").wait_for()
    page.locator("li", has_text="instalment 4 of 12").get_by_text("Skipped, as you asked").wait_for()
    eyes.look("skipped", dark=True)
    eyes.press("End this SIP")
    eyes.sees("What stays: the mandate")
    eyes.look("end", dark=True)
    eyes.press("End the SIP")
    page.get_by_role("heading", name="This SIP has ended").wait_for()
    eyes.look("ended")
    eyes.go("/sips/")
    eyes.look("list")
    eyes.assert_clean()
