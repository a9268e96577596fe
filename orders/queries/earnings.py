"""What commission brings a partner. The owner filter stands here once, for the console and for the API.

Rows come from views (`orders/models/earnings.py`), which the partner's connection reads with its own rights: folios and
investors who have left the firm are missing in them, and lines and months of their time stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Max, QuerySet, Sum

from orders.models import CommissionLine, CommissionMonth, EarningsHolding, EarningsLine, EarningsMonth, Payout

# A payout is its partner's from the second person's yes on.
DECIDED = (Payout.State.APPROVED.value, Payout.State.PAID.value)


def months_of(partner_id: int) -> QuerySet[EarningsMonth]:
    """The owner filter of months, the newest first."""
    return EarningsMonth.objects.filter(partner_id=partner_id).order_by("-month")


def year_before(partner_id: int, before: date | None) -> tuple[list[EarningsMonth], date | None]:
    """The twelve months that end with the newest before `before`, and the month before which there are more.

    Sums are made of a year's rows, however many years a firm has been with us.
    """
    newest = _newest(partner_id, before)
    if newest is None:
        return [], None
    first = date(newest.year - 1, newest.month + 1, 1) if newest.month < 12 else date(newest.year, 1, 1)
    found = list(months_of(partner_id).filter(month__gte=first, month__lte=newest))
    return found, first if _newest(partner_id, first) else None


def _newest(partner_id: int, before: date | None) -> date | None:
    """The newest month with anything in it; each table's index answers at once."""
    until = {"month__lt": before} if before else {}
    of_months = CommissionMonth.objects.filter(partner_id=partner_id, **until).aggregate(on=Max("month"))["on"]
    of_lines = CommissionLine.objects.filter(partner_id=partner_id, why_not="", **until).aggregate(on=Max("month"))[
        "on"
    ]
    return max((on for on in (of_months, of_lines) if on), default=None)


def holdings_of(partner_id: int) -> QuerySet[EarningsHolding]:
    """The owner filter of what is expected of each holding for a month."""
    return EarningsHolding.objects.filter(partner_id=partner_id).order_by("-pk")


def lines_of(partner_id: int) -> QuerySet[EarningsLine]:
    """The owner filter of what was received."""
    return EarningsLine.objects.filter(partner_id=partner_id).order_by("-pk")


def payouts_of(partner_id: int) -> QuerySet[Payout]:
    """The owner filter of payouts."""
    return Payout.objects.filter(partner_id=partner_id, state__in=DECIDED).order_by("-pk")


def one_month(partner_id: int, month: date) -> EarningsMonth | None:
    """A month of the partner's."""
    return months_of(partner_id).filter(month=month).first()


@dataclass(frozen=True)
class House:
    """A fund house in a month: what it should have paid in trail, what it paid, and the firm's part of that."""

    key: int
    name: str
    expected: Decimal = Decimal(0)
    trail: Decimal = Decimal(0)
    received: Decimal = Decimal(0)
    payable: Decimal = Decimal(0)

    @property
    def difference(self) -> Decimal:
        """Trail beyond what was expected; below zero where it is less."""
        return self.trail - self.expected


@dataclass(frozen=True)
class Kind:
    """One kind of commission in a month."""

    code: str
    lines: int
    received: Decimal
    payable: Decimal


def by_house_and_kind(partner_id: int, month: date) -> tuple[list[House], list[Kind]]:
    """A month by fund house, and by kind of what came: two statements."""
    expected = (
        holdings_of(partner_id).filter(month=month).order_by()
        .values_list("scheme__fund_house", "scheme__fund_house__name").annotate(Sum("expected"))
    )  # fmt: skip
    received = list(
        lines_of(partner_id).filter(month=month).order_by()
        .values_list("fund_house", "fund_house__name", "kind").annotate(Count("pk"), Sum("amount"), Sum("payable"))
    )  # fmt: skip
    houses = {key: House(key, name, expected=rupees) for key, name, rupees in expected}
    for key, name, kind, _, amount, payable in received:
        houses[key] = _with(houses.get(key) or House(key, name), kind, amount, payable)
    kinds = {kind: Kind(kind, 0, Decimal(0), Decimal(0)) for _, _, kind, *_ in received}
    for _, _, kind, count, amount, payable in received:
        was = kinds[kind]
        kinds[kind] = Kind(kind, was.lines + count, was.received + amount, was.payable + (payable or 0))
    return sorted(houses.values(), key=lambda each: each.name), sorted(kinds.values(), key=lambda each: -each.received)


def _with(house: House, kind: str, amount: Decimal, payable: Decimal | None) -> House:
    return House(
        key=house.key,
        name=house.name,
        expected=house.expected,
        trail=house.trail + (amount if kind == "TRAIL" else 0),
        received=house.received + amount,
        payable=house.payable + (payable or 0),
    )
