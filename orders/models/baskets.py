"""Baskets of shares: what operations publish, in versions that never change once published."""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from investors.models import Owned
from orders import lifecycle
from orders.models.securities import Security
from portal import identifiers


class BasketLogo(models.Model):
    """A picture that was drawn anew from its pixels (`portal/files/cleaner.py`): PNG, public, never changed."""

    digest = models.CharField(max_length=64, unique=True)
    content = models.BinaryField()
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest[:12]


@pghistory.track()
class Basket(models.Model):
    """An idea that investors can buy: a name, a rationale, a risk label, and versions of what is in it."""

    class State(models.TextChoices):
        DRAFT = lifecycle.DRAFT, "draft"
        PUBLISHED = lifecycle.PUBLISHED, "published"
        ARCHIVED = lifecycle.ARCHIVED, "archived"

    class Risk(models.TextChoices):
        MODERATE = "MODERATE", "Moderate"
        HIGH = "HIGH", "High"
        VERY_HIGH = "VERY_HIGH", "Very high"

    code = models.CharField(max_length=20, unique=True, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=60)
    rationale = models.TextField("why these shares", max_length=4000)
    risk = models.CharField(max_length=10, choices=Risk, default=Risk.VERY_HIGH)
    benchmark = models.CharField(max_length=60, blank=True)
    logo = models.ForeignKey(BasketLogo, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT, editable=False)
    state_since = models.DateTimeField(editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("BSK")
        super().save(*args, **kwargs)


class BasketChange(models.Model):
    """Other words or another logo for a published basket: asked for by one person, decided by another.

    The database lets a published basket have no words but those of an approved change (migration of this table).
    """

    class State(models.TextChoices):
        WAITING = "WAITING", "waits for a second person"
        APPROVED = "APPROVED", "approved"
        DECLINED = "DECLINED", "declined"

    basket = models.ForeignKey(Basket, on_delete=models.PROTECT, related_name="changes")
    name = models.CharField(max_length=60)
    rationale = models.TextField("why these shares", max_length=4000)
    risk = models.CharField(max_length=10, choices=Basket.Risk)
    benchmark = models.CharField(max_length=60, blank=True)
    logo = models.ForeignKey(BasketLogo, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    why = models.CharField("why it changes", max_length=300)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False)
    asked_at = models.DateTimeField(editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    decided_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["basket"], condition=Q(state="WAITING"), name="one_waiting_change_per_basket"
            ),
            models.CheckConstraint(
                condition=Q(state="WAITING", decided_by__isnull=True, decided_at__isnull=True)
                | ~Q(state="WAITING") & Q(decided_by__isnull=False, decided_at__isnull=False),
                name="a_decided_change_names_who_decided",
            ),
            models.CheckConstraint(
                condition=~Q(state="APPROVED") | ~Q(decided_by=F("asked_by")),
                name="a_change_is_approved_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_state_display()})"


class BasketVersion(models.Model):
    """What was in a basket from one day on: drafted by one person, published by another, unchangeable after that."""

    basket = models.ForeignKey(Basket, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    change_note = models.CharField("what changed and why", max_length=1000)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["basket", "number"], name="one_basket_version_per_number"),
            models.CheckConstraint(
                condition=Q(published_by__isnull=True, published_at__isnull=True)
                | Q(published_by__isnull=False, published_at__isnull=False) & ~Q(published_by=F("drafted_by")),
                name="a_version_is_published_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.basket} v{self.number}"


class BasketConstituent(models.Model):
    """A share of a version, by weight (hundredths of a percent) or by quantity."""

    version = models.ForeignKey(BasketVersion, on_delete=models.CASCADE, related_name="constituents")
    security = models.ForeignKey(Security, on_delete=models.PROTECT, related_name="+")
    weight_bp = models.PositiveSmallIntegerField("weight, 1/100 %", null=True, blank=True)
    quantity = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["version", "security"], name="a_share_stands_once_in_a_version"),
            models.CheckConstraint(
                condition=Q(weight_bp__isnull=False, weight_bp__gte=1, weight_bp__lte=10_000, quantity__isnull=True)
                | Q(weight_bp__isnull=True, quantity__isnull=False, quantity__gte=1),
                name="a_constituent_has_a_weight_or_a_quantity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.security_id} in {self.version_id}"


class BasketSubscription(Owned):
    """An investor follows a basket while they hold it through us; `told_of` is the newest version they were told of."""

    basket = models.ForeignKey(Basket, on_delete=models.PROTECT, related_name="subscriptions")
    version = models.ForeignKey(BasketVersion, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    told_of = models.PositiveSmallIntegerField("newest version told of", default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investor", "basket"],
                condition=Q(ended_at__isnull=True),
                name="one_live_subscription_per_basket",
            )
        ]

    def __str__(self) -> str:
        return f"{self.investor_id} follows {self.basket_id}"
