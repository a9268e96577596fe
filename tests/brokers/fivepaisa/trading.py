"""What tests of the 5paisa route share: a person who is logged in, a journey, and its outcome."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from brokers.fivepaisa.auth import ends_at
from brokers.fivepaisa.client import client
from brokers.models import BrokerAccount
from brokers.operations import accounts, journeys, placing
from investors.models import Investor
from orders.models import BasketOrder, Security, StockOrder
from orders.operations import baskets
from orders.operations.baskets import Line
from portal import clock, identifiers
from tests import factories

SHARES = ("ITC", "TCS", "IDEA", "RELIANCE")


def log_in(sandbox: Any, investor: Investor, client_code: str = "50000001") -> BrokerAccount:
    """The investor's account with a session of today, as the login page brings it."""
    token = sandbox.call("POST", "/5paisa/request_token", {"client_code": client_code})["RequestToken"]
    said = client().create_access_token(token)
    at = clock.now()
    account = accounts.link(
        investor=investor,
        broker="5paisa",
        account_ref=said.client_code,
        session=said.access_token,
        session_expires_at=ends_at(said.access_token, at),
        at=at,
    )
    assert account is not None
    return account


def share(symbol: str) -> Security:
    return Security.objects.filter(symbol=symbol).first() or factories.SecurityFactory(
        symbol=symbol, name=symbol, last_price=Decimal(100), priced_at=clock.now()
    )


def journey(investor: Investor, *lines: Line, symbols: tuple[str, ...] = SHARES) -> BasketOrder:
    """A journey to 5paisa: one share of each by default."""
    return baskets.open_journey(
        investor=investor,
        broker="5paisa",
        intent=BasketOrder.Intent.SINGLE,
        lines=list(lines) or [Line(share(symbol).pk, StockOrder.Side.BUY, 1) for symbol in symbols],
        form_ref=identifiers.new_client_ref(),
        at=clock.now(),
    )


def place(order: BasketOrder) -> BasketOrder:
    """What the investor's press and a worker do."""
    journeys.place(order_id=order.pk, at=clock.now())
    placing.place_all(order_id=order.pk, now=clock.now)
    return fresh(order)


def fresh(order: BasketOrder) -> BasketOrder:
    order.refresh_from_db()
    return order


def follow(order: BasketOrder, recover: Any, *, after: timedelta = timedelta(0)) -> BasketOrder:
    """Everything that is due, at once or some time later, is done."""
    BasketOrder.objects.filter(pk=order.pk, due_at__isnull=False).update(due_at=clock.now())
    recover(clock.now() + after)
    return fresh(order)


def states(order: BasketOrder) -> dict[str, str]:
    return {line.security.symbol: line.state for line in order.lines.select_related("security")}


def received(sandbox: Any, line: StockOrder) -> int:
    """How often 5paisa heard of a share."""
    ledger = sandbox.call("GET", f"/ledger/5paisa?ref={line.client_ref}")
    return sum(each["received"] for each in ledger["orders"]) + sum(each["received"] for each in ledger["refused_only"])
