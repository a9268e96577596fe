"""What an investor asked to change of a share order that is open at the broker."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pghistory
from django.db import models
from django.db.models import Q

from investors.models import Owned
from orders import lifecycle
from orders.models.stocks import StockOrder
from portal import identifiers
from portal.attempts import Attempted, attempt_constraints, due_index


@pghistory.track()
class StockChange(Attempted, Owned):
    """One instruction about one open share: other numbers, or the end of it. Only one at a time is under way.

    The numbers are what the order shall be afterwards, so sending them twice changes nothing more.
    """

    class Kind(models.TextChoices):
        MODIFY = "MODIFY", "change"
        CANCEL = "CANCEL", "cancellation"

    class State(models.TextChoices):
        SUBMITTING = lifecycle.SUBMITTING, "on its way"
        DONE = lifecycle.DONE, "done"
        FAILED = lifecycle.FAILED, "not done"

    code = models.CharField(max_length=20, unique=True, editable=False)
    stock_order = models.ForeignKey(StockOrder, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=8, choices=Kind)
    quantity = models.PositiveIntegerField(null=True, blank=True)
    price = models.DecimalField("limit price, rupees", max_digits=15, decimal_places=2, null=True, blank=True)
    trigger = models.DecimalField("trigger price, rupees", max_digits=15, decimal_places=2, null=True, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.SUBMITTING, editable=False)
    state_since = models.DateTimeField(editable=False)
    form_ref = models.CharField(max_length=40, unique=True, editable=False)
    failure_code = models.CharField(max_length=60, blank=True, editable=False)
    failure_text = models.CharField("the broker's words", max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["stock_order"], condition=Q(state="SUBMITTING"), name="one_change_of_a_share_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(kind="CANCEL", quantity__isnull=True, price__isnull=True, trigger__isnull=True)
                | Q(kind="MODIFY", quantity__gte=1),
                name="a_change_names_its_numbers",
            ),
            models.CheckConstraint(
                condition=(Q(price__isnull=True) | Q(price__gt=Decimal(0)))
                & (Q(trigger__isnull=True) | Q(trigger__gt=Decimal(0))),
                name="prices_of_a_change_are_prices",
            ),
            *attempt_constraints("stockchange", (lifecycle.SUBMITTING,)),
        ]
        indexes = [due_index("stockchange"), models.Index(fields=["investor", "-id"], name="stockchange_of_investor")]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("STC")
        super().save(*args, **kwargs)
