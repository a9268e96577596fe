"""Several purchases under one one-time code and one payment; each line keeps its own outcome."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q

from investors.models import BankAccount, Consent, Mandate, Owned
from orders.models.ledger import Folio
from orders.models.schemes import Scheme
from portal import identifiers


class Cart(Owned):
    """What an investor is about to buy. Confirmed once by a one-time code; after that its lines are orders."""

    code = models.CharField(max_length=20, unique=True, editable=False)
    consent = models.OneToOneField(Consent, null=True, blank=True, on_delete=models.PROTECT, related_name="cart")
    bank_account = models.ForeignKey(BankAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    mandate = models.ForeignKey(Mandate, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    payment_method = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investor"], condition=Q(confirmed_at__isnull=True), name="one_open_cart_per_investor"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True) | Q(consent__isnull=False), name="a_confirmed_cart_has_a_consent"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("CRT")
        super().save(*args, **kwargs)


class CartLine(Owned):
    """One scheme in a cart, whole rupees. A folio that is named must take the money; none means a new folio."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="+")
    folio = models.ForeignKey(Folio, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField("amount, rupees", max_digits=15, decimal_places=2)
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["cart", "scheme", "folio"],
                nulls_distinct=False,
                name="a_scheme_stands_once_per_folio_in_a_cart",
            ),
            models.CheckConstraint(condition=Q(amount__gt=Decimal(0)), name="a_cart_line_is_for_a_positive_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} in {self.scheme_id}"
