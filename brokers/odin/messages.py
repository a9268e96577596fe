"""ODIN's questions and answers as frozen typed messages (given document 000, providers.md 2.5 to 2.7).

Prices are rupees (Decimal) on our side and whole paise on ODIN's.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from portal.clock import IST
from portal.gateway.wire import Count, FoldedMessage, Identifier, MaybeCount, Message, Text, folded

PAISE = 100
_WHOLE = re.compile(r"-?[0-9]{1,4}$")
RECO_ID = r"^[A-Za-z0-9]{6}$"


class Segment(IntEnum):
    """`mktSegId`."""

    NSE_CASH = 1
    NSE_FO = 2
    BSE_CASH = 3
    BSE_FO = 4
    MCX = 5
    NCDEX = 7
    NSE_CURRENCY = 13
    BSE_CURRENCY = 38


class Side(IntEnum):
    """`buyOrSell`."""

    BUY = 1
    SELL = 2


class OrderType(StrEnum):
    """`ordType`."""

    LIMIT = "RL"
    MARKET = "RL-MKT"
    STOP_LIMIT = "SL"
    STOP_MARKET = "SL-MKT"


class Product(StrEnum):
    """`prodType`."""

    DELIVERY = "DELIVERY"
    INTRADAY = "INTRADAY"
    BTST = "BTST"
    MTF = "MTF"


class Validity(IntEnum):
    """`validity` in the cash segments."""

    DAY = 1
    IOC = 4


class OrderStatus(IntEnum):
    """OMEX's `OrderStatus` (providers.md 2.7). Only an explicit end is final; an unheard-of number is UNKNOWN."""

    UNKNOWN = -99
    NOT_INITIATED = -1
    CLIENT_XMITTED = 1
    GATEWAY_XMITTED = 2
    OMS_XMITTED = 3
    EXCHANGE_XMITTED = 4
    PENDING = 5
    CANCELLED = 6
    EXECUTED = 7
    ADMIN_PENDING = 8
    GATEWAY_REJECT = 9
    OMS_REJECT = 10
    ORDER_ERROR = 11
    FROZEN = 12
    MINI_ADMIN_PENDING = 13
    ADMIN_ACCEPT = 14
    ADMIN_REJECT = 15
    ADMIN_MODIFY = 16
    ADMIN_CANCEL = 17
    AMO_SUBMITTED = 18
    AMO_CANCELLED = 19
    COMPLETED = 20
    STOPPED = 21
    CONVERTED = 22

    @classmethod
    def _missing_(cls, value: object) -> OrderStatus:
        return cls.UNKNOWN


# --- what we send -----------------------------------------------------------------------------------------------------


def to_paise(rupees: Decimal) -> int:
    """Whole paise. Raises ValueError for a fraction of a paisa or a negative price: nothing is rounded silently."""
    paise = rupees * PAISE
    if not paise.is_finite() or paise < 0 or paise != paise.to_integral_value():
        raise ValueError(f"{rupees} rupees are no whole paise")
    return int(paise)


class Line(Message):
    """One scrip of a basket. `token` is the exchange's; a market order has no price, only stop orders a trigger."""

    segment: Segment
    token: int = Field(gt=0, strict=True)
    side: Side
    quantity: int = Field(gt=0, strict=True)
    order_type: OrderType = OrderType.MARKET
    price: Decimal = Decimal(0)
    trigger_price: Decimal = Decimal(0)
    product: Product = Product.DELIVERY
    validity: Validity = Validity.DAY
    disclosed_quantity: int = Field(default=0, ge=0, strict=True)

    @model_validator(mode="after")
    def _prices_fit_the_type(self) -> Line:
        if (to_paise(self.price) > 0) != (self.order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)):
            raise ValueError("limit orders have a price, market orders none")
        if (to_paise(self.trigger_price) > 0) != (self.order_type in (OrderType.STOP_LIMIT, OrderType.STOP_MARKET)):
            raise ValueError("stop orders have a trigger price, others none")
        if self.disclosed_quantity > self.quantity:
            raise ValueError("more disclosed than ordered")
        return self

    def wire(self, *, quantity_key: str, gtd_key: str) -> dict[str, Any]:
        """The line as `basketData` names it, prices in paise."""
        return {
            "mktSegId": self.segment.value,
            "scripTkn": self.token,
            "orderSide": self.side.name,
            "buyOrSell": str(self.side.value),
            quantity_key: self.quantity,
            "discQty": self.disclosed_quantity,
            "ordType": self.order_type.value,
            "ordPrice": to_paise(self.price),
            "trigPrice": to_paise(self.trigger_price),
            "sLOrderPrice": 0,
            "sLTriggerPrice": 0,
            "prodType": self.product.value,
            "validity": self.validity.value,
            "days": "0",
            gtd_key: 0,
        }


