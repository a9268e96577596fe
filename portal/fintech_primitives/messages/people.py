"""Investors and their investment accounts (document, "Investors" and "Investment Account")."""

from __future__ import annotations

from pydantic import Field

from portal.fintech_primitives.messages.base import (
    Amount,
    Count,
    Day,
    Flag,
    Identifier,
    MaybeText,
    Message,
    Moment,
    Page,
    Private,
    Word,
)


class Gender(Word):
    """`gender` of an investor."""

    MALE = "MALE"
    FEMALE = "FEMALE"
    OTHERS = "OTHERS"
    UNKNOWN = "UNKNOWN"


class MaritalStatus(Word):
    """`marital_status` of an investor."""

    MARRIED = "MARRIED"
    SINGLE = "SINGLE"
    OTHERS = "OTHERS"
    UNKNOWN = "UNKNOWN"


class ResidentialStatus(Word):
    """`residential_status`; the first two may be written, the others are only in the metadata."""

    RESIDENT_INDIVIDUAL = "RESIDENT_INDIVIDUAL"
    NON_RESIDENT_INDIVIDUAL = "NON_RESIDENT_INDIVIDUAL"
    FOREIGN_NATIONAL = "FOREIGN_NATIONAL"
    PERSON_OF_INDIAN_ORIGIN = "PERSON_OF_INDIAN_ORIGIN"
    PERSON_OF_INDIAN_ORIGIN_RESIDENT = "PERSON_OF_INDIAN_ORIGIN_RESIDENT"
    UNKNOWN = "UNKNOWN"


class Occupation(Word):
    """`occupation` of an investor."""

    AGRICULTURE = "AGRICULTURE"
    BUSINESS = "BUSINESS"
    DOCTOR = "DOCTOR"
    FOREX_DEALER = "FOREX_DEALER"
    GOVERNMENT_SERVICE = "GOVERNMENT_SERVICE"
    HOUSE_WIFE = "HOUSE_WIFE"
    OTHERS = "OTHERS"
    PRIVATE_SECTOR_SERVICE = "PRIVATE_SECTOR_SERVICE"
    PROFESSIONAL = "PROFESSIONAL"
    PUBLIC_SECTOR_SERVICE = "PUBLIC_SECTOR_SERVICE"
    RETIRED = "RETIRED"
    SERVICE = "SERVICE"
    STUDENT = "STUDENT"
    UNKNOWN = "UNKNOWN"


class KycRelation(Word):
    """Whom `father_or_spouse_name` names."""

    FATHER = "FATHER"
    SPOUSE = "SPOUSE"
    UNKNOWN = "UNKNOWN"


class SourceOfWealth(Word):
    """`source_of_wealth`."""

    SALARY = "SALARY"
    BUSINESS = "BUSINESS"
    GIFT = "GIFT"
    ANCESTRAL_PROPERTY = "ANCESTRAL_PROPERTY"
    RENTAL_INCOME = "RENTAL_INCOME"
    PRIZE_MONEY = "PRIZE_MONEY"
    ROYALTY = "ROYALTY"
    OTHERS = "OTHERS"
    UNKNOWN = "UNKNOWN"


class BankAccountType(Word):
    """`bank_accounts.type`."""

    SAVINGS = "SAVINGS"
    CURRENT = "CURRENT"
    NRE = "NRE"
    NRO = "NRO"
    UNKNOWN = "UNKNOWN"


class AddressType(Word):
    """`type` of an address."""

    CORRESPONDENCE = "CORRESPONDENCE"
    OVERSEAS = "OVERSEAS"
    PERMANENT = "PERMANENT"
    UNKNOWN = "UNKNOWN"


class Branch(Message):
    """The branch of a bank account."""

    ifsc_code: str
    micr_code: MaybeText = None
    bank_name: str = ""
    branch_name: str = ""
    branch_address: str = ""
    contact: MaybeText = None
    city: str = ""
    district: str = ""
    state: str = ""


