"""Keeping step with a broker's books: one reading of an account tells about all of its journeys.

sync      what changed since the last reading, else the whole day
end_day   at 23:30 nothing of the day is open without a reason: settled, or a case for a person
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from brokers import queries, registry
from brokers.models import BrokerAccount
from brokers.native import Booked
from brokers.operations import accounts, placing
from orders import calendar, lifecycle, stock_days
from orders.models import BasketOrder, StockOrder
from orders.operations import baskets, stock_news
from orders.queries import schemes
from orders.stock_snapshots import BasketSnapshot, LineSnapshot
from portal import cases, hints
from portal.clock import IST
from portal.gateway import errors

OPEN_STATES = (lifecycle.PENDING, lifecycle.PLACED, lifecycle.PARTLY_FILLED)
LEFT_OPEN_CASE = "stock_order_open_after_the_day"
# 5paisa looks back ten minutes at most; clocks differ and a reading takes its time.
LONGEST_S, MARGIN_S = 600, 60


def sync(*, account: BrokerAccount, at: datetime, source: str, whole: bool = False) -> list[Booked]:
    """Everything that the broker's books say about our orders of this account is judged. Returns what was read.

    Raises the gateway errors of a read; a session that the broker refuses is ended before.
    """
    adapter = registry.NATIVE[account.broker]
    since_s = 0 if whole else _seconds_since(account, at)
    try:
        read = list(adapter.read(account, updated_in_last_s=since_s))
    except errors.NotAuthorised:
        accounts.end_session(account=account, at=at)
        raise
    for order_id, said in _by_journey(account, read, at).items():
        stock_news.absorb(order_id=order_id, snapshot=said, at=at, source=source)
        _subscribe(order_id, said, at)
    _not_before(account, at + timedelta(seconds=stock_news.PACE_S[lifecycle.PLACED]))
    hints.put(_key(account), at, LONGEST_S)
    return read


def _not_before(account: BrokerAccount, next_look: datetime) -> None:
    """Each journey of the account has just been looked at."""
    open_ones = BasketOrder.objects.filter(
        investor_id=account.investor_id,
        broker=account.broker,
        broker_account_ref=account.account_ref,
        state__in=(lifecycle.HANDED_OVER, lifecycle.PLACED),
        due_at__lt=next_look,
    )
    open_ones.update(due_at=next_look)


def _key(account: BrokerAccount) -> str:
    return f"broker-book-{account.pk}"


def _seconds_since(account: BrokerAccount, at: datetime) -> int:
    """How far to look back; 0 asks for the whole day, which is right whenever nothing else is known."""
    last = hints.get(_key(account))
    seconds = int((at - last).total_seconds()) + MARGIN_S if isinstance(last, datetime) else 0
    return seconds if 0 < seconds <= LONGEST_S else 0


def _by_journey(account: BrokerAccount, read: Sequence[Booked], at: datetime) -> dict[int, BasketSnapshot]:
    """The journeys that the orders of the book belong to. Those that were placed elsewhere are nobody's here."""
    said: dict[str, list[LineSnapshot]] = {}
    for each in read:
        said.setdefault(each.line.client_ref, []).append(each.line)
    refs = [ref for ref in said if ref]
    ours = StockOrder.objects.filter(investor_id=account.investor_id, client_ref__in=refs).select_related("security")
    found: dict[int, list[LineSnapshot]] = {}
    for line in ours:
        the_one = placing.only_one(line, said[line.client_ref], at=at)
        found.setdefault(line.basket_order_id, []).append(the_one)
    return {
        order_id: BasketSnapshot("order book", account_ref=account.account_ref, lines=tuple(lines))
        for order_id, lines in found.items()
    }


def _subscribe(order_id: int, said: BasketSnapshot, at: datetime) -> None:
    if any(line.filled for line in said.lines):
        baskets.subscribe(order=BasketOrder.objects.select_related("basket", "version").get(pk=order_id), at=at)


def refresh(*, order_id: int, at: datetime, source: str) -> None:
    """The journey is as the broker's books have it; without a login nobody can be asked. Raises the gateway errors."""
    order = BasketOrder.objects.get(pk=order_id)
    account = queries.account_for(order)
    if account is not None and account.session_at(at):
        sync(account=account, at=at, source=source)


# --- The end of the day -----------------------------------------------------------------------------------------------


def is_over(order: BasketOrder, at: datetime) -> bool:
    """Is the day over on which the shares of this journey can trade?"""
    return stock_days.is_over(order.handed_over_at or order.created_at, at)


def end_day(*, order_id: int, at: datetime) -> None:
    """What of a journey is still open after its day is looked at once more; what stays open is a case for a person.

    Shares that were never sent end; after-market orders that wait for the next session go on.
    """
    placing.end_unsent(order_id=order_id, code=placing.NOT_SENT, at=at)
    order = BasketOrder.objects.get(pk=order_id)
    account = queries.account_for(order)
    if account is None or not account.session_at(at):
        trouble = "nobody is logged in at the broker, so it cannot be asked"
    else:
        trouble = _look_at_all(order, account, at)
    left = list(order.lines.filter(state__in=OPEN_STATES).select_related("security"))
    stuck = [line for line in left if not waits_for_a_session(line, at)]
    for line in stuck:
        _left_open(line, trouble or "the broker still lists it as open, or no longer lists it", at)
    _come_back(order_id, at, timedelta(hours=1) if stuck or trouble else timedelta(minutes=1))


def _look_at_all(order: BasketOrder, account: BrokerAccount, at: datetime) -> str:
    """The whole book, then by reference each open share that is not in it. Returns what went wrong, if anything."""
    try:
        sync(account=account, at=at, source="the end of the day", whole=True)
        for line in order.lines.filter(state__in=OPEN_STATES).select_related("security"):
            placing.look(line=line, account=account, at=at)
    except errors.GatewayError as error:
        return f"the broker could not be asked: {type(error).__name__}"
    return ""


def waits_for_a_session(line: StockOrder, at: datetime) -> bool:
    """Does it trade only later? After-market orders are placed in the evening, for the next day of the market."""
    if not line.is_after_market:
        return False
    placed = (line.placed_at or line.created_at).astimezone(IST)
    trades_on = calendar.next_business_day(placed.date(), schemes.holidays())
    return at < stock_days.settled_by(trades_on)


def _left_open(line: StockOrder, why: str, at: datetime) -> None:
    cases.open_case(
        kind=LEFT_OPEN_CASE,
        subject=line,
        title=f"{line.code} is still open after the exchange's day",
        detail=f"{line.get_side_display()} {line.quantity} {line.security.symbol}: {why}. Compare with the broker.",
        at=at,
    )


def _come_back(order_id: int, at: datetime, after: timedelta) -> None:
    with transaction.atomic():
        order = stock_news.locked(order_id)
        if order.state not in lifecycle.BASKET_ORDER.final:
            order.due_at = at + after
            order.save(update_fields=["due_at"])
