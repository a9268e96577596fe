"""smallcase's questions and answers as frozen typed messages (given document 001, providers.md 1.3 and 1.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field, model_validator

from portal.gateway.wire import Count, Identifier, MaybeAmount, Message, Text, Word

MAX_NOTES = 256


class Side(Word):
    """`transactionType`."""

    BUY = "BUY"
    SELL = "SELL"
    UNKNOWN = "UNKNOWN"


class BatchStatus(Word):
    """Status of a batch. The document advises to use the status of each stock instead."""

    PLACED = "PLACED"
    PARTIALLYPLACED = "PARTIALLYPLACED"
    COMPLETED = "COMPLETED"
    PARTIALLYFILLED = "PARTIALLYFILLED"
    UNFILLED = "UNFILLED"
    UNPLACED = "UNPLACED"
    CANCELLED = "CANCELLED"
    MARKEDCOMPLETE = "MARKEDCOMPLETE"
    ERROR = "ERROR"
    UNKNOWN = "UNKNOWN"


class OrderStatus(Word):
    """Status of one stock in a batch; only PLACED is not final."""

    PLACED = "PLACED"
    COMPLETE = "COMPLETE"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    CANCELLED_AMO = "CANCELLED AMO"
    ERROR = "ERROR"
    UNKNOWN = "UNKNOWN"


class TransactionStatus(Word):
    """Status of a transaction. Its words stand in no document that we have; only COMPLETED and ERRORED are acted on."""

    INITIALIZED = "INITIALIZED"
    USED = "USED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    ERRORED = "ERRORED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


class Variety(Word):
    """`regular`, or `amo` for an after-market order."""

    REGULAR = "regular"
    AMO = "amo"
    UNKNOWN = "UNKNOWN"


def _word(kind: type[Word]) -> Any:
    return Annotated[kind, BeforeValidator(lambda value: kind(value) if isinstance(value, str) else kind("UNKNOWN"))]


# --- what we send ---------------------------------------------------------------------------------------------------


class Security(Message):
    """One line of what is to be traded: an NSE ticker and whole shares."""

    ticker: str = Field(pattern=r"^[A-Z0-9&-]{1,30}$")
    quantity: int = Field(gt=0, strict=True)
    side: Side

    def wire(self) -> dict[str, Any]:
        """The line as smallcase names it."""
        if self.side is Side.UNKNOWN:
            raise ValueError("a line is bought or sold")
        return {"ticker": self.ticker, "quantity": self.quantity, "type": self.side.value}


class NewTransaction(Message):
    """A single stock or a basket, bought, sold or both. `notes` comes back with every answer and webhook."""

    securities: tuple[Security, ...] = Field(min_length=1, max_length=50)
    notes: str = Field(default="", max_length=MAX_NOTES)
    basket_name: str = Field(default="", max_length=100)
    basket_logo: str = Field(default="", pattern=r"^(https://\S+)?$", max_length=500)

    @model_validator(mode="after")
    def _each_ticker_once(self) -> NewTransaction:
        if len({each.ticker for each in self.securities}) != len(self.securities):
            raise ValueError("a ticker stands twice in one transaction")
        return self


# --- what we read -----------------------------------------------------------------------------------------------------


class CreatedTransaction(Message):
    """The id for the SDK. It works once and expires."""

    transaction_id: Identifier = Field(validation_alias="transactionId")
    expire_at: datetime | None = Field(default=None, validation_alias="expireAt")


def _nothing_for_zero_time(value: Any) -> Any:
    return value or None


Moment = Annotated[datetime | None, BeforeValidator(_nothing_for_zero_time)]


class Order(Message):
    """One stock of a batch. `average_price` counts only when the status is COMPLETE."""

    ticker: Identifier = Field(validation_alias="tradingsymbol")
    side: _word(Side) = Field(validation_alias="transactionType")  # type: ignore[valid-type]
    status: _word(OrderStatus)  # type: ignore[valid-type]
    quantity: Count
    filled_quantity: Count = Field(default=0, validation_alias="filledQuantity")
    average_price: MaybeAmount = Field(default=None, validation_alias="averagePrice")
    order_type: Text = Field(default="", validation_alias="orderType")
    product: Text = ""
    exchange: Text = ""
    exchange_order_id: Text = Field(default="", validation_alias="exchangeOrderId")
    error_code: Text = Field(default="", validation_alias="errorCode")
    status_message: Text = Field(default="", validation_alias="statusMessage")

    @model_validator(mode="after")
    def _no_more_filled_than_ordered(self) -> Order:
        if self.filled_quantity > self.quantity:
            raise ValueError("more filled than ordered")
        return self


class Batch(Message):
    """What the person confirmed at once. `quantity` and `filled` count securities, not shares (providers.md 7 #30)."""

    batch_id: Identifier = Field(validation_alias="batchId")
    status: _word(BatchStatus) = BatchStatus.UNKNOWN  # type: ignore[valid-type]
    variety: _word(Variety) = Variety.UNKNOWN  # type: ignore[valid-type]
    quantity: Count = 0
    filled: Count = 0
    buy_amount: MaybeAmount = Field(default=None, validation_alias="buyAmount")
    sell_amount: MaybeAmount = Field(default=None, validation_alias="sellAmount")
    completed_at: Moment = Field(default=None, validation_alias="completedDate")
    orders: tuple[Order, ...] = ()
    unplaced: tuple[Order, ...] = ()


class Orders(Message):
    """The orders of one transaction: as the SDK gives them, or one bare batch as the API and the webhook do.

    No batches: the person has confirmed nothing yet.
    """

    transaction_id: Text = Field(default="", validation_alias="transactionId")
    broker: Text = ""
    notes: Text = ""
    batches: tuple[Batch, ...]

    @model_validator(mode="before")
    @classmethod
    def _one_shape(cls, value: Any) -> Any:
        """Older answers nest the batches twice (providers.md 7 #31); shared ones stand bare, or in a bare list."""
        value = {"orderBatches": value} if isinstance(value, list) else value
        if not isinstance(value, dict) or "batches" in value:
            return value
        batches = value.get("orderBatches", [value])
        if not isinstance(batches, list):
            return {**value, "batches": batches}
        flat = [each for batch in batches for each in (batch if isinstance(batch, list) else [batch])]
        return {**value, "batches": flat}


class Transaction(Message):
    """What became of a transaction in the SDK."""

    transaction_id: Identifier = Field(validation_alias="transactionId")
    status: _word(TransactionStatus) = TransactionStatus.UNKNOWN  # type: ignore[valid-type]
    intent: Text = ""
    broker: Text = ""
    notes: Text = ""
    auth_token: Text = Field(
        default="",
        validation_alias=AliasChoices(
            "smallcaseAuthToken", "authToken", AliasPath("success", "smallcaseAuthToken"), AliasPath("success", "data")
        ),
    )
    smallcase_auth_id: Text = Field(
        default="",
        validation_alias=AliasChoices("smallcaseAuthId", "authId", AliasPath("success", "smallcaseAuthId")),
    )
    error: Text = Field(
        default="", validation_alias=AliasChoices(AliasPath("error", "message"), "errorMessage", "error")
    )
    error_code: Text = Field(default="", validation_alias=AliasChoices(AliasPath("error", "code"), "errorCode"))
    expire_at: Moment = Field(default=None, validation_alias="expireAt")

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: Any) -> Any:
        inner = value.get("transaction") if isinstance(value, dict) else None
        return inner if isinstance(inner, dict) else value


class HeldSecurity(Message):
    """Shares of one company in the person's demat account."""

    ticker: Identifier = Field(validation_alias=AliasChoices("ticker", "nseTicker", "tradingsymbol"))
    name: Text = ""
    isin: Text = ""
    quantity: Count = Field(validation_alias=AliasChoices("quantity", AliasPath("holdings", "quantity"), "shares"))
    average_price: MaybeAmount = Field(
        default=None, validation_alias=AliasChoices("averagePrice", AliasPath("holdings", "averagePrice"))
    )


class Holdings(Message):
    """What the person held at `snapshot_date`."""

    securities: tuple[HeldSecurity, ...] = ()
    snapshot_date: Moment = Field(default=None, validation_alias="snapshotDate")
    broker: Text = ""
    smallcase_auth_id: Text = Field(default="", validation_alias="smallcaseAuthId")

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, value: Any) -> Any:
        """Some answers keep the securities one level down, under `data`."""
        inner = value.get("data") if isinstance(value, dict) else None
        return {**value, **inner} if isinstance(inner, dict) else value
