"""`scdk.js` on a page with a strict policy, in a real browser: its dialog, its promises, its errors, and axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.sandbox.server import Running
from tests.journeys.shop_site import ShopSite, assert_readable
from tests.sandbox.api import Caller
from tests.sandbox.brokers_api import Gateway

pytestmark = pytest.mark.browser


@pytest.fixture
def gateway(brokers: Running) -> Iterator[Gateway]:
    caller = Caller(brokers.url)
    yield Gateway(caller)
    caller.connection.close()


@pytest.fixture(params=[1280, 360])
def page(request: pytest.FixtureRequest, chromium: Browser, brokers: Running, gateway: Gateway) -> Iterator[Page]:
    """The shop with a new transaction, its button pressed, at both widths; no error may reach the console."""
    site, complaints = ShopSite(brokers.url), []
    one = chromium.new_page(viewport={"width": request.param, "height": 760})
    one.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    one.goto(f"{site.url}/?id={gateway.new()}&token={gateway.token}")
    one.get_by_role("button", name="Buy").click()
    yield one
    one.close()
    site.shutdown()
    site.server_close()
    assert complaints == []


def frame(page: Page):
    return page.frame_locator("iframe")


def test_a_person_chooses_logs_in_confirms_and_the_promise_resolves(page: Page):
    expect(frame(page).get_by_role("heading", name="Choose your broker")).to_be_visible()
    expect(page.get_by_role("dialog", name="smallcase gateway (sandbox)")).to_be_visible()
    assert_readable(page)
    frame(page).get_by_role("button", name="Zerodha").click()
    expect(frame(page).get_by_label("User ID")).to_be_visible()
    assert_readable(page)
    frame(page).get_by_role("button", name="Log in").click()
    frame(page).get_by_text("Or let it go wrong").click()
    assert_readable(page)
    frame(page).get_by_role("button", name="Place order").click()
    expect(frame(page).get_by_role("status")).to_have_text("COMPLETED")
    assert_readable(page)
    frame(page).get_by_role("button", name="Done").click()
    expect(page.get_by_role("status")).to_have_text("transaction_in_process; true kite COMPLETED")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Buy")).to_be_focused()


def test_escape_before_a_broker_is_chosen_rejects_with_1010(page: Page):
    expect(frame(page).get_by_role("heading", name="Choose your broker")).to_be_visible()
    rejected = "transaction_in_process; true user_cancelled 1010"
    for _ in range(10):
        # A heading may be there before the keys of its page are listened to.
        page.keyboard.press("Escape")
        if until_text(page, rejected):
            return
    expect(page.get_by_role("status")).to_have_text(rejected)


def until_text(page: Page, text: str) -> bool:
    """Does the shop say so within three seconds?"""
    try:
        expect(page.get_by_role("status")).to_have_text(text, timeout=3_000)
    except AssertionError:
        return False
    return True


def test_escape_inside_the_frame_after_choosing_rejects_with_1011(page: Page):
    frame(page).get_by_role("button", name="Groww").click()
    frame(page).get_by_label("User ID").press("Escape")
    expect(page.get_by_role("status")).to_have_text("transaction_in_process; true user_cancelled 1011")


def test_a_reloaded_page_cannot_use_the_transaction_again(page: Page):
    expect(frame(page).get_by_role("heading", name="Choose your broker")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Buy").click()
    expect(page.get_by_role("status")).to_have_text("transaction_in_process; true transaction_expired 3001")
