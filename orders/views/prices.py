"""A share's price and order book as pages show them: the newest that we have, of when, and from whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from orders.market import CLOSES_AT
from orders.models import Quote, Security
from portal import money
from portal.clock import IST

# What people read when nobody could ask the broker just now.
WHY_OLD: dict[str, str] = {
    Quote.Trouble.NO_SESSION: "Live prices come from 5paisa, and only while somebody is logged in there who may read "
    "them. Connect a 5paisa account to see them; until then this is the last price that we have.",
    Quote.Trouble.NO_CODE: "5paisa lists no such share, so there are no live prices for it.",
    Quote.Trouble.NO_ANSWER: "5paisa did not answer when we asked last. This is the last price that we have.",
}


@dataclass(frozen=True)
class Price:
    """The newest price of a share. `day` is the broker's row, while it is that price; None beside a mere close."""

    last: Decimal | None
    at: datetime | None
    source: str
    day: Quote | None
    why_old: str

    @property
    def change(self) -> Decimal | None:
        """Rupees since the previous close."""
        before = self.day.previous_close if self.day else None
        return self.last - before if self.last is not None and before else None

    @property
    def change_percent(self) -> Decimal | None:
        """Percent since the previous close."""
        before = self.day.previous_close if self.day else None
        return self.change * 100 / before if self.change is not None and before else None

    @property
    def volume(self) -> str:
        """Shares traded today, in words; a dash while that is not known."""
        return money.number(Decimal(self.day.volume), 0) if self.day and self.day.volume is not None else "–"


def of(share: Security, *, unread: bool = False) -> Price:
    """What to show of a share that was read together with its quote; `unread`: nobody may ask for this viewer."""
    quote: Quote | None = getattr(share, "quote", None)
    unread = unread and (quote is None or quote.last is None)
    why_old = WHY_OLD.get(Quote.Trouble.NO_SESSION if unread else quote.trouble if quote else "", "")
    if quote and quote.last and quote.quoted_at and not (share.priced_at and share.priced_at > quote.quoted_at):
        return Price(quote.last, quote.quoted_at, "5paisa", quote, why_old)
    is_close = share.priced_at is not None and share.priced_at.astimezone(IST).time() == CLOSES_AT
    return Price(share.last_price, share.priced_at, "NSE's close" if is_close else "a broker", None, why_old)


def book(found: Security) -> dict[str, Any] | None:
    """The order book side by side; None while nobody has told us one."""
    depth = getattr(found, "depth", None)
    if depth is None or not (depth.bids or depth.asks):
        return None
    lines = [(*_level(depth.bids, n), *_level(depth.asks, n)) for n in range(max(len(depth.bids), len(depth.asks)))]
    names = ("bid", "bid_shares", "ask", "ask_shares")
    return {"at": depth.quoted_at, "lines": [dict(zip(names, line, strict=True)) for line in lines]}


def _level(levels: list[list[Any]], n: int) -> tuple[Decimal | None, int | None]:
    return (Decimal(levels[n][0]), levels[n][1]) if n < len(levels) else (None, None)
