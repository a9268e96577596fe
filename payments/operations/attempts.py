"""An attempt to collect: made for all payable orders of a cart, opened at FP once, looked up when in doubt."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from orders.lifecycle import AWAITING_PAYMENT, CREATED, SUBMITTING
from orders.models import MfOrder
from orders.operations import news as order_news
from payments import gateway, lifecycle
from payments.gateway import PaymentSnapshot, Started
from payments.models import Payment, PaymentLine
from payments.operations import rows
from payments.operations.rows import locked
from portal import audit, cases, gates, jobs
from portal.attempts import ATTEMPT_FIELDS
from portal.gateway import errors, journal
from portal.models import AuditEntry

LOST_PAGES_CASE = "payment_pages_lost"
NO_DEBIT_CASE = "no_debit_arranged"
# Why a payment ended whose page nobody got, or whose number nobody learnt.
LOST = "page_lost"
BSE = "BSE"
# So far apart are two payments of the same orders at BSE: far more than clocks differ.
APART = timedelta(minutes=5)
# FP's page works once, for 15 minutes (providers.md 3.8).
PAGE_LIVES = timedelta(minutes=15)
RESEND_AFTER_S = 10
LOOKS_BEFORE_RELEASE = 5
# So many lost pages in a row are no accident: then nobody tries again by itself.
MOST_LOST_PAGES = 3
# Orders of one cart are paid together. One whose answer is still out holds the others up for so long, not longer.
WAIT_FOR_THE_REST = timedelta(seconds=30)
_PAGE_FIELDS = ("provider_ref", "token_url", "page_html", "token_expires_at")


# --- start ----------------------------------------------------------------------------------------------------


def start(*, order_id: int, at: datetime, again: bool = False, method: str = "") -> Payment | None:
    """A payment for the order, and for those of its cart that can be paid with it, is being started, once.

    With `again`, a new one may follow a failed or expired one, by another `method` if one is named. Returns the
    payment that was created, or None when there is nothing to start. Raises nothing for a second call.
    """
    with transaction.atomic():
        together = _locked_together(order_id)
        asked = next(order for order in together if order.pk == order_id)
        if not _may_pay(asked, again):
            return None
        if not again and _is_early(asked, together, at):
            jobs.nudge("payments.start", delay_s=5, order_id=order_id)
            return None
        return _create([order for order in together if _may_pay(order, again)], method or asked.payment_method, at)


def _locked_together(order_id: int) -> list[MfOrder]:
    """The order and its siblings of the same cart, locked in the one order that everybody locks them in."""
    order = MfOrder.objects.select_related("cart").get(pk=order_id)
    alone = order.cart is None or order.payment_method == MfOrder.PaymentMethod.NACH
    mine = MfOrder.objects.filter(pk=order_id) if alone else MfOrder.objects.filter(cart=order.cart)
    return list(mine.select_for_update(of=("self",)).select_related("cart").order_by("pk"))


def _may_pay(order: MfOrder, again: bool) -> bool:
    """Does the locked order wait for money, with no payment on its way and, unless `again`, none before?

    The instalment of a SIP does not: FP debits it by itself.
    """
    lines = PaymentLine.objects.filter(order=order)
    if order.plan_id or order.state != AWAITING_PAYMENT or lines.filter(is_live=True).exists():
        return False
    return again or not lines.exists()


def _is_early(order: MfOrder, together: list[MfOrder], at: datetime) -> bool:
    """Is an order of the same cart still on its way to FP, and young enough to be waited for?"""
    confirmed = order.cart.confirmed_at if order.cart else None
    still_out = any(each.state in (CREATED, SUBMITTING) for each in together)
    return still_out and confirmed is not None and at - confirmed < WAIT_FOR_THE_REST


def _create(orders: list[MfOrder], method: str, at: datetime) -> Payment:
    payment = Payment.objects.create(
        investor_id=orders[0].investor_id,
        gateway=orders[0].gateway,
        method=method,
        amount=sum((order.cost for order in orders), Decimal(0)),
        created_at=at,
        state_since=at,
        due_at=at + timedelta(seconds=rows.PACE_S[lifecycle.CREATED]),
    )
    for order in orders:
        PaymentLine.objects.create(investor_id=order.investor_id, payment=payment, order=order, amount=order.cost)
        order_news.note_payment(order_id=order.pk, event="started", at=at, payment=payment.code)
    codes = [order.code for order in orders]
    audit.record(payment, "payment.created", actor=None, at=at, orders=codes, amount=payment.amount, method=method)
    jobs.nudge("payments.advance", row_id=payment.pk)
    return payment


# --- open the page: claim, call, record -------------------------------------------------------------------------


def open_page(*, payment_id: int, at: datetime) -> None:
    """FP has made a page on which the investor pays, or the row says what happens next. Safe to call at any time.

    A debit by mandate needs no page: FP arranges it with the order, and we find it there. Raises gates.GateClosed.
    """
    payment = _claim(payment_id=payment_id, at=at)
    if payment is None:
        return
    if payment.method == MfOrder.PaymentMethod.NACH:
        _find_debit(payment, at=at)
        return
    if payment.attempt_no > 1 and _was_made(payment, at=at):
        return
    try:
        started = gateway.create(payment, rows.order_refs(payment))
    except errors.GatewayError as error:
        _record_trouble(payment_id=payment_id, fence=payment.attempt_no, error=error, at=at)
        return
    _record_page(payment_id, payment.attempt_no, started, at=at)


def _claim(*, payment_id: int, at: datetime) -> Payment | None:
    with transaction.atomic(durable=True):
        payment = locked(payment_id)
        gates.check(accounts=rows.accounts(payment))
        waiting = payment.state == lifecycle.STARTING and not payment.attempt
        if payment.state == lifecycle.CREATED:
            rows.move_to(payment, lifecycle.STARTING, at=at)
        elif not waiting:
            return None
        if payment.method != MfOrder.PaymentMethod.NACH:
            payment.open_attempt(at)
            payment.save(update_fields=[*ATTEMPT_FIELDS])
    return payment


def _was_made(payment: Payment, *, at: datetime) -> bool:
    """Before a page is asked for again, FP is asked whether it has made one: then that is the payment. True also where
    FP gives no answer: nothing is sent then.
    """
    try:
        found = gateway.find(payment, rows.order_refs(payment), _known(payment))
    except errors.GatewayError as error:
        _not_sent(payment.pk, payment.attempt_no, why=f"look-up failed: {type(error).__name__}", at=at)
        return True
    if found:
        with transaction.atomic(durable=True):
            row = locked(payment.pk)
            if row.holds(payment.attempt_no) and row.attempt == Payment.Outcome.OPEN:
                _lost_page(row, found, at=at)
    return found is not None


def _not_sent(payment_id: int, fence: int, *, why: str, at: datetime) -> None:
    """The attempt ended before anything was sent."""
    with transaction.atomic(durable=True):
        row = locked(payment_id)
        if row.holds(fence) and row.attempt == Payment.Outcome.OPEN:
            _release(row, why=why, at=at)


def _release(row: Payment, *, why: str, at: datetime) -> None:
    row.close_attempt()
    row.due_at = at + timedelta(seconds=RESEND_AFTER_S)
    row.save(update_fields=[*ATTEMPT_FIELDS])
    audit.record(row, "payment.not_sent", actor=None, at=at, why=why)


def _record_page(payment_id: int, fence: int, started: Started, *, at: datetime) -> None:
    """The page is on the row. BSE's page comes without a number: until its payment is listed, we look for it."""
    with transaction.atomic(durable=True):
        row = locked(payment_id)
        if not row.holds(fence) or row.state != lifecycle.STARTING:
            return
        row.provider_ref, row.token_url, row.page_html = started.provider_ref, started.token_url, started.page_html
        row.token_expires_at = at + PAGE_LIVES
        if started.provider_ref is None:
            row.mark_unknown(at)
            row.save(update_fields=[*_PAGE_FIELDS, *ATTEMPT_FIELDS])
            jobs.nudge("payments.advance", row_id=row.pk)
            return
        _opened(row, at=at)


