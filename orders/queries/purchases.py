"""Everything that the rules of a purchase ask about, read in one statement: it runs on every confirmation.

One statement also for a whole cart: each wish is a row of the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from investors.models import Investor
from orders import lifecycle
from orders.models import Folio, Holding, MfOrder, Scheme
from portal.rows import Columns

# A look-alike this recent is shown to the investor before it is bought again (feature N6, intent ledger).
LOOK_ALIKE_WINDOW = timedelta(hours=24)
NOT_BOUGHT = (lifecycle.REJECTED, lifecycle.EXPIRED, lifecycle.CANCELLED)


# Instead of a folio's number: let a new folio be opened. An empty text lets us choose: see `Facts.folio_id`.
NEW_FOLIO = "new"


@dataclass(frozen=True)
class Asked:
    """One wish to buy: rupees of a scheme into a folio of the investor's, a new one, or the one that suits."""

    isin: str
    amount: Decimal
    folio: str = ""


@dataclass(frozen=True)
class Facts:
    """What is so for one investor and one scheme at a moment. Rupees."""

    scheme: Scheme
    # Where a purchase goes: the folio that was asked for; else the one that holds the scheme, else the newest one at
    # the fund house, else a new one.
    folio_id: int | None
    folio_number: str
    # Does that folio hold units of the scheme? Then the purchase is a further one.
    is_held: bool
    kyc_is_compliant: bool
    kyc_limit: Decimal | None
    ordered_this_year: Decimal
    investment_account_id: int
    # A recent order for the same scheme and amount that was not refused.
    twin_code: str


_SCHEME = Columns(
    Scheme, "s", "id", "isin", "name", "fund_house", "category", "plan", "is_active", "is_close_ended",
    "purchase_allowed", "min_first", "max_first", "step_first", "min_more", "max_more", "step_more",
)  # fmt: skip
# The wishes are values and no arrays: PostgreSQL expects ten rows of an array that it does not know yet, and would plan
# this anew for every call, which takes ten times as long as answering.
_FACTS = f"""
    SELECT ask.n, {_SCHEME.sql}, folio.id, coalesce(folio.number, ''),
           EXISTS (SELECT FROM orders_holding h
                    WHERE h.investor_id = %(investor)s AND h.scheme_id = s.id AND h.folio_id = folio.id
                      AND h.units > 0),
           coalesce(kyc.is_compliant, false), kyc.investment_limit,
           (SELECT coalesce(sum(o.amount), 0) FROM orders_mforder o JOIN orders_scheme its ON its.id = o.scheme_id
             WHERE o.investor_id = %(investor)s AND o.kind = 'PURCHASE' AND its.fund_house_id = s.fund_house_id
               AND o.placed_at >= %(year_began)s AND o.state = ANY(%(counts)s)),
           (SELECT a.id FROM investors_investmentaccount a WHERE a.investor_id = %(investor)s LIMIT 1),
           coalesce((SELECT o.code FROM orders_mforder o
             WHERE o.investor_id = %(investor)s AND o.kind = 'PURCHASE' AND o.scheme_id = s.id AND o.amount = ask.amount
               AND o.placed_at >= %(lately)s AND o.state <> ALL(%(not_bought)s) ORDER BY o.id DESC LIMIT 1), '')
      FROM (VALUES {{wishes}}) AS ask (n, isin, amount, folio)
      JOIN orders_scheme s ON s.isin = ask.isin
      LEFT JOIN LATERAL (
        SELECT f.id, f.number FROM orders_folio f
         WHERE f.investor_id = %(investor)s AND f.fund_house_id = s.fund_house_id
           AND (ask.folio = '' OR ask.folio = f.number)
         ORDER BY EXISTS (SELECT FROM orders_holding h WHERE h.folio_id = f.id AND h.scheme_id = s.id AND h.units > 0)
               DESC, f.id DESC LIMIT 1) folio ON true
      LEFT JOIN LATERAL (
        SELECT k.is_compliant, k.investment_limit FROM investors_kyccheck k
         WHERE k.investor_id = %(investor)s ORDER BY k.checked_at DESC LIMIT 1) kyc ON true
"""  # noqa: S608 - our own column names
_WISH = "({place}, %(isin{place})s::text, %(amount{place})s::numeric, %(folio{place})s::text)"


@lru_cache(maxsize=64)
def _statement(wishes: int) -> str:
    return _FACTS.format(wishes=", ".join(_WISH.format(place=place) for place in range(wishes)))


def facts(*, investor: Investor, asked: Sequence[Asked], at: datetime) -> list[Facts | None]:
    """One statement; None for a scheme that does not exist. In the order in which it was asked."""
    if not asked:
        return []
    values: dict[str, Any] = {
        "investor": investor.pk,
        "year_began": financial_year_began(at),
        "lately": at - LOOK_ALIKE_WINDOW,
        "counts": [*lifecycle.OPEN, lifecycle.ALLOTTED],
        "not_bought": list(NOT_BOUGHT),
    }
    for place, each in enumerate(asked):
        values |= {f"isin{place}": each.isin, f"amount{place}": each.amount, f"folio{place}": each.folio}
    with connection.cursor() as cursor:
        cursor.execute(_statement(len(asked)), values)
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    return [_facts(found.get(place)) for place in range(len(asked))]


def _facts(row: tuple[Any, ...] | None) -> Facts | None:
    if row is None:
        return None
    rest = iter(row)
    return Facts(_SCHEME.take(rest), *rest)


def folios_for(*, investor: Investor, scheme: Scheme) -> list[str]:
    """The investor's folios at the scheme's fund house: first those that hold the scheme, then the newest."""
    held = Holding.objects.filter(folio=OuterRef("pk"), scheme=scheme, units__gt=0)
    mine = Folio.objects.filter(investor=investor, fund_house_id=scheme.fund_house_id)
    return list(mine.annotate(holds=Exists(held)).order_by("-holds", "-pk").values_list("number", flat=True))


def folios_at(*, investor: Investor, fund_house_ids: Sequence[int]) -> dict[int, list[str]]:
    """The investor's folios by fund house, newest first."""
    found: dict[int, list[str]] = {}
    mine = Folio.objects.filter(investor=investor, fund_house_id__in=fund_house_ids).order_by("-pk")
    for house, number in mine.values_list("fund_house_id", "number"):
        found.setdefault(house, []).append(number)
    return found


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
