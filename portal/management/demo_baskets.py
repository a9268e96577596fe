"""The demo's baskets: what is in them, and how they came to be published by two people."""

from __future__ import annotations

from dataclasses import dataclass

from orders.models import Basket, BasketConstituent, Security
from orders.operations import baskets
from portal import clock
from portal.models import User


@dataclass(frozen=True)
class DemoBasket:
    """A basket with its shares by weight, in hundredths of a percent."""

    slug: str
    name: str
    rationale: str
    benchmark: str
    risk: str
    weights_bp: tuple[tuple[str, int], ...]


BASKETS = (
    DemoBasket(
        "household-names",
        "Household names",
        "Companies whose goods stand in most Indian kitchens and bathrooms. They sell little things often, so their "
        "earnings move less with the economy than those of most. The shares are seldom cheap; that is the risk.",
        "Nifty FMCG",
        Basket.Risk.HIGH,
        (("HINDUNILVR", 3000), ("ITC", 3000), ("NESTLEIND", 2000), ("TATACONSUM", 2000)),
    ),
    DemoBasket(
        "banks-of-india",
        "Banks of India",
        "Five large lenders, private and public. They earn when people and firms borrow and pay back; a year of bad "
        "loans hits all of them at once.",
        "Nifty Bank",
        Basket.Risk.VERY_HIGH,
        (("HDFCBANK", 3000), ("ICICIBANK", 2500), ("SBIN", 2000), ("AXISBANK", 1500), ("KOTAKBANK", 1000)),
    ),
)


def publish(wanted: DemoBasket, *, maker: User, checker: User) -> None:
    """Drafted by one person and published by another, as on the desk."""
    at = clock.now()
    basket = Basket.objects.create(
        slug=wanted.slug,
        name=wanted.name,
        rationale=wanted.rationale,
        benchmark=wanted.benchmark,
        risk=wanted.risk,
        created_by=maker,
        created_at=at,
        state_since=at,
    )
    version = baskets.copy_version(basket_id=basket.pk, note="The first version.", actor=maker, at=at)
    shares = {
        share.symbol: share for share in Security.objects.filter(symbol__in=[name for name, _ in wanted.weights_bp])
    }
    BasketConstituent.objects.bulk_create(
        BasketConstituent(version=version, security=shares[symbol], weight_bp=weight)
        for symbol, weight in wanted.weights_bp
    )
    baskets.publish(version_id=version.pk, actor=checker, at=at)
