"""Filters that ask what operations ask: what is stuck, what is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RadioFilter

from portal import clock
from portal.attempts import PATIENCE as UNKNOWN_PATIENCE
from portal.attempts import Attempted
from portal.models import Partner

# Of more partners than that the list is found by the partner's own page.
MOST_PARTNERS = 50


def stuck(patience: Mapping[str, timedelta], at: datetime) -> Q:
    """Rows that have stood in a state for longer than its patience, or whose outcome is unknown for too long."""
    condition = Q(attempt=Attempted.Outcome.UNKNOWN, unknown_since__lte=at - UNKNOWN_PATIENCE)
    for state, length in patience.items():
        condition |= Q(state=state, state_since__lte=at - length)
    # Said once for all, so that the partial index of open rows serves the question.
    return Q(state__in=list(patience)) & condition


class StuckFilter(RadioFilter):
    """Rows that stand longer than the patience of their state; the model admin gives the table as `patience`."""

    title = "stuck"
    parameter_name = "stuck"
    patience: Mapping[str, timedelta]

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.patience = model_admin.patience
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Longer than its state should take")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(stuck(self.patience, clock.now())) if self.value() == "1" else queryset


class UnknownFilter(RadioFilter):
    """Rows whose last sending attempt has no known outcome."""

    title = "outcome"
    parameter_name = "unknown"
    patience: Mapping[str, timedelta]

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.patience = model_admin.patience
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Unknown: we are checking")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "1":
            return queryset
        # Only rows that are being sent can be unknown; naming the open states lets their partial index answer.
        return queryset.filter(attempt=Attempted.Outcome.UNKNOWN, state__in=list(self.patience))


class PartnerFilter(RadioFilter):
    """Rows of investors whom one partner brought, or whom nobody brought."""

    title = "partner"
    parameter_name = "partner"
    NOBODY = "none"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        partners = Partner.objects.order_by("name").values_list("code", "name")
        return [(self.NOBODY, "None"), *partners[:MOST_PARTNERS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.NOBODY:
            return queryset.filter(investor__partner=None)
        return queryset.filter(investor__partner__code=self.value()) if self.value() else queryset


def fixed_filter(name: str, words: str, *choices: str) -> type[RadioFilter]:
    """A filter on a column whose few values are known here, so that the list need not ask the table for them."""

    class Fixed(RadioFilter):
        title = words
        parameter_name = name

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(choice, choice) for choice in choices]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{name: self.value()}) if self.value() in choices else queryset

    return Fixed
