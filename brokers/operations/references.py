"""Short references that a broker wants for a basket, handed out once and for ever."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from brokers.models import BrokerOrderRef, NewsCursor
from orders.models import BasketOrder
from portal import identifiers

TRIES = 20


class NoneLeft(Exception):
    """So many references are taken that none was found free: they must become longer."""


def allocate(*, order: BasketOrder, length: int, at: datetime) -> BrokerOrderRef:
    """The journey's reference at its broker: the one it has, or a new one that nobody ever had. Committed on return.

    The unique key decides, not a look before it. Raises NoneLeft.
    """
    for _ in range(TRIES):
        known = BrokerOrderRef.objects.filter(basket_order=order).first()
        if known is not None:
            return known
        try:
            with transaction.atomic(durable=True):
                return _new(order, length, at)
        except IntegrityError:
            # Somebody has that reference, or this journey got one at the same moment.
            continue
    raise NoneLeft(order.broker)


def _new(order: BasketOrder, length: int, at: datetime) -> BrokerOrderRef:
    cursor = NewsCursor.objects.filter(pk=order.broker).first()
    return BrokerOrderRef.objects.create(
        investor_id=order.investor_id,
        broker=order.broker,
        ref=identifiers.short_ref(length),
        basket_order=order,
        allocated_at=at,
        news_after=cursor.sequence if cursor else 0,
    )
