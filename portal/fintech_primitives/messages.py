"""FP's answers and questions as frozen typed messages. Past this file nobody sees a raw dictionary.

Readers are tolerant: ids become strings (64-bit numbers in one place, text in another), moments are accepted in every
spelling the document shows, words that we do not know become UNKNOWN. Numbers of money and units are Decimal.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from portal.clock import IST


class Message(BaseModel):
    """Base of what FP says: frozen, and deaf to keys that we do not use."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _identifier(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


# FP prints `...:23:345+05:30` beside plain ISO, `+0530` and `Z` (providers.md 7 #12).
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[:.](\d{1,6}))?\s*(Z|[+-]\d\d:?\d\d)?$")


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _MOMENT.match(value.strip())
    if not found:
        raise ValueError("no moment in any spelling FP uses")
    seconds, fraction, zone = found.groups()
    zone = (zone or "+05:30").replace("Z", "+00:00")
    return datetime.fromisoformat(f"{seconds}.{(fraction or '0').ljust(6, '0')}{zone}").astimezone(IST)


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


Identifier = Annotated[str, BeforeValidator(_identifier), Field(min_length=1, max_length=60)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Amount = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=18, decimal_places=6)]
Count = Annotated[int, Field(ge=0)]


class _Word(StrEnum):
    """A word of FP's; one that we do not know is UNKNOWN, which is never final."""

    @classmethod
    def _missing_(cls, value: object) -> _Word | None:
        return cls._value2member_map_.get("UNKNOWN")  # type: ignore[return-value]


class OrderStatus(_Word):
    """`amc_order.status`."""

    PENDING = "PENDING"
    PAYMENT_CONFIRMED = "PAYMENT_CONFIRMED"
    SUBMITTED = "SUBMITTED"
    SUCCESSFUL = "SUCCESSFUL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REVERSED = "REVERSED"
    UNKNOWN = "UNKNOWN"


class PaymentStatus(_Word):
    """`payment.status`: SUCCESS is debited, INITIATED is on its way to the fund house, APPROVED has arrived."""

    PENDING = "PENDING"
    SUBMITTED = "SUBMITTED"
    SUCCESS = "SUCCESS"
    INITIATED = "INITIATED"
    APPROVED = "APPROVED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    TIMEDOUT = "TIMEDOUT"
    UNKNOWN = "UNKNOWN"


class PaymentMethod(StrEnum):
    """How an investor pays at FP's page."""

    NETBANKING = "NETBANKING"
    UPI = "UPI"


def _word(kind: type[_Word]) -> Any:
    return Annotated[kind, BeforeValidator(lambda value: kind(_upper(value)) if isinstance(value, str) else value)]


class Login(Message):
    """The answer to the tenant login."""

    token: str = Field(min_length=20)


class SchemeName(Message):
    """`fund_scheme` inside an order."""

    isin: str
    name: str = ""


class Order(Message):
    """One order as FP sees it now. On success `reverse_units` are the units allotted and `price` the NAV."""

    id: Identifier
    status: _word(OrderStatus)  # type: ignore[valid-type]
    type: str = ""
    amount: Amount | None = None
    reverse_amount: Amount | None = None
    reverse_units: Amount | None = None
    price: Amount | None = None
    trade_date: date | None = None
    folio_number: str | None = None
    source_ref_id: str | None = None
    fund_scheme: SchemeName | None = None
    failure_code: str | None = None
    failed_reason: str | None = None
    created_at: Moment | None = None
    confirmed_at: Moment | None = None
    submitted_at: Moment | None = None
    succeeded_at: Moment | None = None
    failed_at: Moment | None = None
    reversed_at: Moment | None = None


class OrderPage(Message):
    """A page of orders."""

    amc_orders: list[Order]
    last: bool = True
    total_pages: Count = 1


class PlacedOrder(Message):
    """One line of the answer to a purchase."""

    id: Identifier
    isin: str
    source_ref_id: str | None = None
    folio_number: str | None = None


class PlacedOrders(Message):
    """The answer to a purchase."""

    orders: list[PlacedOrder] = Field(min_length=1)


class StartedPayment(Message):
    """The answer to a payment: where the investor pays. The address works once, for 15 minutes."""

    id: Identifier
    token_url: str