class BankAccount(Message):
    """A bank account of an investor."""

    id: Identifier
    number: str = Field("", repr=False)
    primary_account: Flag = False
    account_holder_name: Private = None
    type: BankAccountType = BankAccountType.UNKNOWN
    branch: Branch | None = None
    cancelled_cheque: MaybeText = None
    created_at: Moment | None = None
    updated_at: Moment | None = None


class Identity(Message):
    """`kyc_identity_detail`: who the investor is."""

    name: Private = None
    pan_number: Private = None
    date_of_birth: Day | None = Field(None, repr=False)
    gender: Gender = Gender.UNKNOWN
    marital_status: MaritalStatus = MaritalStatus.UNKNOWN
    residential_status: ResidentialStatus = ResidentialStatus.UNKNOWN
    occupation: Occupation = Occupation.UNKNOWN
    country_of_citizenship_ansi_code: MaybeText = None
    father_or_spouse_name: Private = None
    mothers_name: Private = None
    kyc_relation: KycRelation = KycRelation.UNKNOWN
    ckyc_number: Private = None
    pan_exempt: Flag = False
    pep_exposed: Flag | None = None
    pep_related: Flag | None = None
    guardian_name: Private = None
    guardian_relationship: MaybeText = None
    guardian_date_of_birth: Day | None = Field(None, repr=False)
    guardian_pan_number: Private = None
    signature: MaybeText = None


class Contact(Message):
    """How the investor is reached."""

    email: Private = None
    isd_code: MaybeText = None
    mobile: Private = None
    office_telephone_no: Private = None
    residence_telephone_no: Private = None


class Fatca(Message):
    """Where the investor is taxed and where the money comes from. Income is rupees a year."""

    country_of_birth_ansi_code: MaybeText = None
    source_of_wealth: SourceOfWealth = SourceOfWealth.UNKNOWN
    gross_annual_income: Amount | None = None
    no_other_tax_residences: Flag | None = None
    first_trc_ansi_code: MaybeText = None
    first_trc_taxid_type: MaybeText = None
    first_trc_taxid_number: Private = None
    second_trc_ansi_code: MaybeText = None
    second_trc_taxid_type: MaybeText = None
    second_trc_taxid_number: Private = None
    third_trc_ansi_code: MaybeText = None
    third_trc_taxid_type: MaybeText = None
    third_trc_taxid_number: Private = None


class Nominee(Message):
    """A nominee and their share in percent."""

    name: Private = None
    date_of_birth: Day | None = Field(None, repr=False)
    relationship: MaybeText = None
    allocation_percentage: Count | None = None
    guardian_name: Private = None
    guardian_relationship: MaybeText = None


class Nomination(Message):
    """Whom the investor names, or that nobody is named."""

    skip_nomination: Flag = False
    nominee1: Nominee | None = None
    nominee2: Nominee | None = None
    nominee3: Nominee | None = None


class Address(Message):
    """An address as FP answers it: `zipcode` is the PIN code."""

    line1: Private = None
    line2: Private = None
    line3: Private = None
    type: AddressType = AddressType.UNKNOWN
    zipcode: MaybeText = None
    city: MaybeText = None
    state: MaybeText = None
    country_ansi_code: MaybeText = None


class Investor(Message):
    """An investor at FP."""

    id: Identifier
    display_name: Private = None
    perm_addr_is_corres_addr: Flag | None = None
    bank_accounts: list[BankAccount] = Field(default_factory=list)
    kyc_identity_detail: Identity | None = None
    contact_detail: Contact | None = None
    fatca_detail: Fatca | None = None
    nomination: Nomination | None = None
    correspondence_address: Address | None = None
    permanent_address: Address | None = None
    overseas_address: Address | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None


class InvestorPage(Page):
    """A page of investors."""

    investors: list[Investor]


class InvestmentAccount(Message):
    """The account under which orders are placed."""

    investment_account_id: Identifier
    primary_investor_id: Identifier
    secondary_investor_id: Identifier | None = None


class InvestmentAccounts(Message):
    """All accounts of one investor."""

    data: list[InvestmentAccount]
