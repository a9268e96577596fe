"""A journey to a broker and back: prepare it there, hand it over, ask what became of it.

    prepare    claim, commit, call, record: the broker hears of the journey under our reference
    refresh    ask the broker what it says now; `orders.operations.stock_news` judges it

No transaction is open during a call.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from brokers import queries, registry
from brokers.adapter import InWork, Prepared
from brokers.models import BrokerAccount
from brokers.native import NoSession, TooLittleMoney
from brokers.operations import accounts, placing, silence, syncing
from orders import lifecycle
from orders.models import BasketOrder, StockOrder
from orders.operations import baskets, stock_news
from orders.stock_snapshots import BasketSnapshot
from portal import audit, gates, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.errors import Failure
from portal.gateway import errors

log = structlog.get_logger(__name__)
# A journey that nobody went on with is given up after so long: nothing was handed to a broker.
GIVEN_UP_AFTER = timedelta(days=1)


class NotPrepared(Failure):
    """Raised when the broker did not take the journey."""

    code = "not_prepared"
    message = "The broker could not prepare your order. Nothing was bought or sold. Please try again in a minute."


class BeingPrepared(Failure):
    """Raised while somebody else prepares the same journey: two preparations would be two baskets to confirm."""

    code = "being_prepared"
    message = "Your order is being prepared at the broker just now. Nothing was bought or sold. Go on in a minute."


class LogInFirst(Failure):
    """Raised when the broker's session has ended."""

    code = "log_in_first"
    message = "Your session at the broker has ended. Log in there again; your order is kept."


def prepare(*, order_id: int, at: datetime) -> tuple[BasketOrder, Prepared]:
    """The broker has the journey and it is handed over, or a named failure says what to do next.

    Raises NotPrepared, BeingPrepared, LogInFirst, gates.GateClosed. Nothing is bought or sold by this: the person
    confirms at the broker. Each call prepares anew, because what a broker hands out works once.
    """
    order = _claim(order_id, at)
    account = queries.account_for(order)
    try:
        prepared = _prepared(order, account, at)
    except (NoSession, TooLittleMoney) as error:
        _release(order, at, error)
        raise
    except InWork as error:
        _release(order, at, error)
        jobs.nudge("brokers.advance", row_id=order.pk)
        raise
    except errors.NotAuthorised as error:
        _release(order, at, error)
        if account:
            accounts.end_session(account=account, at=at)
        raise LogInFirst from error
    except errors.Refused as error:
        _release(order, at, error)
        raise NotPrepared("The broker did not accept this order. Nothing was bought or sold.") from error
    except errors.GatewayError as error:
        _release(order, at, error)
        raise NotPrepared from error
    return _handed_over(order, prepared, at), prepared


def _prepared(order: BasketOrder, account: BrokerAccount | None, at: datetime) -> Prepared:
    native = registry.native(order.broker)
    if native is None:
        return registry.adapter(order.broker).prepare(order, _lines(order), account)
    placing.check(account, at)
    return native.prepare(order, _lines(order), account)


def place(*, order_id: int, at: datetime, after_market: bool | None = None) -> BasketOrder:
    """The shares of a journey are on their way to a broker at which we place them ourselves.

    `after_market`: do they wait there for the next session of the exchange? None: as each share has it.

    Raises what `prepare` raises; NoSession for the rest of a journey that an ended session has stopped.
    """
    order = BasketOrder.objects.select_related("investor").get(pk=order_id)
    if order.state == lifecycle.CREATED:
        order, _ = prepare(order_id=order_id, at=at)
    else:
        placing.check(queries.account_for(order), at)
    placing.begin(order_id=order_id, at=at, after_market=after_market)
    return order


def _claim(order_id: int, at: datetime) -> BasketOrder:
    with transaction.atomic(durable=True):
        order = stock_news.locked(order_id)
        gates.check(order.broker)
        if order.state not in (lifecycle.CREATED, lifecycle.HANDED_OVER):
            raise NotPrepared("This order is over or on its way already.")
        if order.attempt == BasketOrder.Outcome.OPEN and not order.lease_ran_out(at):
            raise BeingPrepared
        order.open_attempt(at)
        order.save(update_fields=[*ATTEMPT_FIELDS])
    return order


