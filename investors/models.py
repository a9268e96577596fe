"""An investor and what they have authorised. PAN and account numbers are encrypted, found by blind index."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from investors import lifecycle
from portal import identifiers, redaction
from portal.attempts import Attempted, attempt_constraints, due_index
from portal.encryption import EncryptedTextField, blind_index
from portal.models import Partner

PAN_INDEX = "pan"
ACCOUNT_INDEX = "bank-account"


@pghistory.track()
class Investor(Attempted):
    """A person who invests: a resident individual in this version. The login, `user`, is kept apart."""

    class State(models.TextChoices):
        DRAFT = lifecycle.DRAFT, "getting ready"
        REGISTERING = lifecycle.REGISTERING, "being registered"
        READY = lifecycle.READY, "ready to invest"

    class Gender(models.TextChoices):
        FEMALE = "FEMALE", "Female"
        MALE = "MALE", "Male"
        OTHERS = "OTHERS", "Other"

    class MaritalStatus(models.TextChoices):
        MARRIED = "MARRIED", "Married"
        SINGLE = "SINGLE", "Single"
        OTHERS = "OTHERS", "Other"

    class Occupation(models.TextChoices):
        AGRICULTURE = "AGRICULTURE", "Agriculture"
        BUSINESS = "BUSINESS", "Business"
        DOCTOR = "DOCTOR", "Doctor"
        FOREX_DEALER = "FOREX_DEALER", "Forex dealer"
        GOVERNMENT_SERVICE = "GOVERNMENT_SERVICE", "Government service"
        HOUSE_WIFE = "HOUSE_WIFE", "Homemaker"
        PRIVATE_SECTOR_SERVICE = "PRIVATE_SECTOR_SERVICE", "Private-sector service"
        PROFESSIONAL = "PROFESSIONAL", "Professional"
        PUBLIC_SECTOR_SERVICE = "PUBLIC_SECTOR_SERVICE", "Public-sector service"
        RETIRED = "RETIRED", "Retired"
        SERVICE = "SERVICE", "Service"
        STUDENT = "STUDENT", "Student"
        OTHERS = "OTHERS", "Other"

    class SourceOfWealth(models.TextChoices):
        SALARY = "SALARY", "Salary"
        BUSINESS = "BUSINESS", "Business"
        GIFT = "GIFT", "Gift"
        ANCESTRAL_PROPERTY = "ANCESTRAL_PROPERTY", "Ancestral property"
        RENTAL_INCOME = "RENTAL_INCOME", "Rental income"
        PRIZE_MONEY = "PRIZE_MONEY", "Prize money"
        ROYALTY = "ROYALTY", "Royalty"
        OTHERS = "OTHERS", "Other"

    code = models.CharField(max_length=20, unique=True, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="investor")
    partner = models.ForeignKey(Partner, null=True, blank=True, on_delete=models.PROTECT, related_name="investors")
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT, editable=False)
    state_since = models.DateTimeField(auto_now_add=True, editable=False)
    pan = EncryptedTextField("PAN", blank=True, editable=False)
    pan_index = models.CharField(max_length=64, null=True, blank=True, editable=False)
    name = models.CharField("name as on the PAN card", max_length=70, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    gender = models.CharField(max_length=10, choices=Gender, blank=True)
    marital_status = models.CharField(max_length=10, choices=MaritalStatus, blank=True)
    occupation = models.CharField(max_length=24, choices=Occupation, blank=True)
    mobile = models.CharField(max_length=10, blank=True)
    # FATCA and CRS declaration (Income-tax Rules 114F to 114H).
    country_of_birth = models.CharField(max_length=2, default="IN")
    source_of_wealth = models.CharField(max_length=20, choices=SourceOfWealth, blank=True)
    gross_annual_income = models.PositiveBigIntegerField("gross annual income, rupees", null=True, blank=True)
    tax_resident_only_in_india = models.BooleanField(null=True, blank=True)
    is_politically_exposed = models.BooleanField(null=True, blank=True)
    is_related_to_politically_exposed = models.BooleanField(null=True, blank=True)
    nomination_opted_out = models.BooleanField("opted out of nomination", null=True, blank=True)
    # FP's id of the investor; the investment account is a row of its own.
    provider_ref = models.CharField(max_length=60, null=True, blank=True, unique=True, editable=False)
    # What FP refused: a list of {"field", "message"} in FP's names; empty when nothing stands in the way.
    refusal = models.JSONField(default=list, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pan_index"], name="one_investor_per_pan"),
            models.CheckConstraint(
                condition=~Q(state="READY") | Q(provider_ref__isnull=False, pan_index__isnull=False),
                name="a_ready_investor_is_known_to_the_provider",
            ),
            *attempt_constraints("investor", (lifecycle.REGISTERING,)),
        ]
        indexes = [due_index("investor")]

    def __str__(self) -> str:
        return self.name or self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("INV")
        super().save(*args, **kwargs)

    @property
    def masked_pan(self) -> str:
        """The PAN as people may see it."""
        return redaction.mask_pan(self.pan) if self.pan else ""

    def set_pan(self, pan: str) -> None:
        """Put a checked PAN on the row together with its index."""
        self.pan, self.pan_index = pan, blind_index(pan, PAN_INDEX)


class Owned(models.Model):
    """Base of everything that belongs to one investor: the column that the row-level wall looks at."""

    investor = models.ForeignKey(Investor, on_delete=models.PROTECT, related_name="%(class)ss")

    class Meta:
        abstract = True


class KycCheck(Owned):
    """What the KYC registries said about a PAN at a moment. Never changed; the newest one counts."""

    pan_index = models.CharField(max_length=64)
    provider_ref = models.CharField(max_length=60)
    is_compliant = models.BooleanField()
    reason = models.CharField(max_length=60, blank=True)
    action = models.CharField(max_length=60, blank=True)
    # Rupees a year in one fund house; null when the registry sets no limit.
    investment_limit = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
    verbatim = EncryptedTextField("the registry's own words", blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        verbose_name = "KYC check"
        indexes = [models.Index(fields=["investor", "-checked_at"], name="kyc_newest_first")]

    def __str__(self) -> str:
        return f"{'compliant' if self.is_compliant else 'not compliant'} at {self.checked_at:%d %b %Y}"


class Address(Owned):
    """Where an investor lives. City and state come from the PIN code."""

    class Kind(models.TextChoices):
        CORRESPONDENCE = "CORRESPONDENCE", "correspondence"

    kind = models.CharField(max_length=16, choices=Kind, default=Kind.CORRESPONDENCE)
    line1 = models.CharField("address line 1", max_length=40)
    line2 = models.CharField("address line 2", max_length=40, blank=True)
    line3 = models.CharField("address line 3", max_length=40, blank=True)
    pincode = models.CharField("PIN code", max_length=6)
    city = models.CharField(max_length=60)
    state = models.CharField(max_length=60)

    class Meta:
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(fields=["investor", "kind"], name="one_address_of_each_kind_per_investor")
        ]

    def __str__(self) -> str:
        return f"{self.line1}, {self.city} {self.pincode}"


class Nominee(Owned):
    """Who receives the units when the investor dies: up to three (FP's limit), shares adding up to 100."""

    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=35)
    relationship = models.CharField(max_length=20)
    date_of_birth = models.DateField()
    share = models.PositiveSmallIntegerField("share, percent")
    guardian_name = models.CharField(max_length=35, blank=True)
    guardian_relationship = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["investor", "position"], name="one_nominee_per_position"),
            models.CheckConstraint(condition=Q(share__gte=1, share__lte=100), name="a_share_is_1_to_100_percent"),
            models.CheckConstraint(condition=Q(position__gte=1, position__lte=3), name="at_most_three_nominees"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.share}%)"


