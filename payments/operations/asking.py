"""A partner reminds an investor of an order that waits for payment; who pays is the investor alone."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from investors.models import Investor
from investors.operations.partner_asks import once_a_day
from orders import links
from orders.lifecycle import AWAITING_PAYMENT
from orders.models import MfOrder
from payments.operations.handing import NotPayable
from portal import audit, money
from portal.models import Partner
from portal.notices import writing
from portal.scope import ALL, scope


def ask_to_pay(*, order: MfOrder, partner: Partner, actor: str, at: datetime) -> bool:
    """The investor is told that the order waits for payment: True, or False when they were told today already.

    The caller has found the order among the partner's. Raises NotPayable.
    """
    if order.state != AWAITING_PAYMENT or order.payment_method == MfOrder.PaymentMethod.NACH:
        raise NotPayable("This order does not wait for the investor to pay it.")
    with scope(ALL), transaction.atomic():
        told = writing.tell(
            user_id=Investor.objects.values_list("user_id", flat=True).get(pk=order.investor_id),
            event="order.payment_asked", subject=order, about=once_a_day(at), url=links.page_of(order), at=at,
            partner=partner.name, asked=money.rupees(order.cost), scheme=order.scheme.name,
        )  # fmt: skip
        if told:
            audit.record(order, "order.payment_asked", actor=actor, at=at)
    return told is not None
