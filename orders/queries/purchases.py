"""Everything that the rules of a purchase ask about, read in one statement: it runs on every confirmation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, Exists, OuterRef, QuerySet, Subquery, Sum

from investors.models import InvestmentAccount, Investor, KycCheck
from orders import lifecycle
from orders.models import Folio, Holding, MfOrder, Scheme

# A look-alike this recent is shown to the investor before it is bought again (feature N6, intent ledger).
LOOK_ALIKE_WINDOW = timedelta(hours=24)
NOT_BOUGHT = (lifecycle.REJECTED, lifecycle.EXPIRED, lifecycle.CANCELLED)


@dataclass(frozen=True)
class Facts:
    """What is so for one investor and one scheme at a moment. Rupees."""

    scheme: Scheme
    # Where a purchase goes: the folio that holds the scheme, else the newest one at the fund house, else a new one.
    folio_id: int | None
    folio_number: str
    is_held: bool
    kyc_is_compliant: bool
    kyc_limit: Decimal | None
    ordered_this_year: Decimal
    investment_account_id: int
    # A recent order for the same scheme and amount that was not refused.
    twin_code: str


def facts(*, investor: Investor, isin: str, amount: Decimal, at: datetime) -> Facts | None:
    """One statement; None when the scheme does not exist."""
    newest = KycCheck.objects.filter(investor=investor).order_by("-checked_at")
    folios = _folios(investor)
    scheme = (
        Scheme.objects.filter(isin=isin)
        .annotate(
            folio_id=Subquery(folios.values("pk")[:1]),
            folio_number=Subquery(folios.values("number")[:1]),
            is_held=Exists(Holding.objects.filter(investor=investor, scheme=OuterRef("pk"), units__gt=0)),
            kyc_is_compliant=Subquery(newest.values("is_compliant")[:1]),
            kyc_limit=Subquery(newest.values("investment_limit")[:1]),
            ordered_this_year=Subquery(_ordered_since(investor, financial_year_began(at))),
            account_id=Subquery(InvestmentAccount.objects.filter(investor=investor).values("pk")[:1]),
            twin_code=Subquery(_twins(investor, amount, at).values("code")[:1]),
        )
        .first()
    )
    return _facts(scheme) if scheme else None


def _facts(row: Scheme) -> Facts:
    found = vars(row)
    return Facts(
        scheme=row,
        folio_id=found["folio_id"],
        folio_number=found["folio_number"] or "",
        is_held=found["is_held"],
        kyc_is_compliant=bool(found["kyc_is_compliant"]),
        kyc_limit=found["kyc_limit"],
        ordered_this_year=found["ordered_this_year"] or Decimal(0),
        investment_account_id=found["account_id"],
        twin_code=found["twin_code"] or "",
    )


def _folios(investor: Investor) -> QuerySet[Folio]:
    of_scheme = Holding.objects.filter(folio=OuterRef("pk"), scheme=OuterRef(OuterRef("pk")), units__gt=0)
    at_house = Folio.objects.filter(investor=investor, fund_house=OuterRef("fund_house"))
    return at_house.annotate(holds_it=Exists(of_scheme)).order_by("-holds_it", "-pk")


def _ordered_since(investor: Investor, since: datetime) -> QuerySet[Any, Any]:
    """Rupees ordered in the scheme's fund house and not refused since a moment."""
    orders = MfOrder.objects.filter(
        investor=investor,
        kind=MfOrder.Kind.PURCHASE,
        scheme__fund_house=OuterRef("fund_house"),
        placed_at__gte=since,
        state__in=[*lifecycle.OPEN, lifecycle.ALLOTTED],
    )
    grouped = orders.order_by().values("investor").annotate(sum=Sum("amount", output_field=DecimalField()))
    return grouped.values("sum")


def _twins(investor: Investor, amount: Decimal, at: datetime) -> QuerySet[MfOrder]:
    recent = MfOrder.objects.filter(
        investor=investor,
        kind=MfOrder.Kind.PURCHASE,
        scheme=OuterRef("pk"),
        amount=amount,
        placed_at__gte=at - LOOK_ALIKE_WINDOW,
    )
    return recent.exclude(state__in=NOT_BOUGHT).order_by("-pk")


def look_alike(*, investor: Investor, isin: str, amount: Decimal, at: datetime) -> MfOrder | None:
    """The recent order that a new one would look like."""
    recent = MfOrder.objects.filter(
        investor=investor,
        kind=MfOrder.Kind.PURCHASE,
        scheme__isin=isin,
        amount=amount,
        placed_at__gte=at - LOOK_ALIKE_WINDOW,
    )
    return recent.exclude(state__in=NOT_BOUGHT).order_by("-pk").first()


def financial_year_began(at: datetime) -> datetime:
    """Midnight of the latest 1 April (Income-tax Act, section 3: the previous year)."""
    began = at.replace(month=4, day=1, hour=0, minute=0, second=0, microsecond=0)
    return began if at >= began else began.replace(year=at.year - 1)
