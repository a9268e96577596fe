"""KYC checks: what the registries say of a PAN (document, "KYC Checks"; providers.md 3.11)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import Field

from portal.fintech_primitives.messages.base import (
    Amount,
    Ask,
    Flag,
    Identifier,
    MaybeText,
    Message,
    Moment,
    Pan,
    Word,
)


class ConstraintType(Word):
    """What a KYC status limits."""

    INVESTMENT_LIMIT = "investment_limit"
    UNKNOWN = "unknown"


class KycReason(Word):
    """Why a PAN is not ready."""

    UNAVAILABLE = "unavailable"
    ONHOLD = "onhold"
    REJECTED = "rejected"
    DEACTIVATED = "deactivated"
    LEGACY = "legacy"
    UNDERPROCESS = "underprocess"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"


class KycAction(Word):
    """What can be done about it."""

    MODIFY = "modify"
    CREATE = "create"
    DISALLOWED = "disallowed"
    NONE = "none"
    UNKNOWN = "unknown"


class Money(Message):
    """An amount inside a constraint."""

    value: Amount
    currency: str = ""


class Constraint(Message):
    """A limit that comes with a KYC status."""

    type: ConstraintType
    amount: Money | None = None


class KycSource(Message):
    """What a registry answered, word for word."""

    name: str = ""
    response_verbatim: str = Field("", repr=False)
    fetched_at: Moment | None = None


class KycCheck(Message):
    """The state of a PAN in the KYC registries. Honour `constraints` even when `status` is true."""

    id: Identifier
    pan: str = Field(repr=False)
    status: Flag
    reason: KycReason | None = None
    action: KycAction | None = None
    source_ref_id: MaybeText = None
    entity_details: dict[str, Any] = Field(default_factory=dict, repr=False)
    constraints: list[Constraint] = Field(default_factory=list)
    sources: list[KycSource] = Field(default_factory=list)
    created_at: Moment | None = None
    updated_at: Moment | None = None

    @property
    def investment_limit(self) -> Decimal | None:
        """Rupees a year in one fund house, when the registry sets a limit."""
        limits = [each.amount.value for each in self.constraints if each.amount and _limits(each)]
        return min(limits) if limits else None


def _limits(constraint: Constraint) -> bool:
    return constraint.type == ConstraintType.INVESTMENT_LIMIT


class NewKycCheck(Ask):
    """Which PAN to ask the registries about."""

    pan: Pan
