"""Placing the shares of a journey one by one, where no page of the broker does it. Resumable at any share.

    place_next   claim the next share that was not sent, commit, call under its own reference, record
    settle       the answer about a share was lost: look it up (status, then book); it is never sent again blindly
    advance      what a due share needs

A share that was sent once is found, or proven absent, before anything else happens to it: absent from the order status
and the whole book for `ABSENT_AFTER` it has not arrived, ends as such, and can be ordered again by the investor. Only
the books of the day on which it was sent prove that; later it stays unknown, and is a case for a person. What
5paisa certainly did not take (nothing sent, asked to slow down, the session refused) is tried again, after a look.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet

from brokers import queries, registry
from brokers.models import BrokerAccount
from brokers.native import NativeAdapter, NoSession
from brokers.operations import accounts, endings
from orders import lifecycle, stock_days
from orders.models import BasketOrder, StockOrder
from orders.operations import stock_news, stock_notices
from orders.stock_snapshots import BasketSnapshot, LineSnapshot
from portal import audit, cases, gates, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.clock import IST
from portal.gateway import errors, journal

log = structlog.get_logger(__name__)
# Absent from every list for so long after it was sent: it has not arrived (P4 looks nine times until then).
ABSENT_AFTER = timedelta(minutes=5)
RETRY_S = 10.0
TWICE_CASE = "stock_order_placed_twice"
NOT_SENT, NOT_RECEIVED, CLOSED = "not_sent", "not_received", "market_closed"
# What the address of a call that sends a share has in it.
SENDING = "PlaceOrder"
PENDING, NONE = lifecycle.PENDING, StockOrder.Outcome.NONE


def begin(*, order_id: int, at: datetime, after_market: bool | None = None) -> None:
    """Every share of the journey that was not sent is due now.

    `after_market` says of all of them whether they wait for the next session, whatever was chosen earlier; None leaves
    each as its ticket has it. An order that is immediate or nothing never waits.
    """
    with transaction.atomic():
        stock_news.locked(order_id)
        _unsent(order_id).update(due_at=at)
        if after_market is not None:
            _unsent(order_id).filter(is_immediate=False).update(is_after_market=after_market)
        jobs.nudge("brokers.place", row_id=order_id)


def _unsent(order_id: int) -> QuerySet[StockOrder]:
    return StockOrder.objects.filter(basket_order_id=order_id, state=PENDING, attempt=NONE)


def place_all(*, order_id: int, now: Callable[[], datetime]) -> None:
    """Every share that can be sent now, in the order of the journey: sells come first and bring the money."""
    while place_next(order_id=order_id, at=now()):
        pass


def place_next(*, order_id: int, at: datetime) -> bool:
    """One share more is at the broker, or its row says what must happen next. False when the rest has to wait.

    Raises gates.GateClosed; then nothing was sent and the shares wait.
    """
    claimed = _claim(order_id, at)
    if claimed is None:
        return False
    line, account, adapter = claimed
    try:
        # Before anything is sent a second time, the broker is asked whether it has the first.
        found = adapter.find(line, account) if line.attempt_no > 1 else []
    except errors.GatewayError as error:
        return _not_sent(line, account, error, at)
    if found:
        _record(line, account, found, at=at, source="look before sending again")
        return True
    try:
        taken = adapter.place(line, account)
    except errors.GatewayError as error:
        return _record_trouble(line, account, adapter, error, at)
    _record(line, account, [taken], at=at, source="answer to our order")
    return True


def _claim(order_id: int, at: datetime) -> tuple[StockOrder, BrokerAccount, NativeAdapter] | None:
    with transaction.atomic(durable=True):
        order = stock_news.locked(order_id)
        adapter = registry.native(order.broker)
        waiting = order.lines.filter(state=PENDING)
        unsent = waiting.filter(attempt=NONE).select_for_update(of=("self",)).select_related("security")
        line = unsent.order_by("id").first()
        if adapter is None or order.state not in (lifecycle.HANDED_OVER, lifecycle.PLACED) or line is None:
            return None
        gates.check(order.broker)
        if stock_days.is_over(order.handed_over_at or order.created_at, at):
            _end_unsent(order, NOT_SENT, at)
            return None
        account = queries.account_for(order)
        if account is None or not account.session_at(at):
            _wait_for_login(order, at)
            return None
        if waiting.filter(attempt=StockOrder.Outcome.OPEN).exclude(lease_until__lte=at).exists():
            # Somebody else is sending a share of this journey.
            return None
        if line.due_at and line.due_at > at:
            return None
        line.open_attempt(at)
        line.save(update_fields=[*ATTEMPT_FIELDS])
    return line, account, adapter


def _wait_for_login(order: BasketOrder, at: datetime) -> None:
    """Nothing can be sent: the shares wait for the investor, who is told once, and end with the day."""
    until = stock_days.ends_at(order.handed_over_at or at)
    unsent = _unsent(order.pk).exclude(due_at=until).update(due_at=until)
    if unsent:
        lines = list(order.lines.select_related("security").order_by("id"))
        stock_notices.tell_waits(order, lines, unsent=unsent, at=at)


def end_unsent(*, order_id: int, code: str, at: datetime) -> None:
    """The shares that were never sent will not be sent any more."""
    with transaction.atomic():
        _end_unsent(stock_news.locked(order_id), code, at)


def _end_unsent(order: BasketOrder, code: str, at: datetime) -> None:
    lines = list(_unsent(order.pk).select_related("security"))
    if lines:
        said = tuple(_ended(line, code) for line in lines)
        stock_news.absorb_within(order, BasketSnapshot(their_word=code, lines=said), at=at, source="not sent")


def _ended(line: StockOrder, code: str, text: str = "", state: str = lifecycle.CANCELLED) -> LineSnapshot:
    return LineSnapshot(
        symbol=line.security.symbol,
        side=line.side,
        state=state,
        their_word=code,
        quantity=line.quantity,
        client_ref=line.client_ref,
        failure_code=code,
        failure_text=text,
    )


# --- Recording --------------------------------------------------------------------------------------------------------


def _record(line: StockOrder, account: BrokerAccount, found: list[LineSnapshot], *, at: datetime, source: str) -> None:
    the_one = only_one(line, found, at=at)
    said = BasketSnapshot(their_word=the_one.their_word, account_ref=account.account_ref, lines=(the_one,))
    stock_news.absorb(order_id=line.basket_order_id, snapshot=said, at=at, source=source)


def only_one(line: StockOrder, found: list[LineSnapshot], *, at: datetime) -> LineSnapshot:
    """Of the orders that a broker has under a share's reference the one that counts; two that live are a case.

    What was refused without an execution is no second order. Of several the one that we know by its number counts.
    """
    lives = [each for each in found if each.filled or each.state not in (lifecycle.REJECTED, lifecycle.CANCELLED)]
    if len(lives) > 1:
        cases.open_case(
            kind=TWICE_CASE,
            subject=line,
            title=f"{line.code}: the broker has {len(lives)} orders under one reference",
            detail=f"{line.side} {line.quantity} {line.security.symbol} was placed more than once. One of them is "
            "shown; settle the others with the broker.",
            at=at,
        )
    known = [each for each in lives if line.exchange_ref and each.exchange_ref == line.exchange_ref]
    return [*known, *lives, *found][0]


def _record_trouble(
    line: StockOrder, account: BrokerAccount, adapter: NativeAdapter, error: errors.GatewayError, at: datetime
) -> bool:
    """What an attempt that brought no order number means. Returns whether the next share may be sent."""
    if isinstance(error, errors.Refused):
        return _refused(line, account, adapter, error, at)
    if isinstance(error, (*errors.NOT_TAKEN, errors.NotAuthorised)):
        return _not_sent(line, account, error, at)
    endings.unknown(SHARE, line, why=type(error).__name__, at=at)
    return True


def _refused(
    line: StockOrder, account: BrokerAccount, adapter: NativeAdapter, error: errors.Refused, at: datetime
) -> bool:
    """Refused, unless the order status says otherwise: a look costs one read."""
    try:
        found = adapter.find(line, account)
    except errors.GatewayError as trouble:
        log.warning("refusal_not_looked_up", line=line.code, error=type(trouble).__name__)
        found = []
    code = adapter.reason(error.said, error.code)
    if not found or found[0].state == lifecycle.REJECTED:
        found = [_ended(line, code, error.said, lifecycle.REJECTED)]
    _record(line, account, found, at=at, source="answer to our order")
    if code == CLOSED:
        # Each of the others would be refused for the same reason.
        end_unsent(order_id=line.basket_order_id, code=CLOSED, at=at)
    return code != CLOSED


def _not_sent(line: StockOrder, account: BrokerAccount, error: errors.GatewayError, at: datetime) -> bool:
    """Nothing was taken: the share waits, for a moment or for the investor's next login."""
    wait = error.retry_after_s if isinstance(error, errors.Throttled) else RETRY_S
    with transaction.atomic(durable=True):
        order = stock_news.locked(line.basket_order_id)
        again = _locked(line.pk)
        if endings.still_open(again, line):
            endings.release(again, due_at=at + timedelta(seconds=wait))
            audit.record(again, "stock.not_sent", actor=None, at=at, why=type(error).__name__)
        if isinstance(error, errors.NotAuthorised):
            _wait_for_login(order, at)
        else:
            jobs.nudge("brokers.place", row_id=order.pk, delay_s=wait)
    if isinstance(error, errors.NotAuthorised):
        accounts.end_session(account=account, at=at)
    return False


