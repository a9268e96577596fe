"""The simulation calls of FP's own sandbox: which words each allows (document, "Simulation" and "KYC Requests")."""

from __future__ import annotations

from typing import Annotated

from portal.fintech_primitives.messages.base import Ask, one_of
from portal.fintech_primitives.messages.kyc_requests import KycStatus
from portal.fintech_primitives.messages.mandates import MandateStatus
from portal.fintech_primitives.messages.orders import OrderStatus
from portal.fintech_primitives.messages.payments import PaymentStatus


class OrderWish(Ask):
    """To where an order may be moved."""

    status: Annotated[
        OrderStatus,
        one_of(
            OrderStatus.PAYMENT_CONFIRMED,
            OrderStatus.SUBMITTED,
            OrderStatus.SUCCESSFUL,
            OrderStatus.FAILED,
            OrderStatus.REVERSED,
        ),
    ]


class PaymentWish(Ask):
    """To where a payment may be moved: every documented state."""

    status: Annotated[PaymentStatus, one_of(*(word for word in PaymentStatus if word != PaymentStatus.UNKNOWN))]


class MandateWish(Ask):
    """To where a mandate may be moved."""

    status: Annotated[
        MandateStatus,
        one_of(
            MandateStatus.CREATED,
            MandateStatus.SUBMITTED,
            MandateStatus.APPROVED,
            MandateStatus.RECEIVED,
            MandateStatus.REJECTED,
        ),
    ]


class KycWish(Ask):
    """How a KYC request may end."""

    status: Annotated[KycStatus, one_of(KycStatus.SUCCESSFUL, KycStatus.REJECTED)]
