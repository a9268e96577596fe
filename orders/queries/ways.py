"""By which ways an investor can pay for what they want to buy, each with the NAV that it reaches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings

from investors.models import Investor, Mandate
from orders import capabilities, rails, rules
from orders.models import MfOrder, Scheme
from orders.queries import schemes as scheme_queries
from portal import money
from portal.clock import IST


def advice(
    *, investor: Investor, schemes: Sequence[Scheme], amount: Decimal | None, at: datetime
) -> list[rails.Advice]:
    """Every way of the gateway, and each approved mandate, in the gateway's order. `amount` is None while unknown.

    An offer's `method` is the value that forms carry: a rail, or `NACH:<code of the mandate>`.
    """
    found: list[rails.Offer] = []
    for method in capabilities.of(settings.FP_ORDER_GATEWAY).rails:
        if method == MfOrder.PaymentMethod.NACH:
            found += [_of_mandate(mandate, schemes, amount, at) for mandate in _mandates(investor)]
        else:
            label = str(MfOrder.PaymentMethod(method).label)
            why_not = _why_too_much(method, amount or money.ZERO, at.astimezone(IST).date())
            found.append(_offer(method, method, label, schemes, at, why_not))
    return rails.advise(found)


def choices(advised: Sequence[rails.Advice]) -> list[tuple[str, str]]:
    """(value, words) of those that can be had, for a form."""
    return [(each.offer.method, f"{each.offer.label}: {each.text}") for each in advised if not each.offer.why_not]


def at_pages(gateway: str, amount: Decimal, on: date) -> list[tuple[str, str]]:
    """Ways of paying so much on a day at a page that a gateway has, as (value, words): for another try."""
    carrying = (method for method in capabilities.of(gateway).pages if not _why_too_much(method, amount, on))
    return [(method, MfOrder.PaymentMethod(method).label) for method in carrying]


def _why_too_much(method: str, amount: Decimal, on: date) -> str:
    return rails.why_too_much(method, amount, book=scheme_queries.book(), on=on)


def _mandates(investor: Investor) -> list[Mandate]:
    approved = Mandate.objects.filter(investor=investor, state=Mandate.State.APPROVED, provider_ref__isnull=False)
    return list(approved.select_related("bank_account").order_by("-pk")[:5])


def _of_mandate(mandate: Mandate, schemes: Sequence[Scheme], amount: Decimal | None, at: datetime) -> rails.Offer:
    why_not = rails.why_no_debit(mandate, amount or money.ZERO, at.astimezone(IST).date())
    label = f"Mandate on {mandate.bank_account}, up to {money.rupees(mandate.limit).removesuffix('.00')}"
    return _offer("NACH", f"NACH:{mandate.code}", label, schemes, at, why_not)


def _offer(rail: str, method: str, label: str, schemes: Sequence[Scheme], at: datetime, why_not: str) -> rails.Offer:
    predicted = [
        rules.predict_nav_day(
            at=at,
            category=scheme.category,
            method=rail,
            holidays=scheme_queries.holidays(),
            book=scheme_queries.book(),
        )
        for scheme in schemes
    ]
    latest = max(predicted, key=lambda each: each.nav_on)
    return rails.Offer(method, label, latest.nav_on, latest.allotment_by, why_not)