def _opened(row: Payment, *, at: datetime) -> None:
    row.close_attempt()
    row.save(update_fields=[*_PAGE_FIELDS, *ATTEMPT_FIELDS])
    rows.move_to(row, lifecycle.AWAITING_INVESTOR, at=at)
    for line in row.lines.order_by("order_id"):
        order_news.note_payment(order_id=line.order_id, event="opened", at=at, payment=row.code)


def _record_trouble(*, payment_id: int, fence: int, error: errors.GatewayError, at: datetime) -> None:
    with transaction.atomic(durable=True):
        payment = locked(payment_id)
        if not payment.holds(fence) or payment.attempt != Payment.Outcome.OPEN:
            return
        if isinstance(error, errors.Refused):
            payment.close_attempt()
            payment.save(update_fields=[*ATTEMPT_FIELDS])
            rows.fail(payment, lifecycle.FAILED, code="refused", text=error.said, at=at)
        elif isinstance(error, (*errors.NOT_TAKEN, errors.NotAuthorised)):
            _release(payment, why=type(error).__name__, at=at)
        else:
            payment.mark_unknown(at)
            payment.save(update_fields=[*ATTEMPT_FIELDS])
            audit.record(payment, "payment.outcome_unknown", actor=None, at=at, why=type(error).__name__)
            jobs.nudge("payments.advance", row_id=payment.pk, delay_s=2)


