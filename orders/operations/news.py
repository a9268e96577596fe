"""News about an order: the one door through which everything that FP says becomes true here.

A poll, a look-up, an answer to our own call, the investor's return and an operator's refresh all end in `absorb`. It
judges by the table in `orders/lifecycle.py` and does the duties of every step that the news implies.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.db import transaction

from orders import lifecycle, redemption_rules
from orders.gateway import OrderSnapshot
from orders.models import MfOrder, Plan
from orders.operations import ledger, notices
from orders.queries import schemes as scheme_queries
from portal import audit, cases, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.clock import IST
from portal.lifecycle import Verdict
from portal.models import User

UNKNOWN_CASE = "order_outcome_unknown"
CONFLICT_CASE = "order_news_conflict"
REVERSED_CASE = "order_reversed"
# Seconds until somebody looks at an order again, by state.
PACE_S = {
    lifecycle.CREATED: 30.0,
    lifecycle.SUBMITTING: 45.0,
    lifecycle.AWAITING_PAYMENT: 300.0,
    lifecycle.PAID: 60.0,
    lifecycle.PLACED: 120.0,
}


def absorb(*, order_id: int, snapshot: OrderSnapshot, at: datetime, source: str) -> Verdict | None:
    """Judge what FP says about an order and make it true here. Returns the verdict; None for a word we do not know.

    Whatever contradicts what we hold (another amount or scheme, an end that excludes ours) becomes a case and moves
    nothing.
    """
    with transaction.atomic(durable=True):
        order = locked(order_id)
        if contradiction := _contradiction(order, snapshot):
            _conflict(order, snapshot, contradiction, at=at)
            return Verdict.CONFLICT
        _recognise(order, snapshot, at=at)
        if snapshot.state is None:
            return None
        verdict = lifecycle.table_of(order.kind, order.gateway).judge(order.state, snapshot.state)
        if verdict == Verdict.APPLY:
            _apply(order, snapshot, at=at, source=source)
        elif verdict == Verdict.CONFLICT:
            _conflict(order, snapshot, f"we hold {order.state}, FP says {snapshot.their_word}", at=at)
        elif verdict == Verdict.REPEAT and _allotment_differs(order, snapshot):
            _conflict(order, snapshot, "FP now states another allotment than the one recorded", at=at)
    return verdict


def _contradiction(order: MfOrder, snapshot: OrderSnapshot) -> str:
    """What in the snapshot cannot be about this order; empty when nothing."""
    checks = (
        (order.provider_ref and order.provider_ref != snapshot.provider_ref, "another order number"),
        (
            snapshot.amount is not None and order.amount is not None and snapshot.amount != order.amount,
            f"another amount: {snapshot.amount}",
        ),
        (
            snapshot.units is not None and order.units is not None and snapshot.units != order.units,
            f"other units than asked for: {snapshot.units}",
        ),
        (snapshot.kind and snapshot.kind != order.kind, f"an order of another kind: {snapshot.kind}"),
        (_is_from_another_folio(order, snapshot), f"another folio: {snapshot.folio_number}"),
        (snapshot.isin and snapshot.isin != order.scheme.isin, f"another scheme: {snapshot.isin}"),
        # FP's own sample echoes another reference than was sent; a wrong echo is an alarm (reliability.md P5).
        (snapshot.client_ref and snapshot.client_ref != order.client_ref, "another reference of ours"),
        (snapshot.folio_number and ledger.belongs_to_another(order, snapshot.folio_number), "another investor's folio"),
    )
    return next((words for wrong, words in checks if wrong), "")


def _is_from_another_folio(order: MfOrder, snapshot: OrderSnapshot) -> bool:
    """A redemption takes units from the folio that was confirmed; where a purchase puts them, FP says."""
    asked = order.folio.number if order.folio and order.kind == MfOrder.Kind.REDEMPTION else None
    return bool(asked and snapshot.folio_number and snapshot.folio_number != asked)


def _recognise(order: MfOrder, snapshot: OrderSnapshot, *, at: datetime) -> None:
    """FP has the order: its number is on the row and no outcome is unknown any more."""
    if order.provider_ref == snapshot.provider_ref and order.attempt == MfOrder.Outcome.NONE:
        return
    was_unknown = order.is_unknown
    order.provider_ref = snapshot.provider_ref
    order.close_attempt()
    order.due_at = at + timedelta(seconds=PACE_S.get(order.state, 300.0))
    order.save(update_fields=["provider_ref", *ATTEMPT_FIELDS])
    audit.record(order, "order.known_to_provider", actor=None, at=at, provider_ref=snapshot.provider_ref)
    if was_unknown:
        cases.close_cases(subject=order, kinds=(UNKNOWN_CASE,), resolution="Found at FP by our reference.", at=at)


def _apply(order: MfOrder, snapshot: OrderSnapshot, *, at: datetime, source: str) -> None:
    """Move to where FP is, doing the duties of every step in between."""
    duty = _DUTIES.get(snapshot.state or "", _moved)
    duty(order, snapshot, at, source)


def _moved(order: MfOrder, snapshot: OrderSnapshot, at: datetime, source: str) -> None:
    move_to(order, snapshot.state or order.state, at=at, actor=None, source=source)
    if order.state == lifecycle.PLACED and lifecycle.is_paid_after_placing(order.kind, order.gateway):
        move_to(order, lifecycle.AWAITING_PAYMENT, at=at, actor=None, source=source)
    if order.state == lifecycle.AWAITING_PAYMENT:
        jobs.nudge("payments.start", order_id=order.pk)


def _rejected(order: MfOrder, snapshot: OrderSnapshot, at: datetime, source: str) -> None:
    reject(order, code=snapshot.failure_code or "failed", text=snapshot.failure_text, at=at)


def _allotted(order: MfOrder, snapshot: OrderSnapshot, at: datetime, source: str) -> None:
    allotment = snapshot.allotment
    if allotment is None:
        _ask_later(order, at)
        return
    order.folio = ledger.record_allotment(order=order, allotment=allotment, at=at)
    order.allotted_units, order.allotted_nav = allotment.units, allotment.nav
    order.allotted_amount, order.allotted_on = snapshot.net_amount, allotment.traded_on
    order.save(update_fields=["folio", "allotted_units", "allotted_nav", "allotted_amount", "allotted_on"])
    move_to(order, lifecycle.ALLOTTED, at=at, actor=None, source=source)


def _ask_later(order: MfOrder, at: datetime) -> None:
    """ "Successful" without units, NAV, day and folio is no evidence yet."""
    order.due_at = at + timedelta(seconds=PACE_S.get(order.state, 300.0))
    order.save(update_fields=["due_at"])


def _redeemed(order: MfOrder, snapshot: OrderSnapshot, at: datetime, source: str) -> None:
    redeemed, rupees = snapshot.allotment, snapshot.net_amount
    if redeemed is None or not rupees:
        _ask_later(order, at)
        return
    try:
        ledger.record_redemption(order=order, redeemed=redeemed, rupees=rupees, at=at)
    except ledger.NotEnoughUnits:
        _conflict(order, snapshot, f"FP redeemed {redeemed.units} units, more than we hold", at=at)
        return
    order.allotted_units, order.allotted_nav = redeemed.units, redeemed.nav
    order.allotted_amount, order.allotted_on = rupees, redeemed.traded_on
    order.redeemed_as = snapshot.redeemed_as or order.redemption_mode
    order.payout_by = payout_by(order, redeemed.traded_on)
    order.save(update_fields=[*_REDEEMED_FIELDS])
    move_to(order, lifecycle.REDEEMED, at=at, actor=None, source=source, done_as=order.redeemed_as)


_REDEEMED_FIELDS = "allotted_units allotted_nav allotted_amount allotted_on redeemed_as payout_by".split()


def payout_by(order: MfOrder, traded_on: date) -> date:
    """By when the money of units redeemed at the NAV of a day must be in the bank; at once for an instant one.

    An instant sale gets the latest NAV, which may be that of a day before the sale.
    """
    placed_on = order.placed_at.astimezone(IST).date()
    if order.redeemed_as == MfOrder.RedemptionMode.INSTANT:
        return max(traded_on, placed_on)
    payout = redemption_rules.payout_of(
        category=order.scheme.category,
        asset_class=order.scheme.asset_class,
        book=scheme_queries.book(),
        on=placed_on,
    )
    return redemption_rules.pay_by(counts_on=traded_on, payout=payout, holidays=scheme_queries.holidays())


def _reversed(order: MfOrder, snapshot: OrderSnapshot, at: datetime, source: str) -> None:
    through = lifecycle.THROUGH[order.kind]
    if order.state != through and snapshot.allotment is None:
        # Reversed before we ever heard of units: nothing to take back here, but a person must know.
        _conflict(order, snapshot, "FP reversed an order whose units we never saw", at=at)
        return
    if order.state != through:
        _DUTIES[through](order, snapshot, at, source)
        if order.state != through:
            return
    try:
        ledger.reverse(order=order, at=at)
    except ledger.NotEnoughUnits:
        _conflict(order, snapshot, "FP reversed a purchase whose units have been sold since", at=at)
        return
    move_to(order, lifecycle.REVERSED, at=at, actor=None, source=source)
    cases.open_case(
        kind=REVERSED_CASE,
        subject=order,
        title=f"Order {order.code} was reversed by the fund house",
        detail=_AFTER_REVERSAL[order.kind],
        at=at,
    )


_AFTER_REVERSAL: dict[str, str] = {
    MfOrder.Kind.PURCHASE: "The units were taken back. Follow the refund until the investor has the money.",
    MfOrder.Kind.REDEMPTION: "The units are back in the folio. Find out whether the money was paid, and tell them.",
}
# What news of a state makes us do beyond moving; states that are not listed only move.
_DUTIES: dict[str, Callable[[MfOrder, OrderSnapshot, datetime, str], None]] = {
    lifecycle.REJECTED: _rejected,
    lifecycle.ALLOTTED: _allotted,
    lifecycle.REDEEMED: _redeemed,
    lifecycle.REVERSED: _reversed,
}


def _allotment_differs(order: MfOrder, snapshot: OrderSnapshot) -> bool:
    held = (order.allotted_units, order.allotted_nav, order.allotted_on)
    said, rupees = snapshot.allotment, snapshot.net_amount
    is_through = order.state == lifecycle.THROUGH[order.kind]
    other_rupees = None not in (rupees, order.allotted_amount) and rupees != order.allotted_amount
    return is_through and said is not None and (other_rupees or held != (said.units, said.nav, said.traded_on))


def reject(order: MfOrder, *, code: str, text: str, at: datetime) -> None:
    """The locked order is REJECTED and keeps the provider's code and words. Raises ValueError from a final state."""
    order.failure_code, order.failure_text = code[:60], text[:500]
    order.save(update_fields=["failure_code", "failure_text"])
    move_to(order, lifecycle.REJECTED, at=at, actor=None, code=code)


