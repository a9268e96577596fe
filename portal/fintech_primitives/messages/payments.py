"""Payments: started for orders, read, listed; and the BSE gateway's page, which nobody may trust."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from portal.fintech_primitives.messages.base import (
    Amount,
    Ask,
    Day,
    Direction,
    Flag,
    Identifier,
    MaybeText,
    Message,
    Moment,
    Page,
    Paging,
    Said,
    WebAddress,
    WireId,
    Word,
    one_of,
)


class PaymentStatus(Word):
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


class PaymentMethod(Word):
    """How an investor pays at FP's page."""

    NETBANKING = "NETBANKING"
    CARD = "CARD"
    UPI = "UPI"
    UNKNOWN = "UNKNOWN"


class PaymentType(Word):
    """`payment_type`."""

    NACH = "NACH"
    NETBANKING = "NETBANKING"
    ECS = "ECS"
    CHEQUE = "CHEQUE"
    AUTH_TRANSACTION = "AUTH_TRANSACTION"
    UNKNOWN = "UNKNOWN"


class StartedPayment(Message):
    """The answer to a payment: where the investor pays. The address works once, for 15 minutes."""

    id: Identifier
    token_url: str = Field(min_length=1, repr=False)


class Payment(Message):
    """One payment as FP sees it now."""

    id: Identifier
    status: PaymentStatus
    payment_type: PaymentType = PaymentType.UNKNOWN
    amount: Amount | None = None
    debit_date: Day | None = None
    amc_order_ids: list[Identifier] = Field(default_factory=list)
    method: PaymentMethod | None = None
    failed_reason: MaybeText = None
    late_auth: Flag = False
    created_at: Moment | None = None
    submitted_at: Moment | None = None
    debit_confirmed_at: Moment | None = None
    transfer_initiated_at: Moment | None = None
    settled_at: Moment | None = None
    failed_at: Moment | None = None
    rejected_at: Moment | None = None


class PaymentPage(Page):
    """A page of payments."""

    payments: list[Payment]


class _ForOrders(Ask):
    """Each order once."""

    def refuse_repeated(self, ids: list[str]) -> None:
        """Raise ValueError for an order named twice."""
        if len(set(ids)) != len(ids):
            raise ValueError("the same order twice")


class NewPayment(_ForOrders):
    """One payment for several orders."""

    amc_order_ids: list[WireId] = Field(min_length=1)
    method: Said[PaymentMethod] | None = None
    payment_postback_url: WebAddress | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        self.refuse_repeated(self.amc_order_ids)
        return self


class NewBsePayment(_ForOrders):
    """The same at the BSE gateway. The document's table and its example name the address differently: both are sent."""

    order_ids: list[WireId] = Field(min_length=1)
    postback_url: WebAddress

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        self.refuse_repeated(self.order_ids)
        return self

    def body(self) -> dict[str, object]:
        """With the example's key beside the table's (providers.md 7 #4)."""
        return super().body() | {"payment_postback_url": self.postback_url}


class BankPage:
    """HTML that FP's BSE gateway answered: somebody else's markup with a script in it. Opaque, and no text.

    Printed or put into a template it says only how large it is. Whoever shows it does so in a sandboxed frame, after
    looking at where its form leads (providers.md 7 #4).
    """

    __slots__ = ("_html",)

    def __init__(self, html: bytes) -> None:
        self._html = html

    def untrusted_html(self) -> bytes:
        """The bytes as they came. Never for a page of ours."""
        return self._html

    def __repr__(self) -> str:
        return f"<BankPage of {len(self._html)} bytes>"


# A payment that timed out is found by its orders only.
LISTED_STATES = tuple(word for word in PaymentStatus if word not in (PaymentStatus.TIMEDOUT, PaymentStatus.UNKNOWN))


class PaymentQuery(Paging):
    """Which payments; `until` only together with `since` (document, "Get all Payments", note 1)."""

    since: Day | None = Field(None, serialization_alias="from")
    until: Day | None = Field(None, serialization_alias="to")
    payment_type: Said[PaymentType] | None = None
    payment_status: list[Annotated[PaymentStatus, one_of(*LISTED_STATES)]] = Field(default_factory=list)
    amc_order_ids: list[WireId] = Field(default_factory=list)
    direction: Direction = Direction.DESC

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until and not self.since:
            raise ValueError("to: only with from")
        if self.since and self.until and self.until < self.since:
            raise ValueError("to: before from")
        return self
