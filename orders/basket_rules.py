"""The arithmetic of baskets: values in, values out; no database, clock or settings.

Shares are whole. Rupees become shares by the largest remainder: every share gets the whole number below its part, and
what is left buys one more of those that were cut the most, as long as the money lasts. Nothing is rounded up beyond the
amount that the investor named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

WHOLE_BP = 10_000


@dataclass(frozen=True)
class Part:
    """A share of a version: by weight in hundredths of a percent, or by a fixed number. Price in rupees."""

    security_id: int
    price: Decimal
    weight_bp: int | None = None
    quantity: int | None = None


@dataclass(frozen=True)
class Bought:
    """Whole shares by security, what they cost at these prices, and what of the amount is left over."""

    quantities: dict[int, int]
    cost: Decimal
    left_over: Decimal


def weights_are_whole(weights_bp: Sequence[int]) -> bool:
    """Do the weights of a version make exactly 100 %?"""
    return sum(weights_bp) == WHOLE_BP


def minimum_amount(parts: Sequence[Part]) -> Decimal:
    """The least amount, in whole rupees, that buys at least one share of everything, or the fixed numbers once."""
    if all(part.quantity for part in parts):
        return _rounded_up(sum((part.price * (part.quantity or 0) for part in parts), Decimal(0)))
    return _rounded_up(max(part.price * WHOLE_BP / Decimal(part.weight_bp or 1) for part in parts))


def _rounded_up(amount: Decimal) -> Decimal:
    return amount.to_integral_value(ROUND_CEILING)


def shares_for(amount: Decimal, parts: Sequence[Part]) -> Bought:
    """How many shares of each the amount buys. Fixed numbers are bought as many times as the amount allows."""
    if all(part.quantity for part in parts):
        return _multiples(amount, parts)
    exact = {part.security_id: amount * (part.weight_bp or 0) / WHOLE_BP / part.price for part in parts}
    quantities = {pk: int(value.to_integral_value(ROUND_FLOOR)) for pk, value in exact.items()}
    cost = _cost(quantities, parts)
    # The largest remainder first; between equals the dearer share, then the order of the version.
    for part in sorted(parts, key=lambda each: (quantities[each.security_id] - exact[each.security_id], -each.price)):
        if exact[part.security_id] > quantities[part.security_id] and cost + part.price <= amount:
            quantities[part.security_id] += 1
            cost += part.price
    return Bought(quantities, cost, amount - cost)


def _multiples(amount: Decimal, parts: Sequence[Part]) -> Bought:
    once = sum((part.price * (part.quantity or 0) for part in parts), Decimal(0))
    times = int(amount // once)
    quantities = {part.security_id: (part.quantity or 0) * times for part in parts}
    return Bought(quantities, once * times, amount - once * times)


def _cost(quantities: Mapping[int, int], parts: Sequence[Part]) -> Decimal:
    return sum((part.price * quantities[part.security_id] for part in parts), Decimal(0))


def difference(wanted: Mapping[int, int], held: Mapping[int, int]) -> dict[int, int]:
    """What to buy (positive) and sell (negative) so that `held` becomes `wanted`; equal ones are left out."""
    every = {*wanted, *held}
    moves = {pk: wanted.get(pk, 0) - held.get(pk, 0) for pk in sorted(every)}
    return {pk: move for pk, move in moves.items() if move}


def rebalanced(held: Mapping[int, int], parts: Sequence[Part], prices: Mapping[int, Decimal]) -> dict[int, int]:
    """The moves that bring what is held to the version's weights, without new money.

    What is held is worth so much at `prices`; that amount is spread anew. Selling brings the money that buying needs,
    so the value of what is bought never exceeds the value of what is sold plus what the split leaves over.
    """
    worth = sum((prices[pk] * quantity for pk, quantity in held.items()), Decimal(0))
    return difference(shares_for(worth, parts).quantities, held)


def unfilled(asked: Mapping[int, int], filled: Mapping[int, int]) -> dict[int, int]:
    """What of each share is still missing."""
    return {pk: quantity - filled.get(pk, 0) for pk, quantity in asked.items() if quantity > filled.get(pk, 0)}


def shown_weights(quantities: Mapping[int, int], prices: Mapping[int, Decimal]) -> dict[int, int]:
    """Weights in hundredths of a percent as the quantities make them, adding up to exactly 100 %."""
    worth = {pk: prices[pk] * quantity for pk, quantity in quantities.items()}
    total = sum(worth.values(), Decimal(0))
    if not total:
        return dict.fromkeys(quantities, 0)
    exact = {pk: value * WHOLE_BP / total for pk, value in worth.items()}
    weights = {pk: int(value) for pk, value in exact.items()}
    missing = WHOLE_BP - sum(weights.values())
    for pk in sorted(exact, key=lambda each: weights[each] - exact[each])[:missing]:
        weights[pk] += 1
    return weights
