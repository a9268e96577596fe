"""What orders know when somebody wants to be forgotten: what goes on, when the last thing happened, what is emptied.

Orders, units and payments stay: they are the records that the law wants kept, and they hold no name. Imported by
`orders/tasks.py`, so that every process knows it.
"""

from __future__ import annotations

from django.db.models import Max

from investors import retention
from investors.models import Investor
from investors.operations import erasure
from orders import lifecycle
from orders.models import ApprovalLine, BasketOrder, Holding, MfOrder, Plan, StockHolding, Transaction, WatchedShare

LIVE_PLANS = (Plan.State.CREATED, Plan.State.SUBMITTING, Plan.State.ACTIVE)


def tie(investor: Investor) -> retention.Tie:
    """Units, orders and plans that are alive keep the relationship going; the last order or booking ends it."""
    mine = {"investor": investor}
    goes_on = {
        "you hold units": Holding.objects.filter(**mine, units__gt=0).exists(),
        "you hold shares": StockHolding.objects.filter(**mine, quantity__gt=0).exists(),
        "an order is on its way": MfOrder.objects.filter(**mine, state__in=lifecycle.OPEN).exists(),
        "a SIP runs": Plan.objects.filter(**mine, state__in=LIVE_PLANS).exists(),
    }
    lasts = (
        MfOrder.objects.filter(**mine).aggregate(last=Max("state_since"))["last"],
        Transaction.objects.filter(**mine).aggregate(last=Max("recorded_at"))["last"],
        BasketOrder.objects.filter(**mine).aggregate(last=Max("state_since"))["last"],
    )
    return retention.Tie(
        "; ".join(words for words, alive in goes_on.items() if alive), max(filter(None, lasts), default=None)
    )


def erase(investor: Investor) -> dict[str, int]:
    """Addresses, watched shares and bank accounts that partners typed are theirs; what they ordered is a record."""
    emptied = {
        f"addresses of {model._meta.verbose_name_plural}": model._default_manager.filter(investor=investor).update(
            user_ip=None
        )
        for model in (MfOrder, Plan, BasketOrder)
    }
    accounts = ApprovalLine.objects.filter(investor=investor).exclude(last_four="").update(account="")
    watched, _ = WatchedShare.objects.filter(investor=investor).delete()
    return {**emptied, "bank accounts that partners asked for": accounts, "shares watched": watched}


retention.register(tie)
erasure.register(erase)
