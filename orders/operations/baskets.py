"""Baskets: what operations publish, and the journeys on which investors buy, rebalance, repair and leave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from investors.models import Investor
from orders import basket_rules, lifecycle
from orders.models import (
    Basket,
    BasketConstituent,
    BasketOrder,
    BasketSubscription,
    BasketVersion,
    StockOrder,
)
from orders.operations import stock_news
from orders.queries import baskets as queries
from orders.queries import missing
from portal import audit, identifiers, jobs, money
from portal.errors import Failure, InvalidInput
from portal.models import User

MOST_SHARES = 50
SHARES_SET = "basket.shares_set"


class SecondPersonNeeded(Failure):
    """Raised when somebody publishes what is their own: the draft, its shares, or the words of a new basket."""

    code = "second_person"
    message = "Somebody who neither drafted this version, set its shares nor wrote the basket's words must publish it."


class NotPublishable(Failure):
    """Raised when a version is not whole."""

    code = "not_publishable"


class NothingToTrade(Failure):
    """Raised when a journey would have no lines."""

    code = "nothing_to_trade"
    message = "There is nothing to buy or sell: what you hold already fits."


class AlreadyUnderWay(Failure):
    """Raised when the investor has a journey with this basket that is not over."""

    code = "already_under_way"
    message = "You have an order in this basket that is not over yet. Finish or follow that one first."


class NoLongerHeld(Failure):
    """Raised when a journey would sell more than was bought with the basket in that account and is still held there."""

    code = "no_longer_held"
    message = (
        "You no longer hold here what this order would sell, or not in that account. Nothing was ordered; begin from "
        "the basket's page."
    )


@dataclass(frozen=True)
class Line:
    """One share of a journey: how many, and whether they are bought or sold."""

    security_id: int
    side: str
    quantity: int
    kind: str = StockOrder.Kind.MARKET
    price: Decimal | None = None
    trigger: Decimal | None = None
    product: str = StockOrder.Product.DELIVERY
    is_after_market: bool = False
    is_immediate: bool = False


# --- What operations publish ------------------------------------------------------------------------------------------


def publish(*, version_id: int, actor: User, at: datetime, reason: str = "") -> BasketVersion:
    """A drafted version becomes the basket's newest. Raises SecondPersonNeeded and NotPublishable."""
    with transaction.atomic():
        version = BasketVersion.objects.select_for_update(of=("self",)).select_related("basket").get(pk=version_id)
        if version.published_at:
            return version
        if version.drafted_by_id == actor.pk or _set_shares(version, actor) or _wrote_words(version.basket, actor):
            raise SecondPersonNeeded
        _must_be_whole(version)
        version.published_by, version.published_at = actor, at
        version.save(update_fields=["published_by", "published_at"])
        basket = Basket.objects.select_for_update().get(pk=version.basket_id)
        if basket.state == lifecycle.DRAFT:
            _move(basket, lifecycle.PUBLISHED, actor=actor, at=at)
        audit.record(basket, "basket.version_published", actor=actor, at=at, reason=reason, number=version.number)
        jobs.nudge("orders.tell_of_versions")
    return version


def _set_shares(version: BasketVersion, actor: User) -> bool:
    mine = audit.entries_of(version).filter(action=SHARES_SET, actor=audit.actor_name(actor))
    return mine.exists()


def _wrote_words(basket: Basket, actor: User) -> bool:
    """With its first version a basket's words are published; whoever wrote them does not publish them."""
    written = audit.entries_of(basket).filter(
        action__in=("basket.added", "basket.changed"), actor=audit.actor_name(actor)
    )
    return basket.state == lifecycle.DRAFT and written.exists()


def _must_be_whole(version: BasketVersion) -> None:
    """1 to 50 active shares, all by weight making 100 %, or all by number. Raises NotPublishable."""
    rows = list(version.constituents.select_related("security"))
    if not 1 <= len(rows) <= MOST_SHARES:
        raise NotPublishable(f"A version has 1 to {MOST_SHARES} shares; this one has {len(rows)}.")
    gone = [each.security.symbol for each in rows if not each.security.is_active]
    if gone:
        raise NotPublishable(f"No longer listed: {', '.join(gone)}.")
    weights = [each.weight_bp for each in rows if each.weight_bp is not None]
    if weights and len(weights) != len(rows):
        raise NotPublishable("Give every share a weight, or every share a number; not some of each.")
    if weights and not basket_rules.weights_are_whole(weights):
        raise NotPublishable(f"The weights make {sum(weights) / 100:.2f} %, not 100 %.")


