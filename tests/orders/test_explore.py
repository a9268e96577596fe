"""The list of funds and a fund's page: what they say, what they leave out, and what they cost the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from investors.models import Investor
from orders.models import Nav, Scheme
from orders.operations import search_index
from tests.factories import FolioFactory, FundHouseFactory, HoldingFactory, NavFactory, SchemeFactory

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def page(client_for: Callable[..., Client]) -> Callable[..., str]:
    """`page("/funds/")` as nobody, or `page(address, asha)`: the text of the page."""

    def get(address: str, person: object = None, **headers: str) -> str:
        response = client_for(person).get(address, **headers)
        assert response.status_code == 200
        return str(response.content.decode())

    return get


def address(scheme: Scheme) -> str:
    return reverse("orders:scheme", args=[scheme.isin])


def statements(client: Client, where: str) -> list[str]:
    """What a page asks the database, without what every page asks: session, user and scope."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(where).status_code == 200
    shared = ("portal_open", "portal_user", "portal.scope", "portal_cache", "SAVEPOINT")
    return [each["sql"] for each in asked if not any(word in each["sql"] for word in shared)]


# --- Explore ------------------------------------------------------------------------------------------------------


def test_lists_funds_with_nav_date_and_change(page: Callable[..., str]) -> None:
    SchemeFactory(
        name="HDFC Flexi Cap Fund - Growth",
        nav=Decimal("1234.5"),
        nav_on=date(2026, 11, 20),
        previous_nav=Decimal("1222.2772"),
        previous_nav_on=date(2026, 11, 19),
    )
    text = page("/funds/")
    for part in (
        "HDFC Flexi Cap Fund - Growth",
        "₹1,234.5000",
        "20 Nov 2026",
        "+1.00%",
        "₹500",
        "usually very high risk",
    ):
        assert part in text


def test_a_change_over_more_than_a_week_is_not_called_a_change(page: Callable[..., str]) -> None:
    scheme = SchemeFactory(nav_on=date(2026, 11, 20), previous_nav_on=date(2026, 11, 12))
    assert "+2.04%" not in page("/funds/")
    assert "we do not hold the NAV of the day before" in page(address(scheme))


def test_direct_plans_are_left_out_and_shown_on_request_as_what_they_are(page: Callable[..., str]) -> None:
    SchemeFactory(name="Axis Fund - Direct Plan", plan="DIRECT")
    assert "Axis Fund" not in page("/funds/")
    everything = page("/funds/?all=1")
    assert "Axis Fund - Direct Plan" in everything
    assert '<span class="tag">Direct plan</span>' in everything


def test_filters_stay_in_the_address_and_in_the_form(page: Callable[..., str]) -> None:
    SchemeFactory.create_batch(30, category="Focused Fund")
    text = page("/funds/?class=EQUITY&category=Focused+Fund&option=GROWTH")
    assert '<option value="EQUITY" selected>' in text
    assert "<option selected>Focused Fund</option>" in text
    assert 'href="/funds/?class=EQUITY&amp;category=Focused+Fund&amp;option=GROWTH&amp;at=' in text


def test_htmx_gets_the_list_alone_and_a_clean_address(client_for: Callable[..., Client]) -> None:
    SchemeFactory(name="SBI Fund")
    search_index.build()
    response = client_for().get("/funds/", {"q": "sbi", "class": "", "house": ""}, **HTMX)
    text = response.content.decode()
    assert text.lstrip().startswith('<section class="card card-flush" id="funds"')
    assert "<html" not in text
    assert response["HX-Replace-Url"] == "/funds/?q=sbi"
    assert "HX-Request" in response["Vary"]


def test_says_that_it_searched_for_something_else(page: Callable[..., str]) -> None:
    SchemeFactory(name="HDFC Balanced Fund")
    search_index.build()
    text = page("/funds/?q=hdfc+balaned")
    assert "Funds for “hdfc balanced”" in text
    assert "No fund has the words “hdfc balaned”" in text


