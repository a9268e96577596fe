"""What the fund houses of the demo pay, and what is expected of them since Asha's first purchase."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from orders.models import CommissionRate, FundHouse, Scheme
from orders.operations import commission_months
from portal import clock
from portal.desk import proposals
from portal.models import User

# Category (or everything else) -> per cent a year.
RATES = {"": Decimal("0.8"), "Liquid Fund": Decimal("0.1"), "Overnight Fund": Decimal("0.05")}
SOURCE = "Rate card of the demo"
# Whole months before this one from which on they hold.
MONTHS = 4


def unrated() -> list[FundHouse]:
    """Fund houses of which somebody holds units, and which have no rate yet."""
    return list(FundHouse.objects.filter(folios__isnull=False, commission_rates=None).distinct().order_by("name"))


@transaction.atomic
def agree(house: FundHouse, *, maker: User, checker: User) -> None:
    """Rates of one fund house: proposed by one person and approved by another, as on the desk."""
    known = set(Scheme.objects.filter(fund_house=house).values_list("category", flat=True).distinct())
    begins = commission_months.back(clock.today(), MONTHS)
    for category, percent in RATES.items():
        if category and category not in known:
            continue
        rate = CommissionRate(
            fund_house=house, category=category, valid_from=begins, percent=percent, source=f"{SOURCE}, {house}"
        )
        after = proposals.values_of(rate, ["fund_house", "category", "valid_from", "percent", "source"])
        made = proposals.ask(
            act=commission_months.RATE,
            subject=rate,
            title=f"Add commission rate {rate}",
            before=None,
            after=after,
            actor=maker,
            reason="The fund house's rate card",
            at=clock.now(),
        )
        proposals.approve(proposal=made, actor=checker, reason="Compared with the rate card", at=clock.now())


def expect() -> None:
    """Every month that is due is computed."""
    for month in commission_months.due(at=clock.now()):
        commission_months.compute(month, at=clock.now())
