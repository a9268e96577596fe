"""A systematic investment plan (SIP): the same amount in the same scheme every month, debited by mandate."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pghistory
from django.db import models
from django.db.models import F, Q

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
    # First and last instalment: as shown to the investor, then as FP states them.
    first_on = models.DateField("first instalment")
    last_on = models.DateField("last instalment")
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
            models.CheckConstraint(condition=Q(last_on__gte=F("first_on")), name="a_plan_ends_after_it_begins"),
            *attempt_constraints("plan", (lifecycle.SUBMITTING,)),
        ]
        indexes = [
            due_index("plan"),
            models.Index(fields=["investor", "-id"], name="plan_of_investor"),
            # All that a SIP day reads of a plan (`instalments._EXPECT`), so that the rows are not looked at, nor those
            # of other days, which lie between them.
            models.Index(
                fields=["start_day", "id"],
                include=["investor", "amount", "first_on", "last_on"],
                condition=Q(state="ACTIVE"),
                name="plan_of_day",
            ),
            models.Index(fields=["mandate"], condition=Q(state="ACTIVE"), name="plan_of_mandate"),
        ]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("SIP")
        self.client_ref = self.client_ref or identifiers.new_client_ref()
        super().save(*args, **kwargs)


class Instalment(Owned):
    """One date of a plan on which FP will ask the bank: expected by us, announced to the investor, then an order.

    Written by one statement for all plans of a day (`orders/operations/instalments.py`); a plan has one a date, however
    often and by how many schedulers it is expected.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="instalment_rows")
    on = models.DateField("instalment of")
    amount = models.DecimalField("rupees", max_digits=15, decimal_places=2)
    expected_at = models.DateTimeField()
    # When its investor was told of it, at least 24 hours before the debit (RBI e-mandate framework).
    told_at = models.DateTimeField("told", null=True, blank=True)
    # FP's order for it, once FP lists one.
    order = models.OneToOneField(
        "orders.MfOrder", null=True, blank=True, on_delete=models.PROTECT, related_name="instalment"
    )

    class Meta:
        verbose_name = "SIP instalment"
        ordering = ["-on", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "on"], name="one_instalment_per_plan_and_date"),
            models.CheckConstraint(condition=Q(amount__gt=Decimal(0)), name="an_instalment_is_for_a_positive_amount"),
        ]
        indexes = [
            models.Index(fields=["on", "id"], condition=Q(told_at__isnull=True), name="instalment_to_tell"),
            models.Index(fields=["on", "id"], condition=Q(order__isnull=True), name="instalment_to_come"),
        ]

    def __str__(self) -> str:
        return f"{self.plan.code}, {self.on:%-d %b %Y}"


@pghistory.track()
class PlanChange(Attempted, Owned):
    """Something that an investor asked for about a running plan: skip one date, debit another mandate, end it.

    FP has no reference of ours for these calls, and two skips skip two dates: so each wish is a row, one of a kind at a
    time, and a date of a plan is skipped by one row only.
    """

    class Kind(models.TextChoices):
        SKIP = "SKIP", "skip an instalment"
        MANDATE = "MANDATE", "debit by another mandate"
        CANCEL = "CANCEL", "end the SIP"

    class State(models.TextChoices):
        CREATED = lifecycle.CREATED, "asked for"
        SUBMITTING = lifecycle.SUBMITTING, "being sent"
        DONE = lifecycle.DONE, "done"
        FAILED = lifecycle.FAILED, "not done"

    code = models.CharField(max_length=20, unique=True, editable=False)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=12, choices=State, default=State.CREATED, editable=False)
    state_since = models.DateTimeField(editable=False)
    # The date to skip; the mandate to debit from, and the yes to it.
    on = models.DateField(null=True, blank=True, editable=False)
    mandate = models.ForeignKey(Mandate, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    consent = models.ForeignKey(Consent, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    why_not = models.CharField("why it was not done", max_length=300, blank=True, editable=False)

    class Meta:
        verbose_name = "change of a SIP"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="SKIP") | Q(on__isnull=False), name="a_skip_names_the_date_it_leaves_out"
            ),
            models.CheckConstraint(
                condition=~Q(kind="MANDATE") | Q(mandate__isnull=False, consent__isnull=False),
                name="a_change_of_mandate_names_it_and_the_yes_to_it",
            ),
            models.UniqueConstraint(
                fields=["plan", "kind"],
                condition=Q(state__in=(lifecycle.CREATED, lifecycle.SUBMITTING)),
                name="one_open_change_of_a_kind_per_plan",
            ),
            models.UniqueConstraint(
                fields=["plan", "on"],
                condition=Q(kind="SKIP") & ~Q(state=lifecycle.FAILED),
                name="a_date_is_skipped_once",
            ),
            *attempt_constraints("planchange", (lifecycle.SUBMITTING,)),
        ]
        indexes = [due_index("planchange")]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("SCH")
        super().save(*args, **kwargs)
