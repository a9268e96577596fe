"""What fund houses pay for the units that lie under our ARN: what is expected, what came, and what is handed on.

    CommissionRate        what a fund house agreed to pay, per cent a year of the value, from a day on
    CommissionMonth       what one month of one scheme in one folio should bring: computed by day, can be rebuilt
    CommissionStatement   a registrar's file as somebody entered it; `CommissionLine`: one line of it, for ever
    CommissionShare       the part of what came that goes on to a partner, from a day on
    Payout                what a partner gets, decided by two persons; `PayoutLine`: line by line

Only trail commission is expected, as nothing may be paid in advance (SEBI circular SEBI/HO/IMD/DF2/CIR/P/2018/137 of 22
October 2018). A month belongs to the partner who served the investor on its last day.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from orders.models.ledger import Folio
from orders.models.schemes import FundHouse, Scheme
from portal import identifiers
from portal.models import Partner


def _first_of_a_month(name: str) -> Q:
    return Q(**{f"{name}__day": 1})


class CommissionRate(models.Model):
    """Trail commission in per cent a year of the value of a day, from a day on. The most particular row holds: of the
    scheme, else of its category, else of the fund house; of these the newest that has begun. Zero ends a rate."""

    fund_house = models.ForeignKey(FundHouse, on_delete=models.PROTECT, related_name="commission_rates")
    scheme = models.ForeignKey(Scheme, null=True, blank=True, on_delete=models.PROTECT, related_name="commission_rates")
    # As the scheme's: "Liquid Fund". Empty: every category that has no rate of its own.
    category = models.CharField(max_length=80, blank=True)
    valid_from = models.DateField("holds from")
    percent = models.DecimalField("per cent a year", max_digits=6, decimal_places=4)
    # The fund house's letter or rate card, with its date.
    source = models.CharField(max_length=300)

    class Meta:
        verbose_name = "commission rate"
        ordering = ["fund_house", "scheme", "category", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["fund_house", "scheme", "category", "valid_from"],
                nulls_distinct=False,
                name="one_commission_rate_on_a_day",
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=5), name="a_commission_rate_is_between_none_and_five_per_cent"
            ),
            models.CheckConstraint(
                condition=Q(scheme__isnull=True) | Q(category=""), name="a_commission_rate_is_of_a_scheme_or_a_category"
            ),
            models.CheckConstraint(condition=~Q(source=""), name="a_commission_rate_has_a_source"),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % from {self.valid_from:%d %b %Y}"


class CommissionShare(models.Model):
    """Which part of the commission that came for its investors goes on to a partner, from a day on, in per cent."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="commission_shares")
    valid_from = models.DateField("holds from")
    percent = models.DecimalField("per cent", max_digits=5, decimal_places=2)
    # The agreement with the partner, with its date.
    source = models.CharField(max_length=300)

    class Meta:
        verbose_name = "partner's share"
        verbose_name_plural = "partners' shares"
        ordering = ["partner", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "valid_from"], name="one_share_of_a_partner_on_a_day"),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100), name="a_share_is_between_none_and_all"
            ),
            models.CheckConstraint(condition=~Q(source=""), name="a_share_has_a_source"),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % from {self.valid_from:%d %b %Y}"


class CommissionMonth(models.Model):
    """The trail that one scheme in one folio should bring for a month, in rupees: over its days, units by the ledger
    times the NAV of the day times the rate of the day over 36,500, added up and rounded half up to the paisa."""

    month = models.DateField()
    folio = models.ForeignKey(Folio, on_delete=models.PROTECT, related_name="commission_months")
    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="commission_months")
    # Who served the investor on the last day of the month; none: we did.
    partner = models.ForeignKey(Partner, null=True, on_delete=models.PROTECT, related_name="commission_months")
    # Days on which units were held; of these, days without any NAV and days without a rate, which bring nothing.
    days = models.PositiveSmallIntegerField()
    unpriced = models.PositiveSmallIntegerField("days without a NAV", default=0)
    unrated = models.PositiveSmallIntegerField("days without a rate", default=0)
    # In rupees, of the days that have a NAV.
    average_value = models.DecimalField(max_digits=18, decimal_places=2)
    expected = models.DecimalField(max_digits=15, decimal_places=2)
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name = "expected commission"
        verbose_name_plural = "expected commission"
        constraints = [
            models.UniqueConstraint(fields=["month", "folio", "scheme"], name="a_month_of_a_holding_is_expected_once"),
            models.CheckConstraint(condition=_first_of_a_month("month"), name="expected_for_the_first_of_a_month"),
            models.CheckConstraint(
                condition=Q(
                    days__gte=1, days__lte=31, unpriced__lte=F("days"), unrated__lte=F("days"), expected__gte=0
                ),
                name="expected_for_days_of_a_month",
            ),
        ]
        indexes = [models.Index(fields=["partner", "month"], name="commission_month_of_partner")]

    def __str__(self) -> str:
        return f"{self.expected} for {self.month:%b %Y}"


