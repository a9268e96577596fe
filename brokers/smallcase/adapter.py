"""smallcase for `orders`: a journey becomes a transaction; its batches become lines in our words.

A transaction trades nothing until the person confirms it with its id, and nobody has an id that did not reach us. So a
creation whose answer was lost is created anew: that cannot buy twice (providers.md 1.3: an id works once and expires).
"""

from __future__ import annotations

from decimal import Decimal

from brokers.adapter import Capability, InWork, Prepared
from brokers.models import BrokerAccount
from brokers.smallcase import messages
from brokers.smallcase.client import client
from orders import basket_looks, lifecycle
from orders.models import BasketOrder, StockOrder
from orders.stock_snapshots import BasketSnapshot, LineSnapshot
from portal.gateway.journal import about

STATES: dict[str, str | None] = {
    messages.OrderStatus.PLACED: lifecycle.PLACED,
    messages.OrderStatus.COMPLETE: lifecycle.FILLED,
    messages.OrderStatus.REJECTED: lifecycle.REJECTED,
    messages.OrderStatus.CANCELLED: lifecycle.CANCELLED,
    messages.OrderStatus.CANCELLED_AMO: lifecycle.CANCELLED,
    messages.OrderStatus.ERROR: lifecycle.REJECTED,
    messages.OrderStatus.UNKNOWN: None,
}
# A transaction that ended before anything was confirmed.
ENDED = {
    messages.TransactionStatus.ERRORED: lifecycle.CANCELLED,
    messages.TransactionStatus.EXPIRED: lifecycle.EXPIRED,
}
# The error of a transaction whose time was over (providers.md 1.6).
EXPIRED = frozenset({"transaction_expired"})


class SmallcaseAdapter:
    """See the head of this file."""

    capability = Capability(
        code="smallcase",
        name="smallcase Gateway",
        how="Choose your broker in a window on our page, log in there and confirm.",
        kinds=(StockOrder.Kind.MARKET,),
        needs_link=False,
        mixed=True,
        after_market=True,
        news="We are told of every share, and ask until all are final.",
    )

    def prepare(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> Prepared:
        """A transaction with every line; its id opens the window once. One that still waits is used, not replaced."""
        if order.provider_ref:
            return self._the_same(order, account)
        transaction = messages.NewTransaction(
            securities=tuple(
                messages.Security(ticker=line.security.symbol, quantity=line.quantity, side=messages.Side(line.side))
                for line in lines
            ),
            notes=order.client_ref,
            basket_name=order.basket.name if order.basket else "",
            basket_logo=basket_looks.address(order.basket) if order.basket else "",
        )
        told = about(order, our_ref=order.client_ref, attempt_no=order.attempt_no)
        made = client().create_transaction(transaction, about=told, smallcase_auth_id=_auth_id(account))
        return Prepared(made.transaction_id, expires_at=made.expire_at)

    def _the_same(self, order: BasketOrder, account: BrokerAccount | None) -> Prepared:
        """The transaction that was made before. Raises InWork: a second one beside it could buy twice."""
        told = about(order, our_ref=order.client_ref)
        found = client().fetch_transaction(order.provider_ref or "", smallcase_auth_id=_auth_id(account), about=told)
        if found.status != messages.TransactionStatus.INITIALIZED:
            raise InWork
        return Prepared(found.transaction_id, expires_at=found.expire_at)

    def look(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> BasketSnapshot | None:
        """The transaction and, once something was confirmed, the state of every stock."""
        if not order.provider_ref:
            return None
        auth_id, told = _auth_id(account), about(order, our_ref=order.client_ref)
        found = client().fetch_transaction(order.provider_ref, smallcase_auth_id=auth_id, about=told)
        auth_id = found.smallcase_auth_id or auth_id
        orders = client().fetch_orders(order.provider_ref, smallcase_auth_id=auth_id, about=told)
        if any(batch.orders or batch.unplaced for batch in orders.batches):
            return _traded(found, orders)
        ended = lifecycle.EXPIRED if found.error in EXPIRED else ENDED.get(found.status)
        return BasketSnapshot(
            their_word=found.status,
            provider_ref=order.provider_ref,
            account_ref=found.smallcase_auth_id,
            house=found.broker,
            ended=ended,
            failure_code=(found.error or found.error_code or found.status) if ended else "",
        )


def _auth_id(account: BrokerAccount | None) -> str:
    return account.account_ref if account else ""


def _traded(found: messages.Transaction, orders: messages.Orders) -> BasketSnapshot:
    lines = [_line(each, unplaced=False) for batch in orders.batches for each in batch.orders]
    lines += [_line(each, unplaced=True) for batch in orders.batches for each in batch.unplaced]
    return BasketSnapshot(
        their_word=found.status,
        provider_ref=found.transaction_id,
        account_ref=found.smallcase_auth_id,
        house=found.broker or orders.broker,
        lines=tuple(lines),
    )


def _line(said: messages.Order, *, unplaced: bool) -> LineSnapshot:
    """The stock's own status counts, not the batch's; what never reached the broker is rejected (given document)."""
    state = lifecycle.REJECTED if unplaced else STATES[said.status]
    if state == lifecycle.PLACED and 0 < said.filled_quantity < said.quantity:
        state = lifecycle.PARTLY_FILLED
    return LineSnapshot(
        symbol=said.ticker,
        side=said.side,
        state=state,
        their_word=said.status,
        quantity=said.quantity,
        filled=said.filled_quantity,
        average_price=said.average_price if said.average_price and said.average_price > Decimal(0) else None,
        exchange_ref=said.exchange_order_id,
        failure_code=said.error_code if state in (lifecycle.REJECTED, lifecycle.CANCELLED) else "",
        failure_text=said.status_message if state in (lifecycle.REJECTED, lifecycle.CANCELLED) else "",
    )
