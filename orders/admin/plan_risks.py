"""The list that operations call by: running SIPs whose next debit may fail, with the words that the investor reads.

`queries.may_fail` finds them in the database; the words are those of `orders/plan_rules.py`, as on the investor's page.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RadioFilter

from orders import plan_rules
from orders.models import Plan
from orders.queries import plans as queries
from orders.queries import schemes as scheme_queries
from portal import clock
from portal.admin import show

TONES = {plan_rules.FAILS: "failed", plan_rules.RISK: "needs", plan_rules.NOTE: "neutral"}


class RiskFilter(RadioFilter):
    """Running SIPs with something against their next debit."""

    title = "next debit"
    parameter_name = "risk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "May fail")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Plan]) -> QuerySet[Plan]:
        return queryset.filter(queries.may_fail(clock.today())) if self.value() == "1" else queryset


def next_debit(plan: Plan) -> str:
    """When the next debit is, and the worst that speaks against it; `plan` comes from `queries.with_risks`."""
    on = queries.next_date(plan, clock.today())
    if on is None or plan.state not in queries.OPEN:
        return show.NOTHING
    found = queries.risks_of(plan, on, scheme_queries.holidays())
    day = f"{on:%-d %b %Y}"
    return show.two(day, show.badge(TONES[found[0].level], found[0].text)) if found else day
