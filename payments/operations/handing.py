"""The investor goes to the bank's page: once per page, and never to a second one while the first may still be paid."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from orders import rails
from orders.lifecycle import AWAITING_PAYMENT
from orders.models import MfOrder
from orders.operations import news as order_news
from orders.queries import schemes as scheme_queries
from payments import lifecycle
from payments.models import Payment
from payments.operations import attempts, news, rows
from payments.operations.rows import locked
from portal import audit
from portal.clock import IST
from portal.errors import Failure

_ENDED = (lifecycle.FAILED, lifecycle.EXPIRED)


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


def hand_over(*, order: MfOrder, at: datetime, method: str = "") -> Payment | None:
    """The payment whose page the investor is to open now; None: it is not ready yet.

    A page is handed out while it lives and until it was used once. Raises NotPayable, or StillOpen when an earlier
    page may still be in use. A failed or expired payment is followed by a new one, which is then being started; so is
    an unused page when the investor wants to pay by another `method`, if that one carries so much.
    """
    if order.state != AWAITING_PAYMENT or order.payment_method == MfOrder.PaymentMethod.NACH:
        raise NotPayable
    payment = rows.newest(order.pk)
    if method and (why_not := _why_too_much(method, payment.amount if payment else order.cost, at)):
        raise NotPayable(why_not)
    if payment is None or payment.state in _ENDED:
        attempts.start(order_id=order.pk, at=at, again=True, method=method)
        return None
    if payment.state != lifecycle.AWAITING_INVESTOR:
        return None
    lives = payment.token_expires_at is not None and at < payment.token_expires_at
    if payment.handed_over_at is None and lives:
        if method not in ("", payment.method):
            _by_another(payment, order, method, at)
            return None
        handed = _hand_out(payment, at=at)
        if handed is None:
            attempts.start(order_id=order.pk, at=at, again=True, method=payment.method)
        return handed
    news.refresh(payment_id=payment.pk, at=at)
    payment.refresh_from_db()
    if payment.state == lifecycle.AWAITING_INVESTOR:
        if lives and payment.token_expires_at:
            raise StillOpen(payment.token_expires_at)
        expire(payment_id=payment.pk, at=at)
    return hand_over(order=MfOrder.objects.get(pk=order.pk), at=at, method=method)


def _why_too_much(method: str, amount: Decimal, at: datetime) -> str:
    return rails.why_too_much(method, amount, book=scheme_queries.book(), on=at.astimezone(IST).date())


def _hand_out(payment: Payment, *, at: datetime) -> Payment | None:
    """None: somebody else has taken it, or it would collect for an order that is paid by now, or has ended."""
    with transaction.atomic():
        row = locked(payment.pk)
        if row.handed_over_at is not None or row.state != lifecycle.AWAITING_INVESTOR:
            return None
        if any(order.state != AWAITING_PAYMENT for order in rows.locked_orders(row)):
            rows.fail(row, lifecycle.EXPIRED, code="orders_changed", text="", at=at)
            return None
        row.handed_over_at, row.due_at = at, at + timedelta(seconds=15)
        row.save(update_fields=["handed_over_at", "due_at"])
        audit.record(row, "payment.handed_over", actor=f"user:{row.investor.user_id}", at=at)
        for line in row.lines.order_by("order_id"):
            order_news.note_payment(order_id=line.order_id, event="handed_over", at=at, payment=row.code)
    return row


def _by_another(payment: Payment, order: MfOrder, method: str, at: datetime) -> None:
    """A page that nobody has opened is given up for one of another method."""
    with transaction.atomic():
        row = locked(payment.pk)
        if row.handed_over_at is None and row.state == lifecycle.AWAITING_INVESTOR:
            rows.fail(row, lifecycle.EXPIRED, code="another_method", text="", at=at)
    attempts.start(order_id=order.pk, at=at, again=True, method=method)


def expire(*, payment_id: int, at: datetime) -> None:
    """A page that nobody used in time is given up; a success that still arrives becomes a case."""
    with transaction.atomic():
        payment = locked(payment_id)
        if payment.state == lifecycle.AWAITING_INVESTOR and payment.token_expires_at and payment.token_expires_at <= at:
            rows.fail(payment, lifecycle.EXPIRED, code="page_expired", text="", at=at)
