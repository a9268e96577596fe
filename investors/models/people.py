"""Who invests: the person, where they live, who receives the units after them, the account at FP."""

from __future__ import annotations

from typing import Any

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import Q

from investors import lifecycle
from portal import identifiers, redaction
from portal.attempts import Attempted, attempt_constraints, due_index
from portal.encryption import EncryptedTextField, blind_index
from portal.models import Partner

PAN_INDEX = "pan"


@pghistory.track()
class Investor(Attempted):
    """A person who invests: a resident, a minor through a guardian, or a non-resident. Logins are kept apart."""

    class Kind(models.TextChoices):
        RESIDENT = "RESIDENT", "resident individual"
        MINOR = "MINOR", "minor, through a guardian"
        NRI = "NRI", "non-resident Indian"

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

    class ParentOrSpouse(models.TextChoices):
        FATHER = "FATHER", "Father"
        SPOUSE = "SPOUSE", "Spouse"

    class SourceOfWealth(models.TextChoices):
        SALARY = "SALARY", "Salary"
        BUSINESS = "BUSINESS", "Business"
        GIFT = "GIFT", "Gift"
        ANCESTRAL_PROPERTY = "ANCESTRAL_PROPERTY", "Ancestral property"
        RENTAL_INCOME = "RENTAL_INCOME", "Rental income"
        PRIZE_MONEY = "PRIZE_MONEY", "Prize money"
        ROYALTY = "ROYALTY", "Royalty"
        OTHERS = "OTHERS", "Other"

    class Whose(models.TextChoices):
        """Whose a mobile number or an email address is: the family in which fund houses let one be shared."""

        SELF = "SELF", "My own"
        SPOUSE = "SPOUSE", "My spouse's"
        CHILD = "CHILD", "My dependent child's"
        PARENT = "PARENT", "My dependent parent's"
        SIBLING = "SIBLING", "My dependent brother's or sister's"
        GUARDIAN = "GUARDIAN", "The guardian's"

    # For how many people the login of this request may act (`queries.of_user`).
    family = 1

    code = models.CharField(max_length=20, unique=True, editable=False)
    # The login that started it, which fund houses and we write to. Who may act is `Authority`'s to say.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="investors")
    partner = models.ForeignKey(Partner, null=True, blank=True, on_delete=models.PROTECT, related_name="investors")
    # Of the partner's employee who invited; an order names one only where somebody advised on that order.
    euin = models.CharField("EUIN of the invitation", max_length=7, blank=True, editable=False)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.RESIDENT)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT, editable=False)
    state_since = models.DateTimeField(auto_now_add=True, editable=False)
    pan = EncryptedTextField("PAN", blank=True, editable=False)
    pan_index = models.CharField(max_length=64, null=True, blank=True, editable=False)
    name = models.CharField("name as on the PAN card", max_length=70, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    gender = models.CharField(max_length=10, choices=Gender, blank=True)
    marital_status = models.CharField(max_length=10, choices=MaritalStatus, blank=True)
    occupation = models.CharField(max_length=24, choices=Occupation, blank=True)
    # Ten digits in India; up to fifteen with `isd_code` elsewhere (ITU-T E.164).
    mobile = models.CharField(max_length=15, blank=True)
    isd_code = models.CharField("country code of the mobile", max_length=4, default="91")
    # Empty for who registered before it was asked.
    mobile_is_of = models.CharField(
        "whose mobile it is", max_length=8, choices=Whose, blank=True, default="", db_default=""
    )
    email_is_of = models.CharField(
        "whose email it is", max_length=8, choices=Whose, blank=True, default="", db_default=""
    )
    father_or_spouse_name = models.CharField("father's or spouse's name", max_length=70, blank=True)
    father_or_spouse_is = models.CharField("this person is the", max_length=8, choices=ParentOrSpouse, blank=True)
    mothers_name = models.CharField("mother's name", max_length=70, blank=True)
    office_phone = models.CharField("office telephone", max_length=15, blank=True)
    residence_phone = models.CharField("home telephone", max_length=15, blank=True)
    # Where the person was when confirming: FP's `ip_address`.
    confirmed_from = models.GenericIPAddressField(null=True, blank=True, editable=False)
    country_of_citizenship = models.CharField(max_length=2, default="IN")
    # A minor invests through one guardian, whose PAN the fund houses ask for (given document, "Create Investor").
    guardian_name = models.CharField(max_length=70, blank=True)
    guardian_pan = EncryptedTextField("guardian's PAN", blank=True, editable=False)
    guardian_pan_index = models.CharField(max_length=64, blank=True, editable=False)
    guardian_date_of_birth = models.DateField(null=True, blank=True)
    guardian_relationship = models.CharField(max_length=20, blank=True)
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
    # Something was corrected here after FP had taken the application: FP is told before the account is asked for again.
    provider_is_behind = models.BooleanField(default=False, db_default=False, editable=False)
    # A partner wants the registries asked about the PAN; a worker does it.
    kyc_wanted_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What FP refused: a list of {"field", "message"} in FP's names; empty when nothing stands in the way.
    refusal = models.JSONField(default=list, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pan_index"], name="one_investor_per_pan"),
            models.UniqueConstraint(
                fields=["user"], condition=~Q(kind="MINOR"), name="one_application_of_ones_own_per_login"
            ),
            models.CheckConstraint(
                condition=~Q(state="READY") | Q(provider_ref__isnull=False, pan_index__isnull=False),
                name="a_ready_investor_is_known_to_the_provider",
            ),
            models.CheckConstraint(
                condition=~Q(kind="MINOR")
                | ~Q(state="READY")
                | ~Q(guardian_name="")
                & ~Q(guardian_pan_index="")
                & ~Q(guardian_relationship="")
                & Q(guardian_date_of_birth__isnull=False),
                name="a_ready_minor_has_a_guardian",
            ),
            models.CheckConstraint(
                condition=Q(father_or_spouse_name="", father_or_spouse_is="")
                | ~Q(father_or_spouse_name="") & ~Q(father_or_spouse_is=""),
                name="a_father_or_spouse_is_said_to_be_which",
            ),
            models.CheckConstraint(
                condition=(Q(kind="MINOR") | ~Q(mobile_is_of="GUARDIAN") & ~Q(email_is_of="GUARDIAN"))
                & (~Q(kind="MINOR") | Q(mobile_is_of__in=("", "GUARDIAN"), email_is_of__in=("", "GUARDIAN"))),
                name="the_contacts_of_a_minor_are_the_guardians",
            ),
            models.CheckConstraint(
                condition=Q(provider_is_behind=False) | Q(state="REGISTERING", provider_ref__isnull=False),
                name="fp_is_behind_only_while_it_has_no_account_yet",
            ),
            *attempt_constraints("investor", (lifecycle.REGISTERING,)),
        ]
        indexes = [
            due_index("investor"),
            models.Index(fields=["mobile"], condition=~Q(mobile=""), name="investor_by_mobile"),
            models.Index(
                fields=["state", "state_since"], condition=~Q(state="READY"), name="investor_by_state_on_the_way"
            ),
            models.Index(fields=["kyc_wanted_at"], condition=Q(kyc_wanted_at__isnull=False), name="kyc_is_wanted"),
        ]

    def __str__(self) -> str:
        return self.name or self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.code = self.code or identifiers.new_code("INV")
        super().save(*args, **kwargs)

    @property
    def masked_pan(self) -> str:
        """The PAN as people may see it."""
        return redaction.mask_pan(self.pan) if self.pan else ""

    @property
    def is_minor(self) -> bool:
        """Does a guardian act for this person?"""
        return self.kind == self.Kind.MINOR

    @property
    def kyc_pan(self) -> str:
        """The PAN whose KYC counts: the guardian's for a minor, because registries know no minors."""
        return self.guardian_pan if self.is_minor else self.pan

    @property
    def kyc_pan_index(self) -> str | None:
        """The index of it; empty while it is not claimed."""
        return self.guardian_pan_index if self.is_minor else self.pan_index

    @property
    def masked_kyc_pan(self) -> str:
        """The same PAN as people may see it."""
        return redaction.mask_pan(self.kyc_pan) if self.kyc_pan else ""

    def put_kyc_pan(self, pan: str, *, index: str) -> None:
        """Put the PAN whose KYC counts on the row; with its index once it is claimed, empty before."""
        if self.is_minor:
            self.guardian_pan, self.guardian_pan_index = pan, index
        else:
            self.pan, self.pan_index = pan, index or None

    def set_pan(self, pan: str) -> None:
        """Put a checked PAN on the row together with its index."""
        self.pan, self.pan_index = pan, blind_index(pan, PAN_INDEX)


class Owned(models.Model):
    """Base of everything that belongs to one investor: the column that the row-level wall looks at."""

    investor = models.ForeignKey(Investor, on_delete=models.PROTECT, related_name="%(class)ss")

    class Meta:
        abstract = True


class Address(Owned):
    """Where an investor lives. City and state come from the PIN code."""

    class Kind(models.TextChoices):
        CORRESPONDENCE = "CORRESPONDENCE", "correspondence"
        PERMANENT = "PERMANENT", "permanent"
        OVERSEAS = "OVERSEAS", "overseas"

    kind = models.CharField(max_length=16, choices=Kind, default=Kind.CORRESPONDENCE)
    line1 = models.CharField("address line 1", max_length=40)
    line2 = models.CharField("address line 2", max_length=40, blank=True)
    line3 = models.CharField("address line 3", max_length=40, blank=True)
    # Six digits in India, the postal code of the country elsewhere.
    pincode = models.CharField("PIN code", max_length=12)
    city = models.CharField(max_length=60)
    state = models.CharField(max_length=60, blank=True)
    country = models.CharField(max_length=2, default="IN")

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


class InvestmentAccount(Owned):
    """The account at FP under which orders are placed."""

    provider_ref = models.CharField(max_length=60, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # When FP's lists of its SIPs and of its units were last compared with ours (`portal/management/turns.py`).
    sips_compared_at = models.DateTimeField(null=True, blank=True, editable=False)
    holdings_compared_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["investor"], name="one_investment_account_per_investor")]

    def __str__(self) -> str:
        return self.provider_ref


class TaxResidence(Owned):
    """A country other than India where the investor pays tax: up to three (FATCA and CRS, Rule 114F to 114H)."""

    class TaxIdKind(models.TextChoices):
        TIN = "TIN", "Tax identification number (TIN)"
        SSN = "SSN", "Social security number (SSN)"
        NIN = "NIN", "National insurance number"
        OTHER = "OTHER", "Another tax number"

    position = models.PositiveSmallIntegerField()
    country = models.CharField(max_length=2)
    tax_id_kind = models.CharField("kind of tax number", max_length=20, choices=TaxIdKind)
    tax_id = EncryptedTextField("tax number")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["investor", "position"], name="one_tax_residence_per_position"),
            models.UniqueConstraint(fields=["investor", "country"], name="one_tax_residence_per_country"),
            models.CheckConstraint(condition=Q(position__gte=1, position__lte=3), name="at_most_three_tax_residences"),
            models.CheckConstraint(condition=~Q(country="IN"), name="a_tax_residence_is_outside_india"),
        ]

    def __str__(self) -> str:
        return self.country