def _conflict(order: MfOrder, snapshot: OrderSnapshot, what: str, *, at: datetime) -> None:
    cases.open_case(
        kind=CONFLICT_CASE,
        subject=order,
        title=f"Order {order.code}: FP says something that cannot be",
        detail=f"{what}. FP's order {snapshot.provider_ref}, status {snapshot.their_word}. Nothing was changed.",
        at=at,
    )


def mark_paid(*, order_id: int, at: datetime, **told: str) -> None:
    """The investor's money has left the bank for this order. Late or repeated news changes nothing.

    `told` stands in the timeline: the payment, and when the bank and FP say that it happened.
    """
    with transaction.atomic():
        order = locked(order_id)
        if lifecycle.table_of(order.kind, order.gateway).judge(order.state, lifecycle.PAID) == Verdict.APPLY:
            move_to(order, lifecycle.PAID, at=at, actor=None, **told)


def note_payment(*, order_id: int, event: str, at: datetime, **data: str) -> None:
    """A step of a payment stands in the order's timeline: `payment.started`, `payment.failed`, ..."""
    audit.record(MfOrder(pk=order_id), f"payment.{event}", actor=None, at=at, data=data)
    notices.tell_of_payment(
        order_id=order_id,
        event=f"payment.{event}",
        at=at,
        payment=data.get("payment", ""),
        code=data.get("code", ""),
        text=data.get("text", ""),
    )


