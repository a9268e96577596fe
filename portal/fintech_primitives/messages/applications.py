"""What may be written about an investor: the document's "Create Investor" and "Update Investor", with its conditions.

Every "mandatory if" of the document's tables stands here. Whom the law calls a minor is reckoned from India's today.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from portal import clock
from portal.fintech_primitives.messages.base import Ask, Day, Filled, Pan, Said, WireId
from portal.fintech_primitives.messages.people import (
    BankAccountType,
    Gender,
    KycRelation,
    MaritalStatus,
    Occupation,
    ResidentialStatus,
    SourceOfWealth,
)

ADULT = 18
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
IsdCode = Annotated[str, BeforeValidator(str), Field(pattern=r"^\+?\d{1,4}$")]
Digits = Annotated[str, Field(pattern=r"^\d{6,15}$")]
Ifsc = Annotated[str, Field(pattern=r"^[A-Z]{4}0[A-Z0-9]{6}$")]
WRITABLE_STATUSES = (ResidentialStatus.RESIDENT_INDIVIDUAL, ResidentialStatus.NON_RESIDENT_INDIVIDUAL)


def is_minor(born: date) -> bool:
    """Under 18 in India today."""
    today = clock.today()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day)) < ADULT


def require(ask: Ask, names: tuple[str, ...], why: str) -> None:
    """Raise ValueError for what the document makes mandatory here."""
    missing = [name for name in names if getattr(ask, name) in (None, "")]
    if missing:
        raise ValueError(f"{', '.join(missing)}: mandatory {why}")


class NewBankAccount(Ask):
    """A bank account. `id` only to change one that FP has; without it, an update adds another."""

    id: WireId | None = None
    account_holder_name: Filled
    number: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{6,20}$")]
    primary_account: bool
    type: Said[BankAccountType]
    ifsc_code: Ifsc
    cancelled_cheque: Filled | None = None


class NewContact(Ask):
    """How the investor is reached."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]
    isd_code: IsdCode
    mobile: Digits
    office_telephone_no: Filled | None = None
    residence_telephone_no: Filled | None = None


class NewFatca(Ask):
    """Tax residences. Income is whole rupees a year, above zero."""

    country_of_birth_ansi_code: Country
    no_other_tax_residences: bool
    source_of_wealth: Said[SourceOfWealth]
    gross_annual_income: int = Field(gt=0)
    first_trc_ansi_code: Country | None = None
    first_trc_taxid_type: Filled | None = None
    first_trc_taxid_number: Filled | None = None
    second_trc_ansi_code: Country | None = None
    second_trc_taxid_type: Filled | None = None
    second_trc_taxid_number: Filled | None = None
    third_trc_ansi_code: Country | None = None
    third_trc_taxid_type: Filled | None = None
    third_trc_taxid_number: Filled | None = None

    @model_validator(mode="after")
    def _residences(self) -> Self:
        if not self.no_other_tax_residences:
            require(self, ("first_trc_ansi_code",), "with other tax residences")
        for nth in ("first", "second", "third"):
            if getattr(self, f"{nth}_trc_ansi_code"):
                require(self, (f"{nth}_trc_taxid_type", f"{nth}_trc_taxid_number"), f"with {nth}_trc_ansi_code")
        return self


class NewNominee(Ask):
    """A nominee and their share in percent."""

    name: Filled
    date_of_birth: Day
    relationship: Filled
    allocation_percentage: int = Field(ge=0, le=100)
    guardian_name: Filled | None = None
    guardian_relationship: Filled | None = None

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if is_minor(self.date_of_birth):
            require(self, ("guardian_name", "guardian_relationship"), "for a nominee under 18")
        return self


class NewNomination(Ask):
    """Up to three nominees in order, whose shares make 100, or the word that there are none."""

    skip_nomination: bool
    nominee1: NewNominee | None = None
    nominee2: NewNominee | None = None
    nominee3: NewNominee | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.skip_nomination:
            return self
        total = 0
        for name in ("nominee1", "nominee2", "nominee3"):
            if total < 100:
                require(self, (name,), "while the shares before it make less than 100")
            nominee: NewNominee | None = getattr(self, name)
            total += nominee.allocation_percentage if nominee else 0
        if total != 100:
            raise ValueError("the shares make more than 100")
        return self


class NewIdentity(Ask):
    """Who the investor is."""

    name: Filled
    date_of_birth: Day
    gender: Said[Gender]
    marital_status: Said[MaritalStatus]
    residential_status: Said[ResidentialStatus]
    occupation: Said[Occupation]
    country_of_citizenship_ansi_code: Country
    pep_exposed: bool
    pep_related: bool
    pan_number: Pan | None = None
    pan_exempt: bool = False
    father_or_spouse_name: Filled | None = None
    mothers_name: Filled | None = None
    kyc_relation: Said[KycRelation] | None = None
    guardian_name: Filled | None = None
    guardian_relationship: Filled | None = None
    guardian_date_of_birth: Day | None = None
    guardian_pan_number: Pan | None = None
    signature: Filled | None = None

    @model_validator(mode="after")
    def _known_person(self) -> Self:
        if self.residential_status not in WRITABLE_STATUSES:
            raise ValueError("residential_status: RESIDENT_INDIVIDUAL or NON_RESIDENT_INDIVIDUAL")
        if is_minor(self.date_of_birth):
            guardian = ("guardian_name", "guardian_relationship", "guardian_date_of_birth", "guardian_pan_number")
            require(self, guardian, "for an investor under 18")
        elif not self.pan_exempt:
            require(self, ("pan_number",), "unless pan_exempt")
        return self


class NewAddress(Ask):
    """An address with an Indian PIN code, or with a zip code and everything that it does not tell."""

    line1: Filled
    line2: Filled | None = None
    line3: Filled | None = None
    city: Filled | None = None
    state: Filled | None = None
    pincode: Annotated[str, Field(pattern=r"^[1-9]\d{5}$")] | None = None
    zipcode: Filled | None = None
    country_ansi_code: Country | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.pincode is None:
            require(self, ("zipcode",), "without pincode")
        if self.zipcode is not None:
            require(self, ("city", "state", "country_ansi_code"), "with zipcode")
        return self


class NewInvestor(Ask):
    """The document's "Create Investor" object; "Update Investor" takes the same."""

    display_name: Filled | None = None
    perm_addr_is_corres_addr: bool
    bank_accounts: list[NewBankAccount] = Field(min_length=1)
    contact_detail: NewContact
    fatca_detail: NewFatca
    nomination: NewNomination
    kyc_identity_detail: NewIdentity
    correspondence_address: NewAddress
    permanent_address: NewAddress | None = None
    overseas_address: NewAddress | None = None
    ip_address: Filled | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if sum(bank.primary_account for bank in self.bank_accounts) > 1:
            raise ValueError("bank_accounts: only one can be primary")
        if not self.perm_addr_is_corres_addr:
            require(self, ("permanent_address",), "when it is not the correspondence address")
        if self.kyc_identity_detail.residential_status == ResidentialStatus.NON_RESIDENT_INDIVIDUAL:
            require(self, ("overseas_address",), "for a non-resident")
        return self


class NewAccount(Ask):
    """The object of "Create Investment Account"."""

    primary_investor_id: WireId
