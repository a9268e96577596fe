"""What a mandate can be, by order gateway: kinds, ways of authorising, bounds. Data and pure rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from investors.models import Mandate
from portal.errors import InvalidInput
from portal.money import rupees

LEAST, MOST = Decimal(1), Decimal(10_000_000)
# FP's page works once, for 15 minutes (providers.md 3.8; the e-mandate's page is a payment's page).
PAGE_LIVES = timedelta(minutes=15)


@dataclass(frozen=True)
class Way:
    """One kind of mandate as it is offered: what the investor needs for it, and how long it usually takes."""

    kind: str
    title: str
    methods: str
    takes: str


# providers.md 3.9 and 5.3: an e-mandate takes seconds to two days, paper ten to twenty-one days.
E_MANDATE = Way(
    Mandate.Kind.E_MANDATE,
    "Online, at your bank's page",
    "Net banking, debit card or Aadhaar, whichever of them your bank offers for mandates.",
    "Most banks approve within seconds, some within two working days.",
)
PAPER = Way(
    Mandate.Kind.NACH,
    "On paper",
    "A filled form to print, sign as at your bank, scan and send to us here.",
    "Banks take ten to twenty-one days.",
)


@dataclass(frozen=True)
class Capability:
    """What an order gateway can do about mandates."""

    ways: tuple[Way, ...]
    # FP's `provider_name` for an e-mandate; None lets FP choose.
    carrier: str | None
    # May FP's page send the browser back to us? (document, "Authorize an e-mandate")
    returns: bool
    # Between creating and authorising (providers.md 3.9).
    settles: timedelta

    def offers(self, kind: str) -> bool:
        """Can a mandate of this kind be made?"""
        return any(way.kind == kind for way in self.ways)


# Document, "Create a mandate (nach)": not supported with BSE. "Authorize an e-mandate": no postback with BSE.
GATEWAYS = {
    "RTA": Capability((E_MANDATE, PAPER), carrier=None, returns=True, settles=timedelta(0)),
    "BSE": Capability((E_MANDATE,), carrier="BSE", returns=False, settles=timedelta(minutes=1)),
}
WHY_NOT = {
    ("BSE", Mandate.Kind.NACH): "The exchange through which your orders go takes no paper mandates. Give one online.",
}


def why_not(gateway: str, kind: str) -> str:
    """Why this kind cannot be had with the gateway; empty when it can."""
    if GATEWAYS[gateway].offers(kind):
        return ""
    return WHY_NOT.get((gateway, Mandate.Kind(kind)), "This kind of mandate is not offered.")


def check_limit(limit: Decimal) -> None:
    """Raises InvalidInput("limit") outside FP's bounds (document, "Create a mandate"), or for paise."""
    if not LEAST <= limit <= MOST:
        raise InvalidInput("limit", f"A mandate can be for {rupees(LEAST)} to {rupees(MOST)} a debit.")
    if limit != limit.to_integral_value():
        raise InvalidInput("limit", "Enter whole rupees: banks take no paise in a mandate.")
