"""Brokers at which we place every share ourselves: what their adapters do instead of `look`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from brokers.adapter import Capability, Prepared
from brokers.models import BrokerAccount
from orders.models import BasketOrder, StockChange, StockOrder
from orders.operations.stock_reports import Held
from orders.stock_snapshots import LineSnapshot
from portal import money
from portal.errors import Failure


@dataclass(frozen=True)
class Booked:
    """An order of the account as its broker lists it; rupees. Orders that were not placed here have no `client_ref`."""

    line: LineSnapshot
    price: Decimal | None
    trigger: Decimal | None
    at: datetime | None
    is_after_market: bool
    is_intraday: bool
    is_at_market: bool


@dataclass(frozen=True)
class Position:
    """What was traded in one share today, net: negative when more was sold. Rupees."""

    symbol: str
    bought: int
    sold: int
    net: int
    average: Decimal | None
    last: Decimal | None
    is_intraday: bool


@dataclass(frozen=True)
class Margin:
    """Rupees that an order needs, and that the account has free for it."""

    needed: Decimal
    available: Decimal

    @property
    def is_enough(self) -> bool:
        """Does the account have what the order needs?"""
        return self.needed <= self.available


@dataclass(frozen=True)
class Terms:
    """What the market allows for one share just now. Rupees."""

    last: Decimal
    lower_circuit: Decimal | None
    upper_circuit: Decimal | None


class NoSession(Failure):
    """Raised when the investor is not logged in at the broker."""

    code = "log_in_first"
    message = "You are not logged in at your broker. Log in there again; your order is kept."


class TooLittleMoney(Failure):
    """Raised when the account does not have the money that an order needs. Nothing was sent."""

    code = "too_little_money"

    def __init__(self, needed: Decimal, available: Decimal) -> None:
        super().__init__(
            f"This order needs {money.rupees(needed)}; your broker account has {money.rupees(available)} free. "
            "Nothing was ordered. Add money at your broker, or order less."
        )


class NativeAdapter(Protocol):
    """A route on which the portal places, finds, changes and reads every share. Calls raise the gateway errors."""

    capability: Capability

    def prepare(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> Prepared:
        """May these shares be sent now? Sends nothing. Raises NoSession and TooLittleMoney."""
        ...

    def place(self, line: StockOrder, account: BrokerAccount) -> LineSnapshot:
        """Send one share under `line.client_ref`."""
        ...

    def find(self, line: StockOrder, account: BrokerAccount) -> list[LineSnapshot]:
        """Every order that the broker has under the line's reference."""
        ...

    def read(self, account: BrokerAccount, *, updated_in_last_s: int = 0) -> Sequence[Booked]:
        """The account's orders of the day, or those that changed in the last seconds."""
        ...

    def reason(self, said: str, code: str) -> str:
        """Our code (orders/stock_words.py) for a refusal in the broker's words and code."""
        ...

    def change(self, change: StockChange, account: BrokerAccount) -> None:
        """Send a change of an open share, or its cancellation."""
        ...

    def positions(self, account: BrokerAccount) -> Sequence[Position]:
        """What was traded today, net."""
        ...

    def holdings(self, account: BrokerAccount, positions: Sequence[Position]) -> Sequence[Held]:
        """What lies in the demat account, with what was bought today and is not delivered yet."""
        ...

    def terms(self, account: BrokerAccount, line: StockOrder) -> Terms:
        """Last price and limits of the share just now."""
        ...

    def margin(self, account: BrokerAccount | None, lines: Sequence[StockOrder]) -> Margin:
        """What these shares need together, and what there is."""
        ...
