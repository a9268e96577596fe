"""What a broker says about an order in shares, in our words: adapters make it, `operations/stock_news` judges it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class LineSnapshot:
    """One share. `state` is None for a word that we do not know: then nothing moves but the shares that were filled.

    `sequence` orders the news of brokers that number it; 0 where they do not.
    """

    symbol: str
    side: str
    state: str | None
    their_word: str
    quantity: int
    filled: int = 0
    average_price: Decimal | None = None
    provider_ref: str = ""
    exchange_ref: str = ""
    failure_code: str = ""
    failure_text: str = ""
    sequence: int = 0
    # Of a broker that knows lines by our own reference.
    client_ref: str = ""


@dataclass(frozen=True)
class BasketSnapshot:
    """One journey. `ended` names a journey that came to nothing before any line was placed (CANCELLED, EXPIRED)."""

    their_word: str
    provider_ref: str = ""
    account_ref: str = ""
    house: str = ""
    lines: tuple[LineSnapshot, ...] = field(default=())
    ended: str | None = None
    failure_code: str = ""
    failure_text: str = ""
