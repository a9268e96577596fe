"""The Invest button in a real browser: on a partner's site of another origin, and for a single share."""

from __future__ import annotations

import re

import pytest

from tests import factories
from tests.journeys.eyes import PICTURES, Eyes
from tests.journeys.partner_site import PartnerSite
from tests.journeys.test_browser_basket import in_the_window

pytestmark = [pytest.mark.live_stack, pytest.mark.browser, pytest.mark.xdist_group("live_stack")]


def sign_in(eyes: Eyes, email: str) -> None:
    eyes.write(login=email, password=factories.PASSWORD)
    eyes.page.locator("main").get_by_role("button", name=re.compile("Log in|Sign in")).first.click()


@pytest.fixture
def site(stack):
    """An adviser's site whose origin the portal knows, with the tag that the command prints."""
    site = PartnerSite(stack.url)
    stack.rows(
        "INSERT INTO portal_partner (code, name, arn, euin, is_active, api_closed_why, networks, origins,"
        " calls_per_minute, calls_per_day, created_at)"
        " VALUES ('ADVISER', 'An adviser', '', '', true, '', '{}', ARRAY[%s], 60, 1000, now()) RETURNING id",
        site.url,
    )
    words = ("manage.py", "embed_code", "ADVISER", site.url, "household-names")
    child = stack.start("embed-code", *words, ends=True)
    stack.finish(child)
    site.tag = next(line for line in child.log.read_text().splitlines() if line.startswith("<script"))
    yield site
    site.shutdown()


def test_a_basket_is_invested_in_from_a_partner_s_site_and_from_no_other(eyes, stack, site):
    page = eyes.page
    page.goto(site.url)
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Household names").wait_for()
    page.screenshot(path=PICTURES / "invest-button-partner-site.png", full_page=True)
    with eyes.context.expect_page() as opened:
        frame.get_by_role("link", name="Invest").click()
    eyes.page = opened.value
    eyes.page.wait_for_url("**/accounts/login/**")
    sign_in(eyes, "ravi@journey.example")
    eyes.page.wait_for_url("**/baskets/household-names/invest/")
    eyes.write(amount="60,000")
    eyes.press("Go on")
    eyes.sees("Your order waits for you")
    assert eyes.page.evaluate("window.opener") is None
    stranger = PartnerSite(stack.url)
    stranger.tag = site.tag
    page.goto(stranger.url)
    page.wait_for_function("document.querySelector('iframe') !== null")
    page.wait_for_timeout(1_000)
    assert "Household names" not in "".join(each.content() for each in page.frames)
    stranger.shutdown()


def test_a_single_share_is_found_watched_and_bought(eyes, stack):
    page = eyes.page
    eyes.guests = (stack.sandbox.url,)
    eyes.go("/accounts/login/")
    sign_in(eyes, "omar@journey.example")
    page.wait_for_url("**/")
    eyes.go("/shares/")
    eyes.look("nothing-typed", dark=True)
    page.locator("#share-q").press_sequentially("itc", delay=20)
    eyes.sees("INE154A01025")
    eyes.look("found")
    page.locator("a.row", has_text="INE154A01025").click()
    page.wait_for_url("**/shares/INE154A01025/")
    eyes.look("share", dark=True)
    eyes.press("Watch")
    eyes.sees("Stop watching")
    eyes.go("/watchlist/")
    eyes.look("watchlist", dark=True)
    eyes.go("/shares/INE154A01025/")
    eyes.press("Buy")
    eyes.write(quantity="0")
    eyes.press("Go on")
    eyes.sees("Enter at least 1 share.")
    eyes.look("wrong-number", dark=True)
    eyes.write(quantity="3")
    eyes.press("Go on")
    eyes.press("Continue to your broker")
    eyes.sees("Confirm at your broker", within_s=60)
    eyes.press("Open the window")
    in_the_window(eyes)
    page.wait_for_url(re.compile("/stock-orders/BKO-[0-9A-Z]+/$"))
    eyes.sees("Everything was executed", within_s=90)
    eyes.look("bought")
    eyes.go("/portfolio/shares/")
    eyes.sees("Shares on their way")
    eyes.look("held-shares", dark=True)
    eyes.go("/portfolio/")
    eyes.sees("Shares on their way")
    eyes.look("portfolio-part", charts=True)
    eyes.assert_clean()
