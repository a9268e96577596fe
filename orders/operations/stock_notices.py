"""Telling an investor what became of an order in shares: inside the transaction that makes it true, once."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from investors.models import Investor
from orders import stock_words
from orders.models import BasketOrder, StockOrder
from orders.queries import missing
from portal import money
from portal.notices import writing
from portal.notices.catalogue import EMAIL, Event, register

DONE, WAITS = "basket.done", "basket.waits"
register(
    Event(
        DONE,
        "Shares",
        "An order in shares is over",
        "{outcome}: {name}",
        "{text} Prices and numbers are those that your broker told us; your broker's contract note is what counts.",
        must=(EMAIL,),
    ),
    Event(
        WAITS,
        "Shares",
        "An order in shares waits for your login",
        "Log in at your broker to go on: {name}",
        "Your session at the broker ended before every share was sent. {sent} of {all} shares were sent, the others "
        "were not ordered. Log in again today to go on; what is not sent by 23:30 is dropped.",
        must=(EMAIL,),
    ),
)


def tell_done(order: BasketOrder, lines: list[StockOrder], *, at: datetime) -> None:
    """The investor knows of a complete journey, share by share."""
    words = stock_words.ended(lines, missing.given_up(order))
    writing.tell(
        user_id=Investor.objects.values_list("user_id", flat=True).get(pk=order.investor_id),
        event=DONE,
        subject=order,
        url=reverse("brokers:order", args=[order.code]),
        at=at,
        facts=[(line.security.symbol, _became(line)) for line in lines],
        outcome=words.title,
        text=words.text,
        name=stock_words.name(order, lines),
    )


def tell_waits(order: BasketOrder, lines: list[StockOrder], *, unsent: int, at: datetime) -> None:
    """The investor knows that a journey stopped half-way because their session at the broker ended."""
    writing.tell(
        user_id=Investor.objects.values_list("user_id", flat=True).get(pk=order.investor_id),
        event=WAITS,
        subject=order,
        url=reverse("brokers:order", args=[order.code]),
        at=at,
        name=stock_words.name(order, lines),
        sent=len(lines) - unsent,
        all=len(lines),
    )


def _became(line: StockOrder) -> str:
    price = f" at {money.rupees(line.average_price)}" if line.average_price else ""
    return f"{line.get_side_display()} {line.filled} of {line.quantity}{price}"
