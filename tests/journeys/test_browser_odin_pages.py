"""ODIN's pages in a real browser: the login, the basket, and the ways back that a browser's policy must let through."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from portal.sandbox.server import Running
from tests.journeys.shop_site import ShopSite, assert_readable
from tests.sandbox.api import Caller
from tests.sandbox.brokers_api import ITC, TCS, Publisher

pytestmark = pytest.mark.browser

LOGIN = "/odin/landing/redirect?nRequestType=2&sAppToken=sandbox-app-token&sTwoWayToken=t1"


@pytest.fixture
def site(brokers: Running) -> Iterator[ShopSite]:
    """The publisher, to whose callback the browser comes back."""
    one, caller = ShopSite(brokers.url), Caller(brokers.url)
    caller.control("POST", "/webhooks", {"targets": {"odin_callback": f"{one.url}/callback/"}})
    yield one
    caller.control("POST", "/webhooks", {"targets": {"odin_callback": ""}})
    caller.control("POST", "/odin/settings", {"callback_method": "get"})
    caller.connection.close()
    one.shutdown()
    one.server_close()


@pytest.fixture(params=[1280, 360])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    one = chromium.new_page(viewport={"width": request.param, "height": 760})
    yield one
    one.close()


def came_back(page: Page, site: ShopSite) -> dict[str, str]:
    page.wait_for_url(f"{site.url}/callback/**")
    return dict(parse_qsl(urlsplit(page.url).query))


def test_a_person_logs_in_executes_a_basket_and_comes_back_twice(page: Page, site: ShopSite, brokers: Running):
    page.goto(brokers.url + LOGIN)
    assert_readable(page)
    page.get_by_role("button", name="Paper Boat").click()
    assert_readable(page)
    page.get_by_role("button", name="Log in").click()
    session = came_back(page, site)

    caller = Caller(brokers.url)
    publisher = Publisher(caller, session["sSession"], session["sVasUserId"])
    reco = f"W{page.viewport_size['width']}"
    page.goto(brokers.url + publisher.url(reco, {"scripTkn": ITC}, {"scripTkn": TCS, "discQty": 0}))
    page.get_by_text("Or let it go another way").click()
    assert_readable(page)
    page.get_by_role("button", name="Half of each fills").click()
    assert came_back(page, site)["sStatusCode"] == "vasprd-200-820"
    assert [order["traded"] for order in publisher.orders(reco)] == [250, 250]
    caller.connection.close()


def test_the_posted_way_back_goes_by_itself(page: Page, site: ShopSite, brokers: Running):
    caller = Caller(brokers.url)
    caller.control("POST", "/odin/settings", {"callback_method": "post"})
    with page.expect_request(f"{site.url}/callback/") as posted:
        page.goto(f"{brokers.url}{LOGIN}&sPartnerId=0AF1C1")
        page.get_by_role("button", name="Cancel").click()
    assert posted.value.method == "POST"
    assert dict(parse_qsl(posted.value.post_data))["sStatusMessage"] == "Login cancelled by user"
    caller.connection.close()
