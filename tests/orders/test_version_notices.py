"""A basket's new version: those who follow it are told once; the page says what changed, and what they hold of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.models import BasketSubscription, Security
from orders.operations import baskets, version_notices
from portal import clock
from portal.notices.models import Notice
from tests import factories

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    return list(Notice.objects.filter(event=version_notices.NEW_VERSION).values_list("user__email", flat=True))


def share(symbol: str) -> Security:
    found = Security.objects.filter(symbol=symbol).first()
    priced = {"last_price": Decimal(100), "priced_at": clock.now()}
    return found or factories.SecurityFactory(symbol=symbol, name=symbol.title(), **priced)


def publish(basket, number, note="Because.", **weights):
    version = factories.BasketVersionFactory(basket=basket, number=number, change_note=note)
    for symbol, weight in weights.items():
        factories.BasketConstituentFactory(version=version, security=share(symbol), weight_bp=weight)
    return baskets.publish(version_id=version.pk, actor=factories.UserFactory(), at=clock.now())


@pytest.fixture
def basket(asha):
    """Asha bought ten of each of two shares at version 1."""
    made = factories.BasketFactory(slug="two", name="Two of them")
    version = publish(made, 1, ITC=6000, TCS=4000)
    order = factories.BasketOrderFactory(investor=asha, basket=made, version=version, state="COMPLETE", intent="BUY")
    for symbol in ("ITC", "TCS"):
        factories.StockOrderFactory(
            basket_order=order, security=share(symbol), filled=10, average_price=Decimal(100), state="FILLED"
        )
    baskets.subscribe(order=order, at=clock.now())
    return made


def test_who_follows_the_basket_is_told_of_its_new_version_once(asha, basket):
    assert version_notices.tell(at=clock.now()) == 0, "they bought this very version"
    publish(basket, 2, "TCS became dear.", ITC=10_000)
    assert version_notices.tell(at=clock.now()) == 1
    assert version_notices.tell(at=clock.now()) == 0
    assert told() == [asha.user.email]
    notice = Notice.objects.get(event=version_notices.NEW_VERSION)
    assert (notice.title, notice.url) == ("New version of Two of them", "/baskets/two/")
    assert "TCS became dear." in notice.text


def test_two_versions_that_came_while_nobody_looked_are_one_notice_of_the_newest(basket):
    publish(basket, 2, "First.", ITC=10_000)
    publish(basket, 3, "Second.", TCS=10_000)
    assert version_notices.tell(at=clock.now()) == 1
    assert "Second." in Notice.objects.get(event=version_notices.NEW_VERSION).text


def test_who_has_sold_everything_follows_no_longer(asha, basket):
    out = factories.BasketOrderFactory(
        investor=asha, basket=basket, version=basket.versions.get(number=1), state="COMPLETE", intent="EXIT"
    )
    for symbol in ("ITC", "TCS"):
        factories.StockOrderFactory(
            basket_order=out, security=share(symbol), side="SELL", filled=10, average_price=Decimal(100), state="FILLED"
        )
    baskets.subscribe(order=out, at=clock.now())
    assert BasketSubscription.objects.get().ended_at is not None
    publish(basket, 2, ITC=10_000)
    assert version_notices.tell(at=clock.now()) == 0


def test_nobody_is_told_of_a_draft_or_of_an_archived_basket(basket, dev):
    factories.BasketVersionFactory(basket=basket, number=2)
    assert version_notices.tell(at=clock.now()) == 0
    publish(basket, 3, ITC=10_000)
    baskets.archive(basket_id=basket.pk, actor=dev, reason="over", at=clock.now())
    assert version_notices.tell(at=clock.now()) == 0


def test_who_holds_a_basket_that_is_no_longer_offered_is_told_once(asha, chitra, basket, dev):
    sold = {"investor": chitra, "basket": basket, "version": basket.versions.get(), "since": clock.now()}
    BasketSubscription.objects.create(**sold, ended_at=clock.now())
    assert version_notices.tell_of_ends(at=clock.now()) == 0
    baskets.archive(basket_id=basket.pk, actor=dev, reason="over", at=clock.now())
    assert [version_notices.tell_of_ends(at=clock.now()) for _ in range(2)] == [1, 0]
    notice = Notice.objects.get(event=version_notices.ARCHIVED)
    assert (notice.user, notice.title, notice.url) == (asha.user, "No longer offered: Two of them", "/baskets/two/")


def test_the_page_says_what_each_version_changed_and_why(client, basket):
    publish(basket, 2, "TCS became dear.", ITC=7000, INFY=3000)
    page = client.get("/baskets/two/").content.decode()
    for words in ("TCS became dear.", "INFY added, 30.00%", "TCS removed", "ITC: 60.00% to 70.00%"):
        assert words in page, words


def test_the_page_says_which_version_was_bought_and_what_is_held_besides(asha, basket, client_for):
    publish(basket, 2, ITC=7000, INFY=3000)
    factories.StockHoldingFactory(investor=asha, security=share("ITC"), quantity=35, unsettled=0)
    factories.StockHoldingFactory(security=share("INFY"), quantity=999)
    page = client_for(asha).get("/baskets/two/").content.decode()
    assert "You bought version 1; the newest is version 2." in page
    assert "1 of 2 shares, 70% of the basket," in page
    assert ">25<" in page, "ten of the thirty-five came with this basket"
    assert "999" not in page


def test_a_basket_s_page_costs_few_statements(asha, basket, client_for, django_assert_max_num_queries):
    browser = client_for(asha)
    browser.get("/baskets/two/")
    with django_assert_max_num_queries(19):
        browser.get("/baskets/two/")
