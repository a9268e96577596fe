"""What to do about a doorbell of a broker: find our journey, fetch, absorb. What it says of orders moves nothing."""

from __future__ import annotations

from datetime import datetime

from brokers.operations import journeys
from orders.models import BasketOrder
from portal.models import InboundEvent


def smallcase_notified(event: InboundEvent, at: datetime) -> None:
    """smallcase says that a transaction has news: ask smallcase about ours, if it is ours."""
    order = BasketOrder.objects.filter(broker="smallcase", provider_ref=event.subject_id).first()
    if order is not None:
        journeys.refresh(order_id=order.pk, at=at, source="webhook")