def archive(*, basket_id: int, actor: User, reason: str, at: datetime) -> None:
    """The basket is no longer offered; those who hold it are told, and can still sell and follow it."""
    with transaction.atomic():
        basket = Basket.objects.select_for_update().get(pk=basket_id)
        if basket.state != lifecycle.ARCHIVED:
            _move(basket, lifecycle.ARCHIVED, actor=actor, at=at, reason=reason)
            jobs.nudge("orders.tell_of_versions")


def _move(basket: Basket, state: str, *, actor: User, at: datetime, reason: str = "") -> None:
    if not lifecycle.BASKET.allows(basket.state, state):
        raise ValueError(f"no way from {basket.state} to {state}")
    basket.state, basket.state_since = state, at
    basket.save(update_fields=["state", "state_since"])
    audit.record(basket, f"basket.{state.lower()}", actor=actor, at=at, reason=reason)


def copy_version(*, basket_id: int, note: str, actor: User, at: datetime) -> BasketVersion:
    """A draft that starts from the newest version, for somebody to change and somebody else to publish."""
    with transaction.atomic():
        basket = Basket.objects.select_for_update().get(pk=basket_id)
        newest = basket.versions.order_by("-number").first()
        draft = BasketVersion.objects.create(
            basket=basket,
            number=(newest.number if newest else 0) + 1,
            change_note=note,
            drafted_by=actor,
            drafted_at=at,
        )
        rows = newest.constituents.all() if newest else ()
        BasketConstituent.objects.bulk_create(
            BasketConstituent(
                version=draft, security_id=each.security_id, weight_bp=each.weight_bp, quantity=each.quantity
            )
            for each in rows
        )
        audit.record(basket, "basket.version_drafted", actor=actor, at=at, number=draft.number)
    return draft


# --- What an investor asks for ----------------------------------------------------------------------------------------


def lines_to_buy(*, shown: queries.Shown, amount: Decimal) -> tuple[list[Line], basket_rules.Bought]:
    """The shares that an amount buys. Raises InvalidInput("amount", ...) below the minimum."""
    if shown.minimum is None:
        raise Failure("A share of this basket has no price at the moment. Please try again later.")
    if amount < shown.minimum:
        raise InvalidInput(
            "amount", f"The least that buys every share of this basket is {money.rupees(shown.minimum)}."
        )
    bought = basket_rules.shares_for(amount, shown.parts)
    lines = [Line(pk, StockOrder.Side.BUY, quantity) for pk, quantity in bought.quantities.items() if quantity]
    return lines, bought


def lines_of_moves(moves: Mapping[int, int]) -> list[Line]:
    """Buys and sells from signed numbers of shares, sells first: they bring the money for the buys."""
    lines = [
        Line(pk, StockOrder.Side.BUY if move > 0 else StockOrder.Side.SELL, abs(move)) for pk, move in moves.items()
    ]
    return sorted(lines, key=lambda line: line.side != StockOrder.Side.SELL)


def lines_to_repair(order: BasketOrder) -> list[Line]:
    """What of a finished journey did not fill; not an order with a price of its own: its repair would have none.

    Nor what the investor cancelled.
    """
    given_up = missing.given_up(order)
    return [
        Line(line.security_id, line.side, line.quantity - line.filled)
        for line in order.lines.order_by("id")
        if line.state in stock_news.FINAL and line.filled < line.quantity and line.is_plain and line.pk not in given_up
    ]


def lines_again(order: BasketOrder) -> list[Line]:
    """The lines of a journey that came to nothing, as they were asked for."""
    fields = (
        "security_id",
        "side",
        "quantity",
        "kind",
        "price",
        "trigger",
        "product",
        "is_after_market",
        "is_immediate",
    )
    return [Line(**{name: getattr(line, name) for name in fields}) for line in order.lines.order_by("id")]


