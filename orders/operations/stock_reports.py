"""What a broker says an account holds: taken in whole, with its time. Theirs, not computed by us."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from investors.models import Investor
from orders.models import Security, StockHolding


@dataclass(frozen=True)
class Held:
    """Shares of one company in an account. `unsettled` were bought and are not delivered yet (T+1)."""

    isin: str
    symbol: str
    quantity: int
    unsettled: int = 0
    average_price: Decimal | None = None
    # May the broker take them out of the demat account for a sale without asking? None where it does not say.
    has_poa: bool | None = None


def take(*, investor: Investor, broker: str, account_ref: str, held: Iterable[Held], at: datetime) -> int:
    """The account holds exactly these. Returns how many of them are no shares that we know."""
    rows: dict[int, StockHolding] = {}
    foreign = 0
    by_isin, by_symbol = _known(held := list(held))
    for each in held:
        share = by_isin.get(each.isin) or by_symbol.get(each.symbol)
        if share is None:
            foreign += 1
            continue
        if known := rows.get(share):
            # Reported in two places, as what lies there and what is on its way under another name.
            known.quantity += each.quantity
            known.unsettled += each.unsettled
            continue
        rows[share] = StockHolding(
            investor=investor,
            broker=broker,
            account_ref=account_ref,
            security_id=share,
            quantity=each.quantity,
            unsettled=each.unsettled,
            average_price=each.average_price,
            reported_at=at,
        )
    mine = StockHolding.objects.filter(investor=investor, broker=broker, account_ref=account_ref)
    with transaction.atomic():
        Investor.objects.select_for_update().only("pk").get(pk=investor.pk)
        if mine.filter(reported_at__gt=at).exists():
            # A later report was taken in meanwhile.
            return foreign
        mine.delete()
        StockHolding.objects.bulk_create(rows.values())
    return foreign


def forget(*, investor: Investor, broker: str, account_ref: str) -> None:
    """The account is not followed here any more, so what it held last is not shown as if it were."""
    StockHolding.objects.filter(investor=investor, broker=broker, account_ref=account_ref).delete()


def _known(held: list[Held]) -> tuple[dict[str, int], dict[str, int]]:
    isins, symbols = {each.isin for each in held}, {each.symbol for each in held}
    by_isin = dict(Security.objects.filter(isin__in=isins).values_list("isin", "pk"))
    by_symbol = dict(Security.objects.filter(symbol__in=symbols).values_list("symbol", "pk"))
    return by_isin, by_symbol
