"""One holding: its purchases with age, value and gain. It is Friday 20 Nov 2026, noon."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from orders.operations import ledger
from orders.views.portfolio import LOTS_PER_PAGE
from portal import clock
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _friday_noon(at):  # type: ignore[no-untyped-def]
    at("2026-11-20T12:00")


def fund(**given):  # type: ignore[no-untyped-def]
    return factories.SchemeFactory(
        name="Parijat ELSS Tax Saver",
        nav=Decimal("50"),
        nav_on=date(2026, 11, 19),
        previous_nav=Decimal("49"),
        previous_nav_on=date(2026, 11, 18),
        **given,
    )


def buy(investor, of, folio, on: date, units: str, nav: str):  # type: ignore[no-untyped-def]
    return factories.TransactionFactory(
        investor=investor, scheme=of, folio=folio, units=Decimal(units), nav=Decimal(nav), traded_on=on
    )


def detail(client, of, query: str = "") -> str:  # type: ignore[no-untyped-def]
    response = client.get(reverse("orders:holding", args=[of.isin]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_lists_each_purchase_with_its_own_gain_and_age(asha, client_for) -> None:
    of = fund()
    folio = factories.FolioFactory(investor=asha, fund_house=of.fund_house, number="77/1")
    buy(asha, of, folio, date(2024, 11, 20), "100", "40")  # 4,000 -> 5,000: +1,000, +25 %
    buy(asha, of, folio, date(2026, 11, 10), "10", "55")  # 550 -> 500: -50, -9.09 %
    ledger.rebuild(folio_ids=[folio.pk], at=clock.now())
    html = detail(client_for(asha), of)
    for expected in (
        "₹5,500.00",  # 110 units at 50.00
        "+₹1,000.00",
        "+25.00%",
        "−₹50.00",
        "−9.09%",
        "2 years",
        "10 days",
        "Folio 77/1",
        "₹41.3636",  # 4,550 / 110
    ):
        assert expected in html
    assert html.index("10 Nov 2026") < html.index("20 Nov 2024")


def test_locked_units_say_until_when(asha, client_for) -> None:
    of = fund(lock_in_years=3)
    folio = factories.FolioFactory(investor=asha, fund_house=of.fund_house)
    buy(asha, of, folio, date(2024, 2, 29), "10", "40")
    buy(asha, of, folio, date(2023, 11, 20), "10", "40")
    ledger.rebuild(folio_ids=[folio.pk], at=clock.now())
    html = detail(client_for(asha), of)
    assert "Locked until 1 Mar 2027" in html
    assert html.count("Locked until") == 1


def test_invest_more_is_offered_only_where_the_fund_takes_money(asha, client_for) -> None:
    of = fund()
    factories.HoldingFactory(investor=asha, scheme=of)
    assert "Invest more" in detail(client_for(asha), of)
    of.purchase_allowed = False
    of.save()
    assert "Invest more" not in detail(client_for(asha), of)


def test_shows_what_is_on_its_way_into_this_fund_only(asha, client_for) -> None:
    of = fund()
    factories.HoldingFactory(investor=asha, scheme=of)
    here = factories.OrderFactory(investor=asha, scheme=of, state="PAID", amount=Decimal("777"))
    elsewhere = factories.OrderFactory(investor=asha, state="PAID")
    html = detail(client_for(asha), of)
    assert here.code in html
    assert elsewhere.code not in html


def test_a_long_history_comes_in_pages_that_miss_and_repeat_nothing(
    asha, client_for, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    of = fund()
    folio = factories.FolioFactory(investor=asha, fund_house=of.fund_house)
    for number in range(LOTS_PER_PAGE + 7):
        # Several on one day, so that the day alone is no cursor.
        buy(asha, of, folio, date(2026, 11, 1) - timedelta(days=number // 9), f"1.{number:03d}", "40")
    ledger.rebuild(folio_ids=[folio.pk], at=clock.now())
    client = client_for(asha)
    first = detail(client, of)
    with django_assert_max_num_queries(7):
        detail(client, of)
    cursor = first[first.index("?before=") :].split('"')[0]
    second = detail(client, of, cursor)
    seen = [f">1.{number:03d}<" for number in range(LOTS_PER_PAGE + 7)]
    assert all((units in first) != (units in second) for units in seen)
    assert "?before=" not in second


def test_a_broken_cursor_starts_at_the_newest(asha, client_for) -> None:
    of = fund()
    factories.HoldingFactory(investor=asha, scheme=of)
    assert "Bought on" in detail(client_for(asha), of, "?before=nonsense_x")
