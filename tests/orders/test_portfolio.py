"""The portfolio: worked examples for a calculator, and the page in its states. It is Friday 20 Nov 2026, noon."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from orders.operations import ledger
from orders.queries import portfolio as queries
from portal import clock
from tests import factories

NOON = "2026-11-20T12:00"
THURSDAY, WEDNESDAY = date(2026, 11, 19), date(2026, 11, 18)
BUDGET = 4

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _friday_noon(at):  # type: ignore[no-untyped-def]
    at(NOON)


def scheme(name: str = "Parijat Flexi Cap Fund", **given):  # type: ignore[no-untyped-def]
    figures = {
        "nav": Decimal("55.0000"),
        "nav_on": THURSDAY,
        "previous_nav": Decimal("54.5000"),
        "previous_nav_on": WEDNESDAY,
    }
    return factories.SchemeFactory(name=name, **{**figures, **given})


def hold(investor, of, units="100.000", invested="5000.00", since=date(2025, 11, 19), **given):  # type: ignore[no-untyped-def]
    return factories.HoldingFactory(
        investor=investor,
        scheme=of,
        units=Decimal(units),
        invested=Decimal(invested),
        first_bought_on=since,
        **given,
    )


def portfolio_of(investor):  # type: ignore[no-untyped-def]
    return queries.portfolio_of(investor_id=investor.pk, at=clock.now())


def page(client: Client, query: str = "") -> str:
    response = client.get(reverse("orders:portfolio") + query)
    assert response.status_code == 200
    return response.content.decode()


# --- The figures ------------------------------------------------------------------------------------------------


def test_values_a_holding_by_its_newest_nav(asha) -> None:
    # 100 units bought for 5,000 exactly a year before the NAV of 55.00, which was 54.50 the day before.
    hold(asha, scheme())
    totals = portfolio_of(asha).totals
    assert totals.value == Decimal("5500.00")
    assert totals.invested == Decimal("5000.00")
    assert totals.gain == Decimal("500.00")
    assert totals.gain_percent == Decimal("10")
    assert totals.day_change == Decimal("50.00")
    assert round(totals.day_change_percent, 2) == Decimal("0.92")  # 50 / 5,450
    assert totals.rate.percent == Decimal("10.00")
    assert totals.nav_days == (THURSDAY, THURSDAY)


def test_adds_up_rounded_values_so_that_the_column_adds_up_too(asha) -> None:
    # 10.001 x 10.1234 = 101.24412... -> 101.24; three such rows are 303.72, not the 303.73 of an unrounded sum.
    for _ in range(3):
        hold(asha, scheme(nav=Decimal("10.1234"), previous_nav=Decimal("10.1234")), units="10.001", invested="100.00")
    book = portfolio_of(asha)
    assert [each.value for each in book.positions] == [Decimal("101.24")] * 3
    assert book.totals.value == Decimal("303.72")


def test_two_folios_of_one_fund_are_one_position(asha) -> None:
    fund = scheme()
    hold(asha, fund, units="10.000", invested="500.00", since=date(2026, 1, 5))
    hold(asha, fund, units="20.500", invested="1100.00", since=date(2025, 3, 3))
    (position,) = portfolio_of(asha).positions
    assert (position.units, position.invested) == (Decimal("30.500"), Decimal("1600.00"))
    assert position.value == Decimal("1677.50")
    assert position.first_bought_on == date(2025, 3, 3)
    assert len(position.folios) == 2


def test_a_fund_without_nav_has_no_value_and_is_in_no_total(asha, client_for) -> None:
    hold(asha, scheme())
    hold(asha, scheme("Kadamba New Fund", nav=None, nav_on=None, previous_nav=None), invested="9000.00")
    book = portfolio_of(asha)
    assert book.totals.value == Decimal("5500.00")
    assert book.totals.invested == Decimal("5000.00")
    assert book.totals.rate.percent == Decimal("10.00")
    assert [each.name for each in book.unvalued] == ["Kadamba New Fund"]
    html = page(client_for(asha))
    assert "Not known yet" in html
    assert "One fund has no published NAV yet, so the value is not known." in html


def test_only_funds_without_nav_leave_words_instead_of_figures(asha, client_for) -> None:
    hold(asha, scheme(nav=None, nav_on=None, previous_nav=None))
    assert portfolio_of(asha).totals.rate.percent is None
    html = page(client_for(asha))
    assert "Value not known yet" in html
    assert "₹0.00" not in html


def test_an_old_nav_is_named_and_left_out_of_the_day_change(asha, client_for) -> None:
    hold(asha, scheme())
    hold(asha, scheme("Slow Fund", nav_on=date(2026, 11, 16), previous_nav_on=date(2026, 11, 13)))
    book = portfolio_of(asha)
    assert {each.name: each.is_stale for each in book.positions} == {
        "Parijat Flexi Cap Fund": False,
        "Slow Fund": True,
    }
    assert book.totals.day_change == Decimal("50.00")
    assert book.totals.value == Decimal("11000.00")
    assert book.totals.nav_days == (date(2026, 11, 16), THURSDAY)
    html = page(client_for(asha))
    assert "NAV of 16 Nov 2026" in html
    assert "by the NAVs of 16 Nov 2026 to 19 Nov 2026" in html


def test_a_day_change_needs_a_nav_before(asha) -> None:
    hold(asha, scheme(previous_nav=None, previous_nav_on=None))
    assert portfolio_of(asha).totals.day_change is None


def test_bought_on_the_day_of_its_nav_has_no_rate_yet(asha, client_for) -> None:
    hold(asha, scheme(), since=THURSDAY)
    assert portfolio_of(asha).totals.rate.why_not == "SAME_DAY"
    assert "Not yet" in page(client_for(asha))


def test_bought_after_its_nav_counts_from_the_day_of_the_purchase(asha) -> None:
    hold(asha, scheme(), since=date(2026, 11, 20))
    assert portfolio_of(asha).totals.rate.why_not == "SAME_DAY"


def test_a_young_rate_is_shown_with_its_caveat(asha, client_for) -> None:
    # 5,000 became 5,500 in 73 days: 1.1 to the power of 5 is 1.61051.
    hold(asha, scheme(), since=date(2026, 9, 7))
    assert portfolio_of(asha).totals.rate.percent == Decimal("61.05")
    html = page(client_for(asha))
    assert "+61.05%" in html
    assert "from only 73 days" in html


def test_an_unreadable_rate_is_capped_in_words(asha, client_for) -> None:
    hold(asha, scheme(), since=date(2026, 11, 17))
    assert "over +1,000%" in page(client_for(asha))


def test_a_loss_is_negative_everywhere(asha, client_for) -> None:
    hold(asha, scheme(nav=Decimal("45"), previous_nav=Decimal("46")))
    totals = portfolio_of(asha).totals
    assert (totals.gain, totals.day_change) == (Decimal("-500.00"), Decimal("-100.00"))
    assert totals.rate.percent == Decimal("-10.00")
    html = page(client_for(asha))
    assert "−₹500.00" in html
    assert 'class="loss"' in html


def test_a_reversed_purchase_leaves_nothing_held(asha, client_for) -> None:
    order = factories.OrderFactory(investor=asha, scheme=scheme(), state="ALLOTTED", amount=Decimal("5500"))
    factories.TransactionFactory(
        investor=asha, scheme=order.scheme, folio=order.folio, order=order, units=Decimal("100"), nav=Decimal("55")
    )
    ledger.rebuild(folio_ids=[order.folio_id], at=clock.now())
    assert portfolio_of(asha).totals.value == Decimal("5500.00")
    ledger.reverse(order=order, at=clock.now())
    assert portfolio_of(asha).positions == []
    client = client_for(asha)
    assert "Nothing held yet" in page(client)
    detail = client.get(reverse("orders:holding", args=[order.scheme.isin])).content.decode()
    assert "You hold no units of this fund now" in detail
    assert "Taken back on 20 Nov 2026" in detail


# --- Orders are not value ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gateway", "state", "in_flight"),
    [
        ("RTA", "AWAITING_PAYMENT", False),
        ("RTA", "PAID", True),
        ("RTA", "PLACED", True),
        # BSE places an order before it is paid.
        ("BSE", "PLACED", False),
        ("BSE", "AWAITING_PAYMENT", False),
        ("BSE", "PAID", True),
    ],
)
def test_money_is_in_flight_once_it_has_left_the_bank(asha, gateway: str, state: str, in_flight: bool) -> None:
    factories.OrderFactory(investor=asha, state=state, gateway=gateway)
    book = portfolio_of(asha)
    assert bool(book.in_flight) is in_flight
    assert book.totals.value == 0


def test_money_debited_for_an_order_that_still_waits_is_in_flight(asha) -> None:
    order = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT")
    payment = factories.PaymentFactory(order=order, state="DEBITED", debited_at=clock.now())
    assert [each.code for each in portfolio_of(asha).in_flight] == [order.code]
    assert not portfolio_of(asha).in_flight[0].needs_payment
    payment.state = "FAILED"
    payment.save()
    payment.lines.update(is_live=False)
    assert portfolio_of(asha).in_flight == []
    assert portfolio_of(asha).open_orders[0].needs_payment


def test_shows_money_in_flight_beside_the_value(asha, client_for) -> None:
    hold(asha, scheme())
    order = factories.OrderFactory(investor=asha, state="PLACED", amount=Decimal("7000"))
    html = page(client_for(asha))
    assert "Money in flight" in html
    assert "₹7,000.00" in html
    assert order.code in html
    assert "₹5,500.00" in html
    assert "₹12,500.00" not in html


# --- The page ---------------------------------------------------------------------------------------------------


def test_an_empty_portfolio_says_what_to_do_next(asha, client_for) -> None:
    html = page(client_for(asha))
    assert "Nothing held yet" in html
    assert "Explore funds" in html


def test_shows_sixty_holdings_within_the_budget_of_statements(
    asha, client_for, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        hold(asha, scheme(f"Fund {number:02d}", category=f"Category {number % 12}"))
    factories.OrderFactory(investor=asha, state="PAID")
    client = client_for(asha)
    page(client)
    with django_assert_max_num_queries(BUDGET):
        html = page(client)
    assert html.count("<tr>") == 62
    assert "₹3,30,000.00" in html


def test_holdings_without_units_are_not_listed(asha, client_for) -> None:
    hold(asha, scheme("Gone Fund"))
    asha.holdings.update(units=0, invested=0)
    assert "Gone Fund" not in page(client_for(asha))


def test_a_huge_value_stays_readable(asha, client_for) -> None:
    hold(asha, scheme(nav=Decimal("123456.7891")), units="999999999.999", invested="999999999999.99")
    html = page(client_for(asha))
    value = (Decimal("999999999.999") * Decimal("123456.7891")).quantize(Decimal("0.01"))
    assert value == Decimal("123456789099876.54")
    assert "₹12,34,56,78,90,99,876.54" in html
    assert "₹1,23,45,678.9 Cr" in html


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", ["Big", "Middle", "Small", "Unknown"]),
        ("value", ["Big", "Middle", "Small", "Unknown"]),
        ("name", ["Big", "Middle", "Small", "Unknown"]),
        ("gain", ["Small", "Middle", "Big", "Unknown"]),
        ("invested", ["Big", "Middle", "Unknown", "Small"]),
        ("nonsense", ["Big", "Middle", "Small", "Unknown"]),
    ],
)
def test_sorts_by_what_was_asked(asha, client_for, sort: str, order: list[str]) -> None:
    hold(asha, scheme("Big"), units="100", invested="6000")  # value 5,500, gain -500
    hold(asha, scheme("Middle"), units="50", invested="2700")  # value 2,750, gain +50
    hold(asha, scheme("Small"), units="10", invested="100")  # value 550, gain +450
    hold(asha, scheme("Unknown", nav=None, nav_on=None, previous_nav=None), invested="200")
    html = page(client_for(asha), f"?sort={sort}")
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    assert sorted(order, key=table.index) == order


@pytest.mark.parametrize("confirmed", [False, True])
def test_units_are_provisional_until_the_registrar_confirms_them(asha, client_for, confirmed: bool) -> None:
    fund = scheme()
    bought = factories.TransactionFactory(investor=asha, scheme=fund, is_provisional=not confirmed)
    ledger.rebuild(folio_ids=[bought.folio_id], at=clock.now())
    assert ("Provisional" in page(client_for(asha))) is not confirmed


def test_splits_the_value_by_asset_class_fund_house_and_category(asha, client_for) -> None:
    hold(asha, scheme("One", category="Flexi Cap Fund"), units="75")
    hold(asha, scheme("Two", category="Liquid Fund", asset_class="DEBT"), units="25")
    client = client_for(asha)
    assert "75.00%" in page(client)
    by_category = page(client, "?by=category")
    assert "Liquid Fund" in by_category[by_category.index("chart-legend") :]
    assert "By fund house" in page(client, "?by=house")
    assert "By asset class" in page(client, "?by=nonsense")


def test_many_small_parts_become_others(asha) -> None:
    from orders.views.portfolio import allocation

    for number in range(12):
        hold(asha, scheme(f"Fund {number}", category=f"Category {number:02d}"), units=str(100 - number))
    split = allocation(portfolio_of(asha).positions, "category")
    assert len(split["legend"]) == 8
    assert split["legend"][-1][0] == "5 others"
    assert sum(part["value"] for part in split["chart"]["slices"]) == pytest.approx(
        float(portfolio_of(asha).totals.value)
    )


# --- Whose ------------------------------------------------------------------------------------------------------


def test_shows_nothing_of_a_stranger(asha, chitra, client_for) -> None:
    hold(chitra, scheme("Hers Alone"))
    factories.OrderFactory(investor=chitra, state="PAID")
    assert portfolio_of(asha).positions == []
    assert portfolio_of(asha).open_orders == []
    assert "Hers Alone" not in page(client_for(asha))


def test_a_strangers_holding_is_not_found(asha, chitra, client_for) -> None:
    held = hold(chitra, scheme())
    address = reverse("orders:holding", args=[held.scheme.isin])
    assert client_for(asha).get(address).status_code == 404
    assert client_for(chitra).get(address).status_code == 200


def test_two_owners_of_one_fund_see_their_own_part(asha, chitra, client_for) -> None:
    fund = scheme()
    hold(asha, fund, units="1.000", invested="50.00")
    hold(chitra, fund, units="777.777", invested="40000.00")
    html = client_for(asha).get(reverse("orders:holding", args=[fund.isin])).content.decode()
    assert "₹55.00" in html
    assert "777.777" not in html


@pytest.mark.parametrize("path", ["/portfolio/", "/portfolio/INF000001A01/"])
def test_a_visitor_has_to_log_in(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert "/accounts/login/" in response["Location"]


# --- Unchanged pages ----------------------------------------------------------------------------------------------


@pytest.fixture
def seen(asha, client_for):  # type: ignore[no-untyped-def]
    """Asha's browser, which already has the page: (client, ask again)."""
    hold(asha, scheme())
    client = client_for(asha)
    page(client)  # sets the CSRF cookie, which is a part of the page's identity
    tag = client.get("/portfolio/")["ETag"]

    def again() -> int:
        return client.get("/portfolio/", headers={"if-none-match": tag}).status_code

    return client, again


