"""Partners in the database: the people who work there, the keys of their machines, what their writes have answered."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from portal import identifiers
from portal.encryption import EncryptedTextField
from portal.models import Partner


class PartnerMember(models.Model):
    """A login works at a partner from a moment until another; at one partner at a time. What ended stays."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="partner_memberships")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "person of a partner"
        verbose_name_plural = "people of partners"
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(ended_at=None), name="a_login_works_at_one_partner_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")), name="a_membership_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.partner}"


class FirmRequest(models.Model):
    """A firm that a partner wants to work through it: the partner asks, staff take it in or say why not."""

    class State(models.TextChoices):
        ASKED = "ASKED", "being looked at"
        TAKEN = "TAKEN", "works through you"
        REFUSED = "REFUSED", "not taken"
        WITHDRAWN = "WITHDRAWN", "withdrawn"

    code = models.CharField(max_length=20, unique=True, editable=False)
    # Through whom it would work.
    head = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="firm_requests")
    name = models.CharField(max_length=120)
    arn = models.CharField("ARN", max_length=20)
    email = models.EmailField("e-mail address of the firm", max_length=100)
    # How the firm agreed that we write to it.
    basis = models.CharField("why we may write to them", max_length=300)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField("asked")
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    decided_at = models.DateTimeField("decided", null=True, blank=True)
    # The partner reads it.
    answer = models.CharField(max_length=300, blank=True)
    firm = models.OneToOneField(Partner, null=True, blank=True, on_delete=models.PROTECT, related_name="asked_for_by")

    class Meta:
        verbose_name = "firm asked for"
        verbose_name_plural = "firms asked for"
        constraints = [
            models.UniqueConstraint(
                fields=["head", "arn"], condition=Q(state="ASKED"), name="a_firm_is_asked_for_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="ASKED", decided_at__isnull=True, firm__isnull=True, answer="")
                | Q(state="TAKEN", decided_at__isnull=False, firm__isnull=False)
                | Q(state="REFUSED", decided_at__isnull=False, firm__isnull=True) & ~Q(answer="")
                | Q(state="WITHDRAWN", decided_at__isnull=False, firm__isnull=True),
                name="a_firm_that_was_asked_for_is_taken_or_not",
            ),
        ]
        indexes = [models.Index(fields=["head", "-id"], name="firms_asked_for_by_head")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("FRM")
        super().save(*args, **kwargs)


class ApiKey(models.Model):
    """A key of a partner's machine: a client of the identity provider, which holds a hash of its secret.

    Rotating makes a second key beside the first, which still works until `retires_at`; revoking ends a key and its
    tokens at once.
    """

    client = models.OneToOneField(
        "allauth_idp_oidc.Client", primary_key=True, on_delete=models.PROTECT, related_name="api_key"
    )
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="api_keys")
    label = models.CharField(max_length=60)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    # Whom the key follows when it was made by rotation.
    follows = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="followed_by")
    retires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.label} ({self.client_id})"


class IdempotentCall(models.Model):
    """A write of a partner under its Idempotency-Key. The answer is stored by the transaction that did the work.

    So a row without an answer has had no effect: whoever calls next with the same key does the work.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    # SHA-256 of the body: another body under the same key is a mistake of the caller.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    # It may name people, or be the only place where a webhook's secret stands.
    body = EncryptedTextField(blank=True)
    created_at = models.DateTimeField(db_index=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "route", "key"], name="a_key_stands_once_per_partner_and_route"),
            models.CheckConstraint(
                condition=Q(status=None, answered_at=None) | Q(status__isnull=False, answered_at__isnull=False),
                name="an_answer_has_a_status_and_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"


class ApiUse(models.Model):
    """How many calls a partner made in one minute or day of Indian time."""

    class Span(models.TextChoices):
        MINUTE = "MINUTE", "minute"
        DAY = "DAY", "day"

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    span = models.CharField(max_length=6, choices=Span)
    began_at = models.DateTimeField(db_index=True)
    calls = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "span", "began_at"], name="use_is_counted_once_per_span")
        ]

    def __str__(self) -> str:
        return f"{self.calls} in the {self.span} of {self.began_at}"
