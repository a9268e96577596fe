"""Named reads of what was not executed of finished orders and can be ordered again. Writes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from orders import lifecycle
from orders.models import BasketOrder, StockChange, StockOrder

# What was missing this long ago is no longer repaired: the prices are others.
REPAIRED_WITHIN = timedelta(days=30)


def to_repair(at: datetime) -> QuerySet[BasketOrder]:
    """Journeys that are complete with something missing, that nobody has ordered again and the investor has not left.

    Orders with a price or a validity of their own are written anew, not repaired (`StockOrder.is_plain`); what the
    investor cancelled is not missing.
    """
    plain = StockOrder.objects.filter(kind=StockOrder.Kind.MARKET, product=StockOrder.Product.DELIVERY)
    missing = plain.filter(basket_order=OuterRef("pk"), filled__lt=F("quantity"), is_immediate=False)
    missing = missing.filter(~Exists(_cancellations().filter(stock_order=OuterRef("pk"))))
    over = (lifecycle.CANCELLED, lifecycle.EXPIRED)
    repairs = BasketOrder.objects.filter(repairs=OuterRef("pk")).exclude(state__in=over)
    recent = BasketOrder.objects.filter(state=lifecycle.COMPLETE, state_since__gte=at - REPAIRED_WITHIN)
    return recent.filter(Exists(missing), ~Exists(repairs), left_at__isnull=True)


def given_up(order: BasketOrder) -> set[int]:
    """The lines of a journey of which the investor cancelled what was open, by key."""
    found = _cancellations().filter(stock_order__basket_order=order)
    return set(found.values_list("stock_order_id", flat=True))


def _cancellations() -> QuerySet[StockChange]:
    """Those that the broker carried out."""
    return StockChange.objects.filter(kind=StockChange.Kind.CANCEL, state=lifecycle.DONE)
