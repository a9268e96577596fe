"""Instructions about a share that is open at the broker: other numbers, or the end of it.

ask      the investor's instruction is on record, once per form; it is sent by whoever speaks to the broker
close    what became of it: done (the share has the new numbers) or not, with the reason
follow   the share came to its end meanwhile: a cancellation is done, anything else came too late
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from investors.models import Investor
from orders import lifecycle
from orders.models import StockChange, StockOrder
from portal import audit
from portal.attempts import ATTEMPT_FIELDS
from portal.errors import Failure, InvalidInput

OPEN = (lifecycle.PLACED, lifecycle.PARTLY_FILLED)
TOO_LATE = "too_late"
PACE_S = {lifecycle.SUBMITTING: 60.0}


class NotOpen(Failure):
    """Raised for a share that the exchange does not have open under a number."""

    code = "not_open"
    message = "This order is no longer open at the exchange, or has no exchange number yet. Nothing was changed."


class ChangeUnderWay(Failure):
    """Raised while an earlier instruction about the same share is on its way."""

    code = "change_under_way"
    message = "An earlier change of this order is still on its way. Wait until its outcome is known."


def ask(
    *,
    investor: Investor,
    line_code: str,
    kind: str,
    form_ref: str,
    at: datetime,
    quantity: int | None = None,
    price: Decimal | None = None,
    trigger: Decimal | None = None,
) -> StockChange:
    """The instruction is on record and due. Raises NotOpen, ChangeUnderWay, InvalidInput for its numbers."""
    with transaction.atomic():
        line = StockOrder.objects.select_for_update().get(investor=investor, code=line_code)
        if known := StockChange.objects.filter(investor=investor, form_ref=form_ref).first():
            return known
        if line.state not in OPEN or not line.exchange_ref:
            raise NotOpen
        if line.changes.filter(state=lifecycle.SUBMITTING).exists():
            raise ChangeUnderWay
        if kind == StockChange.Kind.MODIFY:
            _must_fit(line, quantity, price, trigger)
        change = StockChange.objects.create(
            investor=investor,
            stock_order=line,
            kind=kind,
            quantity=quantity,
            price=price,
            trigger=trigger,
            form_ref=form_ref,
            created_at=at,
            state_since=at,
            due_at=at,
        )
        audit.record(line, "stock.change_asked", actor=investor.user, at=at, kind=kind, quantity=quantity)
    return change


def _must_fit(line: StockOrder, quantity: int | None, price: Decimal | None, trigger: Decimal | None) -> None:
    """The numbers belong to this kind of order. Raises InvalidInput."""
    if not quantity or quantity <= line.filled:
        raise InvalidInput("quantity", f"Enter more than the {line.filled} that were executed already.")
    if bool(price) != (line.kind in (StockOrder.Kind.LIMIT, StockOrder.Kind.STOP_LOSS)):
        raise InvalidInput("price", "Enter the limit price." if not price else "This order has no limit price.")
    if bool(trigger) != line.kind.startswith("STOP"):
        raise InvalidInput("trigger", "Enter the trigger price." if not trigger else "This order has no trigger.")
    if (quantity, price, trigger) == (line.quantity, line.price, line.trigger):
        raise InvalidInput("quantity", "These are the numbers that the order has now.")


def close(*, change: StockChange, done: bool, at: datetime, code: str = "", text: str = "") -> None:
    """The locked instruction is done or failed. A share that was changed has the numbers that were asked for."""
    if change.state != lifecycle.SUBMITTING:
        return
    change.state = lifecycle.DONE if done else lifecycle.FAILED
    change.state_since, change.failure_code, change.failure_text = at, code[:60], text[:500]
    change.close_attempt()
    change.due_at = None
    change.save(update_fields=["state", "state_since", "failure_code", "failure_text", *ATTEMPT_FIELDS])
    line = StockOrder.objects.select_for_update().get(pk=change.stock_order_id)
    if done and change.kind == StockChange.Kind.MODIFY:
        line.quantity = max(change.quantity or line.quantity, line.filled)
        line.price, line.trigger = change.price, change.trigger
        line.save(update_fields=["quantity", "price", "trigger"])
    action = "stock.changed" if done else "stock.not_changed"
    audit.record(line, action, actor=None, at=at, kind=change.kind, code=code, quantity=change.quantity)


def follow(line: StockOrder, *, at: datetime) -> None:
    """The locked share is over: so is the instruction about it that is still open."""
    for change in StockChange.objects.select_for_update().filter(stock_order=line, state=lifecycle.SUBMITTING):
        done = change.kind == StockChange.Kind.CANCEL and line.state == lifecycle.CANCELLED
        close(change=change, done=done, at=at, code="" if done else TOO_LATE)


def take_quantity(line: StockOrder, quantity: int, *, at: datetime) -> bool:
    """Does the broker already show the number of shares that the investor asked for? Then the change is done."""
    asked = StockChange.objects.select_for_update().filter(
        stock_order=line, kind=StockChange.Kind.MODIFY, state=lifecycle.SUBMITTING, quantity=quantity
    )
    change = asked.first()
    if change is None:
        return False
    close(change=change, done=True, at=at)
    line.refresh_from_db(fields=["quantity", "price", "trigger"])
    return True


def locked(change_id: int) -> StockChange:
    """The instruction, locked and fresh, with its share."""
    found = StockChange.objects.select_for_update(of=("self",))
    return found.select_related("stock_order__security", "stock_order__basket_order", "investor").get(pk=change_id)
