"""Schemes, their NAVs, and the days on which the market works."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Case, Q, When
from django.db.models.functions import Lower


class FundHouse(models.Model):
    """An asset management company (AMC)."""

    name = models.CharField(max_length=120, unique=True)
    provider_ref = models.CharField(max_length=60, null=True, blank=True, unique=True)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Scheme(models.Model):
    """One option of one plan of a fund: what an ISIN stands for. Bounds are FP's, in rupees; null means no bound.

    The latest and the previous NAV are kept on the row (written by the NAV ingest), so that a list needs no join.
    """

    class AssetClass(models.TextChoices):
        EQUITY = "EQUITY", "Equity"
        DEBT = "DEBT", "Debt"
        HYBRID = "HYBRID", "Hybrid"
        OTHER = "OTHER", "Other"

    class Plan(models.TextChoices):
        REGULAR = "REGULAR", "Regular"
        DIRECT = "DIRECT", "Direct"

    class Option(models.TextChoices):
        GROWTH = "GROWTH", "Growth"
        IDCW_PAYOUT = "IDCW_PAYOUT", "IDCW payout"
        IDCW_REINVESTMENT = "IDCW_REINVESTMENT", "IDCW reinvestment"

    isin = models.CharField("ISIN", max_length=12, unique=True)
    amfi_code = models.PositiveIntegerField("AMFI code", null=True, blank=True, db_index=True)
    name = models.CharField(max_length=250)
    fund_house = models.ForeignKey(FundHouse, on_delete=models.PROTECT, related_name="schemes")
    asset_class = models.CharField(max_length=8, choices=AssetClass, default=AssetClass.OTHER)
    # SEBI's category, for example "Flexi Cap Fund" (SEBI circular of 6 Oct 2017 on categorisation).
    category = models.CharField(max_length=80, blank=True)
    plan = models.CharField(max_length=8, choices=Plan, default=Plan.REGULAR)
    option = models.CharField(max_length=18, choices=Option, default=Option.GROWTH)
    is_active = models.BooleanField(default=True)
    is_close_ended = models.BooleanField(default=False)
    purchase_allowed = models.BooleanField(default=False)
    redemption_allowed = models.BooleanField(default=False)
    sip_allowed = models.BooleanField("SIP allowed", default=False)
    switch_in_allowed = models.BooleanField(default=False)
    instant_redemption_allowed = models.BooleanField(default=False)
    lock_in_years = models.PositiveSmallIntegerField(null=True, blank=True)
    min_first = models.DecimalField("minimum first purchase", max_digits=15, decimal_places=2, null=True, blank=True)
    max_first = models.DecimalField("maximum first purchase", max_digits=15, decimal_places=2, null=True, blank=True)
    step_first = models.DecimalField(
        "first purchase in steps of", max_digits=15, decimal_places=2, null=True, blank=True
    )
    min_more = models.DecimalField("minimum further purchase", max_digits=15, decimal_places=2, null=True, blank=True)
    max_more = models.DecimalField("maximum further purchase", max_digits=15, decimal_places=2, null=True, blank=True)
    step_more = models.DecimalField(
        "further purchase in steps of", max_digits=15, decimal_places=2, null=True, blank=True
    )
    min_sip = models.DecimalField("minimum SIP instalment", max_digits=15, decimal_places=2, null=True, blank=True)
    max_sip = models.DecimalField("maximum SIP instalment", max_digits=15, decimal_places=2, null=True, blank=True)
    step_sip = models.DecimalField("SIP in steps of", max_digits=15, decimal_places=2, null=True, blank=True)
    min_sip_instalments = models.PositiveSmallIntegerField("least instalments of a SIP", null=True, blank=True)
    # The days of a month on which a SIP can be, as FP states them: "1,5,15".
    sip_days = models.CharField("SIP days", max_length=120, blank=True)
    min_redeem = models.DecimalField("minimum sale, rupees", max_digits=15, decimal_places=2, null=True, blank=True)
    max_redeem = models.DecimalField("maximum sale, rupees", max_digits=15, decimal_places=2, null=True, blank=True)
    step_redeem = models.DecimalField("sale in steps of", max_digits=15, decimal_places=2, null=True, blank=True)
    min_redeem_units = models.DecimalField("minimum units", max_digits=18, decimal_places=3, null=True, blank=True)
    max_redeem_units = models.DecimalField("maximum units", max_digits=18, decimal_places=3, null=True, blank=True)
    exit_load_note = models.CharField(max_length=300, blank=True)
    nav = models.DecimalField("NAV", max_digits=18, decimal_places=4, null=True, blank=True)
    nav_on = models.DateField("NAV date", null=True, blank=True)
    previous_nav = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    previous_nav_on = models.DateField(null=True, blank=True)
    # When FP last told us something new about it; a sync without news leaves the row alone.
    synced_at = models.DateTimeField("last changed by FP", null=True, blank=True)
    # Words of name, fund house, category and ISIN; written by the scheme sync (`orders/operations/schemes.py`).
    search = SearchVectorField(null=True, editable=False)

    class Meta:
        indexes = [
            GinIndex(fields=["search"], name="scheme_search"),
            models.Index(fields=["fund_house", "name"], name="scheme_by_fund_house"),
            models.Index(fields=["category"], name="scheme_by_category"),
            # The list that everybody sees first, in its order: growth before IDCW, then the name.
            models.Index(
                Case(When(option="GROWTH", then=0), default=1, output_field=models.IntegerField()),
                Lower("name"),
                "id",
                condition=Q(is_active=True, purchase_allowed=True, plan="REGULAR", is_close_ended=False),
                name="scheme_for_sale",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(nav__isnull=True) | Q(nav__gte=0), name="a_nav_is_not_negative")
        ]

    def __str__(self) -> str:
        return self.name


class SchemeWord(models.Model):
    """A word that occurs in scheme names, with its trigrams: how a mistyped word finds its neighbours."""

    word = models.CharField(max_length=40, primary_key=True)
    trigrams = models.JSONField(default=list)
    schemes = models.PositiveIntegerField("schemes that carry it", default=0)

    def __str__(self) -> str:
        return self.word


class Nav(models.Model):
    """The NAV of an AMFI code on a day, in rupees to four decimals, as AMFI published it."""

    pk = models.CompositePrimaryKey("amfi_code", "on")
    amfi_code = models.PositiveIntegerField()
    on = models.DateField()
    nav = models.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        verbose_name = "NAV"
        # Days come one after the other, so what is held of a day lies together: thirty bytes per sixteen pages find it.
        indexes = [BrinIndex(fields=["on"], name="nav_by_day", pages_per_range=16, autosummarize=True)]

    def __str__(self) -> str:
        return f"{self.amfi_code} {self.on} {self.nav}"


class NavRun(models.Model):
    """One run of the NAV ingest over one file: what it read, what it changed, what it could not read."""

    source = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    lines = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    # The first of the unreadable lines: [{"line": number, "text": ..., "why": ...}].
    bad_lines = models.JSONField(default=list)
    newest_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = "NAV run"
        indexes = [models.Index(fields=["-started_at"], name="nav_run_newest_first")]

    def __str__(self) -> str:
        return f"{self.source} at {self.started_at:%d %b %Y %H:%M}"


class Holiday(models.Model):
    """A weekday on which the market is closed. Editable: ad-hoc holidays are announced days before."""

    on = models.DateField(primary_key=True)
    name = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["on"]

    def __str__(self) -> str:
        return f"{self.on:%d %b %Y} {self.name}".rstrip()
