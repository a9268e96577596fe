"""Baskets of shares: the list, and a basket's page. Open to everybody; what the visitor holds is theirs alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from investors.access import investor_of
from orders import basket_rules
from orders.models import BasketVersion
from orders.queries import baskets as queries
from orders.queries.baskets import Shown
from portal import money
from portal.access import ANYONE, access

OLD_VERSIONS = 5


@require_safe
@access(ANYONE)
def basket_list(request: HttpRequest) -> HttpResponse:
    """Every published basket, by name: no ranking, no promise."""
    return render(request, "orders/baskets.html", {"baskets": queries.published()})


@require_safe
@access(ANYONE)
def basket(request: HttpRequest, slug: str) -> HttpResponse:
    """What is in a basket, what it costs at least, what changed, and what the visitor holds of it."""
    shown = queries.one(slug, also_archived=True)
    if shown is None:
        raise Http404
    investor = investor_of(request) if request.user.is_authenticated else None
    held = queries.held(investor=investor, basket=shown.basket) if investor else {}
    if not (shown.is_offered or held):
        raise Http404
    weights = weights_of(shown)
    context = {
        "shown": shown,
        "rows": rows(shown, weights, held),
        "chart": _chart(shown, weights),
        "versions": list(shown.basket.versions.all())[:OLD_VERSIONS],
        "changes": _changes(shown),
        "is_held": bool(held),
        "moves": len(basket_rules.rebalanced(held, shown.parts, shown.prices)) if _can_rebalance(shown, held) else 0,
        "open_order": queries.open_order(investor=investor, basket=shown.basket) if investor else None,
    }
    return render(request, "orders/basket.html", context)


def _can_rebalance(shown: Shown, held: dict[int, int]) -> bool:
    return shown.is_offered and bool(held) and shown.minimum is not None and set(held) <= set(shown.prices)


def weights_of(shown: Shown) -> dict[int, int]:
    """Weights in hundredths of a percent by security: as published, or as the numbers make them at last prices."""
    given = {part.security_id: part.weight_bp for part in shown.parts if part.weight_bp}
    if given or len(shown.parts) != shown.count:
        return given
    return basket_rules.shown_weights({part.security_id: part.quantity or 0 for part in shown.parts}, shown.prices)


def rows(shown: Shown, weights: dict[int, int], held: dict[int, int]) -> list[dict[str, Any]]:
    """A line per share: name, weight, price, and how many of it the visitor holds through us."""
    fixed = {part.security_id: part.quantity for part in shown.parts}
    return [
        {
            "name": share.name,
            "symbol": share.symbol,
            "weight": f"{money.number(Decimal(weights[pk]) / 100, 2)}%" if pk in weights else "–",
            "quantity": fixed.get(pk),
            "price": share.last_price,
            "held": held.get(pk, 0),
        }
        for pk, share in shown.securities.items()
    ]


def _chart(shown: Shown, weights: dict[int, int]) -> dict[str, Any]:
    slices = [{"name": shown.securities[pk].name, "value": weight / 100} for pk, weight in weights.items()]
    return {"kind": "doughnut", "unit": "percent", "slices": slices}


def _changes(shown: Shown) -> list[str]:
    """What the newest version changed against the one before, share by share."""
    versions = list(shown.basket.versions.all())
    if len(versions) < 2:
        return []
    now, before = _shares(versions[0]), _shares(versions[1])
    came = [f"{name} added" for name in now if name not in before]
    went = [f"{name} removed" for name in before if name not in now]
    other = [f"{name}: {before[name]} to {now[name]}" for name in now if name in before and now[name] != before[name]]
    return came + went + other


def _shares(version: BasketVersion) -> dict[str, str]:
    return {
        each.security.symbol: f"{each.quantity} shares"
        if each.quantity
        else f"{Decimal(each.weight_bp or 0) / 100:.2f}%"
        for each in version.constituents.all()
    }
