"""Shares lie in the account in which they were bought: rebalance, sale and repair go there and nowhere else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from brokers.models import BrokerAccount
from brokers.operations import accounts, demat
from investors.models import Investor
from orders.models import Basket, BasketOrder, Security, StockHolding
from orders.operations import baskets, stock_reports
from orders.operations.stock_reports import Held
from orders.queries import baskets as queries
from portal import clock, identifiers
from tests import factories

pytestmark = pytest.mark.django_db
FIRST, SECOND = "50000001", "50000009"


def share(symbol: str) -> Security:
    priced = {"last_price": Decimal(100), "priced_at": clock.now()}
    return Security.objects.filter(symbol=symbol).first() or factories.SecurityFactory(symbol=symbol, **priced)


@pytest.fixture
def basket() -> Basket:
    """Two shares, half and half."""
    version = factories.BasketVersionFactory(basket__slug="two", number=1)
    for symbol in ("ITC", "TCS"):
        factories.BasketConstituentFactory(version=version, security=share(symbol), weight_bp=5000)
    baskets.publish(version_id=version.pk, actor=factories.UserFactory(), at=clock.now())
    return version.basket


def trade(investor: Investor, basket: Basket, broker: str, ref: str, side: str = "BUY", **shares: int) -> BasketOrder:
    order = factories.BasketOrderFactory(
        investor=investor, basket=basket, version=basket.versions.get(), broker=broker, broker_account_ref=ref,
        state="COMPLETE", intent="BUY" if side == "BUY" else "EXIT",
    )  # fmt: skip
    done = {"average_price": Decimal(100), "state": "FILLED", "side": side}
    for symbol, number in shares.items():
        factories.StockOrderFactory(basket_order=order, security=share(symbol), quantity=number, filled=number, **done)
    return order


def sell(investor: Investor, basket: Basket, broker: str, line: baskets.Line, account_ref: str = "") -> BasketOrder:
    return baskets.open_journey(
        investor=investor, broker=broker, account_ref=account_ref, intent="EXIT", lines=[line],
        form_ref=identifiers.new_client_ref(), version=basket.versions.get(), at=clock.now(),
    )  # fmt: skip


@pytest.fixture
def two(asha, basket) -> list[BrokerAccount]:
    """Ten of each in one account at 5paisa, three of each in another, six of each through smallcase."""
    linked = [
        factories.BrokerAccountFactory(investor=asha, broker=broker, account_ref=ref, label=label)
        for broker, ref, label in (("5paisa", FIRST, "first"), ("5paisa", SECOND, "second"), ("smallcase", "auth", ""))
    ]
    trade(asha, basket, "5paisa", FIRST, ITC=10, TCS=10)
    trade(asha, basket, "5paisa", SECOND, ITC=3, TCS=3)
    trade(asha, basket, "smallcase", "auth", ITC=6, TCS=6)
    return linked


def ask(browser: Client, address: str, choice: str) -> Any:
    return browser.post(address, {"broker": choice, "form_ref": identifiers.new_client_ref()})


def opened(answer: Any) -> BasketOrder:
    return BasketOrder.objects.get(code=answer["Location"].split("/")[2])


def test_each_account_is_shown_and_sold_by_itself(asha, basket, two, client_for):
    browser = client_for(asha)
    page = browser.get("/baskets/two/sell/")
    assert [[row["quantity"] for row in part["rows"]] for part in page.context["parts"]] == [[10, 10], [3, 3], [6, 6]]
    sale = opened(ask(browser, "/baskets/two/sell/", two[1].code))
    assert (sale.broker, sale.broker_account_ref) == ("5paisa", SECOND)
    assert set(sale.lines.values_list("side", "quantity")) == {("SELL", 3)}


def test_where_one_account_of_a_route_holds_shares_the_route_is_the_choice(asha, basket, two, client_for):
    sale = opened(ask(client_for(asha), "/baskets/two/sell/", "smallcase"))
    assert (sale.broker_account_ref, set(sale.lines.values_list("quantity", flat=True))) == ("auth", {6})


def test_a_rebalance_spreads_what_the_account_holds_and_no_more(asha, basket, two, client_for):
    trade(asha, basket, "5paisa", SECOND, ITC=4)
    move = opened(ask(client_for(asha), "/baskets/two/rebalance/", "5paisa"))
    assert move.broker_account_ref == SECOND, "the others fit already"
    assert set(move.lines.values_list("security__symbol", "side", "quantity")) == {
        ("ITC", "SELL", 2),
        ("TCS", "BUY", 2),
    }


def test_the_page_of_the_basket_counts_moves_account_by_account(asha, basket, two, client_for):
    """Seven too many here and seven too few there would look like nothing to do in one sum."""
    trade(asha, basket, "5paisa", FIRST, ITC=4)
    trade(asha, basket, "5paisa", SECOND, TCS=4)
    assert client_for(asha).get("/baskets/two/").context["moves"] == 4


def test_an_unlinked_account_says_what_to_do_and_is_no_choice(asha, basket, two, client_for):
    browser = client_for(asha)
    accounts.unlink(account=two[0], at=clock.now())
    page = browser.get("/baskets/two/sell/").content.decode()
    assert "This account is no longer linked here." in page
    assert two[0].code not in page
    before = BasketOrder.objects.count()
    ask(browser, "/baskets/two/sell/", two[0].code)
    assert BasketOrder.objects.count() == before


def test_a_way_that_is_closed_is_no_choice(asha, basket, two, client_for, settings):
    settings.BROKERS = ["smallcase"]
    page = client_for(asha).get("/baskets/two/sell/")
    assert [bool(part["why_not"]) for part in page.context["parts"]] == [True, True, False]


def test_what_was_sold_in_another_account_is_held_where_it_was_bought(asha, basket, two):
    trade(asha, basket, "5paisa", SECOND, "SELL", ITC=3)
    assert queries.held(investor=asha, basket=basket) == {share("ITC").pk: 16, share("TCS").pk: 19}
    in_second = queries.held_through(investor=asha, basket=basket, broker="5paisa", account_ref=SECOND)
    assert in_second == {share("TCS").pk: 3}


def test_shares_that_lie_elsewhere_are_never_sold_through_this_account(asha, basket, two):
    line = baskets.Line(share("ITC").pk, "SELL", 5)
    with pytest.raises(baskets.NoLongerHeld):
        sell(asha, basket, "5paisa", line, account_ref=SECOND)


@pytest.mark.parametrize(("bought", "sold"), [("X", "Y"), ("", "X"), ("X", "")])
def test_a_sale_under_another_name_of_the_account_counts(asha, basket, client_for, bought, sold):
    trade(asha, basket, "smallcase", bought, ITC=10, TCS=10)
    trade(asha, basket, "smallcase", sold, "SELL", ITC=10, TCS=4)
    assert queries.held_by_account(investor=asha, basket=basket) == {("smallcase", bought): {share("TCS").pk: 6}}
    for symbol, quantity in (("ITC", 1), ("TCS", 7)):
        with pytest.raises(baskets.NoLongerHeld):
            sell(asha, basket, "smallcase", baskets.Line(share(symbol).pk, "SELL", quantity))
    [part] = client_for(asha).get("/baskets/two/sell/").context["parts"]
    assert [row["quantity"] for row in part["rows"]] == [6]


def test_what_was_sold_beyond_its_name_comes_off_what_has_none_first_and_off_no_other_route(asha, basket, two):
    trade(asha, basket, "smallcase", "", ITC=2)
    trade(asha, basket, "smallcase", "other", "SELL", ITC=3, TCS=100)
    itc, tcs = share("ITC").pk, share("TCS").pk
    assert queries.held_by_account(investor=asha, basket=basket) == {
        ("5paisa", FIRST): {itc: 10, tcs: 10},
        ("5paisa", SECOND): {itc: 3, tcs: 3},
        ("smallcase", "auth"): {itc: 5},
    }


@pytest.mark.parametrize(("side", "ways"), [("SELL", 1), ("BUY", 4)])
def test_a_sale_is_repaired_in_its_account_and_a_purchase_by_any_way(
    asha, basket, two, client_for, settings, side, ways
):
    order = trade(asha, basket, "5paisa", FIRST, side)
    factories.StockOrderFactory(
        basket_order=order, security=share("ITC"), side=side, state="CANCELLED", filled=1, average_price=Decimal(100)
    )
    page = client_for(asha).get(f"/stock-orders/{order.code}/repair/")
    assert len(page.context["form"].fields["broker"].choices) == ways
    assert len(page.context["parts"]) == 1


# --- What a broker reported of an account -----------------------------------------------------------------------------


def test_an_unlinked_account_leaves_no_report_behind(asha, two):
    for account in two:
        factories.StockHoldingFactory(investor=asha, broker=account.broker, account_ref=account.account_ref)
    accounts.unlink(account=two[0], at=clock.now())
    assert set(StockHolding.objects.values_list("account_ref", flat=True)) == {SECOND, "auth"}


def test_a_report_that_was_read_while_the_account_was_unlinked_is_not_kept(asha, two, monkeypatch):
    class Adapter:
        def positions(self, account):
            return []

        def holdings(self, account, positions):
            accounts.unlink(account=account, at=clock.now())
            return [Held(share("ITC").isin, "ITC", 5)]

    monkeypatch.setattr(demat.registry, "NATIVE", {"5paisa": Adapter()})
    demat.refresh(account=two[0], at=clock.now())
    assert not StockHolding.objects.exists()
    assert stock_reports.take(
        investor=asha, broker="5paisa", account_ref=SECOND, held=[Held(share("ITC").isin, "ITC", 5)], at=clock.now()
    ) == 0  # fmt: skip
    assert StockHolding.objects.get().account_ref == SECOND