class Payment(Message):
    """One payment as FP sees it now."""

    id: Identifier
    status: _word(PaymentStatus)  # type: ignore[valid-type]
    amount: Amount | None = None
    amc_order_ids: list[Identifier] = Field(default_factory=list)
    method: str | None = None
    failed_reason: str | None = None
    created_at: Moment | None = None
    debit_confirmed_at: Moment | None = None
    transfer_initiated_at: Moment | None = None
    settled_at: Moment | None = None
    failed_at: Moment | None = None


class PaymentPage(Message):
    """A page of payments."""

    payments: list[Payment]
    last: bool = True


class BankAccount(Message):
    """A bank account inside an investor."""

    id: Identifier
    number: str = ""
    primary_account: bool = False


class Identity(Message):
    """The part of an investor's identity by which we recognise ours."""

    pan_number: str | None = None


class Investor(Message):
    """An investor at FP."""

    id: Identifier
    bank_accounts: list[BankAccount] = Field(default_factory=list)
    kyc_identity_detail: Identity | None = None


class InvestorPage(Message):
    """A page of investors."""

    investors: list[Investor]
    last: bool = True


class InvestmentAccount(Message):
    """The account under which orders are placed."""

    investment_account_id: Identifier
    primary_investor_id: Identifier


class InvestmentAccounts(Message):
    """All accounts of one investor."""

    data: list[InvestmentAccount]


class Money(Message):
    """An amount inside a constraint."""

    value: Amount


class Constraint(Message):
    """A limit that comes with a KYC status."""

    type: str
    amount: Money | None = None


class KycSource(Message):
    """What a registry answered, word for word."""

    name: str = ""
    response_verbatim: str = ""


class KycCheck(Message):
    """The state of a PAN in the KYC registries. Honour `constraints` even when `status` is true."""

    id: Identifier
    pan: str
    status: bool
    reason: str | None = None
    action: str | None = None
    constraints: list[Constraint] = Field(default_factory=list)
    sources: list[KycSource] = Field(default_factory=list)

    @property
    def investment_limit(self) -> Decimal | None:
        """Rupees a year in one fund house, when the registry sets a limit."""
        limits = [each.amount.value for each in self.constraints if each.type == "investment_limit" and each.amount]
        return min(limits) if limits else None


class Pincode(Message):
    """A PIN code of India Post."""

    code: str
    city: str
    district: str = ""
    state_name: str


class Ifsc(Message):
    """A bank branch."""

    ifsc_code: str
    bank_name: str
    branch_name: str = ""
    city: str = ""
    state: str = ""
    micr_code: str | None = None


class Scheme(Message):
    """A scheme as FP lets it be traded. Amounts are rupees; None means that FP sets no bound."""

    isin: str
    name: str
    active: bool = True
    investment_option: str | None = None
    plan_type: str | None = None
    fund_category: str | None = None
    sub_category: str | None = None
    amfi_code: str | None = None
    scheme_code: str | None = None
    amc_id: Identifier | None = None
    min_initial_investment: Amount | None = None
    max_initial_investment: Amount | None = None
    initial_investment_multiples: Amount | None = None
    min_additional_investment: Amount | None = None
    max_additional_investment: Amount | None = None
    additional_investment_multiples: Amount | None = None
    min_withdrawal_amount: Amount | None = None
    min_withdrawal_units: Amount | None = None
    sip_allowed: bool = False
    min_sip_amount: Amount | None = None
    purchase_allowed: bool = False
    redemption_allowed: bool = False
    insta_redemption_allowed: bool = False
    switch_in_allowed: bool = False
    close_ended: bool = False
    lock_in: bool = False
    lock_in_period: int | None = None
    merged: bool = False


class SchemePage(Message):
    """A page of schemes."""

    fund_schemes: list[Scheme]
    last: bool = True
    total_elements: Count = 0


class Amc(Message):
    """A fund house."""

    id: Identifier
    name: str
    active: bool = True


class Amcs(Message):
    """All fund houses."""

    amcs: list[Amc]


class Dated(Message):
    """Units as of a day."""

    as_on: date | None = None
    units: Amount = Decimal(0)
    redeemable_units: Amount | None = None


class HeldScheme(Message):
    """A scheme inside a folio."""

    isin: str
    holdings: Dated


class HeldFolio(Message):
    """A folio with what it holds."""

    folio_number: str
    schemes: list[HeldScheme] = Field(default_factory=list)


class Holdings(Message):
    """All folios of an investment account."""

    folios: list[HeldFolio] = Field(default_factory=list)
