"""SIPs: the plan, its instalments, and the three operations on it (document, "Orders")."""

from __future__ import annotations

from pydantic import Field

from portal.fintech_primitives.messages.base import (
    Amount,
    Ask,
    Count,
    Day,
    Flag,
    Identifier,
    MaybeText,
    Message,
    Page,
    Word,
)


class Frequency(Word):
    """How often a plan buys."""

    MONTHLY = "MONTHLY"
    UNKNOWN = "UNKNOWN"


class Sip(Message):
    """A plan. The answer to `deactivate` has no ISIN and no reference."""

    sip_id: Identifier
    active: Flag
    amount: Amount
    frequency: Frequency = Frequency.UNKNOWN
    start_date: Day | None = None
    installments: Count | None = None
    folio_number: MaybeText = None
    mandate_id: Identifier | None = None
    isin: MaybeText = None
    source_ref_id: MaybeText = None


class SipPage(Page):
    """A page of plans."""

    sip_orders: list[Sip]


class OtherMandate(Ask):
    """The mandate a plan changes to; here the document has it as text."""

    mandate_id: Identifier


class ChangeMandate(Ask):
    """From now on the plan is debited from another mandate."""

    operation: str = Field("update", pattern="^update$")
    data: OtherMandate


class Operation(Ask):
    """`deactivate` ends a plan, `cancel_next_installment` skips one instalment."""

    operation: str = Field(pattern="^(deactivate|cancel_next_installment)$")
