"""Master data and the permitted words (document, "MasterData" and "Helper API")."""

from __future__ import annotations

from pydantic import Field

from portal.fintech_primitives.messages.base import (
    Amount,
    Count,
    Day,
    Flag,
    Identifier,
    Isin,
    MaybeText,
    Message,
    Page,
    Paging,
    Whole,
    Word,
)
from portal.fintech_primitives.messages.people import (
    AddressType,
    BankAccountType,
    Branch,
    Gender,
    KycRelation,
    MaritalStatus,
    Occupation,
    ResidentialStatus,
    SourceOfWealth,
)


class InvestmentOption(Word):
    """What a scheme does with its income; SEBI calls the dividend options IDCW since 2021."""

    GROWTH = "GROWTH"
    DIV_PAYOUT = "DIV_PAYOUT"
    DIV_REINVESTMENT = "DIV_REINVESTMENT"
    UNKNOWN = "UNKNOWN"


class PlanType(Word):
    """Sold through a distributor, or by the fund house itself."""

    REGULAR = "REGULAR"
    DIRECT = "DIRECT"
    UNKNOWN = "UNKNOWN"


class Pincode(Message):
    """A PIN code of India Post."""

    code: str
    city: str
    district: str = ""
    state_name: str
    country_ansi_code: str = ""


class PincodePage(Page):
    """A page of PIN codes."""

    pincodes: list[Pincode]


class State(Message):
    """A state or union territory of India."""

    name: str
    state_code: str
    country_ansi_code: str = ""


class States(Message):
    """All of them."""

    states: list[State]


class Country(Message):
    """A country by its two letters."""

    name: str
    ansi_code: str


class Countries(Message):
    """All of them."""

    countries: list[Country]


class Ifsc(Branch):
    """A bank branch."""

    bank_name: str


class IfscPage(Page):
    """A page of bank branches."""

    ifsc_codes: list[Ifsc]


class OldName(Message):
    """A name that a scheme had until a day."""

    old_name: str
    old_name_valid_upto: Day | None = None


class NameChanges(Message):
    """The names that a scheme had."""

    history: list[OldName] = Field(default_factory=list)


class SipDays(Message):
    """The days of a month on which plans can start, as FP writes them: `1,5,15`."""

    monthly: str = Field("", alias="MONTHLY")

    @property
    def days(self) -> tuple[int, ...]:
        """The same as numbers; what is no day of a month is left out."""
        found = [int(part) for part in self.monthly.split(",") if part.strip().isascii() and part.strip().isdigit()]
        return tuple(sorted({day for day in found if 1 <= day <= 31}))


class Scheme(Message):
    """A scheme as FP lets it be traded. Amounts are rupees; None means that FP sets no bound."""

    isin: str
    name: str
    active: Flag = True
    investment_option: InvestmentOption | None = None
    plan_type: PlanType | None = None
    fund_category: MaybeText = None
    sub_category: MaybeText = None
    amfi_code: MaybeText = None
    scheme_code: MaybeText = None
    amc_id: Identifier | None = None
    rta_id: Identifier | None = None
    min_initial_investment: Amount | None = None
    max_initial_investment: Amount | None = None
    initial_investment_multiples: Amount | None = None
    min_additional_investment: Amount | None = None
    max_additional_investment: Amount | None = None
    additional_investment_multiples: Amount | None = None
    min_withdrawal_amount: Amount | None = None
    max_withdrawal_amount: Amount | None = None
    min_withdrawal_units: Amount | None = None
    max_withdrawal_units: Amount | None = None
    withdrawal_multiples: Amount | None = None
    sip_allowed: Flag = False
    min_sip_amount: Amount | None = None
    max_sip_amount: Amount | None = None
    sip_multiples: Amount | None = None
    min_sip_installments: Count | None = None
    sip_frequency_data: SipDays | None = None
    purchase_allowed: Flag = False
    redemption_allowed: Flag = False
    insta_redemption_allowed: Flag = False
    switch_in_allowed: Flag = False
    switch_in_min_amt: Amount | None = None
    switch_multiples: Amount | None = None
    close_ended: Flag = False
    lock_in: Flag = False
    lock_in_period: Whole | None = None
    long_term_period: Whole | None = None
    merged: Flag = False
    merged_to_isin: MaybeText = None
    name_changes: NameChanges | None = None


class SchemePage(Page):
    """A page of schemes."""

    fund_schemes: list[Scheme]


class SchemeQuery(Paging):
    """Which schemes: running ones or ended ones, or some by ISIN."""

    active: bool | None = None
    isin: list[Isin] = Field(default_factory=list)


class Amc(Message):
    """A fund house."""

    id: Identifier
    name: str
    active: Flag = True
    amc_code: MaybeText = None


class Amcs(Message):
    """All fund houses."""

    amcs: list[Amc]


class Metadata(Message):
    """The words that an application may use."""

    address_types: list[AddressType]
    residential_statuses: list[ResidentialStatus]
    occupations: list[Occupation]
    individual_identity_proofs: list[str]
    genders: list[Gender]
    marital_statuses: list[MaritalStatus]
    kyc_relationships: list[KycRelation]
    source_of_wealths: list[SourceOfWealth]
    bank_account_types: list[BankAccountType]