def test_each_empty_list_says_what_to_do(page: Callable[..., str]) -> None:
    assert "The list of funds has not been fetched" in page("/funds/")
    SchemeFactory()
    assert 'href="/funds/?q=zzzz&amp;all=1"' in page("/funds/?q=zzzz")
    assert "Clear all filters" in page("/funds/?q=zzzz&all=1")


@pytest.mark.parametrize(
    "query", ["at=zz", "house=x", "house=99999999999999", "class=NO", "q=%00", "option='", "category=%00x", "q=<b>"]
)
def test_a_nonsense_address_is_answered_calmly(page: Callable[..., str], query: str) -> None:
    SchemeFactory()
    assert "<b>”" not in page(f"/funds/?{query}")


@pytest.mark.parametrize(("query", "most"), [("", 2), ("?q=hdfc", 2), ("?q=hdfc+balaned", 4)])
def test_the_list_costs_few_statements(client_for: Callable[..., Client], query: str, most: int) -> None:
    SchemeFactory(name="HDFC Balanced Fund")
    SchemeFactory.create_batch(30)
    search_index.build()
    assert len(statements(client_for(), f"/funds/{query}")) == most


# --- A scheme ------------------------------------------------------------------------------------------------------


def past(scheme: Scheme, years: int, step_days: int = 7) -> None:
    """NAVs that grow by a rupee a step, up to 20 Nov 2026."""
    last = date(2026, 11, 20)
    days = [last - timedelta(days=each) for each in range(0, years * 366 + 7, step_days)]
    Nav.objects.bulk_create(Nav(amfi_code=scheme.amfi_code, on=day, nav=Decimal(500 - n)) for n, day in enumerate(days))


def test_shows_nav_terms_chart_and_returns(page: Callable[..., str], settings) -> None:  # type: ignore[no-untyped-def]
    scheme = SchemeFactory(
        category="ELSS", lock_in_years=3, sip_allowed=True, min_sip=Decimal(500), max_first=Decimal(199_999)
    )
    past(scheme, 3)
    text = page(address(scheme))
    for part in (
        "₹50.0000",
        "Very high risk",
        "own risk-o-meter prevails",
        "From ₹500, up to ₹1,99,999",
        "Units cannot be sold for 3 years",
        "see the scheme information document",
        "Yes, from ₹500 an instalment",
        "1 year",
        "3 years, a year",
        "Past performance may or may not be sustained",
        'id="nav-data"',
        "pays us commission",
        scheme.isin,
        f"<dd>{scheme.amfi_code}</dd>",
    ):
        assert part in text, part
    assert "5 years, a year" not in text


def test_shows_no_return_without_the_navs_for_it(page: Callable[..., str]) -> None:
    scheme = SchemeFactory()
    for n in range(40):
        NavFactory(scheme=scheme, on=date(2026, 11, 20) - timedelta(days=n), nav="50.0")
    assert "too short for a yearly return" in page(address(scheme))


def test_shows_no_return_of_an_idcw_option(page: Callable[..., str]) -> None:
    scheme = SchemeFactory(option="IDCW_PAYOUT")
    past(scheme, 3)
    text = page(address(scheme))
    assert "falls by what it pays out" in text
    assert "Past performance" not in text


def test_a_scheme_without_navs_says_so(page: Callable[..., str], settings) -> None:  # type: ignore[no-untyped-def]
    settings.AMFI_HISTORY_BY_SCHEME = False
    text = page(address(SchemeFactory(nav=None, nav_on=None, previous_nav=None, previous_nav_on=None)))
    assert "none published yet" in text
    assert "no chart and no return" in text


