"""Named reads of broker accounts. Writes nothing."""

from __future__ import annotations

from django.db.models import QuerySet

from brokers.models import BrokerAccount
from investors.models import Investor
from orders.models import BasketOrder


def accounts_of(investor: Investor) -> QuerySet[BrokerAccount]:
    """The investor's linked accounts, newest first."""
    return BrokerAccount.objects.filter(investor=investor, unlinked_at__isnull=True).order_by("-id")


def account_for(order: BasketOrder) -> BrokerAccount | None:
    """The account that a journey goes to: the one it names, or the only one that is linked at its broker."""
    linked = accounts_of(order.investor).filter(broker=order.broker)
    if order.broker_account_ref:
        return linked.filter(account_ref=order.broker_account_ref).first()
    return linked.first()
