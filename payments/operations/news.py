"""News about a payment: the one door through which what FP says becomes true here.

A sweep, the investor's return from the bank and an operator's refresh all end in `absorb`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from investors.operations import bank_accounts
from orders.operations import news as order_news
from payments import gateway, lifecycle
from payments.gateway import PaymentSnapshot
from payments.models import Payment
from payments.operations import attempts, late, rows
from payments.operations.rows import locked
from portal import audit
from portal.lifecycle import Verdict
from portal.models import User


def refresh(*, payment_id: int, at: datetime, actor: User | None = None, reason: str = "") -> Verdict | None:
    """What FP says about the payment now has been absorbed; None where it said nothing that we know, or nobody could
    ask it. Raises the gateway errors of a read."""
    payment = Payment.objects.get(pk=payment_id)
    if actor:
        audit.record(payment, "payment.refresh_asked", actor=actor, at=at, reason=reason)
    if payment.is_unknown:
        attempts.settle(payment_id=payment_id, at=at)
    elif payment.provider_ref:
        return absorb(payment_id=payment_id, snapshot=gateway.fetch(payment), at=at)
    elif found := attempts.look_for_number(payment_id=payment_id):
        return absorb(payment_id=payment_id, snapshot=found, at=at)
    return None


def absorb(*, payment_id: int, snapshot: PaymentSnapshot, at: datetime) -> Verdict | None:
    """Judge what FP says about a payment and make it true here; another amount or other orders move nothing."""
    with transaction.atomic(durable=True):
        payment = locked(payment_id)
        if contradiction := _contradiction(payment, snapshot):
            what = f"FP said something that cannot be: {contradiction}; nothing was changed"
            rows.open_case(payment, rows.CONFLICT_CASE, what, snapshot, at=at)
            return Verdict.CONFLICT
        if snapshot.state is None:
            return None
        state = lifecycle.news_of(payment.state, snapshot.state)
        verdict = lifecycle.PAYMENT.judge(payment.state, state)
        if verdict == Verdict.APPLY:
            _apply(payment, state, snapshot, at=at)
        elif verdict == Verdict.REPEAT and state == lifecycle.LATE:
            _note_times(payment, snapshot)
        # FAILED after our EXPIRED (or the reverse) says the same thing: no money was collected.
    return verdict


def _verify_account(payment: Payment, *, at: datetime) -> None:
    """Money that has arrived proves the account: FP refuses payments from any other (providers.md 3.8, tpv_failed)."""
    for account_id in sorted(set(payment.lines.values_list("order__bank_account_id", flat=True))):
        bank_accounts.paid_from(account_id=account_id, at=at)


def _contradiction(payment: Payment, snapshot: PaymentSnapshot) -> str:
    checks = (
        (payment.provider_ref != snapshot.provider_ref, "another payment number"),
        (snapshot.amount is not None and snapshot.amount != payment.amount, f"another amount: {snapshot.amount}"),
        (snapshot.order_refs and snapshot.order_refs != set(rows.order_refs(payment)), "other orders"),
    )
    return next((words for wrong, words in checks if wrong), "")


def _apply(payment: Payment, state: str, snapshot: PaymentSnapshot, *, at: datetime) -> None:
    if state in lifecycle.ENDED:
        if payment.state in lifecycle.COLLECTED:
            what = "failed after the bank had been debited. Follow the money back to the investor"
            rows.open_case(payment, rows.REVERSED_CASE, what, snapshot, at=at)
        rows.fail(payment, state, code=snapshot.failure_code, text=snapshot.failure_text, at=at)
        return
    _note_times(payment, snapshot)
    was_collected = payment.state in lifecycle.COLLECTED
    rows.move_to(payment, state, at=at)
    if state == lifecycle.AWAITING_BANK:
        return
    if state == lifecycle.LATE:
        late.take_in(payment, snapshot, at=at)
    if not was_collected:
        late.look_for_a_second(payment, snapshot, at=at)
        for line in payment.lines.order_by("order_id"):
            order_news.mark_paid(order_id=line.order_id, at=at, payment=payment.code, **rows.their_times(payment))
    if snapshot.state == lifecycle.SETTLED:
        _verify_account(payment, at=at)
    rows.tell_orders(payment, payment.state.lower(), at=at, **rows.their_times(payment))


def _note_times(payment: Payment, snapshot: PaymentSnapshot) -> None:
    payment.debited_at = payment.debited_at or snapshot.debited_at
    payment.transferred_at = payment.transferred_at or snapshot.transferred_at
    payment.settled_at = payment.settled_at or snapshot.settled_at
    payment.save(update_fields=["debited_at", "transferred_at", "settled_at"])
