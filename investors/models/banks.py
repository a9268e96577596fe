"""Where an investor's money comes from and goes to, and what may be debited from there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pghistory
from django.db import models
from django.db.models import F, Q

from investors import lifecycle
from investors.models.consents import Consent
from investors.models.documents import Document
from investors.models.people import Owned
from portal import identifiers
from portal.attempts import Attempted, attempt_constraints, due_index
from portal.encryption import EncryptedTextField, blind_index

ACCOUNT_INDEX = "bank-account"


@pghistory.track()
class BankAccount(Owned):
    """An account of the investor's own, from which purchases are paid and to which redemptions come."""

    class Kind(models.TextChoices):
        SAVINGS = "SAVINGS", "Savings"
        CURRENT = "CURRENT", "Current"
        NRE = "NRE", "NRE (non-resident external)"
        NRO = "NRO", "NRO (non-resident ordinary)"

    class Verified(models.TextChoices):
        NO = "", "not verified yet"
        PAID_FROM = "PAID_FROM", "a payment came from it"
        MANDATE = "MANDATE", "the bank approved a mandate on it"
        CHEQUE = "CHEQUE", "its cancelled cheque was seen"

    code = models.CharField(max_length=20, unique=True, editable=False)
    holder_name = models.CharField("account holder's name", max_length=70)
    number = EncryptedTextField("account number")
    number_index = models.CharField(max_length=64, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    kind = models.CharField("account type", max_length=8, choices=Kind)
    ifsc = models.CharField("IFSC", max_length=11)
    bank_name = models.CharField(max_length=120)
    branch_name = models.CharField(max_length=120, blank=True)
    is_primary = models.BooleanField(default=False)
    provider_ref = models.CharField(max_length=60, null=True, blank=True, editable=False)
    verified = models.CharField(max_length=12, choices=Verified, default=Verified.NO, blank=True, editable=False)
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    # A new account receives no payout before this moment (reliability.md P31: cooling-off after a change).
    payout_from = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_cheque = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_primary=False) | Q(closed_at__isnull=True), name="a_closed_bank_account_is_not_primary"
            ),
            models.UniqueConstraint(
                fields=["investor", "number_index", "ifsc"], name="an_investor_adds_a_bank_account_once"
            ),
            models.UniqueConstraint(
                fields=["investor"],
                condition=Q(is_primary=True),
                name="one_primary_bank_account_per_investor",
            ),
        ]
        # Two people with one account are perhaps one (investors/operations/doubles.py).
        indexes = [models.Index(fields=["number_index"], name="bank_account_by_number")]

    def __str__(self) -> str:
        return f"{self.bank_name} ending {self.last_four}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("BNK")
        super().save(*args, **kwargs)

    def set_number(self, number: str) -> None:
        """Put a checked account number on the row together with its index and its visible end."""
        self.number, self.number_index = number, blind_index(number, ACCOUNT_INDEX)
        self.last_four = number[-4:]


@pghistory.track()
class Mandate(Attempted, Owned):
    """An authority to debit a bank account up to a limit, given to collect SIPs and lumpsums (NPCI NACH).

    A rejected or abandoned one stays as it is; trying again is a new row whose `previous` points at it.
    """

    class Kind(models.TextChoices):
        E_MANDATE = "E_MANDATE", "e-mandate"
        NACH = "NACH", "paper mandate"

    class State(models.TextChoices):
        CREATED = lifecycle.CREATED, "being set up"
        AWAITING_INVESTOR = lifecycle.AWAITING_INVESTOR, "needs your authorisation"
        SUBMITTED = lifecycle.SUBMITTED, "with the bank"
        APPROVED = lifecycle.APPROVED, "approved"
        REJECTED = lifecycle.REJECTED, "rejected"
        CANCELLED = lifecycle.CANCELLED, "cancelled"

    code = models.CharField(max_length=20, unique=True, editable=False)
    form_ref = models.CharField(max_length=40, unique=True, editable=False)
    bank_account = models.ForeignKey(BankAccount, on_delete=models.PROTECT, related_name="mandates")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=20, choices=State, default=State.CREATED, editable=False)
    state_since = models.DateTimeField(editable=False)
    limit = models.DecimalField("most per debit, rupees", max_digits=15, decimal_places=2)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    consent = models.ForeignKey(Consent, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    previous = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="next")
    signed_form = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    provider_ref = models.CharField(max_length=60, null=True, blank=True, unique=True, editable=False)
    mandate_ref = models.CharField(max_length=60, blank=True, editable=False)
    umrn = models.CharField("UMRN", max_length=40, blank=True, editable=False)
    # The bank's page, for one visit within fifteen minutes (FP's `token_url`); encrypted, because it is a key.
    page_url = EncryptedTextField("the bank's page", blank=True, editable=False)
    page_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    reason = models.CharField("the bank's reason", max_length=300, blank=True, editable=False)
    # What FP itself did not accept, field by field (`mandate_refusals`): the bank has not heard of it then.
    refusal = models.JSONField(default=list, blank=True, editable=False)
    cancel_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True, blank=True, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True, editable=False)
    approved_at = models.DateTimeField(null=True, blank=True, editable=False)
    rejected_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            # FP's own bound (given document, "Create a mandate"; providers.md 3): 1 to 1,00,00,000 rupees.
            models.CheckConstraint(
                condition=Q(limit__gte=Decimal(1), limit__lte=Decimal(10_000_000)),
                name="a_mandate_is_for_1_to_1_crore_rupees",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="a_mandate_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=~Q(state=lifecycle.APPROVED) | Q(provider_ref__isnull=False),
                name="an_approved_mandate_is_known_to_the_provider",
            ),
            *attempt_constraints("mandate", (lifecycle.CREATED, lifecycle.AWAITING_INVESTOR)),
        ]
        indexes = [due_index("mandate")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.code}"

    @property
    def was_refused(self) -> bool:
        """Did it end at FP, before the bank heard of it?"""
        return self.state == lifecycle.REJECTED and bool(self.refusal)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("MND")
        super().save(*args, **kwargs)
