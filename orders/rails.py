"""Which way of paying suits: what each can carry, which NAV it reaches, and which of them is best. Pure.

The best is the one whose money is with the scheme first; among equals the first in the order of the gateway's list.
A mandate needs nobody at a page, but its debit comes on the next business day at the earliest, so it loses days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from orders import calendar
from orders.rulebook import Book
from portal import money

# How a sentence names a way of paying that may have a limit.
_BY = {"UPI": "UPI", "NETBANKING": "net banking", "CARD": "card"}


class Debitable(Protocol):
    """What a mandate says about itself."""

    state: str
    limit: Decimal
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Offer:
    """One way of paying. `nav_on` is the latest NAV day over the schemes that are bought."""

    method: str
    label: str
    nav_on: date
    allotment_by: date
    why_not: str = ""


@dataclass(frozen=True)
class Advice:
    """An offer as a page shows it: whether it is the best one, and what choosing it costs."""

    offer: Offer
    is_best: bool
    days_lost: int

    @property
    def text(self) -> str:
        """`NAV of 20 Nov 2026 if you pay now`; where days are lost, how many."""
        if self.offer.why_not:
            return self.offer.why_not
        words = f"NAV of {calendar.short(self.offer.nav_on)}"
        if self.days_lost:
            days = "a day" if self.days_lost == 1 else f"{self.days_lost} days"
            return f"{words}: {days} later than the quickest way"
        return f"{words} if you pay now"


def why_too_much(method: str, amount: Decimal, *, book: Book, on: date) -> str:
    """Why so much cannot be paid in this way on a day; empty when it can."""
    most = book.limit_of("payment_limit", method, on=on)
    if most is None or amount <= most:
        return ""
    by, other = _BY.get(method, "this way"), "another way" if method == "NETBANKING" else "net banking"
    return f"By {by} at most {money.rupees(most).removesuffix('.00')} can be paid a day. Please choose {other}."


def why_no_debit(mandate: Debitable, amount: Decimal, today: date) -> str:
    """Why a mandate cannot be debited for `amount` now; empty when it can (given document: it must be APPROVED)."""
    if mandate.state != "APPROVED":
        return "Your bank has not approved this mandate, so nothing can be debited by it."
    if mandate.valid_from > today or (mandate.valid_to and mandate.valid_to <= today):
        return "This mandate is not valid today."
    if amount > mandate.limit:
        return f"This mandate allows {money.rupees(mandate.limit)} a debit; {money.rupees(amount)} is more."
    return ""


def advise(offers: Sequence[Offer]) -> list[Advice]:
    """The offers in their order, each with what it costs against the quickest that can be had."""
    possible = [offer for offer in offers if not offer.why_not]
    best = min(possible, key=lambda offer: offer.nav_on, default=None)
    return [
        Advice(
            offer,
            is_best=offer is best,
            days_lost=0 if best is None or offer.why_not else (offer.nav_on - best.nav_on).days,
        )
        for offer in offers
    ]
