"""What to do about a doorbell of a broker: find our journey, fetch, absorb. What it says of orders moves nothing."""

from __future__ import annotations

from datetime import datetime

from brokers.models import OmexEvent
from brokers.odin import stream
from brokers.odin.adapter import told
from brokers.operations import journeys
from orders.models import BasketOrder
from portal.models import InboundEvent


def smallcase_notified(event: InboundEvent, at: datetime) -> None:
    """smallcase says that a transaction has news: ask smallcase about ours, if it is ours."""
    order = BasketOrder.objects.filter(broker="smallcase", provider_ref=event.subject_id).first()
    if order is not None:
        journeys.refresh(order_id=order.pk, at=at, source="webhook")


def odin_notified(event: InboundEvent, at: datetime) -> None:
    """OMEX says that an order or a trade has news: read its stream on, and judge the journeys that it tells of.

    One reading answers every notice that came before it.
    """
    known = OmexEvent.objects.filter(basket_order_id=int(event.subject_id), sequence=event.body.get("sequence"))
    if known.exists():
        return
    for order_id in sorted(stream.catch_up(at=at)):
        order = BasketOrder.objects.select_related("investor__user", "basket", "version").get(pk=order_id)
        if said := told(order, list(order.lines.select_related("security").order_by("id"))):
            journeys.take_in(order=order, said=said, at=at, source="webhook")
