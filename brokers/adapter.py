"""What a route to a broker must be able to do. `orders` never learns which broker it was: it gets snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from brokers.models import BrokerAccount
from orders.models import BasketOrder, StockOrder
from orders.stock_snapshots import BasketSnapshot
from portal.errors import Failure


@dataclass(frozen=True)
class Capability:
    """What people are told about a route before they choose it, and what the product asks it for."""

    code: str
    name: str
    # How the journey goes, in a sentence.
    how: str
    kinds: tuple[str, ...]
    # An account must be linked before an order can be sent.
    needs_link: bool
    # Buys and sells in one order.
    mixed: bool
    after_market: bool
    # How we learn what became of it: in words for people.
    news: str

    @property
    def order_kinds(self) -> str:
        """The kinds of order in words: "market, limit"."""
        return ", ".join(StockOrder.Kind(kind).label for kind in self.kinds)


@dataclass(frozen=True)
class Prepared:
    """A journey that the broker has made ready. `page_url` is where the browser goes, where there is such a page."""

    provider_ref: str
    page_url: str = ""
    expires_at: datetime | None = None


class InWork(Failure):
    """Raised when the broker has the journey already and something is being done with it."""

    code = "in_work"
    message = "Your broker has this order already. We are asking what became of it; do not order again."


class Adapter(Protocol):
    """One route. Calls raise the gateway errors; no transaction is open while they run."""

    capability: Capability

    def prepare(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> Prepared:
        """Tell the broker of the journey, once, under `order.client_ref`."""
        ...

    def look(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> BasketSnapshot | None:
        """What the broker says now; None where it cannot be asked or knows nothing yet."""
        ...
