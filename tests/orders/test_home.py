"""The first page: for visitors, for somebody who has just signed up, for investors, for staff."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from portal import clock
from portal.attempts import Attempted
from tests import factories

pytestmark = pytest.mark.django_db
BUDGET = 7


def home(client: Client) -> str:
    response = client.get("/")
    assert response.status_code == 200
    return response.content.decode()


def attention(html: str) -> str:
    """The card that must come first."""
    start = html.index('id="attention"')
    assert 'class="card' not in html[html.index("<main") : html.rindex("<section", 0, start)]
    return html[start : html.index("</section>", start)]


def test_a_visitor_reads_what_this_is_and_what_is_needed(client: Client) -> None:
    html = home(client)
    assert settings.BRAND["arn"] in html
    for words in ("What you need", "PAN", "About ten minutes", "Sign up", "Log in", "subject to market risks"):
        assert words in html
    assert "Needs your attention" not in html


def test_somebody_new_is_shown_where_to_start(client_for) -> None:
    html = home(client_for(factories.UserFactory()))
    assert "Get ready to invest" in attention(html)
    assert "/admin/" not in html


def test_somebody_halfway_reads_what_is_missing(bharat, client_for) -> None:
    card = attention(home(client_for(bharat)))
    assert "Finish getting ready to invest" in card
    assert "Still missing:" in card


def test_a_ready_investor_without_orders_is_shown_the_funds(asha, client_for) -> None:
    html = home(client_for(asha))
    assert "Nothing." in attention(html)
    assert "You are ready to invest" in html


def test_an_order_to_pay_needs_the_investor(asha, client_for) -> None:
    order = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT", amount=Decimal("5000"))
    card = attention(home(client_for(asha)))
    assert "Pay for your order" in card
    assert f"/orders/{order.code}/" in card
    assert "₹5,000.00" in card
    assert "No money has moved yet" in card


def test_nobody_is_told_to_pay_again_after_the_payment_page(asha, client_for) -> None:
    order = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT")
    factories.PaymentFactory(order=order, handed_over_at=clock.now())
    card = attention(home(client_for(asha)))
    assert "Pay for your order" not in card
    assert "If you have paid, there is nothing to do" in card


def test_an_unknown_order_says_do_not_buy_again(asha, client_for) -> None:
    factories.OrderFactory(
        investor=asha, state="SUBMITTING", attempt=Attempted.Outcome.UNKNOWN, unknown_since=clock.now()
    )
    card = attention(home(client_for(asha)))
    assert "do not buy again" in card
    assert "state-checking" in card


def test_an_order_on_its_way_needs_nobody_but_its_money_is_shown(asha, client_for) -> None:
    factories.OrderFactory(investor=asha, state="PLACED", amount=Decimal("7000"))
    html = home(client_for(asha))
    assert "Nothing." in attention(html)
    assert "Money in flight" in html


def test_shows_the_portfolio_and_the_last_orders(
    asha, client_for, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    factories.HoldingFactory(investor=asha, first_bought_on=date(2025, 1, 1))
    orders = [factories.OrderFactory(investor=asha, state="CANCELLED") for _ in range(7)]
    client = client_for(asha)
    html = home(client)
    assert "₹5,000.00" in html  # 100 units at 50.00
    assert [order.code for order in orders if f"/orders/{order.code}/" in html] == [o.code for o in orders[-5:]]
    with django_assert_max_num_queries(BUDGET):
        home(client)


def test_shows_nothing_of_a_stranger(asha, chitra, client_for) -> None:
    order = factories.OrderFactory(investor=chitra, state="AWAITING_PAYMENT")
    assert order.code not in home(client_for(asha))


def test_staff_find_the_back_office(dev, client_for) -> None:
    html = home(client_for(dev))
    assert "/admin/" in html
    assert "Nothing." in attention(html)
