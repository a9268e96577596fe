"""What people read about orders in shares: states, outcomes, and why a share was not bought or sold.

The words separate *you were taken to your broker*, *the broker has the order*, and *the exchange executed it*.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from orders import lifecycle
from orders.models import BasketOrder, StockChange, StockOrder
from orders.words import Words

JOURNEY: dict[str, Words] = {
    lifecycle.CREATED: Words(
        "needs",
        "Not sent yet",
        "Your order waits for you",
        "Continue to your broker to confirm it. Nothing is ordered.",
    ),
    lifecycle.HANDED_OVER: Words(
        "checking",
        "With your broker",
        "We are asking your broker",
        "You were taken to your broker. We show here what became of it as soon as the broker says so. "
        "If you confirmed there, do not order again.",
    ),
    lifecycle.PLACED: Words(
        "waiting", "Placed", "Your broker has the order", "The exchange has not finished it yet. Nothing is left to do."
    ),
    lifecycle.CANCELLED: Words(
        "neutral", "Not ordered", "Nothing was ordered", "The journey ended before you confirmed."
    ),
    lifecycle.EXPIRED: Words(
        "neutral", "Expired", "Nothing was ordered", "The order was not confirmed in time. You can order again."
    ),
}
# The same where we place every share ourselves: nobody is taken anywhere.
PLACED_HERE: dict[str, Words] = {
    lifecycle.CREATED: Words(
        "needs", "Not sent yet", "Your order waits for you", "Look it over, then place it. Nothing is ordered yet."
    ),
    lifecycle.HANDED_OVER: Words(
        "checking",
        "Being placed",
        "Your shares are being placed",
        "Each share is sent to your broker by itself; its answers appear below. Do not order again.",
    ),
}
# An order that cannot go on, or be followed, before the investor logs in at the broker again.
LOGIN_ENDED = Words(
    "needs", "Log in again", "Your order waits for your login", "Your session at the broker has ended. Nothing is lost."
)
# What follows when everything was executed, by the sides of its lines.
DELIVERED: dict[frozenset[str], str] = {
    frozenset({StockOrder.Side.BUY}): "The shares reach your demat account tomorrow (T+1).",
    frozenset({StockOrder.Side.SELL}): "The money reaches your broker account tomorrow (T+1).",
}
OUTCOME: dict[str, Words] = {
    "filled": Words(
        "done",
        "Executed",
        "Everything was executed",
        "The shares that you bought reach your demat account, and the money for those that you sold your broker "
        "account, tomorrow (T+1).",
    ),
    "partly": Words(
        "needs", "Partly executed", "Only part of it was executed", "What is missing can be ordered again below."
    ),
    "none": Words(
        "failed", "Not executed", "Nothing was executed", "No shares were bought or sold. The reasons stand below."
    ),
}
LINE: dict[str, tuple[str, str]] = {
    lifecycle.PENDING: ("neutral", "not placed yet"),
    lifecycle.PLACED: ("waiting", "placed"),
    lifecycle.PARTLY_FILLED: ("waiting", "partly executed"),
    lifecycle.FILLED: ("done", "executed"),
    lifecycle.REJECTED: ("failed", "rejected"),
    lifecycle.CANCELLED: ("neutral", "cancelled"),
}
# A share of a journey that was handed over, of which the broker has told nothing: it may be placed.
UNTOLD = ("checking", "no word yet")
# Reasons by the providers' codes (all brokers, one list); the broker's own words are for staff.
REASONS: dict[str, str] = {
    "marginsExceeded": "There was not enough money in your broker account. Add funds there, then order the rest.",
    "checkHoldings": "Your demat account does not hold enough of this share, or it is not delivered yet (T+1).",
    "orderUnmatched": "Nobody traded at this price before the order ended.",
    "adapterError": "The broker could not be reached for this share. Nothing was placed.",
    "market_closed": "The market was closed.",
    "tick_size": "The price is not one that the exchange takes: it counts in steps of 5 paise.",
    "not_authorised_sale": "5paisa may not take these shares out of your demat account yet. Approve the sale with "
    "CDSL's TPIN on 5paisa's app or site, or give it your power of attorney, then order again.",
    "intraday_over": "Intraday orders are not taken after 15:20.",
    "not_sent": "It was not sent before the end of the day. Nothing was ordered.",
    "not_received": "It did not reach your broker: neither its order status nor its order book has it. Nothing was "
    "ordered.",
    "settled_by_evidence": "What was not executed ended without a trade, as your broker confirmed to us.",
    "circuit": "The price was outside the day's circuit limits.",
}
# What the SDK says when a journey does not end in an order (providers.md 1.6): words, and whether to go on here.
ENDINGS: dict[str, str] = {
    "user_cancelled": "You closed the window before confirming. Nothing was ordered.",
    "transaction_expired": "The window was open too long. Nothing was ordered.",
    "user_mismatch": "You logged in to another account than the one linked here. Nothing was ordered. Use the linked "
    "account, or unlink it first.",
    "market_closed": "The market is closed and your broker takes no after-market orders. Nothing was ordered.",
    "insufficient_holdings": "You do not hold enough of a share to sell it. Nothing was ordered.",
    "consent_denied": "You did not give your consent. Nothing was ordered.",
    "order_pending": "Your broker still has an order of yours in work. We are asking what became of it.",
    "order_in_queue": "Your order is in your broker's queue. We are asking what became of it.",
    "transaction_in_process": "This order is open in another window. Finish it there.",
    "no_order": "The order reached your broker without shares. Nothing was ordered. Order again.",
    "no_broker": "No broker was chosen. Nothing was ordered. Continue to your broker again.",
    **dict.fromkeys(
        ("invalid_transactionId", "invalid_gateway", "invalid_jwt", "init_sdk"),
        "The broker's window did not open with this order. Nothing was ordered. Continue to your broker again; if it "
        "goes on, order again.",
    ),
    **dict.fromkeys(
        ("api_error", "internal_error"),
        "There was a fault at your broker. We are asking whether anything was ordered; do not order again before the "
        "answer stands here.",
    ),
    "no_compatible_browser": "This browser cannot open the broker's window. Please use a current browser.",
    "closed_by_staff": "Your broker says that nothing was placed.",
    "blocked": "The broker's window could not be loaded. Check your connection, then try again. Nothing was ordered.",
}
# What the browser alone can know: no window opened, so nothing can have been confirmed. Of any other ending the broker
# is asked first.
BEFORE_ANYTHING = frozenset({"blocked", "no_compatible_browser", "transaction_in_process"})
OTHER_ENDING = "The broker's window ended with an error. Nothing is lost; we are asking whether anything was ordered."


# `orders` knows the routes by their codes only; these are their names for people.
BROKERS = {"smallcase": "smallcase Gateway", "odin": "ODIN Connector", "5paisa": "5paisa"}


def name(order: BasketOrder, lines: Sequence[StockOrder]) -> str:
    """What an order is about: its basket, its one share, or how many."""
    if order.basket:
        return order.basket.name
    return lines[0].security.name if len(lines) == 1 else f"{len(lines)} shares"


def outcome(lines: Sequence[StockOrder]) -> str:
    """Of a complete journey: `filled`, `partly` or `none`, from its lines; never stored."""
    if all(line.filled == line.quantity for line in lines):
        return "filled"
    return "partly" if any(line.filled for line in lines) else "none"


def in_a_list(state: str, *, has_some: bool, lacks_some: bool) -> Words:
    """The words for a journey where its lines are not at hand."""
    if state != lifecycle.COMPLETE:
        return JOURNEY[state]
    return OUTCOME["filled" if not lacks_some else "partly" if has_some else "none"]


def ended(lines: Sequence[StockOrder], given_up: Collection[int] = ()) -> Words:
    """The words for a complete journey; `given_up` are the keys of lines that the investor cancelled."""
    found, text = outcome(lines), None
    if found == "filled":
        text = DELIVERED.get(frozenset(line.side for line in lines))
    elif found == "partly" and not may_be_repaired(lines, given_up):
        text = "The rest was not executed. To order it again, write a new order."
    return replace(OUTCOME[found], text=text) if text else OUTCOME[found]


def may_be_repaired(lines: Sequence[StockOrder], given_up: Collection[int]) -> bool:
    """Is something missing of a complete journey that can be ordered again as it was?"""
    return any(line.filled < line.quantity and line.is_plain and line.pk not in given_up for line in lines)


def of(
    order: BasketOrder, lines: Sequence[StockOrder], *, placed_here: bool = False, given_up: Collection[int] = ()
) -> Words:
    """The words for a journey as it stands; `placed_here` where no page of the broker is between us and the order."""
    if order.state == lifecycle.COMPLETE:
        return ended(lines, given_up)
    return (PLACED_HERE if placed_here else {}).get(order.state) or JOURNEY[order.state]


def reason(line: StockOrder) -> str:
    """Why a line was not executed, as people can act on it; empty when it was, or is still open."""
    if line.state not in (lifecycle.REJECTED, lifecycle.CANCELLED):
        return ""
    return REASONS.get(line.failure_code, "The broker did not execute it." if line.failure_code else "")


def ending(code: str) -> str:
    """What the SDK's error means for the investor."""
    return ENDINGS.get(code, OTHER_ENDING)


BY_INVESTOR = "You cancelled what was open of it."
# What became of an instruction about an open share, by its state and our code.
CHANGES: dict[tuple[str, str], str] = {
    (lifecycle.SUBMITTING, ""): "Your {kind} is on its way.",
    (lifecycle.FAILED, "too_late"): "Your {kind} came too late: the order was over.",
    (lifecycle.FAILED, "log_in_first"): "Your {kind} was not sent: you were not logged in at your broker.",
    (lifecycle.FAILED, "not_taken_in"): "Your {kind} did not reach your broker. Nothing was changed.",
}


def instruction(change: StockChange) -> str:
    """What to say beside a share of the newest instruction about it; empty when it was carried out."""
    if change.state == lifecycle.DONE:
        return ""
    words = CHANGES.get((change.state, change.failure_code), "Your broker did not accept your {kind}.")
    return words.format(kind=change.get_kind_display())