def _lines(order: BasketOrder) -> list[StockOrder]:
    return list(order.lines.select_related("security").order_by("id"))


def _release(order: BasketOrder, at: datetime, error: Exception) -> None:
    with transaction.atomic(durable=True):
        again = stock_news.locked(order.pk)
        if again.holds(order.attempt_no):
            again.close_attempt()
            again.due_at = at + timedelta(seconds=stock_news.PACE_S[lifecycle.CREATED])
            again.save(update_fields=[*ATTEMPT_FIELDS])
            audit.record(again, "basket.not_prepared", actor=None, at=at, why=type(error).__name__)


def _handed_over(order: BasketOrder, prepared: Prepared, at: datetime) -> BasketOrder:
    with transaction.atomic(durable=True):
        again = stock_news.locked(order.pk)
        if not again.holds(order.attempt_no):
            # The lease ran out and another preparation has begun: only its basket may ever be confirmed.
            raise BeingPrepared
        again.close_attempt()
        again.provider_ref, again.expires_at = prepared.provider_ref or again.provider_ref, prepared.expires_at
        again.broker_account_ref = prepared.account_ref or again.broker_account_ref
        again.save(update_fields=["provider_ref", "broker_account_ref", "expires_at", *ATTEMPT_FIELDS])
        if again.state == lifecycle.CREATED:
            stock_news.move_to(again, lifecycle.HANDED_OVER, at=at, actor=None)
    return again


def refresh(*, order_id: int, at: datetime, source: str) -> None:
    """Ask the broker about a journey and take in what it says. Raises the gateway errors of a read."""
    order = BasketOrder.objects.select_related("investor__user", "basket", "version").get(pk=order_id)
    if registry.native(order.broker):
        syncing.refresh(order_id=order_id, at=at, source=source)
        return
    account = queries.account_for(order)
    said = registry.adapter(order.broker).look(order, _lines(order), account)
    if said is not None:
        take_in(order=order, said=said, at=at, source=source)


def take_in(*, order: BasketOrder, said: BasketSnapshot, at: datetime, source: str) -> None:
    """What a broker says of a journey is judged; an account that only the answer names is linked with it."""
    linked_by_login = registry.capability(order.broker).needs_link
    if said.account_ref and not linked_by_login and order.broker_account_ref in ("", said.account_ref):
        _link(order, said, at)
    stock_news.absorb(order_id=order.pk, snapshot=said, at=at, source=source)
    silence.is_over(order=order, at=at)
    if order.lines.filter(filled__gt=0).exists():
        baskets.subscribe(order=order, at=at)


def _link(order: BasketOrder, said: BasketSnapshot, at: datetime) -> BrokerAccount | None:
    """The account with which the journey was made is the investor's; one of somebody else stays theirs."""
    return accounts.link(
        investor=order.investor, broker=order.broker, account_ref=said.account_ref, house=said.house, at=at
    )


def advance(*, order_id: int, at: datetime) -> None:
    """What a due journey needs: to be asked about, or to be given up when nobody went on with it."""
    order = BasketOrder.objects.get(pk=order_id)
    if order.state == lifecycle.CREATED and at - order.created_at > GIVEN_UP_AFTER:
        give_up(order_id=order_id, at=at)
    elif order.state not in (lifecycle.HANDED_OVER, lifecycle.PLACED):
        return
    elif registry.native(order.broker) and syncing.is_over(order, at):
        syncing.end_day(order_id=order_id, at=at)
    else:
        silence.watch(order=order, at=at)
        refresh(order_id=order_id, at=at, source="look by the clock")


def give_up(*, order_id: int, at: datetime) -> None:
    """A journey that was never handed to a broker has expired."""
    with transaction.atomic(durable=True):
        order = stock_news.locked(order_id)
        if order.state == lifecycle.CREATED:
            ended = BasketSnapshot(their_word="never handed over", ended=lifecycle.EXPIRED)
            stock_news.end(order, ended, at=at)
