"""Orders: what is placed and what FP says of it (document, "Orders" and "Order History")."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from portal.fintech_primitives.messages.base import (
    Amount,
    Ask,
    Day,
    Direction,
    Filled,
    Identifier,
    Isin,
    MaybeText,
    Message,
    Moment,
    Page,
    Paging,
    Private,
    Ref,
    Rupees,
    Said,
    Units,
    WireId,
    Word,
    one_of,
)


class OrderStatus(Word):
    """`amc_order.status`."""

    PENDING = "PENDING"
    PAYMENT_CONFIRMED = "PAYMENT_CONFIRMED"
    SUBMITTED = "SUBMITTED"
    SUCCESSFUL = "SUCCESSFUL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REVERSED = "REVERSED"
    UNKNOWN = "UNKNOWN"


class OrderType(Word):
    """`amc_order.type`."""

    PURCHASE = "PURCHASE"
    ADDITIONAL_PURCHASE = "ADDITIONAL_PURCHASE"
    REDEMPTION = "REDEMPTION"
    REDEEM_ALL = "REDEEM_ALL"
    SWITCH = "SWITCH"
    UNKNOWN = "UNKNOWN"


class RedemptionMode(Word):
    """How a fund house worked on a redemption."""

    INSTANT = "INSTANT"
    NORMAL = "NORMAL"
    UNKNOWN = "UNKNOWN"


class SellBy(Word):
    """What a sell order names: rupees or units."""

    AMOUNT = "amount"
    UNITS = "units"
    UNKNOWN = "unknown"


# --- what FP says ---------------------------------------------------------------------------------------------------


class SchemeName(Message):
    """`fund_scheme` inside an order; the answer to a cancelled instalment names no ISIN."""

    isin: MaybeText = None
    name: str = ""
    id: Identifier | None = None
    scheme_code: MaybeText = None


class Order(Message):
    """One order as FP sees it now. On success `reverse_units` are the units allotted and `price` the NAV."""

    id: Identifier
    status: OrderStatus
    type: OrderType = OrderType.UNKNOWN
    amount: Amount | None = None
    reverse_amount: Amount | None = None
    reverse_units: Amount | None = None
    price: Amount | None = None
    trade_date: Day | None = None
    investment_date: Day | None = None
    folio_number: MaybeText = None
    source_ref_id: MaybeText = None
    bank_account_id: Identifier | None = None
    sip_id: Identifier | None = None
    fund_scheme: SchemeName | None = None
    redemption_mode: RedemptionMode | None = None
    redemption_bank_account_number: Private = None
    redemption_bank_account_ifsc_code: MaybeText = None
    failure_code: MaybeText = None
    failed_reason: MaybeText = None
    created_at: Moment | None = None
    confirmed_at: Moment | None = None
    submitted_at: Moment | None = None
    succeeded_at: Moment | None = None
    failed_at: Moment | None = None
    reversed_at: Moment | None = None


class OrderPage(Page):
    """A page of orders."""

    amc_orders: list[Order]


class PlacedOrder(Message):
    """One line of the answer to new orders."""

    id: Identifier
    isin: str
    source_ref_id: MaybeText = None
    folio_number: MaybeText = None


class PlacedOrders(Message):
    """The answer to new orders."""

    orders: list[PlacedOrder] = Field(min_length=1)


# --- what we say ----------------------------------------------------------------------------------------------------


class Consent(Ask):
    """With whom the investor's yes was taken (providers.md 3.6)."""

    email: Filled | None = None
    isd_code: Filled | None = None
    mobile: Filled | None = None


class _Line(Ask):
    """What every order line may carry. `source_ref_id` is the only guard against a second order: never without it."""

    source_ref_id: Ref
    user_ip: Filled | None = None
    server_ip: Filled | None = None
    consent: Consent | None = None


class NewPurchase(_Line):
    """One lumpsum purchase, in whole rupees; with a folio it is an additional purchase."""

    isin: Isin
    amount: Rupees
    folio_number: Filled | None = None


def refuse_repeated(lines: list[NewPurchase] | list[NewSell] | list[NewSip]) -> None:
    """A reference stands for one order: FP must not get it twice in one call (providers.md 3.4)."""
    refs = [line.source_ref_id for line in lines]
    if len(set(refs)) != len(refs):
        raise ValueError("source_ref_id: the same twice")


class NewPurchases(Ask):
    """Purchases paid by net banking, UPI or card."""

    bank_account_id: WireId
    orders: list[NewPurchase] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        refuse_repeated(self.orders)
        return self


class NewNachPurchases(Ask):
    """Purchases debited by an approved mandate."""

    mandate_id: WireId
    orders: list[NewPurchase] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        refuse_repeated(self.orders)
        return self


class NewSell(_Line):
    """One redemption: so many rupees, so many units, or all. Exactly one of the three."""

    folio_number: Filled
    isin: Isin
    type: Said[SellBy] | None = None
    amount: Rupees | None = None
    units: Units | None = None
    redeem_all: bool | None = None

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if self.redeem_all is False:
            raise ValueError("redeem_all: true or not at all")
        wishes = {
            SellBy.AMOUNT: (self.amount is not None, self.units is None, not self.redeem_all),
            SellBy.UNITS: (self.units is not None, self.amount is None, not self.redeem_all),
            None: (bool(self.redeem_all), self.amount is None, self.units is None),
        }
        if not all(wishes[self.type]):
            raise ValueError("exactly one of: type amount with amount, type units with units, redeem_all")
        return self


class NewSells(Ask):
    """Redemptions of one investment account."""

    orders: list[NewSell] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        refuse_repeated(self.orders)
        return self


# Switches have a list of their own.
LISTED_TYPES = (OrderType.PURCHASE, OrderType.ADDITIONAL_PURCHASE, OrderType.REDEMPTION, OrderType.REDEEM_ALL)


class OrderQuery(Paging):
    """Which orders, and how sorted. States are always named: without them FP lists successful orders only."""

    state: list[Said[OrderStatus]] = Field(min_length=1)
    type: list[Annotated[OrderType, one_of(*LISTED_TYPES)]] = Field(default_factory=list)
    sort: str = Field("investment_date", pattern="^investment_date$")
    direction: Direction = Direction.DESC

    def params(self) -> dict[str, str]:
        """FP writes states and types in lower case in queries and in upper case in bodies."""
        return {key: value.lower() if key in ("state", "type") else value for key, value in super().params().items()}


class NewSip(_Line):
    """One monthly plan (document, "Create SIP Order"; monthly is all that v1 knows)."""

    isin: Isin
    amount: Rupees
    start_day: str = Field(pattern=r"^([1-9]|[12]\d|3[01])$")
    frequency: str = Field("MONTHLY", pattern="^MONTHLY$")
    installments: int = Field(ge=1, le=1200)
    mandate_id: WireId
    folio_number: Filled | None = None


class NewSips(Ask):
    """Plans of one investment account."""

    orders: list[NewSip] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        refuse_repeated(self.orders)
        return self
