"""A payment is one attempt to collect money; its lines say for which orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pghistory
from django.db import models
from django.db.models import Q

from investors.models import Owned
from orders.models import MfOrder
from payments import lifecycle
from portal import identifiers
from portal.attempts import Attempted, attempt_constraints, due_index
from portal.encryption import EncryptedTextField


@pghistory.track(exclude=["token_url", "page_html"])
class Payment(Attempted, Owned):
    """One attempt at collecting `amount`. The investor pays at FP's page; the browser's return is only a hint."""

    class State(models.TextChoices):
        CREATED = lifecycle.CREATED, "created"
        STARTING = lifecycle.STARTING, "being started"
        AWAITING_INVESTOR = lifecycle.AWAITING_INVESTOR, "waiting for the investor"
        AWAITING_BANK = lifecycle.AWAITING_BANK, "waiting for the bank's debit"
        DEBITED = lifecycle.DEBITED, "debited"
        TRANSFERRED = lifecycle.TRANSFERRED, "on its way to the fund house"
        SETTLED = lifecycle.SETTLED, "with the fund house"
        FAILED = lifecycle.FAILED, "failed"
        EXPIRED = lifecycle.EXPIRED, "expired"
        LATE = lifecycle.LATE, "collected after all"

    code = models.CharField(max_length=20, unique=True, editable=False)
    # Part of the address to which the bank's page sends the browser back; says nothing and is guessed by nobody.
    nonce = models.CharField(max_length=40, unique=True, editable=False)
    provider = models.CharField(max_length=20, default="fp", editable=False)
    provider_ref = models.CharField(max_length=60, null=True, blank=True, editable=False)
    gateway = models.CharField(max_length=4, default="RTA", editable=False)
    method = models.CharField(max_length=10, choices=MfOrder.PaymentMethod)
    state = models.CharField(max_length=18, choices=State, default=State.CREATED, editable=False)
    state_since = models.DateTimeField()
    amount = models.DecimalField("amount, rupees", max_digits=15, decimal_places=2)
    # FP's page for this payment: works once, for 15 minutes.
    token_url = EncryptedTextField(blank=True, editable=False)
    # What BSE answers instead: a page of somebody else's, which is shown in a sandboxed frame only.
    page_html = EncryptedTextField(blank=True, editable=False)
    token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    handed_over_at = models.DateTimeField("investor sent to the bank's page", null=True, blank=True, editable=False)
    debit_on = models.DateField("day of the debit by mandate", null=True, blank=True, editable=False)
    debited_at = models.DateTimeField(null=True, blank=True)
    transferred_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=60, blank=True)
    failure_text = models.CharField("the provider's words", max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="one_payment_per_provider_payment"),
            models.CheckConstraint(condition=Q(amount__gt=Decimal(0)), name="a_payment_is_for_a_positive_amount"),
            models.CheckConstraint(
                condition=Q(state__in=["CREATED", "STARTING", "FAILED"]) | Q(provider_ref__isnull=False),
                name="a_payment_beyond_starting_is_known_to_the_provider",
            ),
            *attempt_constraints("payment", (lifecycle.STARTING,)),
        ]
        indexes = [
            due_index("payment"),
            models.Index(fields=["investor", "-id"], name="payment_of_investor"),
            models.Index(fields=["state", "state_since"], condition=Q(state__in=lifecycle.OPEN), name="payment_open"),
            models.Index(
                fields=["state_since"], condition=Q(state=lifecycle.FAILED, method="NACH"), name="payment_not_debited"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def was_out(self) -> bool:
        """Was it in the bank's hands, so that money can have left? A debit by mandate needs no page to be opened."""
        return self.handed_over_at is not None or self.method == MfOrder.PaymentMethod.NACH

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("PAY")
        self.nonce = self.nonce or identifiers.new_client_ref()
        super().save(*args, **kwargs)


class PaymentLine(Owned):
    """How much of a payment is for which order. An order has at most one live payment."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="lines")
    order = models.ForeignKey(MfOrder, on_delete=models.PROTECT, related_name="payment_lines")
    amount = models.DecimalField("amount, rupees", max_digits=15, decimal_places=2)
    # False once the payment has failed or expired: then another payment may be started.
    is_live = models.BooleanField(default=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "order"], name="an_order_stands_once_in_a_payment"),
            models.UniqueConstraint(fields=["order"], condition=Q(is_live=True), name="an_order_has_one_live_payment"),
            models.CheckConstraint(condition=Q(amount__gt=Decimal(0)), name="a_payment_line_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.order_id}"
