"""Instant redemption, with order tracking (OMS) and without (the stand-alone service of the fund houses)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from portal.fintech_primitives.messages.base import (
    Amount,
    Ask,
    Filled,
    Flag,
    Isin,
    MaybeText,
    Message,
    Moment,
    Money2,
    Ref,
    Rupees,
)
from portal.fintech_primitives.messages.orders import Consent, RedemptionMode


class RedemptionBank(Message):
    """A bank account to which the money can go; fund houses may leave out either."""

    account_number: str = Field("", repr=False)
    ifsc_code: str = ""


class InstantRedemption(Message):
    """What can be redeemed at once, in rupees. Where `allowed` is not said, it is not allowed."""

    allowed: Flag = False
    min_amount: Amount | None = None
    max_amount: Amount | None = None
    multiples: Amount | None = None
    remarks: MaybeText = None
    redemption_bank_accounts: list[RedemptionBank] = Field(default_factory=list)


class RedemptionSummary(Message):
    """The answer to a pre-redemption summary."""

    folio_number: str
    isin: str
    instant_redemption: InstantRedemption


class SummaryQuery(Ask):
    """For which folio and scheme."""

    folio_number: Filled
    isin: Isin


class NewInstantRedemption(Ask):
    """An instant redemption that is an order: it can be tracked."""

    folio_number: Filled
    isin: Isin
    amount: Rupees
    redemption_bank_account_number: Filled
    redemption_bank_account_ifsc_code: Filled
    source_ref_id: Ref
    user_ip: Filled | None = None
    server_ip: Filled | None = None
    consent: Consent | None = None


class InstantOrder(Ask):
    """An instant redemption at the stand-alone service. Not tracked and without a reference: it cannot be looked up.

    `meta` holds what single fund houses ask for: `{"AXF": {"invname": ..., "BankName": ..., "BankType": ...}}`.
    """

    folio_number: Filled
    isin: Isin
    amount: Money2
    redemption_bank_account_number: Filled
    redemption_bank_account_ifsc_code: Filled
    meta: dict[str, dict[str, Filled]] | None = None


class InstantOrderDone(Message):
    """The fund house's answer, with its own words."""

    order_reference: str
    created_at: Moment | None = None
    remarks: MaybeText = None
    redemption_mode: RedemptionMode = RedemptionMode.UNKNOWN
    response_verbatim: dict[str, Any] = Field(default_factory=dict, repr=False)
