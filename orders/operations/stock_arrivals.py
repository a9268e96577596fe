"""The day on which bought shares should be in the demat account (T+1), and the reminder on it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast
from django.urls import reverse

from orders import calendar, lifecycle, stock_words
from orders.models import BasketOrder, StockOrder
from orders.queries import schemes as scheme_queries
from portal import audit
from portal.clock import IST
from portal.notices import writing
from portal.notices.catalogue import EMAIL, Event, register
from portal.notices.models import Notice

ARRIVED = "basket.arrived"
register(
    Event(
        ARRIVED,
        "Shares",
        "Shares that you bought should be in your demat account",
        "Your shares should have arrived: {name}",
        "Shares reach your demat account on the business day after the exchange executed the order (T+1). That day has "
        "come: look there, and if one is missing, ask your broker, who settles the trade.",
        (EMAIL,),
    )
)
# Depositories book deliveries during the morning of T+1; people are told when it should be done.
ARRIVES_BY = time(16, 0)
LOOK_BACK = timedelta(days=10)


def arrives_on(order: BasketOrder, holidays: frozenset[date]) -> date:
    """The day on which the shares of a complete order should be in the demat account: T+1 (providers.md 6.3)."""
    return calendar.next_business_day(order.state_since.astimezone(IST).date(), holidays)


def remind(*, at: datetime) -> int:
    """Who bought shares that should have arrived by now is told, once an order. Returns how many were told."""
    holidays, now = scheme_queries.holidays(), at.astimezone(IST)
    told = 0
    for order in _unreminded(at):
        if datetime.combine(arrives_on(order, holidays), ARRIVES_BY, tzinfo=IST) <= now:
            _tell(order, at)
            told += 1
    return told


def _unreminded(at: datetime) -> list[BasketOrder]:
    bought = StockOrder.objects.filter(basket_order=OuterRef("pk"), side=StockOrder.Side.BUY, filled__gt=0)
    notices = Notice.objects.filter(
        event=ARRIVED, subject_kind=audit.kind_of(BasketOrder()), subject_id=Cast(OuterRef("pk"), CharField())
    )
    complete = BasketOrder.objects.filter(state=lifecycle.COMPLETE, state_since__gte=at - LOOK_BACK)
    found = complete.filter(Exists(bought), ~Exists(notices)).select_related("basket", "investor").order_by("id")
    return list(found)


def _tell(order: BasketOrder, at: datetime) -> None:
    with transaction.atomic():
        lines = list(order.lines.select_related("security").order_by("id"))
        writing.tell(
            user_id=order.investor.user_id,
            event=ARRIVED,
            subject=order,
            url=reverse("brokers:order", args=[order.code]),
            at=at,
            facts=[
                (line.security.symbol, str(line.filled))
                for line in lines
                if line.filled and line.side == StockOrder.Side.BUY
            ],
            name=stock_words.name(order, lines),
        )
