"""Holdings, transactions and files: what FP keeps and reports (document, "Transactions", "Reports", "Files")."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from portal.fintech_primitives.messages.base import (
    Amount,
    Ask,
    Count,
    Day,
    Filled,
    Identifier,
    MaybeText,
    Message,
    Moment,
    Said,
    WireId,
    Word,
)
from portal.fintech_primitives.messages.masters import InvestmentOption

Folio = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^,]+$")]


# --- holdings -------------------------------------------------------------------------------------------------------


def _nothing(value: Any) -> Any:
    return [] if value is None else value


# Null is an empty list, but a list that is not there at all is no answer: what is held must not seem to vanish.
NullIsEmpty = BeforeValidator(_nothing)


class Dated(Message):
    """Units as of a day."""

    as_on: Day | None = None
    units: Amount
    redeemable_units: Amount | None = None


class DatedAmount(Message):
    """Rupees as of a day."""

    as_on: Day | None = None
    amount: Amount | None = None
    redeemable_amount: Amount | None = None


class DatedNav(Message):
    """The price of a unit of a day."""

    as_on: Day | None = None
    value: Amount | None = None


class HeldScheme(Message):
    """A scheme inside a folio."""

    isin: str
    holdings: Dated
    name: str = ""
    type: InvestmentOption = InvestmentOption.UNKNOWN
    market_value: DatedAmount | None = None
    invested_value: DatedAmount | None = None
    payout: DatedAmount | None = None
    nav: DatedNav | None = None


class HeldFolio(Message):
    """A folio with what it holds."""

    folio_number: str
    schemes: Annotated[list[HeldScheme], NullIsEmpty]


class Holdings(Message):
    """All folios of an investment account."""

    folios: Annotated[list[HeldFolio], NullIsEmpty]


class HoldingsQuery(Ask):
    """Of which folios, until which day."""

    folios: list[Folio] = Field(default_factory=list)
    as_on: Day | None = None


class ReportQuery(HoldingsQuery):
    """The holding report needs an account or folios."""

    investment_account_id: WireId | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not self.investment_account_id and not self.folios:
            raise ValueError("either investment_account_id or folios is mandatory")
        return self


# --- transactions ---------------------------------------------------------------------------------------------------


class TransactionType(Word):
    """`transaction.type`."""

    PURCHASE = "purchase"
    REDEMPTION = "redemption"
    SWITCH_IN = "switch_in"
    SWITCH_OUT = "switch_out"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    DIVIDEND_PAYOUT = "dividend_payout"
    DIVIDEND_REINVESTMENT = "dividend_reinvestment"
    BONUS = "bonus"
    UNKNOWN = "unknown"


class CorporateAction(Word):
    """Why a transaction happened that no investor asked for."""

    SCHEME_MERGER = "scheme_merger"
    UNKNOWN = "unknown"


class Source(Message):
    """Of which purchase units came that left, first in first out. `gain` is rupees, negative for a loss."""

    days_held: Count | None = None
    units: Amount
    purchased_on: Day | None = None
    purchased_at: Amount | None = None
    gain: Amount | None = None


class Transaction(Message):
    """One transaction from a registrar's feed. Amount in rupees, `traded_at` is the NAV."""

    folio_number: str
    isin: MaybeText = None
    type: TransactionType
    amount: Amount | None = None
    units: Amount | None = None
    traded_on: Day | None = None
    traded_at: Amount | None = None
    id: Identifier | None = None
    order: Identifier | None = None
    corporate_action: CorporateAction | None = None
    related_transaction_id: Identifier | None = None
    rta_order_reference: MaybeText = None
    rta_product_code: MaybeText = None
    rta_investment_option: MaybeText = None
    rta_scheme_name: MaybeText = None
    sources: list[Source] = Field(default_factory=list)


class Transactions(Message):
    """Transactions, newest first."""

    data: list[Transaction]


class TransactionQuery(Ask):
    """Folios and a period of at most a year; FP fills in what is not said (document, "List All Transactions").

    Neither day: this financial year. Only `to`: the year before it. Only `from`: the year after it, up to today.
    """

    folios: list[Folio] = Field(min_length=1)
    types: list[Said[TransactionType]] = Field(default_factory=list)
    since: Day | None = Field(None, serialization_alias="from")
    until: Day | None = Field(None, serialization_alias="to")

    @model_validator(mode="after")
    def _within_a_year(self) -> Self:
        if self.since and self.until:
            leap = (self.since.month, self.since.day) == (2, 29)
            a_year_on = self.since.replace(year=self.since.year + 1, day=28 if leap else self.since.day)
            if not self.since <= self.until <= a_year_on:
                raise ValueError("from and to: a year at most, in that order")
        return self


# --- files ----------------------------------------------------------------------------------------------------------


class File(Message):
    """An uploaded file."""

    id: Identifier
    filename: str = Field("", repr=False)
    content_type: str = ""
    byte_size: Count | None = None
    purpose: MaybeText = None
    url: str = Field("", repr=False)
    created_at: Moment | None = None


class Files(Message):
    """All files."""

    data: list[File]


class Upload(Ask):
    """A file to send."""

    filename: str = Field(min_length=1, max_length=200, pattern=r'^[^"\r\n\x00/\\]+$', repr=False)
    content_type: str = Field(pattern=r"^[\w.+-]+/[\w.+-]+$")
    content: bytes = Field(min_length=1, repr=False)
    purpose: Filled | None = None


class FileOperationType(Word):
    """What is done with a file."""

    TRANSACTION_PROCESSING = "transaction_processing"
    UNKNOWN = "unknown"


class FileOperationStatus(Word):
    """How far it is."""

    PENDING = "pending"
    PROCESSED = "processed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class FileOperation(Message):
    """Work on a file; the counts are of its records and absent while it is pending."""

    id: Identifier
    file: Identifier
    type: FileOperationType = FileOperationType.UNKNOWN
    status: FileOperationStatus
    processed: Count | None = None
    failed: Count | None = None
    succeeded: Count | None = None


class NewFileOperation(Ask):
    """Let FP read an uploaded registrar's feed."""

    type: Said[FileOperationType] = FileOperationType.TRANSACTION_PROCESSING
    file: Identifier
