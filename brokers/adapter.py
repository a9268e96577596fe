"""What a route to a broker must be able to do. `orders` never learns which broker it was: it gets snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    # The broker may never tell what became of a journey: then the investor is asked.
    may_stay_silent: bool = False
    # We place every share ourselves, so there is no page or window of the broker to confirm on.
    native: bool = False

    @property
    def order_kinds(self) -> str:
        """The kinds of order in words: "market, limit"."""
        return ", ".join(StockOrder.Kind(kind).label for kind in self.kinds)


@dataclass(frozen=True)
class Prepared:
    """A journey that the broker has made ready. `page_url` is where the browser goes, where there is such a page."""

    provider_ref: str
    page_url: str = ""
    # Which account the journey went to, where that is known before it ends.
    account_ref: str = ""
    expires_at: datetime | None = None


class InWork(Failure):
    """Raised when the broker has the journey already and something is being done with it."""

    code = "in_work"
    message = "Your broker has this order already. We are asking what became of it; do not order again."


@dataclass(frozen=True)
class House:
    """A broker behind a gateway: its code there, and its name for people."""

    code: str
    name: str


@dataclass(frozen=True)
class LoggedIn:
    """A good return: the broker's name for the person, and the session for its day."""

    account_ref: str
    session: str = field(repr=False)
    session_expires_at: datetime
    # Which broker behind a gateway, where the return says it, and what people call the account.
    house: str = ""
    label: str = ""


@dataclass(frozen=True)
class Returned:
    """A browser's way back from a broker, read. `login` is there only when somebody logged in.

    `state` is the one-time state where the broker echoes it; where it does not, the browser's session has it.
    """

    login: LoggedIn | None = None
    state: str = ""
    is_login: bool = True


class Login(Protocol):
    """How an account is linked at a route that needs it (`Capability.needs_link`): a page there, and the way back."""

    @property
    def must_be_asked(self) -> bool:
        """Does only a login count of which the broker asked us whether it is ours?"""
        ...

    def houses(self) -> list[House]:
        """The brokers among whom people choose; the route itself where it is the broker. Raises gateway errors."""
        ...

    def url(self, *, state: str, house: str) -> str:
        """Where the browser logs in."""
        ...

    def read(self, params: Mapping[str, str], at: datetime) -> Returned:
        """What the way back says; may ask the broker. Raises ValueError where it says nothing, and gateway errors."""
        ...


class Adapter(Protocol):
    """One route. Calls raise the gateway errors; no transaction is open while they run."""

    capability: Capability

    def prepare(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> Prepared:
        """Tell the broker of the journey, once, under `order.client_ref`."""
        ...

    def look(self, order: BasketOrder, lines: list[StockOrder], account: BrokerAccount | None) -> BasketSnapshot | None:
        """What the broker says now; None where it cannot be asked or knows nothing yet."""
        ...
