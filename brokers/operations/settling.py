"""A share order of which nobody could learn the end: staff settle it by the broker's evidence, two of them.

    look      ask the broker once more, now
    ask       what the evidence shows is on record and waits for a second person
    approve   somebody else agrees: it is judged like the broker's own news
    decline   it changes nothing

Only where we place shares ourselves, and only once the look-ups have had their time: sent, and unknown for longer than
our patience, or still open after the day on which it could trade.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from brokers import queries, registry
from brokers.models import ShareSettlement
from brokers.operations import placing, syncing
from orders import lifecycle
from orders.models import StockOrder
from orders.operations import baskets, stock_news
from orders.stock_snapshots import BasketSnapshot, LineSnapshot
from portal import audit, cases
from portal.errors import Failure
from portal.models import User

APPROVAL_CASE = "approval_share_settlement"
BY_EVIDENCE, SETTLED = "by the broker's evidence", "settled_by_evidence"
WAITING = ShareSettlement.State.WAITING


class NotStuck(Failure):
    """Raised for a share order that is over, or that the background work still looks up."""

    code = "not_stuck"
    message = "This order is over, or its broker is still being asked. Nothing is settled by hand."


class Impossible(Failure):
    """Raised for evidence that cannot be about this order."""

    code = "impossible_evidence"


class SecondPersonNeeded(Failure):
    """Raised when whoever asked also approves, or whose order it is."""

    code = "second_person"
    message = "Somebody else has to approve it: you asked for this, or the order is yours."


class NothingWaits(Failure):
    """Raised when nobody has asked, or somebody was faster."""

    code = "nothing_waits"
    message = "Nothing waits for a second person here. Perhaps it was decided already."


def is_stuck(line: StockOrder, at: datetime) -> bool:
    """Is it time for a person to settle this order?"""
    if line.state in stock_news.FINAL or registry.native(line.basket_order.broker) is None:
        return False
    if line.is_unknown:
        return line.out_of_patience(at)
    was_sent = line.state != lifecycle.PENDING
    return was_sent and syncing.is_over(line.basket_order, at) and not syncing.waits_for_a_session(line, at)


def may_look(line: StockOrder) -> bool:
    """Is the order open at a broker that can be asked?"""
    sent = line.state != lifecycle.PENDING or line.is_unknown
    return sent and line.state not in stock_news.FINAL and registry.native(line.basket_order.broker) is not None


def look(*, line_id: int, actor: User, reason: str, at: datetime) -> StockOrder:
    """The broker is asked now. Raises NoSession while the investor is not logged in there, and the gateway errors."""
    line = StockOrder.objects.select_related("basket_order__investor", "security").get(pk=line_id)
    account = placing.check(queries.account_for(line.basket_order), at)
    with transaction.atomic():
        audit.record(line, "stock.looked_up", actor=actor, at=at, reason=reason)
    placing.look(line=line, account=account, at=at)
    line.refresh_from_db()
    return line


def waiting(line: StockOrder) -> ShareSettlement | None:
    """What waits for a second person; None when nothing does."""
    return line.settlements.filter(state=WAITING).select_related("asked_by").first()


def ask(
    *,
    line_id: int,
    order_number: str,
    filled: int,
    price: Decimal | None,
    actor: User,
    reason: str,
    at: datetime,
) -> ShareSettlement:
    """What the evidence shows waits for a second person. Raises NotStuck and Impossible."""
    with transaction.atomic(durable=True):
        line = _stuck(line_id, at)
        _must_be_possible(line, order_number, filled, price)
        if waiting(line):
            raise Impossible("What somebody else saw waits already. It is approved or declined first.")
        asked = ShareSettlement.objects.create(
            investor_id=line.investor_id, stock_order=line, order_number=order_number, filled=filled, price=price,
            evidence=reason, asked_by=actor, asked_at=at,
        )  # fmt: skip
        audit.record(line, "stock.settlement_asked", actor=actor, at=at, reason=reason, shows=str(asked))
        title = f"Approve how share order {line.code} ended"
        cases.open_case(kind=APPROVAL_CASE, subject=line, title=title, detail=f"{asked} {reason}", at=at)
    return asked


def _stuck(line_id: int, at: datetime) -> StockOrder:
    found = StockOrder.objects.select_for_update(of=("self",)).select_related("security", "basket_order")
    line = found.get(pk=line_id)
    if not is_stuck(line, at):
        raise NotStuck
    return line


def _must_be_possible(line: StockOrder, order_number: str, filled: int, price: Decimal | None) -> None:
    if filled > line.quantity:
        raise Impossible(f"The order was for {line.quantity} shares; {filled} cannot have been executed.")
    if filled < line.filled:
        raise Impossible(f"The broker has told us of {line.filled} executed shares already.")
    if not order_number and (filled or line.state != lifecycle.PENDING):
        raise Impossible("The broker has this order: give its number.")
    if bool(filled) != bool(price):
        raise Impossible("Give the average price of what was executed, and no price where nothing was.")


def approve(*, line_id: int, actor: User, reason: str, at: datetime) -> StockOrder:
    """The order ended as the evidence shows. Raises NothingWaits, SecondPersonNeeded and NotStuck.

    Judged like news: should the broker still tell otherwise, that becomes a case and overwrites nothing.
    """
    with transaction.atomic(durable=True):
        order_id = StockOrder.objects.values_list("basket_order_id", flat=True).get(pk=line_id)
        order = stock_news.locked(order_id)
        line = _stuck(line_id, at)
        asked = _decide(line, ShareSettlement.State.APPROVED, actor=actor, reason=reason, at=at)
        said = BasketSnapshot(their_word=BY_EVIDENCE, lines=(_evident(line, asked),))
        stock_news.absorb_within(order, said, at=at, source=BY_EVIDENCE)
        if asked.filled:
            baskets.subscribe(order=order, at=at)
        kinds = (StockOrder.unknown_case(), syncing.LEFT_OPEN_CASE)
        cases.close_cases(subject=line, kinds=kinds, resolution=f"Settled {BY_EVIDENCE}.", at=at)
    line.refresh_from_db()
    return line


def decline(*, line_id: int, actor: User, reason: str, at: datetime) -> None:
    """It changes nothing, and other evidence may be entered. Raises NothingWaits."""
    with transaction.atomic():
        line = StockOrder.objects.select_for_update(of=("self",)).get(pk=line_id)
        _decide(line, ShareSettlement.State.DECLINED, actor=actor, reason=reason, at=at)


def _decide(line: StockOrder, state: str, *, actor: User, reason: str, at: datetime) -> ShareSettlement:
    asked = waiting(line)
    if asked is None:
        raise NothingWaits
    if state == ShareSettlement.State.APPROVED and actor.pk in (asked.asked_by_id, line.investor.user_id):
        raise SecondPersonNeeded
    asked.state, asked.decided_by, asked.decided_at = state, actor, at
    asked.save(update_fields=["state", "decided_by", "decided_at"])
    audit.record(line, f"stock.settlement_{state.lower()}", actor=actor, at=at, reason=reason, shows=str(asked))
    cases.close_cases(subject=line, kinds=(APPROVAL_CASE,), resolution=f"{state.capitalize()}: {reason}", at=at)
    return asked


def _evident(line: StockOrder, asked: ShareSettlement) -> LineSnapshot:
    state = lifecycle.FILLED if asked.filled == line.quantity else lifecycle.CANCELLED
    code = "" if state == lifecycle.FILLED else SETTLED if asked.order_number else placing.NOT_RECEIVED
    return LineSnapshot(
        symbol=line.security.symbol,
        side=line.side,
        state=state,
        their_word=BY_EVIDENCE,
        quantity=line.quantity,
        filled=asked.filled,
        average_price=asked.price,
        exchange_ref=line.exchange_ref or asked.order_number,
        client_ref=line.client_ref,
        failure_code=code,
    )