def _locked(line_id: int) -> StockOrder:
    return StockOrder.objects.select_for_update(of=("self",)).select_related("security", "investor").get(pk=line_id)


SHARE = endings.Sent(
    locked=_locked,
    task="brokers.line",
    title=lambda line: f"Share order {line.code}: nobody knows whether the broker has it",
    detail="Compare with the broker's order book of the day.",
)


# --- Looking up what was sent -----------------------------------------------------------------------------------------


def settle(*, line_id: int, at: datetime) -> None:
    """A share whose answer was lost is found, or has certainly not arrived; else it is looked up again.

    Raises the gateway error of a look that failed, after the row has been set up for the next one.
    """
    line = _take_over(line_id, at)
    if line is None:
        return
    order = line.basket_order
    account, adapter = queries.account_for(order), registry.native(order.broker)
    if account is None or adapter is None or not account.session_at(at):
        _still_unknown(line_id, at, "nobody is logged in at the broker")
        return
    try:
        found = adapter.find(line, account)
    except errors.GatewayError as error:
        _still_unknown(line_id, at, f"the last look failed: {type(error).__name__}")
        if isinstance(error, errors.NotAuthorised):
            accounts.end_session(account=account, at=at)
        raise
    if found:
        _record(line, account, found, at=at, source="look-up by our reference")
    elif not _was_sent_today(line, at):
        _still_unknown(line_id, at, "it was sent on an earlier day, and the broker's books are those of the day")
    elif line.unknown_since and at - line.unknown_since >= ABSENT_AFTER:
        said = _ended(line, NOT_RECEIVED, "neither the order status nor the order book has it")
        _record(line, account, [said], at=at, source="look-up by our reference")
    else:
        _still_unknown(line_id, at, "looks by our reference found nothing so far")