def confirm(*, order_id: int, at: datetime) -> bool:
    """The registrar's record agrees with ours about the order. Returns whether that is new."""
    with transaction.atomic():
        order = locked(order_id)
        if order.confirmed_at or order.state not in (lifecycle.ALLOTTED, lifecycle.REDEEMED):
            return False
        order.confirmed_at = at
        order.save(update_fields=["confirmed_at"])
        audit.record(order, "order.confirmed", actor=None, at=at)
        notices.tell(order, "order.confirmed", at=at)
    return True


def locked(order_id: int) -> MfOrder:
    """The row, locked and fresh. The objects beside it are read, not locked."""
    return (
        MfOrder.objects.select_for_update(of=("self",))
        .select_related("scheme", "investment_account", "bank_account", "consent", "folio", "cart__consent", "mandate")
        .get(pk=order_id)
    )


def move_to(order: MfOrder, state: str, *, at: datetime, actor: User | str | None, **data: object) -> None:
    """The locked order is in `state`, with an audit entry that names skipped steps, and the next look is set."""
    was, table = order.state, lifecycle.table_of(order.kind, order.gateway)
    way = table.path(was, state)
    if not way:
        raise ValueError(f"no way from {was} to {state}")
    order.state, order.state_since = state, at
    pace = PACE_S.get(state)
    order.due_at = at + timedelta(seconds=pace) if pace else None
    order.save(update_fields=["state", "state_since", "due_at"])
    audit.record(order, f"order.{state.lower()}", actor=actor, at=at, was=was, skipped=list(way[:-1]), data=data)
    if order.plan_id and state not in lifecycle.OPEN:
        # What became of an instalment may end its SIP: somebody asks FP about it.
        Plan.objects.filter(pk=order.plan_id).update(due_at=at)
        jobs.nudge("orders.advance_plan", row_id=order.plan_id)
    notices.tell(order, f"order.{state.lower()}", at=at)
