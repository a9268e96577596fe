"""What the KYC registries know about an investor, and the request that makes them know."""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from investors import lifecycle
from investors.models.people import Owned
from portal import identifiers
from portal.attempts import Attempted, attempt_constraints, due_index
from portal.encryption import EncryptedTextField


class KycCheck(Owned):
    """What the KYC registries said about a PAN at a moment. Never changed; the newest one counts."""

    pan_index = models.CharField(max_length=64)
    provider_ref = models.CharField(max_length=60)
    is_compliant = models.BooleanField()
    reason = models.CharField(max_length=60, blank=True)
    action = models.CharField(max_length=60, blank=True)
    # Rupees a year in one fund house; null when the registry sets no limit.
    investment_limit = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    verbatim = EncryptedTextField("the registry's own words", blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        verbose_name = "KYC check"
        indexes = [models.Index(fields=["investor", "-checked_at"], name="kyc_newest_first")]

    def __str__(self) -> str:
        return f"{'compliant' if self.is_compliant else 'not compliant'} at {self.checked_at:%d %b %Y}"


@pghistory.track()
class KycRequest(Attempted, Owned):
    """A fresh KYC at FP (given document, "KYC Requests"): essential fields first, the rest until it expires.

    `answers` holds what the investor entered, as JSON in FP's field names; files are rows of `Document`.
    """

    class State(models.TextChoices):
        DRAFT = lifecycle.DRAFT, "being filled in"
        PENDING = lifecycle.PENDING, "more is needed from you"
        SUBMITTED = lifecycle.SUBMITTED, "being checked"
        SUCCESSFUL = lifecycle.SUCCESSFUL, "KYC done"
        REJECTED = lifecycle.REJECTED, "something must be corrected"
        EXPIRED = lifecycle.EXPIRED, "expired"

    code = models.CharField(max_length=20, unique=True, editable=False)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT, editable=False)
    state_since = models.DateTimeField(editable=False)
    answers = EncryptedTextField("what the investor entered", blank=True, editable=False)
    provider_ref = models.CharField(max_length=60, null=True, blank=True, unique=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    # FP's own list of what is still missing (`requirements.fields_needed`).
    fields_needed = models.JSONField(default=list, blank=True, editable=False)
    # What was rejected: {"field", "code", "reason"} in FP's names and words.
    rejections = models.JSONField(default=list, blank=True, editable=False)
    # What FP refused to take at all: {"field", "message"}.
    refusal = models.JSONField(default=list, blank=True, editable=False)
    previous = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="next")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    # When it may be sent: at once, or with the desk's yes (settings.KYC_DESK_APPROVES, and what the desk sends again).
    approved_at = models.DateTimeField(null=True, blank=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    resent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "KYC request"
        constraints = [
            models.CheckConstraint(
                condition=Q(resent_by__isnull=True) | Q(approved_by__isnull=True) | ~Q(approved_by=F("resent_by")),
                name="nobody_approves_the_kyc_request_they_sent_again",
            ),
            models.CheckConstraint(
                condition=Q(resent_by__isnull=True) | Q(approved_at__isnull=True) | Q(approved_by__isnull=False),
                name="a_kyc_request_sent_again_needs_a_persons_yes",
            ),
            models.UniqueConstraint(
                fields=["investor"],
                condition=Q(state__in=(lifecycle.DRAFT, lifecycle.PENDING, lifecycle.SUBMITTED)),
                name="one_open_kyc_request_per_investor",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(lifecycle.DRAFT, lifecycle.PENDING, lifecycle.EXPIRED))
                | Q(provider_ref__isnull=False),
                name="a_submitted_kyc_request_is_known_to_the_provider",
            ),
            *attempt_constraints("kyc_request", (lifecycle.DRAFT, lifecycle.PENDING)),
        ]
        indexes = [due_index("kyc_request")]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.code}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("KYC")
        super().save(*args, **kwargs)
