"""The FP client: one method per documented endpoint, typed messages in and out, the six errors of `portal.gateway`."""

from __future__ import annotations

from django.conf import settings

from portal.fintech_primitives import auth
from portal.fintech_primitives.investors import Investors
from portal.fintech_primitives.kyc import Kyc
from portal.fintech_primitives.mandates import Mandates
from portal.fintech_primitives.masters import Masters
from portal.fintech_primitives.orders import ALL_STATES, OPEN_STATES, Orders, every_order
from portal.fintech_primitives.payments import Payments
from portal.fintech_primitives.plans import Plans
from portal.fintech_primitives.records import Records
from portal.fintech_primitives.simulation import Simulation
from portal.gateway.client import lazily
from portal.gateway.transport import Transport

__all__ = ["ALL_STATES", "OPEN_STATES", "FintechPrimitives", "build", "client", "every_order"]


class FintechPrimitives(Investors, Orders, Plans, Records, Mandates, Payments, Kyc, Masters, Simulation):
    """A tenant at FP with all its calls, by subject in the classes above. Thread-safe."""


def build() -> FintechPrimitives:
    """A client from settings."""
    credentials = auth.Credentials(
        tenant=settings.FP_TENANT,
        api_key_id=settings.FP_API_KEY_ID,
        secret=settings.FP_SECRET,
        base64_payload_first=settings.FP_BASE64_PAYLOAD_FIRST,
        principal=settings.FP_AUTHORIZATION_PRINCIPAL,
    )
    transport = Transport("fp", settings.FP_BASE_URL)
    return FintechPrimitives(transport, credentials, calls_per_second=settings.FP_CALLS_PER_SECOND)


client = lazily(build)