def open_journey(
    *,
    investor: Investor,
    broker: str,
    intent: str,
    lines: list[Line],
    form_ref: str,
    at: datetime,
    version: BasketVersion | None = None,
    repairs: BasketOrder | None = None,
    account_ref: str = "",
    user_ip: str | None = None,
) -> BasketOrder:
    """One journey to one broker, on record before the broker hears of it; a form that comes twice opens one.

    Raises NothingToTrade, AlreadyUnderWay while another journey with the same basket is not over, and NoLongerHeld.
    """
    if not lines:
        raise NothingToTrade
    with transaction.atomic():
        Investor.objects.select_for_update().only("pk").get(pk=investor.pk)
        if known := BasketOrder.objects.filter(investor=investor, form_ref=form_ref).first():
            return known
        if version and queries.open_order(investor=investor, basket=version.basket):
            raise AlreadyUnderWay
        if repairs and queries.repair_of(repairs):
            raise AlreadyUnderWay("What did not fill in that order is being repaired already.")
        if version:
            _must_be_held(investor, version.basket, lines, broker, account_ref)
        order = BasketOrder.objects.create(
            investor=investor,
            broker=broker,
            broker_account_ref=account_ref,
            intent=intent,
            basket=version.basket if version else None,
            version=version,
            repairs=repairs,
            form_ref=form_ref,
            user_ip=user_ip,
            created_at=at,
            state_since=at,
            due_at=at + timedelta(seconds=stock_news.PACE_S[lifecycle.CREATED]),
        )
        StockOrder.objects.bulk_create(_rows(order, lines, at))
        audit.record(
            order, "basket.created", actor=investor.user, at=at, broker=broker, lines=len(lines), intent=intent
        )
    return order


def _must_be_held(investor: Investor, basket: Basket, lines: list[Line], broker: str, account_ref: str) -> None:
    """An old list of sells, begun again or repaired, must not sell shares that came from elsewhere or lie elsewhere."""
    sells = [line for line in lines if line.side == StockOrder.Side.SELL]
    if not sells:
        return
    held = queries.held_through(investor=investor, basket=basket, broker=broker, account_ref=account_ref)
    if any(line.quantity > held.get(line.security_id, 0) for line in sells):
        raise NoLongerHeld


def _rows(order: BasketOrder, lines: list[Line], at: datetime) -> list[StockOrder]:
    return [
        StockOrder(
            basket_order=order,
            investor_id=order.investor_id,
            created_at=at,
            state_since=at,
            code=identifiers.new_code("STK"),
            client_ref=identifiers.new_client_ref(),
            **vars(line),
        )
        for line in lines
    ]


def subscribe(*, order: BasketOrder, at: datetime) -> None:
    """An investor with shares of a basket follows it, at the version of the journey; without any, no longer."""
    if order.version is None or order.basket is None:
        return
    if not queries.held(investor=order.investor, basket=order.basket):
        mine = BasketSubscription.objects.filter(investor_id=order.investor_id, basket=order.basket)
        mine.filter(ended_at__isnull=True).update(ended_at=at)
        return
    follows, made = BasketSubscription.objects.get_or_create(
        investor_id=order.investor_id,
        basket=order.basket,
        ended_at=None,
        defaults={"version": order.version, "since": at, "told_of": order.version.number},
    )
    if not made and follows.version_id != order.version_id:
        follows.version = order.version
        follows.save(update_fields=["version"])


def investor_says(*, investor: Investor, code: str, answer: str, at: datetime) -> None:
    """Where no notice ever comes, the investor's word is kept as a statement. It moves nothing."""
    with transaction.atomic():
        order = BasketOrder.objects.select_for_update().get(investor=investor, code=code)
        if order.state == lifecycle.HANDED_OVER and answer in ("yes", "no"):
            order.investor_says = answer
            order.save(update_fields=["investor_says"])
            audit.record(order, "basket.investor_says", actor=investor.user, at=at, answer=answer)
