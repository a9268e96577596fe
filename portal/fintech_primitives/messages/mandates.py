"""Mandates: the investor's standing yes to debits, on paper (NACH) or at the bank's page (document, "Mandates")."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from portal.fintech_primitives.messages.base import (
    Amount,
    Ask,
    Day,
    Identifier,
    MaybeText,
    Message,
    Moment,
    Page,
    Paging,
    Rupees,
    Said,
    WebAddress,
    WireId,
    Word,
)

# NPCI's bound for e-mandates by net banking (providers.md 3.9).
LIMIT = 10_000_000


class MandateType(Word):
    """`mandate_type`; UPI is of the newer API and can only be read."""

    NACH = "NACH"
    E_MANDATE = "E_MANDATE"
    UPI = "UPI"
    UNKNOWN = "UNKNOWN"


class MandateStatus(Word):
    """`mandate_status`: CREATED waits for the investor, SUBMITTED for the bank; only APPROVED can be debited."""

    CREATED = "CREATED"
    RECEIVED = "RECEIVED"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"


class MandateProvider(Word):
    """Who carries an e-mandate."""

    RAZORPAY = "RAZORPAY"
    BSE = "BSE"
    UNKNOWN = "UNKNOWN"


class Mandate(Message):
    """A mandate as FP sees it now. The limit is rupees a debit."""

    id: Identifier
    mandate_status: MandateStatus
    bank_account_id: Identifier | None = None
    mandate_type: MandateType = MandateType.UNKNOWN
    mandate_limit: Amount | None = None
    mandate_ref: MaybeText = None
    umrn: MaybeText = None
    valid_from: Day | None = None
    rejected_reason: MaybeText = None
    provider_id: Identifier | None = None
    created_at: Moment | None = None
    received_at: Moment | None = None
    submitted_at: Moment | None = None
    approved_at: Moment | None = None
    rejected_at: Moment | None = None


class MandatePage(Page):
    """A page of mandates."""

    mandates: list[Mandate]


class MandateQuery(Paging):
    """Of which bank accounts; of all when none is named."""

    bank_account_id: list[WireId] = Field(default_factory=list)


MandateLimit = Annotated[Rupees, Field(le=LIMIT)]


class NewNachMandate(Ask):
    """A mandate on paper. Not with BSE as order gateway."""

    mandate_type: str = Field("NACH", pattern="^NACH$")
    bank_account_id: WireId
    mandate_limit: MandateLimit
    valid_from: Day | None = None
    provider_id: WireId | None = None


class NewEMandate(Ask):
    """A mandate that the investor authorises at the bank's page."""

    mandate_type: str = Field("E_MANDATE", pattern="^E_MANDATE$")
    bank_account_id: WireId
    mandate_limit: MandateLimit
    provider_name: Said[MandateProvider] | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _dates(self) -> Self:
        if self.valid_to and self.provider_name != MandateProvider.BSE:
            raise ValueError("valid_to: only with BSE")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to: before valid_from")
        return self


class Authorisation(Ask):
    """Where the browser returns to after the bank's page."""

    mandate_id: WireId
    payment_postback_url: WebAddress | None = None
