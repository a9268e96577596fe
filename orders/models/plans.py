"""A systematic investment plan (SIP): the same amount in the same scheme every month, debited by mandate."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pghistory
from django.db import models
from django.db.models import Q

from investors.models import Consent, InvestmentAccount, Mandate, Owned
from orders import lifecycle
from orders.models.ledger import Folio
from orders.models.schemes import Scheme
from portal import identifiers
from portal.attempts import Attempted, attempt_constraints, due_index


@pghistory.track()
class Plan(Attempted, Owned):
    """One SIP. FP makes the monthly orders by itself; each becomes an order of ours with `plan` set.

    Its consent is for one instalment of `amount` in this scheme: one-time codes are asked for at registration only
    (SEBI circular of 30 Sep 2022, paragraph on systematic transactions).
    """

    class State(models.TextChoices):
        CREATED = lifecycle.CREATED, "created"
        SUBMITTING = lifecycle.SUBMITTING, "being sent"
        ACTIVE = lifecycle.ACTIVE, "active"
        COMPLETED = lifecycle.COMPLETED, "completed"
        CANCELLED = lifecycle.CANCELLED, "cancelled"
        FAILED = lifecycle.FAILED, "not accepted"

    code = models.CharField(max_length=20, unique=True, editable=False)
    client_ref = models.CharField(max_length=40, unique=True, editable=False)
    provider = models.CharField(max_length=20, default="fp", editable=False)
    provider_ref = models.CharField(max_length=60, null=True, blank=True, editable=False)
    gateway = models.CharField(max_length=4, default="RTA", editable=False)
    state = models.CharField(max_length=12, choices=State, default=State.CREATED, editable=False)
    state_since = models.DateTimeField(editable=False)
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="plans")
    folio = models.ForeignKey(Folio, null=True, blank=True, on_delete=models.PROTECT, related_name="plans")
    investment_account = models.ForeignKey(InvestmentAccount, on_delete=models.PROTECT, related_name="+")
    mandate = models.ForeignKey(Mandate, on_delete=models.PROTECT, related_name="plans")
    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="plan")
    amount = models.DecimalField("amount a month, rupees", max_digits=15, decimal_places=2)
    start_day = models.PositiveSmallIntegerField("day of the month")
    instalments = models.PositiveSmallIntegerField()
    euin = models.CharField("EUIN", max_length=7, blank=True)
    user_ip = models.GenericIPAddressField(null=True, blank=True)
    placed_at = models.DateTimeField()
    next_on = models.DateField("next instalment", null=True, blank=True, editable=False)
    # The instalment that the investor asked to leave out, and when FP agreed.
    skip_on = models.DateField(null=True, blank=True, editable=False)
    skipped_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancel_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Failed instalments in a row: at three the fund house ends the plan (SEBI, in force since 1 Apr 2024).
    bounces_in_a_row = models.PositiveSmallIntegerField(default=0, editable=False)
    failure_code = models.CharField(max_length=60, blank=True, editable=False)
    failure_text = models.CharField("the provider's words", max_length=500, blank=True, editable=False)

    class Meta:
        verbose_name = "SIP"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="one_plan_per_provider_plan"),
            models.CheckConstraint(condition=Q(amount__gt=Decimal(0)), name="a_plan_is_for_a_positive_amount"),
            models.CheckConstraint(condition=Q(start_day__gte=1, start_day__lte=31), name="a_plan_starts_on_a_day"),
            # FP's own bound (given document, "Create SIP Order").
            models.CheckConstraint(
                condition=Q(instalments__gte=1, instalments__lte=1200), name="a_plan_has_1_to_1200_instalments"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("CREATED", "SUBMITTING", "CANCELLED", "FAILED")) | Q(provider_ref__isnull=False),
                name="an_active_plan_is_known_to_the_provider",
            ),
            *attempt_constraints("plan", (lifecycle.SUBMITTING,)),
        ]
        indexes = [
            due_index("plan"),
            models.Index(fields=["investor", "-id"], name="plan_of_investor"),
            models.Index(fields=["next_on"], condition=Q(state="ACTIVE"), name="plan_next"),
        ]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("SIP")
        self.client_ref = self.client_ref or identifiers.new_client_ref()
        super().save(*args, **kwargs)
