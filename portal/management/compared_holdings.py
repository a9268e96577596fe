"""Units by folio and scheme: ours beside FP's report, which is made from the registrars' own data.

FP reports account by account, so each run asks for those whose turn it is (`turns.py`). Where both agree, orders that
came through are confirmed by that: the last step of their timeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef

from investors.models import InvestmentAccount
from orders.models import Holding, MfOrder
from orders.operations import news, switches
from portal import money
from portal.fintech_primitives import client as fp
from portal.management.reconciliation import SETTLES_WITHIN, Difference, Report
from portal.management.restored import THROUGH
from portal.management.turns import HOLDINGS

Key = tuple[str, str]


def compare(report: Report, at: datetime) -> list[Difference]:
    """The accounts whose turn it is, of those that have an order that came through."""
    through = MfOrder.objects.filter(investment_account=OuterRef("pk"), state__in=THROUGH)
    accounts = InvestmentAccount.objects.filter(Exists(through))
    return HOLDINGS.compare(report, accounts, lambda own, account: _account(own, account, at), at)


def _account(report: Report, account: InvestmentAccount, at: datetime) -> Iterator[Difference]:
    """Raises the gateway errors of a read."""
    theirs, ours = _theirs(account), _ours(account)
    report.compared["holdings here"] += len(ours)
    report.compared["holdings at FP"] += len(theirs)
    report.looked_at.add((HOLDINGS.family, account.investor._meta.label_lower, str(account.investor_id)))
    for key in sorted(ours.keys() | theirs.keys()):
        yield from _position(account, key, ours.get(key), theirs.get(key))
    if not report.dry:
        report.confirmed += _confirm(account, {k: h.units for k, h in ours.items()}, theirs, at)


def _ours(account: InvestmentAccount) -> dict[Key, Holding]:
    rows = Holding.objects.filter(investor_id=account.investor_id).select_related("folio", "scheme")
    return {(each.folio.number, each.scheme.isin): each for each in rows if each.units}


def _theirs(account: InvestmentAccount) -> dict[Key, Decimal]:
    return {
        (folio.folio_number, scheme.isin): money.to_units(scheme.holdings.units)
        for folio in fp.client().fetch_holdings(account.provider_ref or "").folios
        for scheme in folio.schemes
        if scheme.holdings.units
    }


def _position(
    account: InvestmentAccount, key: Key, ours: Holding | None, theirs: Decimal | None
) -> Iterator[Difference]:
    here, there = ours.units if ours else Decimal(0), theirs or Decimal(0)
    if here == there:
        return
    kind = "holding_only_at_fp" if not here else "holding_only_here" if not there else "holding_units_differ"
    nav = ours.scheme.nav if ours and ours.scheme.nav else Decimal(0)
    text = f"folio {key[0]}, {key[1]}: {there} units at FP, {here} here"
    yield Difference(kind, account.investor, text, money.to_paise(abs(here - there) * nav))


def _confirm(account: InvestmentAccount, ours: dict[Key, Decimal], theirs: dict[Key, Decimal], at: datetime) -> int:
    waiting = MfOrder.objects.filter(
        investment_account=account, state__in=THROUGH, confirmed_at=None, state_since__lt=at - SETTLES_WITHIN
    ).exclude(kind=switches.KIND)
    agreed = 0
    for order_id, number, isin in waiting.values_list("pk", "folio__number", "scheme__isin"):
        key = (number, isin)
        if ours.get(key, Decimal(0)) == theirs.get(key, Decimal(0)):
            agreed += news.confirm(order_id=order_id, at=at)
    return agreed
