"""What is traded on an exchange, and how each broker calls it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Security(models.Model):
    """A listed share. `symbol` is NSE's; the codes of brokers and exchanges are rows of `SecurityCode`."""

    symbol = models.CharField("NSE symbol", max_length=20, unique=True)
    isin = models.CharField("ISIN", max_length=12, unique=True)
    name = models.CharField(max_length=120)
    series = models.CharField(max_length=4, default="EQ")
    is_active = models.BooleanField(default=True)
    # Last price that a broker told us, rupees; a hint for people and for minimum amounts, never for money.
    last_price = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    priced_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "securities"
        constraints = [
            models.CheckConstraint(
                condition=Q(last_price__isnull=True, priced_at__isnull=True)
                | Q(last_price__isnull=False, last_price__gt=0, priced_at__isnull=False),
                name="a_price_has_its_time",
            )
        ]

    def __str__(self) -> str:
        return self.symbol


class SecurityCode(models.Model):
    """How one broker calls a security: ODIN's token and segment, 5paisa's scrip code."""

    security = models.ForeignKey(Security, on_delete=models.CASCADE, related_name="codes")
    broker = models.CharField(max_length=12)
    segment = models.CharField(max_length=12, blank=True)
    code = models.CharField(max_length=30)
    refreshed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["broker", "segment", "code"], name="a_broker_code_names_one_security"),
            models.UniqueConstraint(fields=["broker", "segment", "security"], name="one_code_per_broker_and_segment"),
        ]

    def __str__(self) -> str:
        return f"{self.broker} {self.code}"
