"""News about orders in shares: the one door through which everything that a broker says becomes true here.

A webhook, a poll, the SDK's return and an operator's refresh all end in `absorb`. Each line is judged by the table in
`orders/lifecycle.py`; the journey follows from its lines. Shares that were filled stay filled, whatever came first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from orders import lifecycle
from orders.models import BasketOrder, StockOrder
from orders.operations import stock_changes, stock_notices
from orders.stock_snapshots import BasketSnapshot, LineSnapshot
from portal import audit, cases
from portal.attempts import ATTEMPT_FIELDS
from portal.lifecycle import Verdict
from portal.models import User

CONFLICT_CASE = "stock_news_conflict"
ACCOUNT_CASE = "broker_account_changed"
# Seconds until somebody asks the broker again, by state of the journey.
PACE_S = {lifecycle.CREATED: 60.0, lifecycle.HANDED_OVER: 60.0, lifecycle.PLACED: 60.0}
_LINE_FIELDS = (
    "state state_since filled average_price provider_ref exchange_ref failure_code failure_text sequence placed_at"
    " final_at due_at"
).split()
FINAL = lifecycle.STOCK_ORDER.final
# A book that was read before a change was recorded is taken in at most so long after it.
A_READING = timedelta(minutes=1)


def locked(order_id: int) -> BasketOrder:
    """The journey, locked and fresh."""
    return BasketOrder.objects.select_for_update(of=("self",)).select_related("investor").get(pk=order_id)


def absorb(*, order_id: int, snapshot: BasketSnapshot, at: datetime, source: str) -> None:
    """Judge what a broker says about a journey and its lines, and make it true here.

    Whatever contradicts what we hold (another account, a share that was not asked for, more shares than asked) becomes
    a case and moves nothing of the line that it is about.
    """
    with transaction.atomic(durable=True):
        absorb_within(locked(order_id), snapshot, at=at, source=source)


def absorb_within(order: BasketOrder, snapshot: BasketSnapshot, *, at: datetime, source: str) -> None:
    """The same for a journey that the caller has locked."""
    if _is_another_account(order, snapshot, at=at):
        return
    _recognise(order, snapshot, at=at)
    lines, others = _lines_told_of(order, snapshot)
    for said in snapshot.lines:
        _absorb_line(order, lines, said, at=at, source=source)
    states = {line.state for line in lines} | others
    if snapshot.ended and states <= {lifecycle.PENDING}:
        end(order, snapshot, at=at)
    else:
        _follow_lines(order, states, at=at, source=source)


def _lines_told_of(order: BasketOrder, snapshot: BasketSnapshot) -> tuple[list[StockOrder], set[str]]:
    """The lines that the news may be about, locked, and the states of the others.

    A broker that tells of one share after the other, by our reference, must not cost every line of a basket each time.
    """
    lines = order.lines.select_for_update(of=("self",)).select_related("security")
    ref = snapshot.lines[0].client_ref if len(snapshot.lines) == 1 else ""
    if not ref:
        return list(lines), set()
    others = order.lines.exclude(client_ref=ref).order_by().values_list("state", flat=True).distinct()
    return list(lines.filter(client_ref=ref)), set(others)


def _is_another_account(order: BasketOrder, snapshot: BasketSnapshot, *, at: datetime) -> bool:
    """Orders of another account than the one this journey went to are nobody's news here."""
    known, said = order.broker_account_ref, snapshot.account_ref
    if not (known and said and known != said):
        return False
    cases.open_case(
        kind=ACCOUNT_CASE,
        subject=order,
        title=f"{order.code}: the broker answers for another account",
        detail="The journey went to one broker account and the answer is about another. Nothing was changed.",
        at=at,
    )
    return True


def _recognise(order: BasketOrder, snapshot: BasketSnapshot, *, at: datetime) -> None:
    changed = {}
    if snapshot.provider_ref and not order.provider_ref:
        changed["provider_ref"] = snapshot.provider_ref
    if snapshot.account_ref and not order.broker_account_ref:
        changed["broker_account_ref"] = snapshot.account_ref
    for name, value in changed.items():
        setattr(order, name, value)
    if changed:
        order.save(update_fields=list(changed))


# --- Lines ----------------------------------------------------------------------------------------------------------


def _absorb_line(order: BasketOrder, lines: list[StockOrder], said: LineSnapshot, *, at: datetime, source: str) -> None:
    line = _line_of(lines, said)
    if line is None:
        _conflict(order, said, f"a line that was not asked for: {said.side} {said.symbol}", at=at)
        return
    if said.quantity != line.quantity and _is_about_a_change(line, said, at=at):
        return
    if wrong := _contradiction(line, said):
        _conflict(order, said, wrong, at=at)
        return
    if said.sequence and said.sequence < line.sequence:
        return
    verdict = lifecycle.STOCK_ORDER.judge(line.state, said.state) if said.state else Verdict.REPEAT
    if verdict == Verdict.CONFLICT:
        _conflict(order, said, f"{line.code} is {line.state}, the broker says {said.their_word}", at=at)
        return
    _write_line(line, said, verdict, at=at, source=source)


def _line_of(lines: list[StockOrder], said: LineSnapshot) -> StockOrder | None:
    if said.client_ref:
        return next((line for line in lines if line.client_ref == said.client_ref), None)
    return next((line for line in lines if (line.security.symbol, line.side) == (said.symbol, said.side)), None)