def test_the_past_is_fetched_while_the_page_waits(
    sandbox: object, at: Callable[[str], datetime], page: Callable[..., str], django_capture_on_commit_callbacks
) -> None:  # type: ignore[no-untyped-def]
    from orders.operations import nav_fetch

    cache.clear()
    now = at("2026-11-20T12:00")
    scheme = SchemeFactory(amfi_code=122_640)
    with django_capture_on_commit_callbacks() as nudged:
        assert "We are fetching the past NAVs" in page(address(scheme))
        waiting = page(address(scheme), **HTMX)
    assert len(nudged) == 1
    assert "data-refreshes" in waiting
    assert "<html" not in waiting
    nav_fetch.fetch_past(amfi_code=122_640, at=now)
    arrived = page(address(scheme), **HTMX)
    assert "data-refreshes" not in arrived
    assert "5 years, a year" in arrived


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"plan": "DIRECT"}, "We sell regular plans only."),
        ({"is_active": False}, "no longer offered"),
        ({"is_close_ended": True}, "close-ended"),
        ({"purchase_allowed": False}, "takes no purchases"),
    ],
)
def test_what_cannot_be_bought_says_why_and_has_no_button(
    page: Callable[..., str], facts: dict[str, object], reason: str
) -> None:
    scheme = SchemeFactory(**facts)
    text = page(address(scheme))
    assert reason in text
    assert reverse("orders:buy", args=[scheme.isin]) not in text
    assert "Buy before" not in text


@pytest.mark.parametrize(
    ("moment", "category", "title", "nav_on"),
    [
        ("2026-11-20T14:29:00", "Flexi Cap Fund", "Buy before 14:30 today", "Friday 20 Nov 2026"),
        ("2026-11-20T14:31:00", "Flexi Cap Fund", "Buy before 14:30 on Monday 23 Nov 2026", "Monday 23 Nov 2026"),
        ("2026-11-20T12:59:00", "Liquid Fund", "Buy before 13:00 today", "Thursday 19 Nov 2026"),
        ("2026-11-20T13:01:00", "Overnight Fund", "Buy before 13:00 on Monday 23 Nov 2026", "Sunday 22 Nov 2026"),
    ],
)
def test_the_next_cut_off(
    page: Callable[..., str], at: Callable[[str], datetime], moment: str, category: str, title: str, nav_on: str
) -> None:
    at(moment)
    scheme = SchemeFactory(category=category)
    text = page(address(scheme))
    assert title in text
    assert f"<dd>{nav_on}</dd>" in text
    assert reverse("orders:buy", args=[scheme.isin]) in text


def test_shows_what_the_visitor_holds_and_nobody_elses(
    page: Callable[..., str], asha: Investor, chitra: Investor
) -> None:
    scheme = SchemeFactory()
    folio = FolioFactory(investor=asha, fund_house=scheme.fund_house, number="7777/01")
    HoldingFactory(investor=asha, folio=folio, scheme=scheme, units=Decimal("12.345"), invested=Decimal("600"))
    mine = page(address(scheme), asha)
    for part in ("What you hold", "12.345", "₹600.00", "₹617.25", "+₹17.25", "7777/01"):
        assert part in mine
    for other in (chitra, None):
        assert "7777/01" not in page(address(scheme), other)


def test_an_unknown_isin_is_not_found(client_for: Callable[..., Client]) -> None:
    assert client_for().get("/funds/INF000000000/").status_code == 404


def test_a_schemes_page_costs_few_statements(client_for: Callable[..., Client], asha: Investor) -> None:
    scheme = SchemeFactory()
    past(scheme, 1)
    # The scheme, its NAVs, the investor, what they hold, the holidays.
    assert len(statements(client_for(asha), address(scheme))) <= 5
    assert len(statements(client_for(), address(scheme))) <= 3


def test_what_a_fund_is_called_is_text_in_the_list(page: Callable[..., str]) -> None:
    house = FundHouseFactory(name="<i>House</i> Mutual Fund")
    SchemeFactory(name="<script>1</script> Fund", category="A & B", fund_house=house)
    text = page("/funds/")
    assert "&lt;script&gt;1&lt;/script&gt; Fund" in text
    assert "<script>1" not in text
    assert "<i>House" not in text
    assert "A &amp; B" in text