# --- a debit by mandate -------------------------------------------------------------------------------------------


def _find_debit(payment: Payment, *, at: datetime) -> None:
    """The debit that FP has arranged for an order by mandate is on the row; one that never appears becomes a case."""
    found = gateway.find(payment, rows.order_refs(payment), _known(payment))
    with transaction.atomic(durable=True):
        row = locked(payment.pk)
        if row.state != lifecycle.STARTING:
            return
        if found is None:
            _no_debit_yet(row, at)
            return
        row.provider_ref, row.debit_on = found.provider_ref, found.debit_on
        row.save(update_fields=["provider_ref", "debit_on"])
        rows.move_to(row, lifecycle.AWAITING_BANK, at=at)
        on = row.debit_on.isoformat() if row.debit_on else ""
        rows.tell_orders(row, "debit_arranged", at=at, on=on)


def _no_debit_yet(row: Payment, at: datetime) -> None:
    row.due_at = at + timedelta(seconds=rows.PACE_S[lifecycle.STARTING])
    row.save(update_fields=["due_at"])
    if at - row.created_at >= PAGE_LIVES:
        cases.open_case(
            kind=NO_DEBIT_CASE,
            subject=row,
            title=f"Payment {row.code}: FP has arranged no debit",
            detail=f"FP took an order by mandate, but listed no payment for it {rows.on_record(at)}. Ask FP before the "
            "order expires.",
            at=at,
        )


# --- settle an unknown start --------------------------------------------------------------------------------------


def settle(*, payment_id: int, at: datetime) -> None:
    """An unknown start is looked up among FP's payments for the orders.

    A payment whose page we never got can be paid by nobody: it is expired here and a fresh one is started. When FP
    lists none after several looks, none was made: the attempt is released. (A payment that takes effect unseen after
    that moves no money either: nobody has its page.) At BSE, where no answer names a number, what FP lists later could
    be taken for the next attempt, with the page of the other: there the row ends, and a fresh one is started.
    """
    payment = _take_over(payment_id=payment_id, at=at)
    if payment is None:
        return
    found = gateway.find(payment, rows.order_refs(payment), _known(payment))
    with transaction.atomic(durable=True):
        row = locked(payment_id)
        if not row.is_unknown:
            return
        if found and row.page_html:
            row.provider_ref = found.provider_ref
            _opened(row, at=at)
        elif found:
            _lost_page(row, found, at=at)
        else:
            _not_listed(row, at=at)


def _known(payment: Payment) -> set[str]:
    refs = Payment.objects.filter(investor_id=payment.investor_id).values_list("provider_ref", flat=True)
    return {ref for ref in refs if ref}


def _lost_page(payment: Payment, found: PaymentSnapshot, *, at: datetime) -> None:
    """Its page is not here. Where it was paid all the same, as after a restore, nothing is collected again."""
    payment.provider_ref = found.provider_ref
    payment.close_attempt()
    payment.save(update_fields=["provider_ref", *ATTEMPT_FIELDS])
    rows.move_to(payment, lifecycle.AWAITING_INVESTOR, at=at)
    if found.state in lifecycle.COLLECTED:
        jobs.nudge("payments.advance", row_id=payment.pk)
        return
    rows.fail(payment, lifecycle.EXPIRED, code=LOST, text="the answer with the payment page was lost", at=at)
    _try_another(payment, at)


