"""A mutual-fund order: what an investor asked for, and what it became."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pghistory
from django.db import models
from django.db.models import Q

from investors.models import BankAccount, Consent, InvestmentAccount, Owned
from orders import lifecycle
from orders.models.ledger import Folio
from orders.models.schemes import Scheme
from portal import identifiers
from portal.attempts import Attempted, attempt_constraints, due_index


@pghistory.track()
class MfOrder(Attempted, Owned):
    """One order in one scheme. `client_ref` is saved before FP hears it as `source_ref_id`.

    A trigger refuses to store an order whose consent is not given, not the investor's, or not for this amount and
    scheme (migration `0002_guards`).
    """

    class Kind(models.TextChoices):
        PURCHASE = "PURCHASE", "Purchase"

    class State(models.TextChoices):
        CREATED = lifecycle.CREATED, "created"
        SUBMITTING = lifecycle.SUBMITTING, "being sent"
        AWAITING_PAYMENT = lifecycle.AWAITING_PAYMENT, "awaiting payment"
        PAID = lifecycle.PAID, "paid"
        PLACED = lifecycle.PLACED, "with the fund house"
        ALLOTTED = lifecycle.ALLOTTED, "units allotted"
        REJECTED = lifecycle.REJECTED, "rejected"
        EXPIRED = lifecycle.EXPIRED, "expired"
        CANCELLED = lifecycle.CANCELLED, "cancelled"
        REVERSED = lifecycle.REVERSED, "reversed"

    class PaymentMethod(models.TextChoices):
        NETBANKING = "NETBANKING", "Net banking"
        UPI = "UPI", "UPI"

    code = models.CharField(max_length=20, unique=True, editable=False)
    client_ref = models.CharField(max_length=40, unique=True, editable=False)
    provider = models.CharField(max_length=20, default="fp", editable=False)
    provider_ref = models.CharField(max_length=60, null=True, blank=True, editable=False)
    gateway = models.CharField(max_length=4, default="RTA", editable=False)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PURCHASE)
    state = models.CharField(max_length=18, choices=State, default=State.CREATED, editable=False)
    state_since = models.DateTimeField()
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="orders")
    folio = models.ForeignKey(Folio, null=True, blank=True, on_delete=models.PROTECT, related_name="orders")
    investment_account = models.ForeignKey(InvestmentAccount, on_delete=models.PROTECT, related_name="+")
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="+")
    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="order")
    amount = models.DecimalField("amount, rupees", max_digits=15, decimal_places=2)
    payment_method = models.CharField(max_length=10, choices=PaymentMethod)
    user_ip = models.GenericIPAddressField(null=True, blank=True)
    placed_at = models.DateTimeField()
    # What we told the investor before the yes: the NAV day, and the rule that gave it.
    predicted_nav_on = models.DateField()
    prediction = models.CharField(max_length=300)
    # What the fund house gave: units to 3 decimals, NAV to 4, the amount after stamp duty.
    allotted_units = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    allotted_nav = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    allotted_amount = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    allotted_on = models.DateField(null=True, blank=True)
    failure_code = models.CharField(max_length=60, blank=True)
    failure_text = models.CharField("the provider's words", max_length=500, blank=True)

    class Meta:
        verbose_name = "order"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="one_order_per_provider_order"),
            models.CheckConstraint(condition=Q(amount__gt=Decimal(0)), name="an_order_is_for_a_positive_amount"),
            models.CheckConstraint(
                condition=~Q(state="ALLOTTED")
                | Q(allotted_units__gt=0, allotted_nav__gt=0, allotted_on__isnull=False, folio__isnull=False),
                name="an_allotted_order_has_units_nav_day_and_folio",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["CREATED", "SUBMITTING", "REJECTED", "CANCELLED"])
                | Q(provider_ref__isnull=False),
                name="an_order_beyond_submitting_is_known_to_the_provider",
            ),
            *attempt_constraints("mforder", (lifecycle.SUBMITTING,)),
        ]
        indexes = [
            due_index("mforder"),
            models.Index(fields=["investor", "-id"], name="mforder_of_investor"),
            models.Index(fields=["state", "state_since"], condition=Q(state__in=lifecycle.OPEN), name="mforder_open"),
        ]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("ORD")
        self.client_ref = self.client_ref or identifiers.new_client_ref()
        super().save(*args, **kwargs)