class Basket(Message):
    """What the button asks for. `reco_id` is ours, six characters, once per basket; it comes back in OMEX events."""

    reco_id: str = Field(pattern=RECO_ID)
    client_code: str = Field(min_length=1, max_length=50)
    lines: tuple[Line, ...] = Field(min_length=1, max_length=100)


# --- what we read -----------------------------------------------------------------------------------------------------


class BasketPage(FoldedMessage):
    """The answer to the button: where the investor confirms. The address works once and carries the session."""

    data: str = Field(min_length=10, max_length=2_000, repr=False)
    trace_id: Text = ""
    status_code: Text = ""


class Broker(FoldedMessage):
    """A broker on ODIN with its partner id, which skips the choice of a broker."""

    partner_id: Identifier = Field(validation_alias=AliasChoices("partnerid", "spartnerid", "npartnerid"))
    name: Text = Field(
        default="", validation_alias=AliasChoices("partnername", "spartnername", "brokername", "sbrokername", "name")
    )


class Brokers(FoldedMessage):
    """The list of brokers."""

    data: tuple[Broker, ...]


def _moment(value: Any) -> Any:
    """`15Jun2019 15.25.15` in IST, or ISO; what is neither tells no time."""
    if not isinstance(value, str):
        return None
    for shape in ("%d%b%Y %H.%M.%S", "%d%b%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(value.strip(), shape).replace(tzinfo=IST)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=IST)


def _status(value: Any) -> OrderStatus:
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return OrderStatus(int(text)) if _WHOLE.match(text) else OrderStatus.UNKNOWN


Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class Event(FoldedMessage):
    """What OMEX's order and trade messages share. The greatest `message_sequence_number` of an order is its news."""

    message_type: str
    message_sequence_number: Count
    order_number: Text = ""
    unique_code: Text = ""
    exchange: Text = ""
    scrip_code: Text = ""
    symbol: Text = ""
    reco_id: Text = Field(default="", validation_alias=AliasChoices("sthirdpartyrecoid", "recoid"))
    client: Text = Field(default="", validation_alias="ucc")
    # The `sClientCode` of our basket: whose order it is.
    account_ref: Text = Field(default="", validation_alias="sthirdpartyuserid")
    side: Annotated[Side | None, BeforeValidator(lambda value: _side(value))] = Field(
        default=None, validation_alias="buysell"
    )
    decimal_locator: MaybeCount = None

    @property
    def order_key(self) -> str:
        """What names the order: ODIN's own code, or the exchange's number."""
        return self.unique_code or self.order_number

    def rupees(self, price: int | None) -> Decimal | None:
        """A wire price in rupees; the locator 0 or none means paise (providers.md 2.7)."""
        return None if price is None else Decimal(price) / (self.decimal_locator or PAISE)


def _side(value: Any) -> Side | None:
    return {"1": Side.BUY, "2": Side.SELL, "BUY": Side.BUY, "SELL": Side.SELL}.get(str(value).strip().upper())


class OrderEvent(Event):
    """`ORD_NRML`: an order as ODIN sees it now."""

    order_status: Annotated[OrderStatus, BeforeValidator(_status)]
    order_original_qty: Count
    pending_qty: Count = 0
    traded_qty: Count = 0
    order_price: MaybeCount = None
    trigger_price: MaybeCount = None
    reason: Text = ""
    order_type: Text = ""
    product: Text = ""
    order_entry_time: Moment = None
    last_modified_time: Moment = None

    @model_validator(mode="after")
    def _no_more_traded_than_ordered(self) -> OrderEvent:
        if self.traded_qty > self.order_original_qty:
            raise ValueError("more traded than ordered")
        return self


class TradeEvent(Event):
    """`TRD_MSG`: one execution."""

    trade_number: Identifier
    trade_qty: Count
    traded_price: Count
    trade_time: Moment = None


KINDS: dict[str, type[Event]] = {"ORDNRML": OrderEvent, "TRDMSG": TradeEvent}


def read_event(said: Any) -> Event:
    """An OMEX message by its type. Raises pydantic's ValidationError when it is none that we know or cannot be read."""
    common = Event.model_validate(said)
    return KINDS.get(folded(common.message_type).upper(), Event).model_validate(said)


class Synced(FoldedMessage):
    """One answer of the sync: messages after the sequence that we named."""

    last_synced_packet: Count = Field(validation_alias=AliasChoices("jlastsyncedpacket", "lastsyncedpacket"))
    records: Count = Field(default=0, validation_alias=AliasChoices("jnoofrecords", "noofrecords"))
    messages: tuple[Any, ...] = Field(validation_alias=AliasChoices("jordermessage", "ordermessage"))
