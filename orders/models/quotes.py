"""What the market showed of a share when a broker was last asked, and the shares that an investor watches."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Deferrable, Q

from investors.models import Owned
from orders.models.securities import Security

MOST_WATCHED = 50


class Asked(models.Model):
    """One share as a broker showed it, for everybody who looks at it.

    `asked_at` claims a refresh and `settled_at` ends it, well or not: between the two nobody else asks.
    """

    class Trouble(models.TextChoices):
        NO_SESSION = "no_session", "nobody is logged in at the broker"
        NO_CODE = "no_code", "the broker lists no such share"
        NO_ANSWER = "no_answer", "the broker did not answer"

    quoted_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=12, choices=Trouble, blank=True)

    class Meta:
        abstract = True


def _rupees(name: str) -> models.DecimalField:
    return models.DecimalField(f"{name}, rupees", max_digits=15, decimal_places=2, null=True, blank=True)


class Quote(Asked):
    """A share's day and year at the exchange."""

    security = models.OneToOneField(Security, primary_key=True, on_delete=models.CASCADE, related_name="quote")
    last = _rupees("last price")
    previous_close = _rupees("previous close")
    high = _rupees("highest of the day")
    low = _rupees("lowest of the day")
    year_high = _rupees("highest of 52 weeks")
    year_low = _rupees("lowest of 52 weeks")
    upper_circuit = _rupees("upper circuit limit")
    lower_circuit = _rupees("lower circuit limit")
    volume = models.PositiveBigIntegerField("shares traded", null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last__isnull=True, quoted_at__isnull=True)
                | Q(last__isnull=False, last__gt=Decimal(0), quoted_at__isnull=False),
                name="a_quote_has_its_time",
            )
        ]

    def __str__(self) -> str:
        return f"quote of {self.security_id}"


class Depth(Asked):
    """The five best prices on either side: lists of (rupees as text, shares, orders), best first."""

    security = models.OneToOneField(Security, primary_key=True, on_delete=models.CASCADE, related_name="depth")
    bids = models.JSONField(default=list)
    asks = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"depth of {self.security_id}"


class WatchedShare(Owned):
    """A share that an investor keeps an eye on. `position` orders the list and bounds it."""

    security = models.ForeignKey(Security, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["investor", "security"], name="a_share_is_watched_once"),
            models.UniqueConstraint(
                fields=["investor", "position"], deferrable=Deferrable.DEFERRED, name="one_watched_share_per_place"
            ),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=MOST_WATCHED), name="a_watchlist_has_fifty_places"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.security_id}"
