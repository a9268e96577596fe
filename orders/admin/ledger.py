"""The ledger: folios, transactions, holdings. Facts and what follows from them; nobody edits either."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesCheckboxFilter, RangeDateFilter
from unfold.decorators import display

from investors.admin.finding import by_investor
from orders.admin import assets
from orders.models import Folio, Holding, Scheme, Transaction
from portal.admin import show
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_related, by_text

by_folio = by_related("folio", lambda term: Folio.objects.filter(number=term))
by_scheme = by_related("scheme", lambda term: Scheme.objects.filter(isin=term.upper()))


class LedgerAdmin(OpsAdmin):
    """What the three lists share."""

    search_help_text = "Folio, investor code, ISIN, email, mobile or PAN"


@admin.register(Folio)
class FolioAdmin(LedgerAdmin):
    """The investor's account numbers at fund houses."""

    list_display = ("number", "fund_house", "investor")
    list_select_related = ("fund_house", "investor")
    ordering = ("-id",)
    finders = (by_text("number"), by_investor())
    fieldsets = ((None, {"fields": ("number", "fund_house", "investor")}),)


@admin.register(Transaction)
class TransactionAdmin(LedgerAdmin):
    """Units moving, once and for ever. Wrong ones are reversed by a second row."""

    list_display = (
        "traded_on",
        "kind",
        "investor",
        "scheme",
        "units_moved",
        "rupees",
        "price",
        "folio",
        "is_provisional",
    )
    list_filter = (
        ("kind", ChoicesCheckboxFilter),
        ("is_provisional", BooleanRadioFilter),
        ("traded_on", RangeDateFilter),
    )
    list_select_related = ("investor", "scheme", "folio")
    ordering = ("-id",)
    finders = (by_folio, by_scheme, by_investor())
    fieldsets = (
        (None, {"fields": ("kind", "investor", "scheme", "folio", "units_moved", "rupees", "price", "traded_on")}),
        ("Where it comes from", {"fields": ("order", "reverses", "is_provisional", "recorded")}),
    )

    @display(description="Units", ordering="units")
    def units_moved(self, transaction: Transaction) -> str:
        return show.figure(transaction.units, 3)

    @display(description="Amount", ordering="amount")
    def rupees(self, transaction: Transaction) -> str:
        return show.rupees(transaction.amount)

    @display(description="NAV")
    def price(self, transaction: Transaction) -> str:
        return show.figure(transaction.nav, 4, "₹")

    @display(description="Recorded")
    def recorded(self, transaction: Transaction) -> str:
        return show.moment(transaction.recorded_at)


@admin.register(Holding)
class HoldingAdmin(LedgerAdmin):
    """What a folio holds now: computed from transactions."""

    list_display = ("investor", "scheme", "units_held", "cost", "folio", "first_bought_on", "rebuilt")
    list_select_related = ("investor", "scheme", "folio")
    ordering = ("-id",)
    finders = (by_folio, by_scheme, by_investor())
    fieldsets = (
        (None, {"fields": ("investor", "scheme", "folio", "units_held", "cost", "first_bought_on", "rebuilt")}),
    )

    def get_urls(self) -> list[URLPattern]:
        return [*assets.urls(), *super().get_urls()]

    @display(description="Units", ordering="units")
    def units_held(self, holding: Holding) -> str:
        return show.figure(holding.units, 3)

    @display(description="Invested", ordering="invested")
    def cost(self, holding: Holding) -> str:
        return show.rupees(holding.invested)

    @display(description="Rebuilt")
    def rebuilt(self, holding: Holding) -> str:
        return show.moment(holding.rebuilt_at)
