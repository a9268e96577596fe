"""Facts about units, and what follows: transactions are appended; holdings are computed and can be rebuilt."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from investors.models import Owned
from orders.models.schemes import FundHouse, Scheme


class Folio(Owned):
    """The investor's account number at a fund house."""

    number = models.CharField(max_length=40)
    fund_house = models.ForeignKey(FundHouse, on_delete=models.PROTECT, related_name="folios")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fund_house", "number"], name="a_folio_exists_once_per_fund_house")
        ]

    def __str__(self) -> str:
        return self.number


class Transaction(Owned):
    """Units moving in a folio, once and for ever: a trigger refuses to change or delete a row. Wrong ones are reversed.

    `units` and `amount` are signed: positive in, negative out. `amount` is what the investor paid or got.
    """

    class Kind(models.TextChoices):
        PURCHASE = "PURCHASE", "purchase"
        REDEMPTION = "REDEMPTION", "redemption"
        SWITCH_IN = "SWITCH_IN", "switch in"
        SWITCH_OUT = "SWITCH_OUT", "switch out"
        REVERSAL = "REVERSAL", "reversal"

    folio = models.ForeignKey(Folio, on_delete=models.PROTECT, related_name="transactions")
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="transactions")
    kind = models.CharField(max_length=12, choices=Kind)
    units = models.DecimalField(max_digits=18, decimal_places=3)
    amount = models.DecimalField(max_digits=15, decimal_places=2)
    nav = models.DecimalField("NAV", max_digits=18, decimal_places=4)
    traded_on = models.DateField()
    order = models.ForeignKey(
        "orders.MfOrder", null=True, blank=True, on_delete=models.PROTECT, related_name="transactions"
    )
    reverses = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by")
    # Provisional until the registrar's feed confirms it.
    is_provisional = models.BooleanField(default=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "kind"], name="an_order_moves_units_once_per_kind"),
            models.CheckConstraint(
                condition=Q(kind__in=("PURCHASE", "SWITCH_IN"), units__gt=0, amount__gt=0)
                | Q(kind__in=("REDEMPTION", "SWITCH_OUT"), units__lt=0, amount__lt=0)
                | Q(kind="REVERSAL", units__lt=0, amount__lt=0, reverses__isnull=False)
                | Q(kind="REVERSAL", units__gt=0, amount__gt=0, reverses__isnull=False),
                name="units_and_rupees_move_in_the_direction_of_the_kind",
            ),
        ]
        indexes = [models.Index(fields=["investor", "traded_on"], name="transactions_of_investor")]

    def __str__(self) -> str:
        return f"{self.kind} {self.units} {self.scheme_id}"


class Holding(Owned):
    """What a folio holds of a scheme now: computed from transactions by `orders.operations.ledger.rebuild`."""

    folio = models.ForeignKey(Folio, on_delete=models.PROTECT, related_name="holdings")
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="holdings")
    units = models.DecimalField(max_digits=18, decimal_places=3)
    # What the units that are still held have cost, in rupees.
    invested = models.DecimalField(max_digits=15, decimal_places=2)
    first_bought_on = models.DateField()
    rebuilt_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["folio", "scheme"], name="one_holding_per_folio_and_scheme"),
            models.CheckConstraint(condition=Q(units__gte=Decimal(0)), name="units_held_are_never_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.units} of {self.scheme_id}"