def test_an_unchanged_page_is_not_sent_again(seen) -> None:
    _, again = seen
    assert again() == 304
    assert again() == 304


def test_never_cached_by_anybody_but_the_investors_own_browser(seen) -> None:
    client, _ = seen
    assert client.get("/portfolio/")["Cache-Control"] == "private, no-cache"


def _new_nav(asha) -> None:
    asha.holdings.get().scheme.__class__.objects.update(nav=Decimal("55.0001"))


def _new_name(asha) -> None:
    asha.holdings.get().scheme.__class__.objects.update(name="Renamed Fund")


def _new_purchase(asha) -> None:
    held = asha.holdings.get()
    factories.TransactionFactory(investor=asha, scheme=held.scheme, folio=held.folio, units=Decimal("0.001"))
    ledger.rebuild(folio_ids=[held.folio_id], at=clock.now())


def _new_order(asha) -> None:
    factories.OrderFactory(investor=asha, state="PAID")


@pytest.mark.parametrize("change", [_new_nav, _new_name, _new_purchase, _new_order])
def test_a_changed_page_is_sent(asha, seen, change) -> None:
    _, again = seen
    change(asha)
    assert again() == 200


def test_news_of_a_payment_changes_the_page(asha, client_for) -> None:
    order = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT")
    payment = factories.PaymentFactory(order=order)
    client = client_for(asha)
    page(client)
    tag = client.get("/portfolio/")["ETag"]
    payment.debited_at = clock.now()
    payment.save()
    assert client.get("/portfolio/", headers={"if-none-match": tag}).status_code == 200


def test_another_day_or_theme_or_person_is_another_page(asha, chitra, seen, at, client_for) -> None:
    client, again = seen
    client.cookies["theme"] = "dark"
    assert again() == 200
    del client.cookies["theme"]
    assert again() == 304
    at("2026-11-21T12:00")
    assert again() == 200
    stranger = client_for(chitra)
    page(stranger)
    assert stranger.get("/portfolio/")["ETag"] != client.get("/portfolio/")["ETag"]


def test_a_waiting_message_is_always_shown(asha, seen) -> None:
    client, again = seen
    storage = CookieStorage(RequestFactory().get("/"))
    client.cookies["messages"] = storage._encode([Message(constants.INFO, "Something to read")])
    assert again() == 200
