"""Open cases as their investor sees them (`investors/case_queries.py`), by what they are about."""

from __future__ import annotations

from collections.abc import Iterable

from investors import case_queries
from investors.case_queries import Seen
from orders.case_words import IN_THE_STORY, INSTEAD_OF
from orders.models import BasketOrder, MfOrder, Plan
from portal.audit import Told

PAYMENT = "payments.payment"


def of_order(order: MfOrder, recorded: Iterable[Told]) -> list[Seen]:
    """The cases about an order or its payments, open ones first; no statement while its story tells of none."""
    if not any(entry.action in IN_THE_STORY for entry in recorded):
        return []
    payments = MfOrder.objects.filter(pk=order.pk, payment_lines__isnull=False)
    keys = payments.values_list("payment_lines__payment_id", flat=True)
    found = case_queries.about(order.investor_id, {MfOrder._meta.label_lower: [order.pk], PAYMENT: list(keys)})
    return without_repeats(found)


def of_plan(plan: Plan) -> list[Seen]:
    """The open cases about a SIP."""
    return case_queries.about(plan.investor_id, {Plan._meta.label_lower: [plan.pk]})


def of_journey(order: BasketOrder, lines: Iterable[int]) -> list[Seen]:
    """The open cases about a journey in shares or one of its shares."""
    about = {BasketOrder._meta.label_lower: [order.pk], "orders.stockorder": list(lines)}
    return case_queries.about(order.investor_id, about)


def without_repeats(found: list[Seen]) -> list[Seen]:
    """Without the cases of which another open one about the same record says everything."""
    said = {(INSTEAD_OF.get(each.kind), each.url) for each in found}
    return [each for each in found if (each.kind, each.url) not in said]
