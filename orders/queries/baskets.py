"""Named reads of baskets and of what investors did with them. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Case, Exists, F, OuterRef, Prefetch, QuerySet, Sum, Value, When, prefetch_related_objects

from investors.models import Investor
from orders import basket_looks, basket_rules, lifecycle
from orders.basket_rules import Part
from orders.models import (
    Basket,
    BasketConstituent,
    BasketOrder,
    BasketSubscription,
    BasketVersion,
    Security,
    StockChange,
    StockHolding,
    StockOrder,
)

LIST_LIMIT = 50


@dataclass(frozen=True)
class Shown:
    """A published basket with its newest published version, priced."""

    basket: Basket
    version: BasketVersion
    parts: list[Part]
    securities: dict[int, Security]
    minimum: Decimal | None
    priced_at: datetime | None

    @property
    def is_offered(self) -> bool:
        """May it be bought? One that is archived can only be sold and followed."""
        return self.basket.state == lifecycle.PUBLISHED

    @property
    def logo_path(self) -> str:
        """Where the basket's logo is; empty where it has none."""
        return basket_looks.path(self.basket)

    @property
    def count(self) -> int:
        """How many shares are in it."""
        return len(self.securities)

    @property
    def prices(self) -> dict[int, Decimal]:
        """Last prices by security, rupees; without those that have none."""
        return {pk: each.last_price for pk, each in self.securities.items() if each.last_price}


def published() -> list[Shown]:
    """Every basket that investors see, by name."""
    found = (
        Basket.objects.filter(state=lifecycle.PUBLISHED)
        .order_by("name")
        .select_related("logo")
        .prefetch_related(_newest())
    )
    return [shown for basket in found[:LIST_LIMIT] if (shown := _shown(basket))]


def one(slug: str, *, also_archived: bool = False) -> Shown | None:
    """A published basket by its address, or one that is no longer offered, for those who hold it; None: none."""
    states = (lifecycle.PUBLISHED, lifecycle.ARCHIVED) if also_archived else (lifecycle.PUBLISHED,)
    basket = (
        Basket.objects.filter(state__in=states, slug=slug).select_related("logo").prefetch_related(_newest()).first()
    )
    return _shown(basket) if basket else None


def _newest() -> Prefetch[str, QuerySet[BasketVersion], str]:
    constituents = Prefetch("constituents", BasketConstituent.objects.select_related("security").order_by("id"))
    versions = BasketVersion.objects.filter(published_at__isnull=False).order_by("-number")
    return Prefetch("versions", versions.select_related("published_by").prefetch_related(constituents))


def _shown(basket: Basket) -> Shown | None:
    versions = list(basket.versions.all())
    return price(basket, versions[0]) if versions else None


def price(basket: Basket, version: BasketVersion) -> Shown:
    """A version with what its shares cost now; the minimum is None while a price is missing."""
    constituents = list(version.constituents.all())
    securities = {each.security_id: each.security for each in constituents}
    parts = [
        Part(each.security_id, each.security.last_price, each.weight_bp, each.quantity)
        for each in constituents
        if each.security.last_price
    ]
    whole = len(parts) == len(constituents) and bool(parts)
    oldest = min((each.priced_at for each in securities.values() if each.priced_at), default=None)
    return Shown(basket, version, parts, securities, basket_rules.minimum_amount(parts) if whole else None, oldest)


Account = tuple[str, str]  # the broker, and its name for the account


def held_by_account(*, investor: Investor, basket: Basket) -> dict[Account, dict[int, int]]:
    """Shares by security that the investor bought with this basket through us and has not sold with it since.

    An account a part: what lies in one cannot be sold through another. But one account may have two names, when a
    journey was begun before we knew it: what was sold beyond what its name holds comes off the others of that route.
    """
    signed = Case(When(side=StockOrder.Side.BUY, then=F("filled")), default=-F("filled"))
    lines = StockOrder.objects.filter(investor=investor, basket_order__basket=basket, filled__gt=0).order_by()
    names = ("basket_order__broker", "basket_order__broker_account_ref", "security_id")
    routes: dict[tuple[str, int], dict[str, int]] = {}
    for broker, ref, pk, shares in lines.values_list(*names).annotate(shares=Sum(signed, default=Value(0))):
        routes.setdefault((broker, pk), {})[ref] = shares
    found: dict[Account, dict[int, int]] = {}
    for (broker, pk), parts in routes.items():
        for ref, shares in _left_of(parts).items():
            found.setdefault((broker, ref), {})[pk] = shares
    return dict(sorted(found.items()))


def _left_of(parts: dict[str, int]) -> dict[str, int]:
    """What is left of one share by account of a route, from purchases less sales; what has no account is sold first."""
    oversold, left = -sum(min(shares, 0) for shares in parts.values()), {}
    for ref, shares in sorted(parts.items()):
        taken = min(oversold, max(shares, 0))
        oversold -= taken
        if shares > taken:
            left[ref] = shares - taken
    return left


def together(parts: Iterable[dict[int, int]]) -> dict[int, int]:
    """The shares of several accounts as one number each."""
    shares: Counter[int] = Counter()
    for part in parts:
        shares.update(part)
    return dict(shares)


def held(*, investor: Investor, basket: Basket) -> dict[int, int]:
    """The same in all accounts together."""
    return together(held_by_account(investor=investor, basket=basket).values())


def held_through(*, investor: Investor, basket: Basket, broker: str, account_ref: str) -> dict[int, int]:
    """The same in one account; where only the journey will tell which, in all accounts of that route."""
    found = held_by_account(investor=investor, basket=basket)
    return together(shares for (route, ref), shares in found.items() if route == broker and account_ref in ("", ref))


