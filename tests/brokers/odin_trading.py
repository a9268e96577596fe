"""A basket of three shares at ODIN, for tests: an account, a journey, what the person does there, and what is true."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from brokers.models import BrokerAccount, BrokerOrderRef
from brokers.operations import accounts
from orders.models import Basket, BasketOrder, SecurityCode
from orders.operations import baskets
from portal import clock, identifiers
from tests import factories

# Share -> weight, price, and NSE's token, which is ODIN's.
SHARES = {
    "ITC": (5000, Decimal(440), "1660"),
    "TCS": (3000, Decimal(3535), "11536"),
    "IDEA": (2000, Decimal("7.10"), "14366"),
    "TATACONSUM": (0, Decimal(1140), "3432"),
}


@pytest.fixture
def basket(sandbox) -> Basket:
    """A published basket of three shares, all of which ODIN knows by a token."""
    cache.delete("odin-whole-sync")
    version = factories.BasketVersionFactory(basket__slug="three", number=1)
    for symbol, (weight, price, token) in SHARES.items():
        share = factories.SecurityFactory(symbol=symbol, name=symbol, last_price=price, priced_at=clock.now())
        SecurityCode.objects.create(security=share, broker="odin", segment="1", code=token, refreshed_at=clock.now())
        if weight:
            factories.BasketConstituentFactory(version=version, security=share, weight_bp=weight)
    baskets.publish(version_id=version.pk, actor=factories.UserFactory(), at=clock.now())
    return version.basket


@pytest.fixture
def browser(asha, client_for) -> Client:
    return client_for(asha)


@pytest.fixture
def account(sandbox, asha) -> BrokerAccount:
    """Asha's account, logged in for today."""
    return logged_in(sandbox, asha)


def logged_in(sandbox, investor, user: str = "ASHA1") -> BrokerAccount:
    said = sandbox.call("POST", "/odin/session", {"user": user})
    account = accounts.link(
        investor=investor,
        broker="odin",
        account_ref=said["sVasUserId"],
        house="0AF1C1",
        label=user,
        session=said["sSession"],
        session_expires_at=clock.now() + timedelta(hours=8),
        at=clock.now(),
    )
    assert account
    return account


def invest(browser: Client, amount: int = 50_000, broker: str = "odin") -> BasketOrder:
    form = {"amount": str(amount), "broker": broker, "form_ref": identifiers.new_client_ref()}
    answer = browser.post("/baskets/three/invest/", form)
    return BasketOrder.objects.get(code=answer["Location"].split("/")[2])


def go(browser: Client, order: BasketOrder) -> Any:
    answer = browser.post(f"/stock-orders/{order.code}/go/")
    order.refresh_from_db()
    return answer


def handed_over(browser: Client) -> BasketOrder:
    order = invest(browser)
    assert "/odin/landing/redirect" in go(browser, order)["Location"]
    assert order.state == "HANDED_OVER"
    return order


def confirm(sandbox, order: BasketOrder, outcome: str) -> None:
    """What the person does on ODIN's page."""
    sandbox.call("POST", "/odin/complete", {"sRecoId": ref_of(order), "outcome": outcome})


def ref_of(order: BasketOrder) -> str:
    return BrokerOrderRef.objects.get(basket_order=order).ref


def truth(sandbox, order: BasketOrder) -> dict[str, Any]:
    return sandbox.call("GET", f"/ledger/odin?ref={ref_of(order)}")["orders"][0]


def look(order: BasketOrder, recover) -> None:
    BasketOrder.objects.update(due_at=clock.now())
    recover()
    order.refresh_from_db()


def states(order: BasketOrder) -> dict[str, tuple[str, int]]:
    return {line.security.symbol: (line.state, line.filled) for line in order.lines.select_related("security")}


def page_of(browser: Client, order: BasketOrder) -> str:
    return browser.get(f"/stock-orders/{order.code}/").content.decode()
