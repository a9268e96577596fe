"""What commission brings a partner, as its people and machines may know it: rows of views, for that firm's connection.

    EarningsMonth     a month: expected, received, the firm's part of it, and what of that was paid out
    EarningsHolding   one scheme in one folio for a month: expected beside the trail that was received for it
    EarningsLine      what was received, line by line, with the firm's part and the payout it is in

The firm's part of a line that is in no payout yet is what it would be by today's shares: the line's amount times the
share on the last day of its month, rounded half up (away from zero) to the paisa. No share, no part.

Folios and investors are another matter: who has left the firm is not seen by it, so both may be missing here.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from orders.models.commission import CommissionLine, Payout
from orders.models.ledger import Folio
from orders.models.schemes import FundHouse, Scheme
from portal.models import Partner


class EarningsMonth(models.Model):
    """A row of `v_earnings_months`, which adds up the lines and the expected months of a partner."""

    pk = models.CompositePrimaryKey("partner_id", "month")
    partner = models.ForeignKey(Partner, on_delete=models.DO_NOTHING, related_name="+")
    month = models.DateField()
    # Of trail only, as nothing else is expected; how many holdings stand behind it.
    expected = models.DecimalField(max_digits=15, decimal_places=2)
    holdings = models.PositiveIntegerField()
    # Of every kind, and of trail alone; how many lines.
    received = models.DecimalField(max_digits=15, decimal_places=2)
    trail = models.DecimalField(max_digits=15, decimal_places=2)
    lines = models.PositiveIntegerField()
    # The firm's part of the lines for which there is a share, and how many there are for which there is none.
    payable = models.DecimalField(max_digits=15, decimal_places=2)
    unshared = models.PositiveIntegerField("lines without a share")
    # Of `payable`, what left our bank, before tax was withheld.
    paid = models.DecimalField(max_digits=15, decimal_places=2)

    class Meta:
        managed = False
        db_table = "v_earnings_months"

    def __str__(self) -> str:
        return f"{self.month:%b %Y}"

    @property
    def to_come(self) -> Decimal:
        """The firm's part that was not paid out yet; below zero where more was taken back than came."""
        return self.payable - self.paid


class EarningsHolding(models.Model):
    """A row of `v_earnings_holdings`; its id is the one of the `CommissionMonth`."""

    partner = models.ForeignKey(Partner, on_delete=models.DO_NOTHING, related_name="+")
    month = models.DateField()
    folio = models.ForeignKey(Folio, null=True, on_delete=models.DO_NOTHING, related_name="+")
    scheme = models.ForeignKey(Scheme, on_delete=models.DO_NOTHING, related_name="+")
    days = models.PositiveSmallIntegerField()
    unpriced = models.PositiveSmallIntegerField()
    unrated = models.PositiveSmallIntegerField()
    average_value = models.DecimalField(max_digits=18, decimal_places=2)
    expected = models.DecimalField(max_digits=15, decimal_places=2)
    computed_at = models.DateTimeField()
    # Trail that came for it; nothing has come yet: null.
    received = models.DecimalField(max_digits=15, decimal_places=2, null=True)

    class Meta:
        managed = False
        db_table = "v_earnings_holdings"

    def __str__(self) -> str:
        return f"{self.expected} for {self.month:%b %Y}"


class EarningsLine(models.Model):
    """A row of `v_earnings_lines`; its id is the one of the `CommissionLine`."""

    partner = models.ForeignKey(Partner, on_delete=models.DO_NOTHING, related_name="+")
    month = models.DateField()
    kind = models.CharField(max_length=9, choices=CommissionLine.Kind)
    fund_house = models.ForeignKey(FundHouse, on_delete=models.DO_NOTHING, related_name="+")
    folio = models.ForeignKey(Folio, null=True, on_delete=models.DO_NOTHING, related_name="+")
    scheme = models.ForeignKey(Scheme, on_delete=models.DO_NOTHING, related_name="+")
    # As it stood in the file.
    folio_number = models.CharField(max_length=40)
    amount = models.DecimalField(max_digits=15, decimal_places=2)
    percent = models.DecimalField("share", max_digits=5, decimal_places=2, null=True)
    payable = models.DecimalField(max_digits=15, decimal_places=2, null=True)
    # Decided ones only.
    payout = models.ForeignKey(Payout, null=True, on_delete=models.DO_NOTHING, related_name="+")

    class Meta:
        managed = False
        db_table = "v_earnings_lines"

    def __str__(self) -> str:
        return f"{self.amount} for {self.folio_number}"
