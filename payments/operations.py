"""Collecting money for an order: start, settle, hand over, refresh, absorb.

One payment row is one attempt to collect. Money goes from the investor's bank to the fund house; what the browser says
on its return is never believed: `absorb` takes only what FP says when asked by our stored number.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from orders.lifecycle import AWAITING_PAYMENT
from orders.models import MfOrder
from orders.operations import news as order_news
from payments import gateway, lifecycle
from payments.gateway import PaymentSnapshot
from payments.models import Payment, PaymentLine
from portal import audit, cases, gates, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.errors import Failure
from portal.gateway import errors, journal
from portal.lifecycle import Verdict
from portal.models import User

LATE_SUCCESS_CASE = "payment_succeeded_after_all"
CONFLICT_CASE = "payment_news_conflict"
UNKNOWN_CASE = "payment_outcome_unknown"
# FP's page works once, for 15 minutes (providers.md 3.8).
PAGE_LIVES = timedelta(minutes=15)
RESEND_AFTER_S = 10
# Seconds until somebody looks at a payment again, by state.
PACE_S = {
    lifecycle.CREATED: 30.0,
    lifecycle.STARTING: 45.0,
    lifecycle.AWAITING_INVESTOR: 60.0,
    lifecycle.DEBITED: 60.0,
    lifecycle.TRANSFERRED: 120.0,
}


class NotPayable(Failure):
    """The order takes no payment now."""

    code = "not_payable"
    message = "This order cannot be paid at the moment. No money moved."


class StillOpen(Failure):
    """An earlier payment may still succeed: a second one could take the money twice."""

    code = "payment_still_open"

    def __init__(self, until: datetime) -> None:
        super().__init__(
            f"Your earlier payment may still go through. If it does not, you can start a new one at {until:%H:%M} IST. "
            "This protects you from paying twice."
        )
        self.until = until


# --- start: claim, call, record -----------------------------------------------------------------------------


def start(*, order_id: int, at: datetime, again: bool = False) -> Payment | None:
    """A payment for the order is being started, once. With `again`, a new one may follow a failed or expired one.

    Returns the payment that was created, or None when there is nothing to start. Raises nothing for a second call.
    """
    with transaction.atomic():
        order = MfOrder.objects.select_for_update().get(pk=order_id)
        lines = PaymentLine.objects.filter(order=order)
        if order.state != AWAITING_PAYMENT or lines.filter(is_live=True).exists() or (lines.exists() and not again):
            return None
        payment = Payment.objects.create(
            investor_id=order.investor_id,
            method=order.payment_method,
            amount=order.cost,
            created_at=at,
            state_since=at,
            due_at=at + timedelta(seconds=PACE_S[lifecycle.CREATED]),
        )
        PaymentLine.objects.create(investor_id=order.investor_id, payment=payment, order=order, amount=order.cost)
        audit.record(payment, "payment.created", actor=None, at=at, order=order.code, amount=order.cost)
        order_news.note_payment(order_id=order.pk, event="started", at=at, payment=payment.code)
        jobs.nudge("payments.advance", row_id=payment.pk)
    return payment


def open_page(*, payment_id: int, at: datetime) -> None:
    """FP has made a page on which the investor pays, or the row says what happens next. Safe to call at any time."""
    payment = _claim(payment_id=payment_id, at=at)
    if payment is None:
        return
    try:
        started = gateway.create(payment, _order_refs(payment))
    except errors.GatewayError as error:
        _record_trouble(payment_id=payment_id, fence=payment.attempt_no, error=error, at=at)
        return
    with transaction.atomic(durable=True):
        row = locked(payment_id)
        if not row.holds(payment.attempt_no) or row.state != lifecycle.STARTING:
            return
        row.provider_ref, row.token_url, row.token_expires_at = started.id, started.token_url, at + PAGE_LIVES
        row.close_attempt()
        row.save(update_fields=["provider_ref", "token_url", "token_expires_at", *ATTEMPT_FIELDS])
        _move_to(row, lifecycle.AWAITING_INVESTOR, at=at)
        for line in row.lines.all():
            order_news.note_payment(order_id=line.order_id, event="opened", at=at, payment=row.code)


def _claim(*, payment_id: int, at: datetime) -> Payment | None:
    with transaction.atomic(durable=True):
        gates.check()
        payment = locked(payment_id)
        waiting = payment.state == lifecycle.STARTING and not payment.attempt
        if payment.state == lifecycle.CREATED:
            _move_to(payment, lifecycle.STARTING, at=at)
        elif not waiting:
            return None
        payment.open_attempt(at)
        payment.save(update_fields=[*ATTEMPT_FIELDS])
    return payment


def _record_trouble(*, payment_id: int, fence: int, error: errors.GatewayError, at: datetime) -> None:
    with transaction.atomic(durable=True):
        payment = locked(payment_id)
        if not payment.holds(fence) or payment.attempt != Payment.Outcome.OPEN:
            return
        if isinstance(error, errors.Refused):
            payment.close_attempt()
            payment.save(update_fields=[*ATTEMPT_FIELDS])
            _fail(payment, lifecycle.FAILED, code="refused", text=error.said, at=at)
        elif isinstance(error, (*errors.NOT_TAKEN, errors.NotAuthorised)):
            payment.close_attempt()
            payment.due_at = at + timedelta(seconds=RESEND_AFTER_S)
            payment.save(update_fields=[*ATTEMPT_FIELDS])
            audit.record(payment, "payment.not_sent", actor=None, at=at, why=type(error).__name__)
        else:
            payment.mark_unknown(at)
            payment.save(update_fields=[*ATTEMPT_FIELDS])
            audit.record(payment, "payment.outcome_unknown", actor=None, at=at, why=type(error).__name__)
            jobs.nudge("payments.advance", row_id=payment.pk, delay_s=2)


def settle(*, payment_id: int, at: datetime) -> None:
    """An unknown start is looked up among FP's payments for the order.

    A payment whose page address we never got can be paid by nobody: it is expired here and a fresh one is started.
    When FP lists none after several looks, none was made: the attempt is released. (A payment that takes effect
    unseen after that moves no money either: nobody has its page.)
    """
    payment = _take_over(payment_id=payment_id, at=at)
    if payment is None:
        return
    rows = Payment.objects.filter(investor_id=payment.investor_id).values_list("provider_ref", flat=True)
    known = {ref for ref in rows if ref}
    found = gateway.find(payment, _order_refs(payment), known)
    with transaction.atomic(durable=True):
        row = locked(payment_id)
        if not row.is_unknown:
            return
        if found:
            _lost_page(row, found, at=at)
        else:
            _not_listed(row, at=at)


def _lost_page(payment: Payment, found: PaymentSnapshot, *, at: datetime) -> None:
    payment.provider_ref = found.provider_ref
    payment.close_attempt()
    payment.save(update_fields=["provider_ref", *ATTEMPT_FIELDS])
    _move_to(payment, lifecycle.AWAITING_INVESTOR, at=at)
    _fail(payment, lifecycle.EXPIRED, code="page_lost", text="the answer with the payment page was lost", at=at)
    for line in payment.lines.all():
        jobs.nudge("payments.start", order_id=line.order_id, again=True)


def _not_listed(payment: Payment, *, at: datetime) -> None:
    payment.look_again(at)
    if payment.looks >= 5:
        payment.close_attempt()
        payment.due_at = at
        audit.record(payment, "payment.not_taken", actor=None, at=at, why="FP lists no payment after five looks")
    payment.save(update_fields=[*ATTEMPT_FIELDS])


def _take_over(*, payment_id: int, at: datetime) -> Payment | None:
    with transaction.atomic(durable=True):
        payment = locked(payment_id)
        if payment.lease_ran_out(at):
            if not journal.was_begun(payment, payment.attempt_no, gateway.PAYMENT_PATH):
                payment.close_attempt()
                payment.due_at = at
                payment.save(update_fields=[*ATTEMPT_FIELDS])
                jobs.nudge("payments.advance", row_id=payment.pk)
                return None
            payment.mark_unknown(at)
            payment.save(update_fields=[*ATTEMPT_FIELDS])
            audit.record(payment, "payment.outcome_unknown", actor=None, at=at, why="the worker stopped")
        return payment if payment.is_unknown else None


# --- the investor pays ----------------------------------------------------------------------------------------


def hand_over(*, order: MfOrder, at: datetime) -> str | None:
    """The address of FP's page for this order's payment, to be opened by the investor now; None: not ready yet.

    A page is handed out while it lives and until it was used once. Raises NotPayable, or StillOpen when an earlier
    page may still be in use. A failed or expired payment is followed by a new one, which is then being started.
    """
    if order.state != AWAITING_PAYMENT:
        raise NotPayable
    payment = newest(order.pk)
    if payment is None or payment.state in (lifecycle.FAILED, lifecycle.EXPIRED):
        start(order_id=order.pk, at=at, again=True)
        return None
    if payment.state != lifecycle.AWAITING_INVESTOR:
        return None
    lives = payment.token_expires_at is not None and at < payment.token_expires_at
    if payment.handed_over_at is None and lives:
        return _hand_out(payment, at=at)
    refresh(payment_id=payment.pk, at=at)
    payment.refresh_from_db()
    if payment.state == lifecycle.AWAITING_INVESTOR:
        if lives and payment.token_expires_at:
            raise StillOpen(payment.token_expires_at)
        expire(payment_id=payment.pk, at=at)
    return hand_over(order=MfOrder.objects.get(pk=order.pk), at=at)


def _hand_out(payment: Payment, *, at: datetime) -> str | None:
    with transaction.atomic():
        row = locked(payment.pk)
        if row.handed_over_at is not None or row.state != lifecycle.AWAITING_INVESTOR:
            return None
        row.handed_over_at, row.due_at = at, at + timedelta(seconds=15)
        row.save(update_fields=["handed_over_at", "due_at"])
        audit.record(row, "payment.handed_over", actor=f"user:{row.investor.user_id}", at=at)
        for line in row.lines.all():
            order_news.note_payment(order_id=line.order_id, event="handed_over", at=at, payment=row.code)
    return row.token_url


def newest(order_id: int) -> Payment | None:
    """The latest payment of an order."""
    return Payment.objects.filter(lines__order_id=order_id).order_by("-id").first()


def expire(*, payment_id: int, at: datetime) -> None:
    """A page that nobody used in time is given up; a success that still arrives becomes a case."""
    with transaction.atomic():
        payment = locked(payment_id)
        if payment.state == lifecycle.AWAITING_INVESTOR and payment.token_expires_at and payment.token_expires_at <= at:
            _fail(payment, lifecycle.EXPIRED, code="page_expired", text="", at=at)


# --- refresh and absorb ---------------------------------------------------------------------------------------


def refresh(*, payment_id: int, at: datetime, actor: User | None = None, reason: str = "") -> None:
    """What FP says about the payment now has been absorbed. Raises the gateway errors of a read."""
    payment = Payment.objects.get(pk=payment_id)
    if actor:
        audit.record(payment, "payment.refresh_asked", actor=actor, at=at, reason=reason)
    if payment.is_unknown:
        settle(payment_id=payment_id, at=at)
    elif payment.provider_ref:
        absorb(payment_id=payment_id, snapshot=gateway.fetch(payment), at=at)


def absorb(*, payment_id: int, snapshot: PaymentSnapshot, at: datetime) -> Verdict | None:
    """Judge what FP says about a payment and make it true here; another amount or other orders move nothing."""
    with transaction.atomic(durable=True):
        payment = locked(payment_id)
        if contradiction := _contradiction(payment, snapshot):
            _case(payment, CONFLICT_CASE, f"FP says something that cannot be: {contradiction}", snapshot, at=at)
            return Verdict.CONFLICT
        if snapshot.state is None:
            return None
        verdict = lifecycle.PAYMENT.judge(payment.state, snapshot.state)
        if verdict == Verdict.APPLY:
            _apply(payment, snapshot, at=at)
        elif verdict == Verdict.CONFLICT and snapshot.state in lifecycle.COLLECTED:
            _case(payment, LATE_SUCCESS_CASE, f"collected after we held it as {payment.state}", snapshot, at=at)
        # FAILED after our EXPIRED (or the reverse) says the same thing: no money was collected.
    return verdict


def _contradiction(payment: Payment, snapshot: PaymentSnapshot) -> str:
    checks = (
        (payment.provider_ref != snapshot.provider_ref, "another payment number"),
        (snapshot.amount is not None and snapshot.amount != payment.amount, f"another amount: {snapshot.amount}"),
        (snapshot.order_refs and snapshot.order_refs != set(_order_refs(payment)), "other orders"),
    )
    return next((words for wrong, words in checks if wrong), "")


def _apply(payment: Payment, snapshot: PaymentSnapshot, *, at: datetime) -> None:
    if snapshot.state in (lifecycle.FAILED, lifecycle.EXPIRED):
        _fail(payment, snapshot.state, code=snapshot.their_word.lower(), text=snapshot.failure_text, at=at)
        return
    payment.debited_at = payment.debited_at or snapshot.debited_at
    payment.transferred_at = payment.transferred_at or snapshot.transferred_at
    payment.settled_at = payment.settled_at or snapshot.settled_at
    payment.save(update_fields=["debited_at", "transferred_at", "settled_at"])
    was_collected = payment.state in lifecycle.COLLECTED
    _move_to(payment, snapshot.state or payment.state, at=at)
    for line in payment.lines.order_by("order_id"):
        if not was_collected:
            order_news.mark_paid(order_id=line.order_id, at=at, payment=payment.code)
        order_news.note_payment(order_id=line.order_id, event=payment.state.lower(), at=at, payment=payment.code)
        jobs.nudge("orders.advance", row_id=line.order_id, delay_s=1)


def _fail(payment: Payment, state: str, *, code: str, text: str, at: datetime) -> None:
    """Nothing is being collected by this payment any more; its orders may be paid by another one."""
    payment.failure_code, payment.failure_text, payment.token_url = code[:60], text[:500], ""
    payment.save(update_fields=["failure_code", "failure_text", "token_url"])
    _move_to(payment, state, at=at, code=code)
    payment.lines.update(is_live=False)
    for line in payment.lines.order_by("order_id"):
        order_news.note_payment(
            order_id=line.order_id, event=state.lower(), at=at, payment=payment.code, code=code, text=text[:200]
        )
        jobs.nudge("orders.advance", row_id=line.order_id, delay_s=1)


def _case(payment: Payment, kind: str, what: str, snapshot: PaymentSnapshot, *, at: datetime) -> None:
    cases.open_case(
        kind=kind,
        subject=payment,
        title=f"Payment {payment.code}: {what}"[:200],
        detail=f"FP's payment {snapshot.provider_ref}, status {snapshot.their_word}. Nothing was changed.",
        at=at,
    )


# --- the sweep ------------------------------------------------------------------------------------------------


def advance(*, payment_id: int, at: datetime) -> None:
    """Do what the row says remains to be done."""
    payment = Payment.objects.only("state", "token_expires_at", "handed_over_at", *ATTEMPT_FIELDS).get(pk=payment_id)
    if payment.state == lifecycle.CREATED or (payment.state == lifecycle.STARTING and not payment.attempt):
        open_page(payment_id=payment_id, at=at)
    elif payment.state == lifecycle.STARTING:
        settle(payment_id=payment_id, at=at)
    elif payment.state in PACE_S:
        refresh(payment_id=payment_id, at=at)


def orders_without_payment(limit: int = 100) -> list[int]:
    """Orders that wait for money and have no payment at all: their nudge was lost."""
    waiting = MfOrder.objects.filter(state=AWAITING_PAYMENT, payment_lines__isnull=True)
    return list(waiting.values_list("pk", flat=True)[:limit])


# --- shared ---------------------------------------------------------------------------------------------------


def locked(payment_id: int) -> Payment:
    """The row, locked and fresh."""
    return Payment.objects.select_for_update().get(pk=payment_id)


def _order_refs(payment: Payment) -> list[str]:
    return [ref for ref in payment.lines.values_list("order__provider_ref", flat=True) if ref]


def _move_to(payment: Payment, state: str, *, at: datetime, **data: object) -> None:
    was = payment.state
    way = lifecycle.PAYMENT.path(was, state)
    if not way:
        raise ValueError(f"no way from {was} to {state}")
    payment.state, payment.state_since = state, at
    pace = PACE_S.get(state)
    payment.due_at = at + timedelta(seconds=pace) if pace else None
    payment.save(update_fields=["state", "state_since", "due_at"])
    audit.record(payment, f"payment.{state.lower()}", actor=None, at=at, was=was, skipped=list(way[:-1]), data=data)
