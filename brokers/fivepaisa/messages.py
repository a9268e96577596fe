"""5paisa's answers as frozen typed messages (given documents 003 and 004, providers.md section 4).

Its keys are read without regard to case (`BrokerOrderID`, `BrokerOrderId`), in both vocabularies where two versions
of a call differ, and numbers may be text. Order ids have more digits than a float keeps: they are strings.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BeforeValidator, Field, PlainValidator, Strict, model_validator

from brokers.fivepaisa.moments import Moment
from portal.gateway.wire import (
    FIRST,
    Amount,
    Code,
    Count,
    FoldedMessage,
    Identifier,
    MaybeAmount,
    MaybeCount,
    RowMessage,
    Text,
    Word,
    either,
    fold,
)


class OrderStatus(Word):
    """Both vocabularies: of the order status and of the order book (providers.md 7 #25)."""

    PLACED = "Placed"
    PENDING = "Pending"
    OPEN = "Open"
    MODIFIED = "Modified"
    XMITTED = "Xmitted"
    PARTIALLY_EXECUTED = "Partially Executed"
    FULLY_EXECUTED = "Fully Executed"
    CANCELLED = "Cancelled"
    REJECTED_BY_5P = "Rejected By 5P"
    REJECTED_BY_EXCH = "Rejected by Exch"
    UNKNOWN = "UNKNOWN"


def _no_id_yet(value: Any) -> Any:
    """ "0" means that the exchange has given no id yet (providers.md 4.3)."""
    if isinstance(value, str):
        return "" if value == "0" else value
    return "" if value is None or (value == 0 and value is not False) else _as_text(value)


_WORDS = {"Y": True, "TRUE": True, "N": False, "FALSE": False}


def _flag(value: Any) -> Any:
    """`Y` and `N` beside true and false; anything else tells nothing."""
    if value.__class__ is bool:
        return value
    return _WORDS[value] if value in ("Y", "N") else _WORDS.get(str(value).strip().upper())


_EXCHANGES = {"N": "N", "NSE": "N", "B": "B", "BSE": "B", "M": "M", "MCX": "M"}


def _exchange(value: Any) -> Any:
    """`NSE` in some answers, `N` in others (providers.md 7 #25); empty for what is neither: `NaN` is no exchange."""
    if not isinstance(value, str):
        return value
    return _EXCHANGES[value] if value in _EXCHANGES else _EXCHANGES.get(value.strip().upper(), "")


ExchangeOrderId = Annotated[
    Annotated[str, Strict(), Field(min_length=2, max_length=40)]
    | Annotated[str, Field(max_length=40), BeforeValidator(_no_id_yet)],
    FIRST,
]
Flag = Annotated[bool | None, PlainValidator(_flag)]
Exchange = Annotated[Literal["N", "B"] | Annotated[str, Field(max_length=1), BeforeValidator(_exchange)], FIRST]
Status = Annotated[OrderStatus, Strict(False)]
# A position may be short and a margin negative, so a signed whole number.
Whole = Annotated[int, BeforeValidator(lambda value: _whole(value))]


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _whole(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a boolean is no number")
    return value


class Listing(FoldedMessage):
    """An answer that is a list: required in a success, missing perhaps when no record was found (status 1)."""

    container: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _nothing_found(cls, value: Any) -> Any:
        said = fold(value)
        nothing = isinstance(said, dict) and str(said.get("status")) == "1"
        return {**said, cls.container: ()} if nothing else said


# --- signing in -------------------------------------------------------------------------------------------------------


class LoggedIn(FoldedMessage):
    """The answer to a request token. Without a power of attorney a delivery sale needs the depository's consent."""

    access_token: str = Field(min_length=1, repr=False)
    client_code: Identifier
    client_name: Text = Field(default="", repr=False)
    poa_status: Flag = None
    allow_nse_cash: Flag = None
    allow_bse_cash: Flag = None


# --- orders -----------------------------------------------------------------------------------------------------------


class Acknowledged(FoldedMessage):
    """5paisa's risk management took the order, change or cancellation. The exchange has not spoken yet."""

    broker_order_id: Identifier
    exch_order_id: ExchangeOrderId = ""
    remote_order_id: Text = ""
    message: Text = ""
    rms_response_code: MaybeCount = None
    time: Moment = None


class _Quantities(RowMessage):
    """What an order asked for and got."""

    exch: Exchange = ""
    exch_type: Text = ""
    exch_order_id: ExchangeOrderId = ""
    scrip_code: Code = ""
    remote_order_id: Text = ""
    average_price: MaybeAmount = None
    pending_qty: Count = 0
    traded_qty: Count = 0


class StatusOfOrder(_Quantities):
    """One line of the order status. It may not carry our reference: ask for one order to know whose line it is."""

    status: Status = OrderStatus.UNKNOWN
    order_qty: Count
    order_rate: MaybeAmount = None
    symbol: Text = ""
    exch_order_time: Moment = None

    @model_validator(mode="after")
    def _no_more_traded_than_ordered(self) -> StatusOfOrder:
        if self.traded_qty > self.order_qty:
            raise ValueError("more traded than ordered")
        return self


class OrderStatuses(Listing):
    """The answer to an order status; empty when 5paisa knows none of the orders."""

    container = "ordstatusreslst"
    orders: tuple[StatusOfOrder, ...] = Field(validation_alias=AliasChoices("ordstatusreslst", "ordstatusreslist"))


class BookedOrder(_Quantities):
    """One order of today's book."""

    broker_order_id: Identifier
    order_status: Status = OrderStatus.UNKNOWN
    buy_sell: Text = ""
    qty: MaybeCount = None
    rate: MaybeAmount = None
    trigger_rate: MaybeAmount = Field(default=None, validation_alias=either("TriggerRate", "SLTriggerRate"))
    scrip_name: Text = ""
    at_market: Flag = None
    after_hours: Flag = None
    delv_intra: Text = ""
    reason: Text = ""
    broker_order_time: Moment = None


class OrderBook(Listing):
    """Today's orders."""

    container = "orderbook"
    orders: tuple[BookedOrder, ...] = Field(validation_alias=AliasChoices("orderbook", "orderbookdetail"))


class Trade(RowMessage):
    """One execution; an order may have several."""

    exch: Exchange = ""
    exch_type: Text = ""
    scrip_code: Code = ""
    scrip_name: Text = ""
    buy_sell: Text = ""
    qty: Count
    rate: Amount
    exch_order_id: ExchangeOrderId
    exchange_trade_id: Identifier = Field(validation_alias=either("ExchangeTradeID", "ExchTradeID"))
    exchange_trade_time: Moment = None
    delv_intra: Text = ""


class TradeBook(Listing):
    """Today's executions."""

    container = "tradebookdetail"
    trades: tuple[Trade, ...] = Field(validation_alias=AliasChoices("tradebookdetail", "tradebook"))


# --- what is held and what it may cost --------------------------------------------------------------------------------


class Position(RowMessage):
    """Today's net position in one scrip; negative when sold short."""

    exch: Exchange = ""
    exch_type: Text = ""
    scrip_code: Code
    scrip_name: Text = ""
    buy_qty: Count = 0
    sell_qty: Count = 0
    net_qty: Whole
    last_rate: MaybeAmount = Field(default=None, validation_alias=either("LastRate", "LTP"))
    average_rate: MaybeAmount = Field(default=None, validation_alias=either("AvgRate", "BuyAvgRate"))
    product: Text = Field(default="", validation_alias=either("Product", "OrderFor"))


class Positions(Listing):
    """Today's positions."""

    container = "netpositions"
    positions: tuple[Position, ...] = Field(validation_alias=AliasChoices("netpositions", "netpositiondetail"))


class Holding(RowMessage):
    """Shares of one company in the demat account."""

    symbol: Text
    full_name: Text = ""
    isin: Text = ""
    nse_code: Code = ""
    bse_code: Code = ""
    quantity: Count
    current_price: MaybeAmount = None
    avg_rate: MaybeAmount = None
    dp_qty: MaybeCount = None
    pool_qty: MaybeCount = None
    pledge_qty: MaybeCount = None
    poa_signed: Flag = None


class Holdings(Listing):
    """Everything held."""

    container = "data"
    data: tuple[Holding, ...]


class EquityMargin(FoldedMessage):
    """Rupees for trading shares."""

    net_available_margin: Amount
    margin_utilized: MaybeAmount = None
    ledger_balance: MaybeAmount = None
    unsettled_credits: MaybeAmount = None
    funds_pay_in: MaybeAmount = Field(default=None, validation_alias=AliasChoices("fundspayin", "fundspayln"))
    funds_withdrawal: MaybeAmount = None


class Margin(Listing):
    """What may be spent; `equity` is None when 5paisa knows no margin of this client."""

    container = "equitymargin"
    equity_margin: tuple[EquityMargin, ...]
    time_stamp: Moment = None

    @property
    def equity(self) -> EquityMargin | None:
        """The one line that there is in practice."""
        return self.equity_margin[0] if self.equity_margin else None


class MultiOrderMargin(FoldedMessage):
    """Rupees that several orders together would need."""

    available_margin: Amount
    total_margin_required: Amount


# --- market data ------------------------------------------------------------------------------------------------------


class Snapshot(RowMessage):
    """One scrip's day and year."""

    exch: Exchange = Field(default="", validation_alias=either("Exchange", "Exch"))
    scrip_code: Code = Field(validation_alias=either("ScripCode", "Token"))
    last_traded_price: Amount = Field(validation_alias=either("LastTradedPrice", "LTP", "LastRate"))
    high: MaybeAmount = None
    low: MaybeAmount = None
    previous_close: MaybeAmount = Field(default=None, validation_alias=either("PreviousClose", "PClose"))
    volume: MaybeCount = None
    fifty_two_week_high: MaybeAmount = Field(
        default=None, validation_alias=either("FiftyTwoWeekHigh", "AHigh", "YearlyHigh")
    )
    fifty_two_week_low: MaybeAmount = Field(
        default=None, validation_alias=either("FiftyTwoWeekLow", "ALow", "YearlyLow")
    )
    upper_circuit_limit: MaybeAmount = None
    lower_circuit_limit: MaybeAmount = None


class Snapshots(Listing):
    """The answer to a snapshot."""

    container = "data"
    data: tuple[Snapshot, ...]


class Tick(RowMessage):
    """The last price of one scrip, in either vocabulary (providers.md 7 #26)."""

    exch: Exchange = ""
    exch_type: Text = ""
    scrip_code: Code = Field(validation_alias=either("ScripCode", "Token"))
    last_rate: Amount = Field(validation_alias=either("LastRate", "LTP"))
    high: MaybeAmount = None
    low: MaybeAmount = None
    previous_close: MaybeAmount = Field(default=None, validation_alias=either("PClose"))
    total_qty: MaybeCount = None
    at: Moment = Field(default=None, validation_alias=either("TickDt", "Time"))
    symbol: Text = ""


class Ticks(Listing):
    """The answer to a feed."""

    container = "data"
    data: tuple[Tick, ...]


class Level(RowMessage):
    """One price of the order book of the exchange; all zero where there is none."""

    price: Amount
    quantity: Count
    number_of_orders: MaybeCount = None


class Depth(RowMessage):
    """Up to five best prices on either side, best first."""

    exch: Exchange = ""
    exch_type: Text = ""
    scrip_code: Code
    time_stamp: Moment = None
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()


class Depths(Listing):
    """The answer to a depth."""

    container = "marketdepthdata"
    data: tuple[Depth, ...] = Field(validation_alias=AliasChoices("marketdepthdata", "data"))
