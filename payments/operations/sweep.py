"""What a payment's row says remains to be done."""

from __future__ import annotations

from datetime import datetime

from orders.lifecycle import AWAITING_PAYMENT
from orders.models import MfOrder
from payments import lifecycle
from payments.models import Payment
from payments.operations import attempts, chasing, late, news
from payments.operations.rows import PACE_S
from portal.attempts import ATTEMPT_FIELDS

_READ = ("state", "state_since", "provider_ref", "method", "failure_code", "failure_text", "handed_over_at")


def advance(*, payment_id: int, at: datetime) -> None:
    """Have the page made, look an unknown up, or ask FP what it says now."""
    payment = Payment.objects.only(*_READ, *ATTEMPT_FIELDS).get(pk=payment_id)
    if payment.state == lifecycle.CREATED or (payment.state == lifecycle.STARTING and not payment.attempt):
        attempts.open_page(payment_id=payment_id, at=at)
    elif payment.state == lifecycle.STARTING:
        attempts.settle(payment_id=payment_id, at=at)
    elif payment.state in lifecycle.ENDED:
        late.watch(payment, at)
        if said := news.refresh(payment_id=payment_id, at=at):
            chasing.chase(payment_id=payment_id, said=said, at=at)
    elif payment.state in PACE_S:
        news.refresh(payment_id=payment_id, at=at)


def orders_without_payment(limit: int = 100) -> list[int]:
    """Orders that wait for money and have no payment at all: their nudge was lost."""
    waiting = MfOrder.objects.filter(state=AWAITING_PAYMENT, payment_lines__isnull=True, plan__isnull=True)
    return list(waiting.values_list("pk", flat=True)[:limit])
