"""What was not executed of an order: its investor is reminded of it once, and may leave it as it is.

Some brokers give most of a sale's money on the same day, the rest arrives on T+1 (screens.md, F54): so the reminder
comes with the opening of the exchange's next day.
"""

from __future__ import annotations

from datetime import datetime, time

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast
from django.urls import reverse

from investors.models import Investor
from orders import calendar, stock_words
from orders.models import BasketOrder, StockOrder
from orders.operations import baskets
from orders.queries import missing
from orders.queries import schemes as scheme_queries
from portal import audit
from portal.clock import IST
from portal.errors import Failure, InvalidInput
from portal.notices import writing
from portal.notices.catalogue import EMAIL, Event, register
from portal.notices.models import Notice

MISSING = "basket.missing"
register(
    Event(
        MISSING,
        "Shares",
        "Part of an order in shares was not executed",
        "Something is missing: {name}",
        "Not everything of your order was executed. What is missing can be ordered again on the order's page, or left "
        "as it is.",
        (EMAIL,),
    )
)
REMINDED_FROM = time(9, 15)


class NothingMissing(Failure):
    """Raised for an order of which nothing is missing, or no longer."""

    code = "nothing_missing"
    message = "Nothing is missing in this order that could be left."


def leave(*, investor: Investor, code: str, why: str, at: datetime) -> None:
    """What was not executed stays so: it is no longer offered and nobody is reminded. Raises NothingMissing."""
    if why not in BasketOrder.LeftWhy.values:
        raise InvalidInput("why", "Choose one of these reasons.")
    with transaction.atomic():
        order = BasketOrder.objects.select_for_update(of=("self",)).get(investor=investor, code=code)
        if order.left_at:
            return
        if not missing.to_repair(at).filter(pk=order.pk).exists():
            raise NothingMissing
        order.left_at, order.left_why = at, why
        order.save(update_fields=["left_at", "left_why"])
        audit.record(order, "basket.left_as_it_is", actor=investor.user, at=at, why=why)


def remind(*, at: datetime) -> int:
    """Whose order lacks something since the day before is told, once an order. Returns how many were told."""
    holidays, now = scheme_queries.holidays(), at.astimezone(IST)
    notices = Notice.objects.filter(
        event=MISSING, subject_kind=audit.kind_of(BasketOrder()), subject_id=Cast(OuterRef("pk"), CharField())
    )
    waiting = missing.to_repair(at).filter(~Exists(notices)).select_related("basket", "investor").order_by("id")
    told = 0
    for order in waiting:
        ended = order.state_since.astimezone(IST).date()
        if datetime.combine(calendar.next_business_day(ended, holidays), REMINDED_FROM, tzinfo=IST) <= now:
            _tell(order, at)
            told += 1
    return told


def _tell(order: BasketOrder, at: datetime) -> None:
    with transaction.atomic():
        lines = list(order.lines.select_related("security").order_by("id"))
        symbols = {line.security_id: line.security.symbol for line in lines}
        writing.tell(
            user_id=order.investor.user_id,
            event=MISSING,
            subject=order,
            url=reverse("brokers:order", args=[order.code]),
            at=at,
            facts=[
                (symbols[each.security_id], f"{StockOrder.Side(each.side).label} {each.quantity} more")
                for each in baskets.lines_to_repair(order)
            ],
            name=stock_words.name(order, lines),
        )
