"""What we ask of 5paisa, as frozen typed messages (given document 004). Strict: nothing is guessed or rounded."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

from pydantic import Field, model_validator

from portal.gateway.wire import Message, number

# 5paisa's samples show numbers of up to 20 digits; letters work too (providers.md 4.3).
REMOTE_ORDER_ID = r"^[A-Za-z0-9]{1,20}$"


class Exchange(StrEnum):
    """`Exchange`."""

    NSE = "N"
    BSE = "B"
    MCX = "M"


class ExchangeType(StrEnum):
    """`ExchangeType`."""

    CASH = "C"
    DERIVATIVES = "D"
    CURRENCY = "U"


class Side(StrEnum):
    """`OrderType`: the document writes Buy and Sell, its SDK B and S, which all accept (providers.md 4.3)."""

    BUY = "B"
    SELL = "S"


class Validity(IntEnum):
    """`iOrderValidity`. Only the two on which document and SDK agree (providers.md 4.3)."""

    DAY = 0
    IOC = 3


class Segment(StrEnum):
    """A part of the scrip master (providers.md 4.6)."""

    ALL = "all"
    NSE_EQ = "nse_eq"
    BSE_EQ = "bse_eq"
    NSE_FO = "nse_fo"
    BSE_FO = "bse_fo"
    NCD_FO = "ncd_fo"
    MCX_FO = "mcx_fo"


class Action(StrEnum):
    """`PlaceModifyCancel` of a margin question."""

    PLACE = "P"
    MODIFY = "M"
    CANCEL = "C"


class Scrip(Message):
    """An instrument, by 5paisa's code (the NSE token or BSE code) or by its symbol, such as `ITC_EQ`."""

    exchange: Exchange
    exchange_type: ExchangeType = ExchangeType.CASH
    code: int = Field(default=0, ge=0, strict=True)
    symbol: str = Field(default="", pattern=r"^[A-Za-z0-9_.&-]{0,50}$")

    @model_validator(mode="after")
    def _has_a_name(self) -> Scrip:
        if not self.code and not self.symbol:
            raise ValueError("a scrip has a code or a symbol")
        return self

    def short(self) -> dict[str, Any]:
        """With the short names of the market feed and of margins."""
        return {"Exch": self.exchange.value, "ExchType": self.exchange_type.value, **self._name()}

    def long(self) -> dict[str, Any]:
        """With the long names of orders, snapshots and depth."""
        return {"Exchange": self.exchange.value, "ExchangeType": self.exchange_type.value, **self._name()}

    def _name(self) -> dict[str, Any]:
        return {"ScripCode": self.code} if self.code else {"ScripData": self.symbol}


def _price(value: Decimal) -> int | float:
    if value < 0:
        raise ValueError("a price is not negative")
    return number(value)


class NewOrder(Message):
    """An order. Kinds by prices: limit (price), market (0), stop-loss (price and trigger), stop-loss market (trigger).

    `remote_order_id` is ours, unique per day, and the only way back to an order whose answer was lost.
    """

    scrip: Scrip
    side: Side
    quantity: int = Field(gt=0, strict=True)
    price: Decimal = Decimal(0)
    trigger_price: Decimal = Decimal(0)
    intraday: bool = False
    validity: Validity = Validity.DAY
    after_market: bool = False
    disclosed_quantity: int = Field(default=0, ge=0, strict=True)
    remote_order_id: str = Field(pattern=REMOTE_ORDER_ID)
    algo_id: int = Field(default=0, ge=0, strict=True)
    device_id: str = Field(default="", max_length=100)

    @model_validator(mode="after")
    def _is_possible(self) -> NewOrder:
        _price(self.price)
        _price(self.trigger_price)
        if self.disclosed_quantity > self.quantity:
            raise ValueError("more disclosed than ordered")
        if self.after_market and self.validity is Validity.IOC:
            raise ValueError("an after-market order cannot be immediate")
        return self

    def wire(self) -> dict[str, Any]:
        """The body. `Price` and `RemoteOrderID` are always there: a missing price would mean at market."""
        name = self.scrip.long()
        return {
            **name,
            **({"ScripCode": str(name["ScripCode"]), "ScripData": ""} if "ScripCode" in name else {}),
            "Price": _price(self.price),
            "StopLossPrice": _price(self.trigger_price),
            "OrderType": self.side.value,
            "Qty": self.quantity,
            "DisQty": self.disclosed_quantity,
            "IsIntraday": self.intraday,
            "iOrderValidity": self.validity.value,
            "AHPlaced": "Y" if self.after_market else "N",
            "RemoteOrderID": self.remote_order_id,
            "AlgoID": self.algo_id,
            "DeviceID": self.device_id,
        }


class Change(Message):
    """A change of an open order. The price is always named, because 5paisa reads a missing one as at market."""

    exch_order_id: str = Field(pattern=r"^[1-9][0-9A-Za-z]{0,30}$")
    price: Decimal
    quantity: int | None = Field(default=None, gt=0, strict=True)
    trigger_price: Decimal | None = None
    disclosed_quantity: int | None = Field(default=None, ge=0, strict=True)

    def wire(self) -> dict[str, Any]:
        """The body: what does not change is left out."""
        optional = {
            "Qty": self.quantity,
            "StopLossPrice": None if self.trigger_price is None else _price(self.trigger_price),
            "DisQty": self.disclosed_quantity,
        }
        changed = {key: value for key, value in optional.items() if value is not None}
        return {"ExchOrderID": self.exch_order_id, "Price": _price(self.price), **changed}


class MarginLine(Message):
    """One order whose margin is asked for (providers.md 4.4)."""

    scrip: Scrip
    side: Side
    quantity: int = Field(gt=0, strict=True)
    price: Decimal = Decimal(0)
    intraday: bool = False
    action: Action = Action.PLACE

    def wire(self) -> dict[str, Any]:
        """The line."""
        return {
            **self.scrip.short(),
            "PlaceModifyCancel": self.action.value,
            "OrderType": self.side.value,
            "Price": _price(self.price),
            "Qty": self.quantity,
            "IsIntraday": self.intraday,
        }
