"""Our words <-> FP's messages about payments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from payments import lifecycle
from payments.models import Payment
from portal.fintech_primitives import client as fp
from portal.fintech_primitives import messages
from portal.fintech_primitives.messages import PaymentStatus
from portal.gateway import errors, journal

# FP's words: SUCCESS is debited, INITIATED on its way to the fund house, APPROVED has arrived (providers.md 3.8).
STATES = {
    PaymentStatus.PENDING: lifecycle.AWAITING_INVESTOR,
    PaymentStatus.SUBMITTED: lifecycle.AWAITING_INVESTOR,
    PaymentStatus.SUCCESS: lifecycle.DEBITED,
    PaymentStatus.INITIATED: lifecycle.TRANSFERRED,
    PaymentStatus.APPROVED: lifecycle.SETTLED,
    PaymentStatus.FAILED: lifecycle.FAILED,
    PaymentStatus.REJECTED: lifecycle.FAILED,
    PaymentStatus.TIMEDOUT: lifecycle.EXPIRED,
}
PAYMENT_PATH = "/payments/netbanking"


@dataclass(frozen=True)
class PaymentSnapshot:
    """What FP says about a payment now, in our words. `state` is None for a word that we do not know."""

    provider_ref: str
    state: str | None
    their_word: str
    amount: Decimal | None = None
    order_refs: frozenset[str] = field(default_factory=frozenset)
    failure_text: str = ""
    debited_at: datetime | None = None
    transferred_at: datetime | None = None
    settled_at: datetime | None = None


def snapshot(payment: messages.Payment) -> PaymentSnapshot:
    """FP's payment in our words."""
    return PaymentSnapshot(
        provider_ref=payment.id,
        state=STATES.get(payment.status),
        their_word=str(payment.status),
        amount=payment.amount,
        order_refs=frozenset(payment.amc_order_ids),
        failure_text=(payment.failed_reason or "")[:500],
        debited_at=payment.debit_confirmed_at,
        transferred_at=payment.transfer_initiated_at,
        settled_at=payment.settled_at,
    )


def create(payment: Payment, order_refs: list[str]) -> messages.StartedPayment:
    """POST the payment; returns FP's number and the address of its page. Raises the six gateway errors."""
    started = fp.client().create_payment(
        order_ids=order_refs,
        method=messages.PaymentMethod(payment.method),
        postback_url=settings.PUBLIC_URL + reverse("payments:return", args=[payment.nonce]),
        about=journal.about(payment, our_ref=payment.code, attempt_no=payment.attempt_no),
    )
    if not is_payment_page(started.token_url):
        raise errors.Garbled("fp", "POST", PAYMENT_PATH, said="the payment page lies at an address we do not know")
    return started


def is_payment_page(url: str) -> bool:
    """Does the address lie where investors may be sent to pay (PAYMENT_PAGE_ORIGINS)?"""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" in settings.PAYMENT_PAGE_ORIGINS


def find(payment: Payment, order_refs: list[str], known: set[str]) -> PaymentSnapshot | None:
    """The newest payment FP has for these orders that no row of ours knows. None: FP lists none."""
    about = journal.about(payment, our_ref=payment.code, attempt_no=payment.attempt_no)
    listed = [each for each in fp.client().list_payments(order_refs, about) if each.id not in known]
    mine = [each for each in listed if set(each.amc_order_ids) == set(order_refs)]
    return snapshot(max(mine, key=lambda each: int(each.id) if each.id.isdigit() else 0)) if mine else None


def fetch(payment: Payment) -> PaymentSnapshot:
    """What FP says about a payment whose number we know."""
    about = journal.about(payment, our_ref=payment.code)
    return snapshot(fp.client().fetch_payment(payment.provider_ref or "", about))
