"""A basket on the 5paisa route: bought, repaired, rebalanced to a new version, and sold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.models import Basket, BasketOrder, BasketSubscription, Security
from orders.operations import baskets
from orders.queries import baskets as queries
from portal import clock, identifiers
from tests import factories
from tests.brokers.fivepaisa.trading import follow, log_in, received, share, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("trading_hours")]
WEIGHTS = {"ITC": 5000, "TCS": 3000, "IDEA": 2000}
PRICES = {"ITC": Decimal(440), "TCS": Decimal(3535), "IDEA": Decimal("7.10"), "TATACONSUM": Decimal(1140)}


@pytest.fixture
def basket(sandbox) -> Basket:
    """A published basket of three shares."""
    version = factories.BasketVersionFactory(basket__slug="three", number=1)
    for symbol, price in PRICES.items():
        made = share(symbol)
        Security.objects.filter(pk=made.pk).update(last_price=price)
        if symbol in WEIGHTS:
            factories.BasketConstituentFactory(version=version, security=made, weight_bp=WEIGHTS[symbol])
    baskets.publish(version_id=version.pk, actor=factories.UserFactory(), at=clock.now())
    return version.basket


@pytest.fixture
def browser(sandbox, asha, client_for) -> Client:
    log_in(sandbox, asha)
    return client_for(asha)


def placed(browser: Client, address: str, recover: Any, **more: str) -> BasketOrder:
    """The journey that a page of the basket opens, placed and followed to its end."""
    answer = browser.post(address, {"broker": "5paisa", "form_ref": identifiers.new_client_ref(), **more})
    assert answer["Location"].startswith("/stock-orders/"), answer["Location"]
    order = BasketOrder.objects.get(code=answer["Location"].split("/")[2])
    browser.post(f"/stock-orders/{order.code}/go/")
    follow(order, recover)
    return follow(order, recover)


def test_a_basket_is_bought_rebalanced_and_sold(sandbox, asha, basket, browser, recover):
    order = placed(browser, "/baskets/three/invest/", recover, amount="50000")
    assert (order.state, set(states(order).values())) == ("COMPLETE", {"FILLED"})
    assert BasketSubscription.objects.get(investor=asha).basket == basket
    draft = baskets.copy_version(
        basket_id=basket.pk, note="Tea instead of telephones.", actor=factories.UserFactory(), at=clock.now()
    )
    draft.constituents.filter(security__symbol="IDEA").update(security=share("TATACONSUM"))
    baskets.publish(version_id=draft.pk, actor=factories.UserFactory(), at=clock.now())
    move = placed(browser, "/baskets/three/rebalance/", recover)
    assert set(states(move).values()) == {"FILLED"}
    sides = list(move.lines.order_by("id").values_list("side", flat=True))
    assert sides == sorted(sides, reverse=True), "sells come first"
    held = queries.held(investor=asha, basket=basket)
    assert share("IDEA").pk not in held
    assert share("TATACONSUM").pk in held
    sale = placed(browser, "/baskets/three/sell/", recover)
    assert set(states(sale).values()) == {"FILLED"}
    assert queries.held(investor=asha, basket=basket) == {}


def test_what_was_refused_is_ordered_again_and_nothing_else(sandbox, asha, basket, browser, recover):
    sandbox.fault("status:400", path="*PlaceOrderRequest", when="before", provider="5paisa")
    order = placed(browser, "/baskets/three/invest/", recover, amount="50000")
    refused = order.lines.get(state="REJECTED")
    repair = placed(browser, f"/stock-orders/{order.code}/repair/", recover)
    again = repair.lines.get()
    assert (again.security_id, again.quantity, again.state) == (refused.security_id, refused.quantity, "FILLED")
    assert received(sandbox, again) == 1
