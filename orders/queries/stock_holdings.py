"""Named reads of the shares that brokers reported, and of those on their way. Writes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from investors.models import Investor
from orders import lifecycle
from orders.models import BasketOrder, StockHolding

# Bought longer ago than this, and it has long arrived.
ON_THE_WAY = timedelta(days=10)


def of(investor: Investor) -> QuerySet[StockHolding]:
    """What brokers reported, account by account, by name."""
    mine = StockHolding.objects.filter(investor=investor, quantity__gt=0).select_related("security__quote")
    return mine.order_by("broker", "account_ref", "security__name")


def bought_lately(investor: Investor, at: datetime) -> list[BasketOrder]:
    """Complete orders whose shares may not have arrived yet, newest first, with their lines."""
    mine = BasketOrder.objects.filter(investor=investor, state=lifecycle.COMPLETE, state_since__gte=at - ON_THE_WAY)
    return list(mine.select_related("basket").prefetch_related("lines__security").order_by("-id"))
