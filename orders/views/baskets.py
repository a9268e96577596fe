"""Baskets of shares: the list, and a basket's page. Open to everybody; what the visitor holds is theirs alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from investors.access import investor_of
from investors.models import Investor
from orders import basket_rules
from orders.models import BasketLogo, BasketVersion
from orders.operations import quotes
from orders.queries import baskets as queries
from orders.queries.baskets import Shown
from portal import clock, money
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
    by_account = queries.held_by_account(investor=investor, basket=shown.basket) if investor else {}
    held = queries.together(by_account.values())
    if not (shown.is_offered or held):
        raise Http404
    weights = weights_of(shown)
    quotes.want(security_ids=shown.securities, at=clock.now(), investor_id=investor.pk if investor else None)
    context = {
        "shown": shown,
        "rows": rows(shown, weights, held),
        "chart": _chart(shown, weights),
        "legend": [(shown.securities[pk].name, _percent(weight)) for pk, weight in weights.items()],
        "versions": _versions(shown),
        "followed": queries.followed_version(investor=investor, basket=shown.basket) if held and investor else None,
        "overlap": _overlap(shown, weights, investor) if investor else None,
        "is_held": bool(held),
        **_rebalance(shown, list(by_account.values())),
        "open_order": queries.open_order(investor=investor, basket=shown.basket) if investor else None,
    }
    return render(request, "orders/basket.html", context)


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
@access(ANYONE)
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    """A basket's logo. Its address names its content, so it never changes."""
    found = BasketLogo.objects.filter(digest=digest).first()
    if found is None:
        raise Http404
    return HttpResponse(bytes(found.content), content_type="image/png")


def _rebalance(shown: Shown, parts: list[dict[int, int]]) -> dict[str, Any]:
    """How many moves bring what each account holds to the newest version; None while a price for it is missing.

    What is held may stand in the newest version no more, so its price is looked up besides.
    """
    held = queries.together(parts)
    if not (held and shown.is_offered and shown.minimum is not None):
        return {"moves": None}
    prices = queries.prices_with(shown, held)
    if not set(held) <= set(prices):
        return {"moves": None}
    return {"moves": sum(len(basket_rules.rebalanced(part, shown.parts, prices)) for part in parts)}


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
            "isin": share.isin,
            "weight": _percent(weights[pk]) if pk in weights else "–",
            "quantity": fixed.get(pk),
            "price": share.last_price,
            "held": held.get(pk, 0),
        }
        for pk, share in shown.securities.items()
    ]


def _percent(hundredths: int) -> str:
    return f"{money.number(Decimal(hundredths) / 100, 2)}%"


def _chart(shown: Shown, weights: dict[int, int]) -> dict[str, Any]:
    slices = [{"name": shown.securities[pk].name, "value": weight / 100} for pk, weight in weights.items()]
    return {"kind": "doughnut", "unit": "percent", "slices": slices}


def _versions(shown: Shown) -> list[dict[str, Any]]:
    """The newest versions, each with its note and what it changed against the one before, share by share."""
    versions = list(shown.basket.versions.all())[: OLD_VERSIONS + 1]
    before = [*versions[1:], None]
    pairs = list(zip(versions, before, strict=True))[:OLD_VERSIONS]
    return [{"version": version, "changes": _changes(version, older) if older else []} for version, older in pairs]


def _changes(version: BasketVersion, older: BasketVersion) -> list[str]:
    now, then = _shares(version), _shares(older)
    came = [f"{name} added, {now[name]}" for name in now if name not in then]
    went = [f"{name} removed" for name in then if name not in now]
    other = [f"{name}: {then[name]} to {now[name]}" for name in now if name in then and now[name] != then[name]]
    return came + went + other


def _overlap(shown: Shown, weights: dict[int, int], investor: Investor) -> dict[str, Any] | None:
    """Which shares of the basket the investor holds otherwise, and how much of its weight they are."""
    shares = queries.held_elsewhere(investor=investor, basket=shown.basket, security_ids=shown.securities)
    if not shares:
        return None
    weight = Decimal(sum(weights.get(pk, 0) for pk in shares)) / 100
    rows = [{"name": shown.securities[pk].name, "shares": count} for pk, count in shares.items()]
    return {"rows": rows, "weight": f"{money.number(weight, 0)}%" if weights else ""}


def _shares(version: BasketVersion) -> dict[str, str]:
    return {
        each.security.symbol: f"{each.quantity} shares"
        if each.quantity
        else f"{Decimal(each.weight_bp or 0) / 100:.2f}%"
        for each in version.constituents.all()
    }
