"""What a partner asks an investor to approve: lines that become orders by the investor's own code, or by nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from investors.models import BankAccount, Consent, Mandate, Owned
from orders.models.baskets import Basket
from orders.models.carts import CartLine
from orders.models.plans import Plan, PlanChange
from orders.models.schemes import Scheme
from portal import identifiers
from portal.encryption import EncryptedTextField
from portal.models import Partner


class Approval(Owned):
    """A partner's request with a reason and an end. Where it stands follows from its lines and its dates."""

    class Ended(models.TextChoices):
        LEFT = "LEFT", "the firm no longer looks after the investor"
        STOPPED = "STOPPED", "the firm no longer works with us"
        CLOSED = "CLOSED", "the connection by which the firm asked was closed"

    code = models.CharField(max_length=20, unique=True, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="approvals")
    # Who asked, as the investor read it: it stays when the investor, or the partner, goes elsewhere.
    asked_by = models.CharField(max_length=120)
    asked_by_arn = models.CharField(max_length=20, blank=True)
    # Why, in the partner's words: the investor reads them.
    reason = models.CharField(max_length=300)
    # The partner's own name for it.
    reference = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    times_told = models.PositiveSmallIntegerField(default=0)
    seen_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    # When it ended before its time, because the firm left or was stopped (`portal/api/leaving.py`).
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_why = models.CharField(max_length=8, choices=Ended, blank=True, db_default="", editable=False)
    # When its time is over and the partner is told; null once that is done.
    due_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="an_approval_lasts_for_a_while"),
            models.CheckConstraint(condition=~Q(reason=""), name="an_approval_says_why"),
            models.CheckConstraint(condition=~Q(asked_by=""), name="an_approval_says_who_asks"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="") | Q(ended_at__isnull=False) & ~Q(ended_why=""),
                name="an_approval_that_ended_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "-id"], name="approvals_of_partner"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="approvals_run_out"),
        ]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("APR")
        super().save(*args, **kwargs)


class ApprovalLine(Owned):
    """One thing asked for. What became of it is found through the consent, cart line or change that it led to."""

    class Kind(models.TextChoices):
        PURCHASE = "PURCHASE", "buy"
        REDEMPTION = "REDEMPTION", "sell"
        SIP = "SIP", "start a SIP"
        SIP_SKIP = "SIP_SKIP", "skip an instalment"
        SIP_CANCEL = "SIP_CANCEL", "end a SIP"
        MANDATE = "MANDATE", "give a mandate"
        BANK_ACCOUNT = "BANK_ACCOUNT", "add a bank account"
        BASKET = "BASKET", "invest in a basket"

    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    # The form that the investor's consent belongs to: pressing twice asks once.
    form_ref = models.CharField(max_length=40, unique=True, editable=False)
    scheme = models.ForeignKey(Scheme, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    folio_number = models.CharField(max_length=40, blank=True)
    amount = models.DecimalField("amount, rupees", max_digits=15, decimal_places=2, null=True, blank=True)
    units = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    is_all = models.BooleanField(default=False)
    start_day = models.PositiveSmallIntegerField("day of the month", null=True, blank=True)
    instalments = models.PositiveSmallIntegerField(null=True, blank=True)
    mandate = models.ForeignKey(Mandate, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    on = models.DateField(null=True, blank=True)
    bank_account = models.ForeignKey(BankAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # A new bank account as JSON (`NewAccount`), and the end of its number, which stays when the rest is erased.
    account = EncryptedTextField(blank=True)
    last_four = models.CharField(max_length=4, blank=True)
    basket = models.ForeignKey(Basket, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # What the investor did with it.
    consent = models.ForeignKey(Consent, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    cart_line = models.ForeignKey(CartLine, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    change = models.ForeignKey(PlanChange, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    declined_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["approval", "number"], name="lines_of_an_approval_are_numbered"),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=Decimal(0)), name="an_approval_asks_for_rupees"
            ),
            models.CheckConstraint(
                condition=Q(kind="PURCHASE", scheme__isnull=False, amount__isnull=False)
                | Q(kind="REDEMPTION", scheme__isnull=False) & ~Q(folio_number="")
                | Q(
                    kind="SIP", scheme__isnull=False, amount__isnull=False, start_day__isnull=False,
                    instalments__isnull=False, mandate__isnull=False,
                )
                | Q(kind="SIP_SKIP", plan__isnull=False, on__isnull=False)
                | Q(kind="SIP_CANCEL", plan__isnull=False)
                | Q(kind="MANDATE", bank_account__isnull=False, amount__isnull=False)
                | Q(kind="BANK_ACCOUNT") & ~Q(last_four="")
                | Q(kind="BASKET", basket__isnull=False, amount__isnull=False),
                name="an_approval_line_names_what_it_asks_for",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"
