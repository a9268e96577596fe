"""What an investor's page shows of orders: what is held, what is on its way, and how a folio leads to its investor."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from investors.admin import finding, panel
from investors.admin.panel import MOST, Found
from investors.models import Investor
from orders import lifecycle
from orders.models import Folio, FundHouse, Holding, MfOrder
from portal.admin import show
from portal.admin.home import Panel


def by_folio(term: str) -> Iterable[int]:
    """Whose folio this is. The index wants the fund house first, so all of them are named."""
    houses = list(FundHouse.objects.values_list("pk", flat=True))
    return Folio.objects.filter(fund_house__in=houses, number=term).values_list("investor_id", flat=True)[:MOST]


finding.elsewhere.append(by_folio)


@panel.part(order=10, permission="orders.view_holding")
def holdings(investor: Investor, at: datetime) -> Found:
    """What is held, at the newest NAV that we know."""
    found = Holding.objects.filter(investor=investor, units__gt=0).select_related("scheme", "folio")
    rows = [
        [
            show.change_link(each, each.scheme.name),
            str(each.folio),
            show.figure(each.units, 3),
            show.rupees(each.invested),
            show.rupees(_worth(each)),
        ]
        for each in found.order_by("scheme__name")[: MOST * 4]
    ]
    columns = ("Holding", "Folio", "Units", "Invested", "Worth now")
    return Found(Panel("Holdings", columns, rows, "Nothing is held.", show.list_url(Holding, f"q={investor.code}")))


def _worth(holding: Holding) -> Decimal | None:
    nav = holding.scheme.nav
    return None if nav is None else (holding.units * nav).quantize(Decimal("0.01"))


@panel.part(order=20, permission="orders.view_mforder")
def orders(investor: Investor, at: datetime) -> Found:
    """Orders that are on their way, the oldest first; without any, the newest ones."""
    mine = MfOrder.objects.filter(investor=investor).select_related("scheme")
    found = list(mine.filter(state__in=lifecycle.OPEN).order_by("id")[:MOST])
    title = "Orders on their way" if found else "Last orders"
    shown = found or list(mine.order_by("-id")[:3])
    rows = [[show.change_link(each), each.scheme.name, _asked(each), _state(each), _age(each)] for each in shown]
    columns = ("Order", "Scheme", "Asked for", "State", "In this state")
    section = Panel(title, columns, rows, "No order yet.", show.list_url(MfOrder, f"q={investor.code}"))
    return Found(section, found)


def _asked(order: MfOrder) -> str:
    words = show.rupees(order.amount) if order.amount else show.figure(order.units, 3)
    return f"{order.get_kind_display()} {words}"


def _state(order: MfOrder) -> str:
    return "we are checking" if order.is_unknown else str(order.get_state_display())


def _age(order: MfOrder) -> str:
    return show.since(order.state_since)
