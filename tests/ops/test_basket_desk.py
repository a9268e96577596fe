"""The basket desk: who is stuck half-way by route, what is to be repaired, who holds which version."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from orders.admin import basket_desk
from orders.models import BasketOrder, Security
from portal import clock, roles
from tests import factories
from tests.ops.test_roles import act_url, mark

pytestmark = pytest.mark.django_db


def journey(state="COMPLETE", hours=5, filled=5, **more) -> BasketOrder:
    order = factories.BasketOrderFactory(
        state=state, created_at=clock.now() - timedelta(hours=hours), intent="BUY", **more
    )
    done = {"filled": filled, "average_price": Decimal(100), "state": "CANCELLED"} if state == "COMPLETE" else {}
    factories.StockOrderFactory(basket_order=order, **done)
    return order


def test_the_first_page_names_who_stands_half_way_by_route(as_role):
    journey("HANDED_OVER", hours=5)
    journey("HANDED_OVER", hours=1)
    journey("PLACED", hours=72, broker="odin")
    page = as_role(roles.VIEWER).get(reverse("admin:index"))
    panel = next(each for each in page.context["panels"] if each.title == "Share orders at brokers")
    assert [row[2:4] for row in panel.rows] == [["1", "1"], ["2", "1"]]
    assert next(each for each in page.context["tiles"] if "half-way" in each.label).value == "2"


def test_what_is_missing_stays_on_the_list_until_it_is_ordered_again(as_role):
    missing, whole = journey(), journey(filled=10)
    assert list(basket_desk.to_repair(clock.now())) == [missing]
    repair = factories.BasketOrderFactory(investor=missing.investor, intent="REPAIR", repairs=missing)
    assert not basket_desk.to_repair(clock.now()).exists()
    BasketOrder.objects.filter(pk=repair.pk).update(state="CANCELLED")
    assert list(basket_desk.to_repair(clock.now())) == [missing], "a repair that came to nothing does not count"
    listed = as_role(roles.VIEWER).get(reverse("admin:orders_basketorder_changelist"), {"repair": "1"}).content.decode()
    assert missing.code in listed
    assert whole.code not in listed


def test_followers_are_counted_by_version_with_those_who_were_not_told(as_role):
    basket = factories.BasketFactory(name="Two of them")
    at, second = clock.now(), factories.UserFactory()
    old, new = (
        factories.BasketVersionFactory(basket=basket, number=number, published_by=second, published_at=at)
        for number in (1, 2)
    )
    factories.BasketSubscriptionFactory(version=old, told_of=1)
    factories.BasketSubscriptionFactory(version=new, told_of=2)
    factories.BasketSubscriptionFactory(version=old, told_of=1, ended_at=at)
    page = as_role(roles.VIEWER).get(reverse("admin:index"))
    panel = next(each for each in page.context["panels"] if each.title == "Who holds baskets")
    assert panel.rows == [["Two of them", "2", "1", "0"], ["Two of them", "1", "1", "1"]]
    detail = as_role(roles.VIEWER).get(reverse("admin:orders_basket_change", args=[basket.pk])).content.decode()
    assert "1 at version 2, 1 at version 1; 1 not told of version 2 yet" in detail


@pytest.mark.parametrize("first", [[], [("ITC", 10_000)], [("ITC", 6_000), ("TCS", 4_000)]])
def test_a_publication_is_about_the_shares_that_were_looked_at(as_role, first):
    draft, checker = factories.BasketVersionFactory(number=1), as_role(roles.CHECKER)
    fill(draft, first)
    page = checker.get(reverse("admin:orders_basketversion_change", args=[draft.pk]))
    fill(draft, [("ITC", 5_000), ("TCS", 5_000)])
    form = {"reason": "Compared with the paper", "seen": mark(page, "publish")}
    answer = checker.post(act_url(draft, "publish"), form, follow=True)
    assert "has changed since you looked" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.published_at is None
    checker.post(act_url(draft, "publish"), form | {"seen": mark(answer, "publish")})
    draft.refresh_from_db()
    assert draft.published_by == checker.user


def fill(draft, shares) -> None:
    """Other shares in place of those that stand there."""
    draft.constituents.all().delete()
    for symbol, weight in shares:
        share = Security.objects.filter(symbol=symbol).first() or factories.SecurityFactory(symbol=symbol)
        factories.BasketConstituentFactory(version=draft, security=share, weight_bp=weight)


def test_a_basket_s_page_lists_its_versions_with_who_made_and_published_them(as_role):
    second = factories.UserFactory(first_name="Kabir", last_name="Second")
    published = {"published_by": second, "published_at": clock.now(), "change_note": "Tea instead of telephones."}
    version = factories.BasketVersionFactory(number=1, **published)
    page = as_role(roles.VIEWER).get(reverse("admin:orders_basket_change", args=[version.basket_id])).content.decode()
    assert "Tea instead of telephones." in page
    assert reverse("admin:orders_basketversion_change", args=[version.pk]) in page
