"""One share by the ticket: checked against the market and the account just before it is sent, then placed.

check    what 5paisa says now: limits of the day, money, shares in the demat account. Sends nothing
place    the order is on record and on its way; the same form twice is one order
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from brokers import registry
from brokers.models import BrokerAccount
from brokers.native import Margin, NativeAdapter, Terms, TooLittleMoney
from brokers.operations import accounts, demat, journeys, placing
from investors.models import Investor
from orders.models import BasketOrder, Security, StockOrder
from orders.operations import baskets
from orders.operations.baskets import Line
from portal import money
from portal.errors import Failure, InvalidInput
from portal.gateway import errors


class SentBefore(Failure):
    """Raised for a ticket that is on record already with other numbers; it opens and sends nothing."""

    code = "ticket_sent_before"
    message = (
        "This ticket became this order before you changed it. What you changed was not sent: begin with a new ticket."
    )

    def __init__(self, order: BasketOrder) -> None:
        super().__init__(self.message)
        self.order = order


class NotChecked(Failure):
    """Raised when the broker could not be asked, so nothing is sent blindly."""

    code = "not_checked"
    message = (
        "Your broker could not be asked about money and prices. Nothing was ordered; please try again in a minute."
    )


@dataclass(frozen=True)
class Checked:
    """What the broker says of an order before it is sent. `margin` is None for a sale out of the demat account."""

    terms: Terms
    margin: Margin | None
    at: datetime
    # The broker has no power of attorney for these shares: the investor approves their sale there first.
    needs_approval: bool = False


def check(*, account: BrokerAccount, security: Security, line: Line, at: datetime) -> Checked:
    """The order can be sent, as far as the broker tells beforehand.

    Raises NoSession, NotChecked, TooLittleMoney, and InvalidInput for a price outside the day's limits or for more
    shares than the account can sell.
    """
    placing.check(account, at)
    adapter, row = registry.NATIVE[account.broker], _row(security, line)
    try:
        terms = adapter.terms(account, row)
        _must_be_within(terms, line)
        if _sells_holdings(line):
            return Checked(terms, None, at, needs_approval=_must_be_held(account, security, line, at))
        return Checked(terms, _money(adapter, account, row), at)
    except errors.NotAuthorised as error:
        accounts.end_session(account=account, at=at)
        raise journeys.LogInFirst from error
    except errors.GatewayError as error:
        raise NotChecked from error


def _row(security: Security, line: Line) -> StockOrder:
    """The order as a row that is saved nowhere."""
    return StockOrder(security=security, **{k: v for k, v in vars(line).items() if k != "security_id"})


def _must_be_within(terms: Terms, line: Line) -> None:
    low, high = terms.lower_circuit, terms.upper_circuit
    if low is None or high is None:
        return
    for field, price in (("price", line.price), ("trigger", line.trigger)):
        if price is not None and not low <= price <= high:
            raise InvalidInput(
                field, f"Today the exchange takes prices from {money.rupees(low)} to {money.rupees(high)}."
            )


def _sells_holdings(line: Line) -> bool:
    return line.side == StockOrder.Side.SELL and line.product == StockOrder.Product.DELIVERY


def _money(adapter: NativeAdapter, account: BrokerAccount, row: StockOrder) -> Margin:
    found = adapter.margin(account, [row])
    if not found.is_enough:
        raise TooLittleMoney(found.needed, found.available)
    return found


def _must_be_held(account: BrokerAccount, security: Security, line: Line, at: datetime) -> bool:
    """Raises InvalidInput for more shares than the account has. Returns whether their sale has to be approved there."""
    read = demat.refresh(account=account, at=at)
    mine = [each for each in read.held if each.isin == security.isin or each.symbol == security.symbol]
    free = sum(each.quantity + each.unsettled for each in mine)
    if line.quantity > free:
        raise InvalidInput("quantity", f"This account holds {free} of these shares. Sell at most as many.")
    return any(each.has_poa is False for each in mine)


def place(
    *, investor: Investor, account: BrokerAccount, line: Line, form_ref: str, user_ip: str | None, at: datetime
) -> BasketOrder:
    """The order is on record, and on its way to the broker. Raises SentBefore, and what `journeys.place` raises."""
    order = baskets.open_journey(
        investor=investor,
        broker=account.broker,
        account_ref=account.account_ref,
        intent=BasketOrder.Intent.SINGLE,
        lines=[line],
        form_ref=form_ref,
        user_ip=user_ip,
        at=at,
    )
    if order.broker_account_ref != account.account_ref or baskets.lines_again(order) != [line]:
        raise SentBefore(order)
    journeys.place(order_id=order.pk, at=at)
    return order
