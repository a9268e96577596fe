"""What to do about a doorbell of a mandate: fetch by our own stored number, then absorb."""

from __future__ import annotations

from datetime import datetime

from investors.operations import mandate_sending
from portal.models import InboundEvent


def mandate_returned(event: InboundEvent, at: datetime) -> None:
    """The browser came back from the bank's page. Whatever it said, FP is asked."""
    mandate_sending.refresh(mandate_id=int(event.subject_id), at=at)