class CommissionStatement(models.Model):
    """A registrar's or fund house's file of commission, as somebody entered it. The same bytes are entered once."""

    code = models.CharField(max_length=20, unique=True, editable=False)
    name = models.CharField("file", max_length=120)
    fingerprint = models.CharField(max_length=64)
    entered_at = models.DateTimeField("entered")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    lines_count = models.PositiveIntegerField("lines", default=0)
    withdrawn_at = models.DateTimeField("withdrawn", null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_why = models.CharField("why it was withdrawn", max_length=300, blank=True)

    class Meta:
        verbose_name = "commission statement"
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=Q(withdrawn_at__isnull=True),
                name="a_commission_statement_is_entered_once",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True, withdrawn_why="")
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawn_why=""),
                name="a_statement_is_withdrawn_by_somebody_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("CST")
        super().save(*args, **kwargs)


class CommissionLine(models.Model):
    """One line of a statement: what came for one scheme in one folio. What was read never changes; what could not be
    matched says why, and is matched later once the folio or the scheme is known."""

    class Kind(models.TextChoices):
        TRAIL = "TRAIL", "trail"
        INCENTIVE = "INCENTIVE", "additional incentive"
        UPFRONT = "UPFRONT", "upfront, of before 22 October 2018"
        CHARGE = "CHARGE", "transaction charge"
        CLAWBACK = "CLAWBACK", "clawback"
        OTHER = "OTHER", "other"

    statement = models.ForeignKey(CommissionStatement, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField("line")
    # As it stood in the file.
    text = models.CharField(max_length=1000)
    reference = models.CharField("registrar's reference", max_length=60, blank=True)
    kind = models.CharField(max_length=9, choices=Kind, default=Kind.TRAIL)
    # The month for which it is paid.
    month = models.DateField(null=True, blank=True)
    folio_number = models.CharField("folio in the file", max_length=40, blank=True)
    scheme_code = models.CharField("scheme in the file", max_length=60, blank=True)
    # In rupees, before tax was withheld and without GST; below zero where it is taken back.
    amount = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    gst = models.DecimalField("GST", max_digits=15, decimal_places=2, default=0)
    tds = models.DecimalField("TDS", max_digits=15, decimal_places=2, default=0)
    fund_house = models.ForeignKey(FundHouse, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    folio = models.ForeignKey(Folio, null=True, blank=True, on_delete=models.PROTECT, related_name="commission_lines")
    scheme = models.ForeignKey(Scheme, null=True, blank=True, on_delete=models.PROTECT, related_name="commission_lines")
    # Who served the investor on the last day of the month; none: we did, or nobody knows whose it is.
    partner = models.ForeignKey(
        Partner, null=True, blank=True, on_delete=models.PROTECT, related_name="commission_lines"
    )
    # Why it counts for nothing; empty when it counts.
    why_not = models.CharField("why it does not count", max_length=200, blank=True)

    class Meta:
        verbose_name = "line of a commission statement"
        verbose_name_plural = "lines of commission statements"
        constraints = [
            models.UniqueConstraint(fields=["statement", "number"], name="a_line_of_a_statement_once"),
            models.UniqueConstraint(
                fields=["folio", "kind", "month", "reference"],
                condition=Q(why_not="") & ~Q(reference=""),
                name="what_a_registrar_refers_to_counts_once",
            ),
            models.CheckConstraint(
                condition=~Q(why_not="")
                | Q(
                    month__isnull=False,
                    amount__isnull=False,
                    fund_house__isnull=False,
                    folio__isnull=False,
                    scheme__isnull=False,
                ),
                name="a_line_that_counts_is_matched",
            ),
            models.CheckConstraint(
                condition=Q(month__isnull=True) | _first_of_a_month("month"), name="paid_for_the_first_of_a_month"
            ),
            models.CheckConstraint(
                condition=~Q(kind="CLAWBACK") | Q(amount__isnull=True) | Q(amount__lte=0),
                name="a_clawback_takes_back",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "month"], condition=Q(why_not=""), name="commission_line_of_partner"),
            models.Index(fields=["month", "folio", "scheme"], condition=Q(why_not=""), name="commission_line_of_folio"),
            models.Index(fields=["-id"], condition=~Q(why_not=""), name="commission_line_left_out"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} for {self.folio_number}"


class Payout(models.Model):
    """What a partner gets of the commission that came: its lines up to a month, decided by two persons, then paid."""

    class State(models.TextChoices):
        ASKED = "ASKED", "waits for a second person"
        APPROVED = "APPROVED", "approved, to be paid"
        PAID = "PAID", "paid"
        WITHDRAWN = "WITHDRAWN", "withdrawn"

    code = models.CharField(max_length=20, unique=True, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="payouts")
    # The last month whose lines are in it.
    month = models.DateField("up to")
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    # In rupees: what came for its lines, and the partner's part of it, the sums of the lines.
    received = models.DecimalField(max_digits=15, decimal_places=2)
    payable = models.DecimalField(max_digits=15, decimal_places=2)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField("asked")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField("decided", null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True)
    # What was withheld for tax, and what left our bank with which UTR.
    tds = models.DecimalField("TDS", max_digits=15, decimal_places=2, null=True, blank=True)
    paid_on = models.DateField(null=True, blank=True)
    utr = models.CharField("UTR", max_length=40, blank=True)
    paid_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = "payout to a partner"
        verbose_name_plural = "payouts to partners"
        constraints = [
            models.UniqueConstraint(
                fields=["partner"], condition=Q(state="ASKED"), name="one_payout_of_a_partner_waits_at_a_time"
            ),
            models.UniqueConstraint(fields=["utr"], condition=~Q(utr=""), name="a_utr_pays_one_payout"),
            models.CheckConstraint(condition=_first_of_a_month("month"), name="a_payout_is_up_to_a_month"),
            models.CheckConstraint(condition=Q(payable__gt=0), name="a_payout_pays_something"),
            models.CheckConstraint(
                condition=Q(state="ASKED", decided_by__isnull=True, decided_at__isnull=True)
                | Q(state="WITHDRAWN", decided_by__isnull=False, decided_at__isnull=False)
                | Q(state__in=("APPROVED", "PAID"), decided_by__isnull=False, decided_at__isnull=False)
                & ~Q(decided_by=F("asked_by")),
                name="a_payout_takes_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="PAID", tds__gte=0, tds__lt=F("payable"), paid_on__isnull=False, paid_by__isnull=False
                )
                & ~Q(utr="")
                | ~Q(state="PAID") & Q(tds__isnull=True, paid_on__isnull=True, paid_by__isnull=True, utr=""),
                name="a_paid_payout_says_how",
            ),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="payouts_of_partner")]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("PYT")
        super().save(*args, **kwargs)


class PayoutLine(models.Model):
    """A line of a statement as it is handed on. A line is in one payout, unless that was withdrawn."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(CommissionLine, on_delete=models.PROTECT, related_name="payout_lines")
    # The partner's share on the last day of the line's month.
    percent = models.DecimalField("share", max_digits=5, decimal_places=2)
    # The line's amount times the share, rounded half up (away from zero) to the paisa.
    payable = models.DecimalField(max_digits=15, decimal_places=2)
    # False once the payout was withdrawn: the line may be in another.
    counts = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line"], condition=Q(counts=True), name="a_line_is_handed_on_once"),
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="what_is_handed_on_is_a_part"),
        ]

    def __str__(self) -> str:
        return str(self.payable)
