"""Commission of the demo since Asha's first purchase: expected, received, and handed on to her partner."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

from django.db import transaction

from orders.feeds import commission
from orders.models import (
    CommissionMonth,
    CommissionRate,
    CommissionShare,
    CommissionStatement,
    FundHouse,
    Payout,
    Scheme,
)
from orders.operations import commission_months, commission_shares, commission_statements, payouts
from portal import clock
from portal.desk import proposals
from portal.models import Partner, User

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


# --- Received and handed on -------------------------------------------------------------------------------------------

SHARE = Decimal("60")
# Of what was expected, in rupees: what the file lacks, so that there is a difference to look at.
LACKS = Decimal("0.50")
# A folio that nobody knows.
UNKNOWN = ("", "99887766/01", "INF000000000", "trail", "12.40", "2.23", "0", "DEMO-X")


def received(*, maker: User) -> CommissionStatement | None:
    """A statement of what came for the months that have ended, a little less than expected, and a line of nobody's."""
    months = CommissionMonth.objects.filter(month__lt=clock.today().replace(day=1), expected__gt=LACKS)
    found = list(months.select_related("folio__fund_house", "scheme").order_by("month", "pk"))
    if not found or CommissionStatement.objects.exists():
        return None
    return commission_statements.enter(name="demo-statement.csv", raw=_file(found), actor=maker, at=clock.now())


def _file(months: list[CommissionMonth]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(commission.TEMPLATE)
    for n, each in enumerate(months, 1):
        amount = each.expected - (LACKS if n == len(months) else 0)
        house, folio = each.folio.fund_house.name, each.folio.number
        writer.writerow([house, folio, each.scheme.isin, f"{each.month:%Y-%m}", "trail", amount, 0, 0, f"DEMO-{n}"])
    writer.writerow([*UNKNOWN[:3], f"{months[-1].month:%Y-%m}", *UNKNOWN[3:]])
    return out.getvalue().encode()


@transaction.atomic
def share(partner: Partner, *, maker: User, checker: User) -> bool:
    """The partner's part, proposed by one person and approved by another. False where it has one."""
    if CommissionShare.objects.filter(partner=partner).exists():
        return False
    begins = commission_months.back(clock.today(), MONTHS)
    row = CommissionShare(partner=partner, valid_from=begins, percent=SHARE, source="Agreement of the demo")
    made = proposals.ask(
        act=commission_shares.SHARE,
        subject=row,
        title=f"Add partner's share {row}",
        before=None,
        after=proposals.values_of(row, ["partner", "valid_from", "percent", "source"]),
        actor=maker,
        reason="The agreement with the partner",
        at=clock.now(),
    )
    proposals.approve(proposal=made, actor=checker, reason="Compared with the agreement", at=clock.now())
    return True


def hand_on(partner: Partner, *, maker: User, checker: User) -> list[Payout]:
    """A payout that was paid, and one of the last month that waits for a second person."""
    if Payout.objects.filter(partner=partner).exists():
        return []
    last, before = (commission_months.back(clock.today(), n) for n in (1, 2))
    earlier = _ask(partner, before, maker)
    if earlier is not None:
        _pay(earlier, maker=maker, checker=checker)
    return [row for row in (earlier, _ask(partner, last, maker)) if row is not None]


def _ask(partner: Partner, month: date, maker: User) -> Payout | None:
    found, at = payouts.simulate(partner=partner, month=month), clock.now()
    if found.payable <= 0:
        return None
    return payouts.ask(partner=partner, month=month, seen=found.seen, actor=maker, reason="As every month", at=at)


def _pay(row: Payout, *, maker: User, checker: User) -> None:
    at = clock.now()
    payouts.approve(payout_id=row.pk, actor=checker, reason="Compared with the statement", at=at)
    payouts.mark_paid(
        payout_id=row.pk, utr="DEMON52026000001", paid_on=clock.today(), tds=Decimal(0), actor=maker,
        reason="By NEFT", at=at,
    )  # fmt: skip