def _is_about_a_change(line: StockOrder, said: LineSnapshot, *, at: datetime) -> bool:
    """News of another number of shares, where the investor asked for another one. True for what was read before it."""
    if stock_changes.take_quantity(line, said.quantity, at=at):
        return False
    lately = at - A_READING
    return line.changes.filter(state=lifecycle.DONE, quantity=line.quantity, state_since__gt=lately).exists()


def _contradiction(line: StockOrder, said: LineSnapshot) -> str:
    """What cannot be about this line; empty when nothing."""
    checks = (
        (said.quantity != line.quantity, f"another quantity of {said.symbol}: {said.quantity}, not {line.quantity}"),
        (said.filled > line.quantity, f"more of {said.symbol} filled than was asked for: {said.filled}"),
        (
            said.state == lifecycle.FILLED and said.filled != line.quantity,
            f"{said.symbol} filled, but only {said.filled} of {line.quantity}",
        ),
        (said.filled and not said.average_price and not line.average_price, f"{said.symbol} filled at no price"),
    )
    return next((words for wrong, words in checks if wrong), "")


def _write_line(line: StockOrder, said: LineSnapshot, verdict: Verdict, *, at: datetime, source: str) -> None:
    was, grew, before = line.state, said.filled > line.filled, _written(line)
    if grew:
        line.filled, line.average_price = said.filled, said.average_price or line.average_price
    line.sequence = max(line.sequence, said.sequence)
    line.provider_ref = said.provider_ref or line.provider_ref
    line.exchange_ref = said.exchange_ref or line.exchange_ref
    if verdict == Verdict.APPLY and said.state:
        line.state, line.state_since = said.state, at
        line.failure_code, line.failure_text = said.failure_code[:60], said.failure_text[:500]
        line.placed_at = line.placed_at or at
        line.final_at = at if said.state in FINAL else None
    if line.state in FINAL or (line.attempt and line.state != lifecycle.PENDING):
        # The broker has it, so what became of our attempt is known.
        line.close_attempt()
        line.due_at = None
    if _written(line) != before:
        # A book is read again and again, and most of its lines say what they said before.
        line.save(update_fields=[*_LINE_FIELDS, *ATTEMPT_FIELDS])
    if line.state in FINAL and line.state != was:
        stock_changes.follow(line, at=at)
    if line.state != was or grew:
        audit.record(line, f"stock.{line.state.lower()}", actor=None, at=at, source=source, filled=line.filled, was=was)


def _written(line: StockOrder) -> list[object]:
    return [getattr(line, name) for name in (*_LINE_FIELDS, *ATTEMPT_FIELDS)]


def _conflict(order: BasketOrder, said: LineSnapshot, what: str, *, at: datetime) -> None:
    cases.open_case(
        kind=CONFLICT_CASE,
        subject=order,
        title=f"{order.code}: the broker says something that cannot be",
        detail=f"{what}. Their word: {said.their_word}. Nothing was changed.",
        at=at,
    )


# --- The journey ----------------------------------------------------------------------------------------------------


def _follow_lines(order: BasketOrder, states: set[str], *, at: datetime, source: str) -> None:
    """The journey is placed with its first line and complete with its last; `states` are those of all its lines."""
    if states <= FINAL and order.state not in lifecycle.BASKET_ORDER.final:
        lines = list(order.lines.select_related("security"))
        if order.state != lifecycle.PLACED:
            move_to(order, lifecycle.PLACED, at=at, actor=None, source=source)
        move_to(order, lifecycle.COMPLETE, at=at, actor=None, source=source, filled=sum(each.filled for each in lines))
        stock_notices.tell_done(order, lines, at=at)
    elif states != {lifecycle.PENDING} and order.state in (lifecycle.CREATED, lifecycle.HANDED_OVER):
        move_to(order, lifecycle.PLACED, at=at, actor=None, source=source)


def end(order: BasketOrder, snapshot: BasketSnapshot, *, at: datetime) -> None:
    """The locked journey came to nothing: nothing was placed, and every line ends with it."""
    ended = snapshot.ended or lifecycle.CANCELLED
    if lifecycle.BASKET_ORDER.judge(order.state, ended) != Verdict.APPLY:
        return
    order.failure_code, order.failure_text = snapshot.failure_code[:60], snapshot.failure_text[:500]
    order.save(update_fields=["failure_code", "failure_text"])
    move_to(order, ended, at=at, actor=None, code=snapshot.failure_code)
    for line in order.lines.select_for_update(of=("self",)).filter(state=lifecycle.PENDING):
        line.state, line.state_since, line.final_at, line.due_at = lifecycle.CANCELLED, at, at, None
        line.close_attempt()
        line.save(update_fields=[*_LINE_FIELDS, *ATTEMPT_FIELDS])


def move_to(order: BasketOrder, state: str, *, at: datetime, actor: User | str | None, **data: object) -> None:
    """The locked journey is in `state`, with an audit entry that names skipped steps, and the next look is set."""
    was = order.state
    way = lifecycle.BASKET_ORDER.path(was, state)
    if not way:
        raise ValueError(f"no way from {was} to {state}")
    order.state, order.state_since = state, at
    if state == lifecycle.HANDED_OVER or lifecycle.HANDED_OVER in way:
        order.handed_over_at = order.handed_over_at or at
    pace = PACE_S.get(state)
    order.due_at = at + timedelta(seconds=pace) if pace else None
    order.close_attempt()
    order.save(update_fields=["state", "state_since", "handed_over_at", *ATTEMPT_FIELDS])
    audit.record(order, f"basket.{state.lower()}", actor=actor, at=at, was=was, skipped=list(way[:-1]), data=data)
