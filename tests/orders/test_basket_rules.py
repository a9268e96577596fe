"""The arithmetic of baskets: whole shares, nothing spent that was not named, nothing lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders import basket_rules
from orders.basket_rules import Part

TWO = [Part(1, Decimal(300), weight_bp=6000), Part(2, Decimal(70), weight_bp=4000)]
FIXED = [Part(1, Decimal("99.50"), quantity=2), Part(2, Decimal("10.25"), quantity=3)]


@pytest.mark.parametrize(
    ("parts", "least"),
    [
        pytest.param(TWO, "500", id="the dearest share for its weight decides: 300 / 60 %"),
        pytest.param([Part(1, Decimal("99.05"), weight_bp=10_000)], "100", id="whole rupees, rounded up"),
        pytest.param(FIXED, "230", id="fixed numbers once: 199 + 30.75, rounded up"),
    ],
)
def test_the_least_amount_buys_one_of_everything(parts, least):
    assert basket_rules.minimum_amount(parts) == Decimal(least)
    assert all(basket_rules.shares_for(Decimal(least), parts).quantities.values())


@pytest.mark.parametrize(
    ("amount", "quantities", "left_over"),
    [
        pytest.param(500, {1: 1, 2: 2}, 60, id="300 and 200: one at 300, two at 70"),
        pytest.param(560, {1: 1, 2: 3}, 50, id="the cut 0.2 of a share at 70 becomes one; 0.12 of 300 does not fit"),
        pytest.param(1000, {1: 2, 2: 5}, 50, id="600 and 400: the 0.71 of a share at 70 does not fit after 950"),
        pytest.param(1020, {1: 2, 2: 6}, 0, id="the largest remainder takes exactly what is left"),
    ],
)
def test_what_is_left_buys_the_shares_that_were_cut_most(amount, quantities, left_over):
    bought = basket_rules.shares_for(Decimal(amount), TWO)
    assert (bought.quantities, bought.left_over) == (quantities, Decimal(left_over))


def test_fixed_numbers_are_bought_as_often_as_the_amount_allows():
    bought = basket_rules.shares_for(Decimal(700), FIXED)
    assert (bought.quantities, bought.cost) == ({1: 6, 2: 9}, Decimal("689.25"))


prices = st.decimals("0.05", "20000", places=2)


@given(st.lists(st.tuples(prices, st.integers(1, 9000)), min_size=1, max_size=20), st.integers(1, 10**7))
def test_never_more_than_the_amount_and_never_a_part_lost(drawn, amount):
    total = sum(weight for _, weight in drawn)
    parts = [Part(n, price, weight_bp=max(1, weight * 10_000 // total)) for n, (price, weight) in enumerate(drawn)]
    bought = basket_rules.shares_for(Decimal(amount), parts)
    assert bought.cost + bought.left_over == amount
    assert bought.left_over >= 0
    assert bought.cost == sum(part.price * bought.quantities[part.security_id] for part in parts)
    assert all(quantity >= 0 for quantity in bought.quantities.values())


def test_a_rebalance_sells_what_left_and_buys_what_came():
    held = {1: 10, 3: 5}
    prices_now = {1: Decimal(100), 2: Decimal(50), 3: Decimal(200)}
    parts = [Part(1, Decimal(100), weight_bp=5000), Part(2, Decimal(50), weight_bp=5000)]
    moves = basket_rules.rebalanced(held, parts, prices_now)
    assert moves == {2: 20, 3: -5}
    spent = sum(prices_now[pk] * move for pk, move in moves.items())
    assert spent <= 0, "no new money is needed"


@given(st.dictionaries(st.integers(1, 6), st.integers(1, 500), min_size=1), st.lists(prices, min_size=6, max_size=6))
def test_a_rebalance_never_needs_new_money_and_never_sells_what_is_not_held(held, drawn):
    all_prices = dict(enumerate(drawn, 1))
    parts = [Part(pk, all_prices[pk], weight_bp=2500) for pk in (1, 2, 3, 4)]
    moves = basket_rules.rebalanced(held, parts, all_prices)
    assert sum(all_prices[pk] * move for pk, move in moves.items()) <= 0
    assert all(held.get(pk, 0) + move >= 0 for pk, move in moves.items())


def test_what_did_not_fill_is_what_a_repair_orders():
    assert basket_rules.unfilled({1: 10, 2: 5, 3: 1}, {1: 10, 2: 2}) == {2: 3, 3: 1}


@given(
    st.dictionaries(st.integers(1, 30), st.integers(1, 1000), min_size=1), st.lists(prices, min_size=30, max_size=30)
)
def test_shown_weights_make_exactly_one_hundred_percent(quantities, drawn):
    weights = basket_rules.shown_weights(quantities, dict(enumerate(drawn, 1)))
    assert sum(weights.values()) == 10_000
    assert all(weight >= 0 for weight in weights.values())
