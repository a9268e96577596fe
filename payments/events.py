"""What to do about a doorbell of payments: fetch by our own stored number, then absorb."""

from __future__ import annotations

from datetime import datetime

from payments import operations
from portal.models import InboundEvent


def payment_returned(event: InboundEvent, at: datetime) -> None:
    """The browser came back from the bank's page. Whatever it said, FP is asked."""
    operations.refresh(payment_id=int(event.subject_id), at=at)
