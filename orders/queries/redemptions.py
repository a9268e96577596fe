"""What the rules of a redemption ask about: the folios that hold a scheme, what is free in each, what looks alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from investors.models import Investor
from orders import lifecycle, redemption_rules
from orders.lots import open_lots
from orders.models import Holding, MfOrder, Scheme
from orders.queries.purchases import LOOK_ALIKE_WINDOW, NOT_BOUGHT
from orders.redemption_rules import Asked, Stand

TAKING = (MfOrder.Kind.REDEMPTION, MfOrder.Kind.SWITCH_OUT)


@dataclass(frozen=True)
class Sellable:
    """A folio that holds units of a scheme, and how many of them can be sold."""

    folio_id: int
    folio_number: str
    stand: Stand


def sellable(*, investor: Investor, scheme: Scheme, today: date) -> list[Sellable]:
    """The folios that hold units of `scheme`, the one with the longest history first. Three statements."""
    held = Holding.objects.filter(investor=investor, scheme=scheme, units__gt=0).order_by("folio_id")
    folios = dict(held.values_list("folio_id", "folio__number"))
    if not folios:
        return []
    lots = open_lots(investor_id=investor.pk, scheme_id=scheme.pk)
    pending = _pending(investor, scheme)
    return [
        Sellable(
            folio_id,
            number,
            redemption_rules.stand(
                lots=[lot for lot in lots if lot.folio_id == folio_id],
                pending=[asked for folio, asked in pending if folio == folio_id],
                nav=scheme.nav,
                years=scheme.lock_in_years,
                today=today,
            ),
        )
        for folio_id, number in folios.items()
    ]


def _pending(investor: Investor, scheme: Scheme) -> list[tuple[int | None, Asked]]:
    """Sales and switches of the scheme that have not ended: folio, and what they ask for."""
    rows = MfOrder.objects.filter(investor=investor, scheme=scheme, kind__in=TAKING, state__in=lifecycle.OPEN)
    found = rows.values_list("folio_id", "amount", "units", "is_all")
    return [(folio_id, Asked(amount, units, is_all)) for folio_id, amount, units, is_all in found]


def look_alike(*, investor: Investor, isin: str, folio_number: str, asked: Asked, at: datetime) -> MfOrder | None:
    """The recent order that a new one would look like: the same from the same folio."""
    recent: QuerySet[MfOrder] = MfOrder.objects.filter(
        investor=investor,
        kind=MfOrder.Kind.REDEMPTION,
        scheme__isin=isin,
        folio__number=folio_number,
        amount=asked.amount,
        units=asked.units,
        is_all=asked.is_all,
        placed_at__gte=at - LOOK_ALIKE_WINDOW,
    )
    return recent.exclude(state__in=NOT_BOUGHT).order_by("-pk").first()