def _try_another(payment: Payment, at: datetime) -> None:
    """A fresh payment for the same orders; after page upon page that was lost, a person instead."""
    if _lost_before(payment) >= MOST_LOST_PAGES:
        cases.open_case(
            kind=LOST_PAGES_CASE,
            subject=payment,
            title=f"Payment {payment.code}: FP's payment pages do not reach us",
            detail="The orders have lost page after page. Does PAYMENT_PAGE_ORIGINS name where FP's pages lie?",
            at=at,
        )
        return
    for line in payment.lines.order_by("order_id"):
        jobs.nudge("payments.start", order_id=line.order_id, again=True, method=payment.method)


def _lost_before(payment: Payment) -> int:
    """Payments for the same orders whose page was lost, this one among them."""
    orders = payment.lines.values("order_id")
    return Payment.objects.filter(lines__order_id__in=orders, failure_code=LOST).distinct().count()


def _not_listed(payment: Payment, *, at: datetime) -> None:
    payment.look_again(at)
    is_over = payment.looks >= LOOKS_BEFORE_RELEASE and _is_late_enough(payment, at)
    if is_over:
        payment.close_attempt()
        payment.due_at = at
        audit.record(payment, "payment.not_taken", actor=None, at=at, why="FP lists no payment after five looks")
    payment.save(update_fields=[*ATTEMPT_FIELDS])
    if is_over and (payment.gateway == BSE or _not_taken_before(payment) >= MOST_LOST_PAGES):
        _give_up(payment, at=at)


def _is_late_enough(payment: Payment, at: datetime) -> bool:
    """Whoever looks at the page makes us look, too. At BSE the next row must begin well after this one: only the times
    tell whose payment FP lists (`gateway.find`).
    """
    return payment.gateway != BSE or payment.unknown_since is None or at - payment.unknown_since >= APART


def _not_taken_before(payment: Payment) -> int:
    """How often FP listed no payment for an attempt of this row, the last one included."""
    about = {"subject_kind": audit.kind_of(payment), "subject_id": str(payment.pk)}
    return AuditEntry.objects.filter(action="payment.not_taken", **about).count()


def _give_up(payment: Payment, *, at: datetime) -> None:
    """The row has ended without a number. It is looked for by its orders while a success is thinkable (`late.py`)."""
    rows.fail(payment, lifecycle.FAILED, code=LOST, text="FP lists no payment for it", at=at)
    payment.due_at = at + timedelta(seconds=rows.PACE_S[lifecycle.FAILED])
    payment.save(update_fields=["due_at"])
    _try_another(payment, at)


# --- a number that was never learnt -------------------------------------------------------------------------------


def look_for_number(*, payment_id: int) -> PaymentSnapshot | None:
    """What FP lists by now for a payment that ended before it was listed; from now on we know its number."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.state != lifecycle.FAILED or payment.failure_code != LOST:
        return None
    found = gateway.find(payment, rows.order_refs(payment), _known(payment))
    if found is None:
        return None
    with transaction.atomic(durable=True):
        row = locked(payment_id)
        if row.provider_ref is None:
            row.provider_ref = found.provider_ref
            row.save(update_fields=["provider_ref"])
    return found if row.provider_ref == found.provider_ref else None


def _take_over(*, payment_id: int, at: datetime) -> Payment | None:
    with transaction.atomic(durable=True):
        payment = locked(payment_id)
        if payment.lease_ran_out(at):
            if not journal.was_begun(payment, payment.attempt_no, gateway.path_of(payment)):
                payment.close_attempt()
                payment.due_at = at
                payment.save(update_fields=[*ATTEMPT_FIELDS])
                jobs.nudge("payments.advance", row_id=payment.pk)
                return None
            payment.mark_unknown(at)
            payment.save(update_fields=[*ATTEMPT_FIELDS])
            audit.record(payment, "payment.outcome_unknown", actor=None, at=at, why="the worker stopped")
        return payment if payment.is_unknown else None
