"""What an investor said yes to, with the proof of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from investors.models.people import Owned
from portal import identifiers


class Consent(Owned):
    """An investor's yes to exactly what was shown: a one-time code bound to a digest of it.

    `shown` is what the page showed, in words and figures; `digest` is its SHA-256. A consent is asked for
    once per form (`form_ref`), given once, within its life and at most five tries (SEBI circular of 30
    Sep 2022 on two-factor authentication for mutual-fund transactions).
    """

    class Purpose(models.TextChoices):
        PURCHASE = "PURCHASE", "buy units"
        CART = "CART", "buy units of several schemes"
        SIP = "SIP", "invest every month"
        REDEMPTION = "REDEMPTION", "sell units"
        MANDATE = "MANDATE", "let the bank account be debited"
        CHANGE = "CHANGE", "change details"
        NOMINATION = "NOMINATION", "name who receives the units, or nobody"

    code = models.CharField(max_length=20, unique=True, editable=False)
    purpose = models.CharField(max_length=16, choices=Purpose)
    form_ref = models.CharField(max_length=40)
    shown = models.JSONField()
    digest = models.CharField(max_length=64)
    # What the consent is for, beside `shown`, so that the database can compare it with the order.
    amount = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    units = models.DecimalField(max_digits=18, decimal_places=3, null=True, blank=True)
    isin = models.CharField(max_length=12, blank=True)
    folio_number = models.CharField(max_length=40, blank=True)
    contact = models.CharField("where the code was sent", max_length=254)
    otp_hash = models.CharField(max_length=128)
    tries = models.PositiveSmallIntegerField(default=0)
    ip = models.GenericIPAddressField(null=True, blank=True)
    asked_at = models.DateTimeField()
    # When the newest code was handed to the mail server; empty while it was not.
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    given_at = models.DateTimeField(null=True, blank=True)
    given_ip = models.GenericIPAddressField(null=True, blank=True)
    # What it was about was taken back before the investor said yes: no code counts any more.
    closed_at = models.DateTimeField(null=True, blank=True)

    MAX_TRIES = 5
    # The order in which pages and messages show the lines; the database does not keep the order of keys.
    LABELS = (
        "For",
        *(f"Fund {n}" for n in range(1, 11)),
        "Total",
        "Scheme",
        "Amount",
        "When",
        "Sell",
        "Folio",
        "By mandate",
        "Pay from",
        "Pay by",
        "Paid into",
        "How",
        "Expected NAV",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["investor", "form_ref"], name="one_consent_per_form"),
            models.CheckConstraint(condition=Q(tries__lte=5), name="a_code_is_tried_at_most_five_times"),
            models.CheckConstraint(
                condition=Q(given_at__isnull=True) | Q(given_at__lte=F("expires_at")),
                name="a_consent_is_given_before_it_expires",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(given_at__isnull=True), name="a_closed_consent_is_never_given"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=Decimal(0)),
                name="a_consent_is_for_a_positive_amount",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.code}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("CNS")
        super().save(*args, **kwargs)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """What was shown, as (label, text). Keys in lower case are for the program and are not shown."""
        known = [(label, self.shown[label]) for label in self.LABELS if label in self.shown]
        others = [(key, text) for key, text in self.shown.items() if key[:1].isupper() and key not in self.LABELS]
        return known + others
