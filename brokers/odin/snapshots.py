"""What the kept messages say of a journey, in our words: pure reading.

An order is as its message with the greatest number says. What was executed, and at which price, is what the trades add
up to: an order's own word for it carries no price. So an end is believed only once its trades are all here, and until
then the share is open; the next sync brings them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from brokers.models import OmexEvent
from brokers.odin.messages import OrderStatus
from orders import lifecycle
from orders.models import BasketOrder, StockOrder
from orders.stock_snapshots import BasketSnapshot, LineSnapshot

PRICE = Decimal("0.0001")
# providers.md 2.7; UNKNOWN moves nothing. EXECUTED becomes FILLED only when all of it is.
STATES: dict[OrderStatus, str | None] = {
    OrderStatus.UNKNOWN: None,
    **dict.fromkeys(
        (
            OrderStatus.NOT_INITIATED, OrderStatus.CLIENT_XMITTED, OrderStatus.GATEWAY_XMITTED,
            OrderStatus.OMS_XMITTED, OrderStatus.EXCHANGE_XMITTED, OrderStatus.PENDING, OrderStatus.ADMIN_PENDING,
            OrderStatus.MINI_ADMIN_PENDING, OrderStatus.ADMIN_ACCEPT, OrderStatus.ADMIN_MODIFY,
            OrderStatus.AMO_SUBMITTED, OrderStatus.EXECUTED, OrderStatus.COMPLETED, OrderStatus.CONVERTED,
        ),
        lifecycle.PLACED,
    ),
    **dict.fromkeys(
        (OrderStatus.CANCELLED, OrderStatus.ADMIN_CANCEL, OrderStatus.AMO_CANCELLED, OrderStatus.STOPPED),
        lifecycle.CANCELLED,
    ),
    **dict.fromkeys(
        (OrderStatus.GATEWAY_REJECT, OrderStatus.OMS_REJECT, OrderStatus.ORDER_ERROR, OrderStatus.FROZEN,
         OrderStatus.ADMIN_REJECT),
        lifecycle.REJECTED,
    ),
}  # fmt: skip
ENDS = (lifecycle.CANCELLED, lifecycle.REJECTED)
# ODIN has no codes for reasons, only the broker's words: those that people can act on become a code of ours.
REASONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"fund|margin|balance", re.IGNORECASE), "marginsExceeded"),
    (re.compile(r"holding|insufficient (?:qty|quantity|shares)|t1|edis|poa", re.IGNORECASE), "checkHoldings"),
    (re.compile(r"circuit|price band|dpr", re.IGNORECASE), "circuit"),
    (re.compile(r"market.{0,10}closed|exchange.{0,10}closed", re.IGNORECASE), "market_closed"),
    (re.compile(r"counter|by the exchange|end of (?:the )?day|immediate or cancel|unmatched", re.IGNORECASE),
     "orderUnmatched"),
)  # fmt: skip


def of(
    order: BasketOrder, lines: Iterable[StockOrder], tokens: Mapping[int, str], events: Iterable[OmexEvent]
) -> BasketSnapshot | None:
    """The journey as ODIN tells it; None while it has told nothing. `tokens` are ODIN's, by our security's id."""
    events = sorted(events, key=lambda each: each.sequence)
    if not events:
        return None
    orders: dict[str, list[OmexEvent]] = defaultdict(list)
    for each in events:
        orders[each.order_key].append(each)
    by_line: dict[tuple[str, str], list[LineSnapshot]] = defaultdict(list)
    names = {(tokens.get(line.security_id, ""), line.side): line for line in lines}
    for found in orders.values():
        key = (found[-1].token, found[-1].side)
        if said := _order(found, names.get(key)):
            by_line[key].append(said)
    return BasketSnapshot(
        their_word=f"OMEX {events[-1].sequence}",
        account_ref=_another(order, events),
        lines=tuple(_together(each) for each in by_line.values()),
    )


def _another(order: BasketOrder, events: Iterable[OmexEvent]) -> str:
    """The account of any message that is not the journey's own, for the judge to see; otherwise its own."""
    said = {each.account_ref for each in events if each.account_ref}
    return next(iter(sorted(said - {order.broker_account_ref})), order.broker_account_ref)


def _order(found: list[OmexEvent], line: StockOrder | None) -> LineSnapshot | None:
    """One order of ODIN's from its messages, oldest first; None where trades came and the order is not known yet."""
    news = [each for each in found if each.kind == OmexEvent.Kind.ORDER]
    if not news:
        return None
    newest, trades = news[-1], _trades(found)
    filled = sum(each.traded for each in trades)
    status = OrderStatus(OrderStatus.UNKNOWN if newest.status is None else newest.status)
    state = _state(status, newest, filled)
    ended = state in ENDS
    return LineSnapshot(
        symbol=line.security.symbol if line else newest.symbol,
        side=newest.side,
        state=state,
        their_word=status.name,
        quantity=newest.quantity,
        filled=filled,
        average_price=_average(trades),
        provider_ref=newest.order_key,
        exchange_ref=newest.exchange_ref,
        failure_code=_code(newest.reason) if ended else "",
        failure_text=newest.reason if ended else "",
        sequence=found[-1].sequence,
    )


def _trades(found: Iterable[OmexEvent]) -> list[OmexEvent]:
    """Each trade once, whatever numbers its messages had."""
    return list({each.trade_number: each for each in found if each.kind == OmexEvent.Kind.TRADE}.values())


def _average(trades: list[OmexEvent]) -> Decimal | None:
    shares = sum(each.traded for each in trades)
    worth = sum(((each.price or Decimal(0)) * each.traded for each in trades), Decimal(0))
    return (worth / shares).quantize(PRICE) if shares else None


def _state(status: OrderStatus, newest: OmexEvent, filled: int) -> str | None:
    """What the status means next to the trades that are here."""
    if newest.quantity and filled == newest.quantity:
        return lifecycle.FILLED
    state = STATES[status]
    if state in ENDS and filled >= newest.traded:
        return state
    if state is None:
        return None
    return lifecycle.PARTLY_FILLED if filled else lifecycle.PLACED


def _code(reason: str) -> str:
    return next((code for words, code in REASONS if words.search(reason)), "odin" if reason else "")


def _together(said: list[LineSnapshot]) -> LineSnapshot:
    """One share of the basket. Orders that came to nothing beside a live one are its earlier tries.

    Two that live were ordered twice: their sum is more than was asked for, which the judge makes a case of.
    """
    live = [each for each in said if each.filled or each.state not in ENDS] or said[-1:]
    if len(live) == 1:
        return live[0]
    first = live[0]
    filled = sum(each.filled for each in live)
    worth = sum(((each.average_price or Decimal(0)) * each.filled for each in live), Decimal(0))
    return LineSnapshot(
        symbol=first.symbol,
        side=first.side,
        state=first.state,
        their_word=f"{len(live)} orders: {', '.join(each.provider_ref for each in live)}",
        quantity=sum(each.quantity for each in live),
        filled=filled,
        average_price=(worth / filled).quantize(PRICE) if filled else None,
        sequence=max(each.sequence for each in live),
    )
