"""Sending an instruction about an open share to its broker: change it, or cancel it.

    submit    claim, commit, call, record
    settle    the answer was lost: read the book. Where the share has the numbers, or is over, the outcome is known

The numbers of an instruction are what the order shall be afterwards. So one that the book shows not to have arrived is
sent again, a few times: that cannot change more than once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from brokers import queries, registry
from brokers.models import BrokerAccount
from brokers.native import Booked
from brokers.operations import accounts, endings, syncing
from orders import lifecycle
from orders.models import StockChange
from orders.operations import stock_changes
from portal import gates, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.gateway import errors

log = structlog.get_logger(__name__)
NO_SESSION, NOT_TAKEN_IN = "log_in_first", "not_taken_in"
RETRY_S = 10.0
MOST_TRIES = 5
INSTRUCTION = endings.Sent(
    locked=stock_changes.locked,
    task="brokers.change",
    title=lambda change: f"{change.code}: nobody knows whether the broker has the {change.get_kind_display()}",
    detail="Compare the order that it is about with the broker's order book of the day.",
)


def submit(*, change_id: int, at: datetime) -> None:
    """The broker has the instruction, or its row says what must happen next. Raises gates.GateClosed."""
    claimed = _claim(change_id, at)
    if claimed is None:
        return
    change, account = claimed
    try:
        registry.NATIVE[account.broker].change(change, account)
    except errors.GatewayError as error:
        _trouble(change, account, error, at)
        return
    _close(change_id, done=True, at=at)
    jobs.nudge("brokers.advance", row_id=change.stock_order.basket_order_id)


def _claim(change_id: int, at: datetime) -> tuple[StockChange, BrokerAccount] | None:
    with transaction.atomic(durable=True):
        change = stock_changes.locked(change_id)
        if change.state != lifecycle.SUBMITTING or change.attempt != StockChange.Outcome.NONE:
            return None
        order = change.stock_order.basket_order
        gates.check(order.broker)
        account = queries.account_for(order)
        if account is None or not account.session_at(at):
            stock_changes.close(change=change, done=False, at=at, code=NO_SESSION)
            return None
        change.open_attempt(at)
        change.save(update_fields=[*ATTEMPT_FIELDS])
    return change, account


def _trouble(change: StockChange, account: BrokerAccount, error: errors.GatewayError, at: datetime) -> None:
    if isinstance(error, errors.Refused):
        _refused(change, account, error, at)
    elif isinstance(error, errors.NotAuthorised):
        accounts.end_session(account=account, at=at)
        _close(change.pk, done=False, at=at, code=NO_SESSION)
    elif isinstance(error, errors.NOT_TAKEN):
        _again(change, at=at, wait_s=RETRY_S)
    else:
        endings.unknown(INSTRUCTION, change, why=type(error).__name__, at=at)


def _refused(change: StockChange, account: BrokerAccount, error: errors.Refused, at: datetime) -> None:
    """Not done, unless the book says that it was: a look costs one read, and closes what has come true."""
    try:
        read = syncing.sync(account=account, at=at, source="look after a refusal", whole=True)
    except errors.GatewayError as trouble:
        log.warning("refusal_not_looked_up", change=change.code, error=type(trouble).__name__)
        read = []
    booked = _booked(read, change)
    done = booked is not None and _has_numbers(change, booked)
    _close(change.pk, done=done, at=at, code="" if done else error.code, text="" if done else error.said)


def _booked(read: Iterable[Booked], change: StockChange) -> Booked | None:
    return next((each for each in read if each.line.client_ref == change.stock_order.client_ref), None)


def _close(change_id: int, *, done: bool, at: datetime, code: str = "", text: str = "") -> None:
    with transaction.atomic(durable=True):
        stock_changes.close(change=stock_changes.locked(change_id), done=done, at=at, code=code, text=text)


def _again(sent: StockChange, *, at: datetime, wait_s: float) -> None:
    """Nothing of this attempt has arrived: it is sent again, unless that was tried often enough."""
    with transaction.atomic(durable=True):
        change = stock_changes.locked(sent.pk)
        if change.state != lifecycle.SUBMITTING or not change.holds(sent.attempt_no):
            return
        if change.attempt_no >= MOST_TRIES:
            stock_changes.close(change=change, done=False, at=at, code=NOT_TAKEN_IN)
        else:
            endings.release(change, due_at=at + timedelta(seconds=wait_s))


def settle(*, change_id: int, at: datetime) -> None:
    """The book tells what became of an instruction whose answer was lost. Raises the gateway errors of a read."""
    change = _take_over(change_id, at)
    if change is None:
        return
    order = change.stock_order.basket_order
    account = queries.account_for(order)
    if account is None or not account.session_at(at):
        endings.still_unknown(INSTRUCTION, change_id, why="nobody is logged in at the broker", at=at)
        return
    try:
        read = syncing.sync(account=account, at=at, source="look for a change", whole=True)
    except errors.GatewayError as error:
        why = f"the last look failed: {type(error).__name__}"
        endings.still_unknown(INSTRUCTION, change_id, why=why, at=at)
        raise
    booked = _booked(read, change)
    if booked is None:
        endings.still_unknown(INSTRUCTION, change_id, why="the broker's book does not have the order", at=at)
    elif _has_numbers(change, booked):
        _close(change_id, done=True, at=at)
    else:
        _again(change, at=at, wait_s=0)


def _has_numbers(change: StockChange, booked: Booked) -> bool:
    """Is the order as the change wants it? Of one that is over, `stock_changes.follow` has told already."""
    if change.kind == StockChange.Kind.CANCEL:
        return False
    same_price = (booked.price or 0) == (change.price or 0)
    return same_price and booked.line.quantity == change.quantity and (booked.trigger or 0) == (change.trigger or 0)


def _take_over(change_id: int, at: datetime) -> StockChange | None:
    with transaction.atomic(durable=True):
        change = stock_changes.locked(change_id)
        if change.lease_ran_out(at):
            endings.mark_unknown(INSTRUCTION, change, why="the worker stopped", at=at)
        return change if change.is_unknown and change.state == lifecycle.SUBMITTING else None


def advance(*, change_id: int, at: datetime) -> None:
    """Do what the row of an instruction says remains to be done."""
    change = StockChange.objects.only("state", *ATTEMPT_FIELDS).get(pk=change_id)
    if change.state != lifecycle.SUBMITTING:
        StockChange.objects.filter(pk=change_id).update(due_at=None)
    elif change.attempt == StockChange.Outcome.NONE:
        submit(change_id=change_id, at=at)
    else:
        settle(change_id=change_id, at=at)
