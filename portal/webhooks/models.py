"""Events of partners, the endpoints that want to hear of them, and what became of telling each."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from portal import identifiers
from portal.encryption import EncryptedTextField
from portal.models import Partner, User

KINDS = {
    "investor": "investors: linked to you, and where their application stands",
    "kyc": "fresh KYC of investors",
    "mandate": "mandates of bank accounts",
    "order": "purchases and redemptions of funds",
    "sip": "SIPs",
    "payment": "payments",
    "basket_order": "orders of baskets of shares",
    "transfer": "transfers of your investors to another firm",
    "payout": "payouts of your share of commission: approved, paid",
    "approval": "what you asked investors to approve: asked, seen, each line approved or declined, expired, withdrawn, "
    "ended",
}
# The same in a word, for chips.
LABELS = {kind: kind.replace("_", " ").capitalize() for kind in KINDS} | {"kyc": "KYC", "sip": "SIP"}
TEST = "webhook"


class PartnerEvent(models.Model):
    """A state that changed, as the partner is told. Written by triggers; never changed, never deleted.

    `seq`, `day` and `hash` are filled at commit, so whoever sees the row from outside sees them too.
    """

    # What the partner knows the event by: the webhook's id.
    code = models.CharField(max_length=40, unique=True)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="events")
    # `order.allotted`: the kind of object and the state that it came to.
    type = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    at = models.DateTimeField()
    # Codes and states only: nothing personal.
    data = models.JSONField()
    # 1, 2, 3 ... for each partner, in the order of commits.
    seq = models.PositiveBigIntegerField(null=True)
    day = models.DateField(null=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        app_label = "portal"
        constraints = [
            models.UniqueConstraint(fields=["partner", "seq"], name="a_partners_events_are_numbered_once"),
            models.CheckConstraint(
                condition=Q(seq__isnull=True) | Q(seq__gt=0, day__isnull=False) & ~Q(hash=""),
                name="a_numbered_event_has_its_day_and_hash",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.code}"


class PartnerDay(models.Model):
    """How many events a partner had on a day, and the hash of the last one, which stands for all before it."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    events = models.PositiveBigIntegerField()
    first_seq = models.PositiveBigIntegerField()
    last_seq = models.PositiveBigIntegerField()
    last_hash = models.CharField(max_length=64)

    class Meta:
        app_label = "portal"
        constraints = [
            models.UniqueConstraint(fields=["partner", "day"], name="a_partner_has_a_day_once"),
            models.CheckConstraint(
                condition=Q(events=F("last_seq") - F("first_seq") + 1), name="a_day_counts_every_number_of_its_events"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.events}"


class WebhookEndpoint(models.Model):
    """An address of a partner's that is told of events."""

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", "on"
        PAUSED = "PAUSED", "switched off by you"
        DISABLED = "DISABLED", "switched off after failures"
        DELETED = "DELETED", "deleted"

    code = models.CharField(max_length=20, unique=True, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="endpoints")
    url = models.CharField("address", max_length=500)
    # Kinds of objects; none means all of them.
    kinds = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    state_since = models.DateTimeField()
    secret = EncryptedTextField()
    previous_secret = EncryptedTextField(null=True, blank=True)
    # Until then both secrets sign.
    previous_until = models.DateTimeField(null=True, blank=True)
    # The first try since which nothing has arrived; null while it goes well.
    failing_since = models.DateTimeField(null=True, blank=True)
    # How long the last answer took: a slow one waits in a lane of its own.
    last_took_ms = models.PositiveIntegerField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        app_label = "portal"
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "url"], condition=~Q(state="DELETED"), name="a_partner_names_an_address_once"
            ),
            models.CheckConstraint(
                condition=Q(previous_secret__isnull=True, previous_until__isnull=True)
                | Q(previous_secret__isnull=False, previous_until__isnull=False),
                name="an_old_webhook_secret_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return self.url

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("WH")
        super().save(*args, **kwargs)

    @property
    def host(self) -> str:
        """The host alone: addresses may carry a token of the partner's in their path."""
        return urlsplit(self.url).hostname or ""


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint. May arrive twice, then with the same id; never silently not at all."""

    class State(models.TextChoices):
        WAITING = "WAITING", "waiting"
        DELIVERED = "DELIVERED", "delivered"
        FAILED = "FAILED", "given up"

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    event = models.ForeignKey(PartnerEvent, on_delete=models.PROTECT, related_name="deliveries")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    # Tries since it was last asked for: a replay begins anew.
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "portal"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="an_event_goes_to_an_endpoint_once"),
            models.CheckConstraint(
                condition=Q(state="WAITING", due_at__isnull=False, ended_at__isnull=True)
                | Q(state__in=["DELIVERED", "FAILED"], due_at__isnull=True, ended_at__isnull=False),
                name="a_delivery_waits_or_has_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "due_at"], condition=Q(due_at__isnull=False), name="webhook_due"),
            models.Index(fields=["endpoint", "-id"], name="webhooks_of_endpoint"),
            models.Index(fields=["endpoint", "-id"], condition=Q(state="FAILED"), name="webhooks_given_up"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"


class WebhookTry(models.Model):
    """One try: what was answered, how fast."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="log")
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    # The first bytes of the answer.
    answer = models.TextField(blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "portal"
        verbose_name_plural = "webhook tries"
        indexes = [models.Index(fields=["at"], name="webhook_try_by_time")]

    def __str__(self) -> str:
        return f"{self.status or self.error}"