def held_elsewhere(*, investor: Investor, basket: Basket, security_ids: Iterable[int]) -> dict[int, int]:
    """Of these shares, how many the investor holds otherwise than by this basket, as far as we were told.

    Brokers' reports count where there is one of the share (less what came with this basket); else what was bought here
    singly and with other baskets.
    """
    ids = list(security_ids)
    reports = StockHolding.objects.filter(investor=investor, security__in=ids, quantity__gt=0).values_list(
        "security_id"
    )
    reported = dict(reports.annotate(shares=Sum(F("quantity") + F("unsettled"))))
    signed = Case(When(side=StockOrder.Side.BUY, then=F("filled")), default=-F("filled"))
    here = StockOrder.objects.filter(investor=investor, security__in=ids, filled__gt=0).exclude(
        basket_order__basket=basket
    )
    bought = dict(here.values_list("security_id").annotate(shares=Sum(signed)))
    by_it = held(investor=investor, basket=basket)
    found = {pk: reported[pk] - by_it.get(pk, 0) if pk in reported else bought.get(pk, 0) for pk in ids}
    return {pk: shares for pk, shares in found.items() if shares > 0}


def followed_version(*, investor: Investor, basket: Basket) -> int | None:
    """The version that the investor's shares of a basket were bought at; None when they hold none."""
    mine = BasketSubscription.objects.filter(investor=investor, basket=basket, ended_at__isnull=True)
    return mine.values_list("version__number", flat=True).first()


def open_order(*, investor: Investor, basket: Basket) -> BasketOrder | None:
    """The journey with this basket that is not over yet: a second one beside it would buy twice."""
    over = lifecycle.BASKET_ORDER.final
    return BasketOrder.objects.filter(investor=investor, basket=basket).exclude(state__in=over).order_by("-id").first()


def open_order_of_share(*, investor: Investor, security: Security) -> BasketOrder | None:
    """The journey with this single share that is not over yet: the investor is shown it before a second one."""
    mine = BasketOrder.objects.filter(investor=investor, intent=BasketOrder.Intent.SINGLE, lines__security=security)
    return mine.exclude(state__in=lifecycle.BASKET_ORDER.final).order_by("-id").first()


def reported(*, investor: Investor, security: Security) -> list[StockHolding]:
    """What brokers said last that the investor holds of a share, an account a row."""
    mine = StockHolding.objects.filter(investor=investor, security=security, quantity__gt=0)
    return list(mine.order_by("broker", "account_ref"))


def repair_of(order: BasketOrder) -> BasketOrder | None:
    """The journey that orders again what was missing in this one; None, or when it came to nothing."""
    return order.repaired_by.exclude(state__in=(lifecycle.CANCELLED, lifecycle.EXPIRED)).first()


def order_of(*, investor: Investor, code: str) -> BasketOrder | None:
    """One journey of the investor, with basket and version."""
    found = BasketOrder.objects.filter(investor=investor, code=code)
    return found.select_related("basket", "version", "repairs").first()


def lines_of(order: BasketOrder) -> list[StockOrder]:
    """The lines of a journey, in the order in which they were asked for."""
    return list(order.lines.select_related("security").order_by("id"))


def line_of(*, investor: Investor, code: str) -> StockOrder | None:
    """One share order of the investor, with its share and journey."""
    found = StockOrder.objects.filter(investor=investor, code=code)
    return found.select_related("security", "basket_order").first()


def newest_changes(order: BasketOrder) -> dict[int, StockChange]:
    """The newest instruction about each share of a journey, by the share's order."""
    found = StockChange.objects.filter(stock_order__basket_order=order).order_by("id")
    return {each.stock_order_id: each for each in found}


def holdings_of(*, investor: Investor, broker: str, account_ref: str) -> QuerySet[StockHolding]:
    """What a broker said an account holds, by name."""
    mine = StockHolding.objects.filter(investor=investor, broker=broker, account_ref=account_ref)
    return mine.select_related("security").order_by("security__name")


def lines_by_ref(investor: Investor, refs: Iterable[str]) -> dict[str, StockOrder]:
    """The investor's share orders by the reference that their broker knows."""
    found = StockOrder.objects.filter(investor=investor, client_ref__in=[ref for ref in refs if ref])
    return {each.client_ref: each for each in found.select_related("basket_order")}


def orders_of(investor: Investor, *, before: int | None = None, size: int = 20) -> list[BasketOrder]:
    """The investor's journeys, newest first, a page at a time by key.

    Each says whether something of it was executed (`has_some`) and whether something is missing (`lacks_some`).
    """
    lines = StockOrder.objects.filter(basket_order=OuterRef("pk"))
    found = BasketOrder.objects.filter(investor=investor).select_related("basket").order_by("-id")
    found = found.annotate(
        has_some=Exists(lines.filter(filled__gt=0)), lacks_some=Exists(lines.filter(filled__lt=F("quantity")))
    )
    page: list[BasketOrder] = list((found.filter(pk__lt=before) if before else found)[:size])
    # Those without a basket are named by their shares.
    shares = Prefetch("lines", StockOrder.objects.select_related("security").order_by("id"))
    prefetch_related_objects([order for order in page if order.basket_id is None], shares)
    return page


def securities_by_id(ids: Iterable[int]) -> dict[int, Security]:
    """Shares by our id, also those that are no longer listed."""
    return {each.pk: each for each in Security.objects.filter(pk__in=list(ids))}


def prices_with(shown: Shown, held: Iterable[int]) -> dict[int, Decimal]:
    """Last prices of a version's shares and of those that are held, by security; without those that have none."""
    others = set(held) - set(shown.prices)
    gone = securities_by_id(others) if others else {}
    return shown.prices | {pk: share.last_price for pk, share in gone.items() if share.last_price}