def _was_sent_today(line: StockOrder, at: datetime) -> bool:
    """Can the books of today tell that it has not arrived? What an earlier day executed is in none of them."""
    sent_at = journal.begun_at(line, line.attempt_no, SENDING)
    return sent_at is not None and sent_at.astimezone(IST).date() == at.astimezone(IST).date()


def look(*, line: StockOrder, account: BrokerAccount, at: datetime) -> None:
    """What the broker has under the reference of an open share is taken in. Raises the gateway errors of a read."""
    if line.state == PENDING:
        settle(line_id=line.pk, at=at)
        return
    found = registry.NATIVE[account.broker].find(line, account)
    if found:
        _record(line, account, found, at=at, source="look-up by our reference")


def _take_over(line_id: int, at: datetime) -> StockOrder | None:
    """The row of an unknown attempt. Where the worker died, the journal tells: without a row no byte has left."""
    with transaction.atomic(durable=True):
        line = _locked(line_id)
        if line.lease_ran_out(at):
            if not journal.was_begun(line, line.attempt_no, SENDING):
                endings.release(line, due_at=at)
                audit.record(line, "stock.not_sent", actor=None, at=at, why="the worker stopped before sending")
                jobs.nudge("brokers.place", row_id=line.basket_order_id)
                return None
            endings.mark_unknown(SHARE, line, why="the worker stopped", at=at)
        return line if line.is_unknown else None


def _still_unknown(line_id: int, at: datetime, why: str) -> None:
    endings.still_unknown(SHARE, line_id, why=why, at=at)


def advance(*, line_id: int, now: Callable[[], datetime]) -> None:
    """Do what the row of a share says remains to be done."""
    line = StockOrder.objects.only("state", "basket_order_id", *ATTEMPT_FIELDS).get(pk=line_id)
    if line.state != PENDING:
        StockOrder.objects.filter(pk=line_id).exclude(state=PENDING).update(due_at=None)
    elif line.attempt == NONE:
        # Whoever found the row due has moved it on, so that nobody else finds it meanwhile.
        StockOrder.objects.filter(pk=line_id, state=PENDING, attempt=NONE).update(due_at=now())
        place_all(order_id=line.basket_order_id, now=now)
    else:
        settle(line_id=line_id, at=now())


def check(account: BrokerAccount | None, at: datetime) -> BrokerAccount:
    """The account, in which the investor is logged in at the broker. Raises NoSession."""
    if account is None or not account.session_at(at):
        raise NoSession
    return account