@pghistory.track()
class BankAccount(Owned):
    """An account of the investor's own, from which purchases are paid and to which redemptions come."""

    class Kind(models.TextChoices):
        SAVINGS = "SAVINGS", "Savings"
        CURRENT = "CURRENT", "Current"

    code = models.CharField(max_length=20, unique=True, editable=False)
    holder_name = models.CharField("account holder's name", max_length=70)
    number = EncryptedTextField("account number")
    number_index = models.CharField(max_length=64, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    kind = models.CharField("account type", max_length=8, choices=Kind)
    ifsc = models.CharField("IFSC", max_length=11)
    bank_name = models.CharField(max_length=120)
    branch_name = models.CharField(max_length=120, blank=True)
    is_primary = models.BooleanField(default=False)
    provider_ref = models.CharField(max_length=60, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investor", "number_index", "ifsc"], name="an_investor_adds_a_bank_account_once"
            ),
            models.UniqueConstraint(
                fields=["investor"],
                condition=Q(is_primary=True),
                name="one_primary_bank_account_per_investor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bank_name} ending {self.last_four}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("BNK")
        super().save(*args, **kwargs)

    def set_number(self, number: str) -> None:
        """Put a checked account number on the row together with its index and its visible end."""
        self.number, self.number_index = number, blind_index(number, ACCOUNT_INDEX)
        self.last_four = number[-4:]


class InvestmentAccount(Owned):
    """The account at FP under which orders are placed."""

    provider_ref = models.CharField(max_length=60, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["investor"], name="one_investment_account_per_investor")]

    def __str__(self) -> str:
        return self.provider_ref


class Consent(Owned):
    """An investor's yes to exactly what was shown: a one-time code bound to a digest of it.

    `shown` is what the page showed, in words and figures; `digest` is its SHA-256. A consent is asked for
    once per form (`form_ref`), given once, within its life and at most five tries (SEBI circular of 30
    Sep 2022 on two-factor authentication for mutual-fund transactions).
    """

    class Purpose(models.TextChoices):
        PURCHASE = "PURCHASE", "buy units"

    code = models.CharField(max_length=20, unique=True, editable=False)
    purpose = models.CharField(max_length=16, choices=Purpose)
    form_ref = models.CharField(max_length=40)
    shown = models.JSONField()
    digest = models.CharField(max_length=64)
    # What the consent is for, beside `shown`, so that the database can compare it with the order.
    amount = models.DecimalField(max_digits=15, decimal_places=2, null=True, blank=True)
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

    MAX_TRIES = 5
    # The order in which pages and messages show the lines; the database does not keep the order of keys.
    LABELS = ("Scheme", "Amount", "Folio", "Pay from", "Pay by", "Expected NAV")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["investor", "form_ref"], name="one_consent_per_form"),
            models.CheckConstraint(condition=Q(tries__lte=5), name="a_code_is_tried_at_most_five_times"),
            models.CheckConstraint(
                condition=Q(given_at__isnull=True) | Q(given_at__lte=F("expires_at")),
                name="a_consent_is_given_before_it_expires",
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
