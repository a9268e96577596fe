"""Schemes, fund houses, NAV runs, and the days on which the market is closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesCheckboxFilter
from unfold.decorators import display

from orders import lifecycle
from orders.admin import files
from orders.models import FundHouse, Holiday, MfOrder, NavRun, Scheme
from orders.queries import schemes as scheme_queries
from portal.admin import home, show
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, by_part, by_text
from portal.admin.proposed import ProposedAdmin
from portal.desk import proposals

# AMFI publishes every evening; after a long weekend with a holiday the newest NAV is four days old.
NAV_IS_OLD_AFTER = timedelta(days=5)
HOLIDAY = "holiday"


def _amfi(term: str) -> object:
    return by_text("amfi_code")(term) if term.isdigit() and len(term) < 8 else None


@admin.register(Scheme)
class SchemeAdmin(OpsAdmin):
    """Schemes as FP and AMFI describe them; written by the sync and the NAV ingest only."""

    list_display = ("isin", "name", "fund_house", "category", "plan", "price", "nav_on", "sold", "is_active")
    list_filter = (
        ("asset_class", ChoicesCheckboxFilter),
        ("plan", ChoicesCheckboxFilter),
        ("purchase_allowed", BooleanRadioFilter),
        ("is_active", BooleanRadioFilter),
    )
    list_select_related = ("fund_house",)
    ordering = ("-id",)
    finders = (by_code("isin"), _amfi, by_part("name"))  # type: ignore[assignment]
    # Django asks for it where schemes are chosen; the finders do the work.
    search_fields = ("name",)
    search_help_text = "ISIN, AMFI code or part of the name"
    shows_timeline = False
    fieldsets = (
        (None, {"fields": ("isin", "amfi", "name", "fund_house", "asset_class", "category", "plan", "option")}),
        (
            "Allowed",
            {
                "fields": (
                    "is_active",
                    "is_close_ended",
                    "purchase_allowed",
                    "redemption_allowed",
                    "sip_allowed",
                    "switch_in_allowed",
                    "instant_redemption_allowed",
                    "lock_in_years",
                )
            },
        ),
        ("Bounds", {"fields": ("first_bounds", "more_bounds", "exit_load_note")}),
        ("NAV", {"fields": ("price", "nav_on", "previous_price", "previous_nav_on", "synced")}),
    )

    @display(description="AMFI code")
    def amfi(self, scheme: Scheme) -> str:
        return str(scheme.amfi_code or show.NOTHING)

    @display(description="NAV", ordering="nav")
    def price(self, scheme: Scheme) -> str:
        return show.figure(scheme.nav, 4, "₹")

    @display(description="NAV before")
    def previous_price(self, scheme: Scheme) -> str:
        return show.figure(scheme.previous_nav, 4, "₹")

    @display(description="Sold", boolean=True)
    def sold(self, scheme: Scheme) -> bool:
        return scheme.purchase_allowed

    @display(description="First purchase")
    def first_bounds(self, scheme: Scheme) -> str:
        return _bounds(scheme.min_first, scheme.max_first, scheme.step_first)

    @display(description="Further purchase")
    def more_bounds(self, scheme: Scheme) -> str:
        return _bounds(scheme.min_more, scheme.max_more, scheme.step_more)

    @display(description="Last told by FP")
    def synced(self, scheme: Scheme) -> str:
        return show.moment(scheme.synced_at)


def _bounds(least: object, most: object, step: object) -> str:
    named = (("at least", least), ("at most", most), ("in steps of", step))
    return ", ".join(f"{words} {show.rupees(value)}" for words, value in named if value is not None) or show.NOTHING  # type: ignore[arg-type]


@admin.register(FundHouse)
class FundHouseAdmin(OpsAdmin):
    """Asset management companies."""

    list_display = ("name", "provider_ref", "is_active")
    list_filter = (("is_active", BooleanRadioFilter),)
    ordering = ("name",)
    finders = (by_part("name"), by_text("provider_ref"))
    search_help_text = "Part of the name, or the provider's number"
    shows_timeline = False
    fieldsets = ((None, {"fields": ("name", "provider_ref", "is_active")}),)


@admin.register(NavRun)
class NavRunAdmin(OpsAdmin):
    """Runs of the NAV ingest: what each read, changed, and could not read."""

    list_display = ("started", "source", "result", "lines", "accepted", "changed", "unreadable", "newest_on")
    ordering = ("-started_at",)
    finders = (by_text("fingerprint"), by_part("source"))
    search_help_text = "Source or fingerprint"
    shows_timeline = False
    fieldsets = (
        (None, {"fields": ("source", "fingerprint", "result", "started", "finished", "newest_on")}),
        ("Lines", {"fields": ("lines", "accepted", "changed", "unreadable", "bad")}),
    )

    @display(description="Started", ordering="started_at")
    def started(self, run: NavRun) -> str:
        return show.moment(run.started_at)

    @display(description="Finished")
    def finished(self, run: NavRun) -> str:
        return show.moment(run.finished_at)

    @display(description="Result")
    def result(self, run: NavRun) -> str:
        if run.finished_at is None:
            return show.badge("failed", "nothing was used")
        return show.badge("needs", "with bad lines") if run.unreadable else show.badge("done", "complete")

    @display(description="Cannot be used")
    def bad(self, run: NavRun) -> str:
        return files.bad_lines(run.bad_lines, max(run.unreadable, len(run.bad_lines)))


def _orders_on(values: Mapping[str, Any]) -> str:
    """Open orders that count on a day that becomes a holiday, or stops being one."""
    on = values.get("on")
    count = MfOrder.objects.filter(state__in=lifecycle.OPEN, predicted_nav_on=on).count() if on else 0
    orders = "1 open order was" if count == 1 else f"{count} open orders were"
    return f"{orders} promised the NAV of that day." if count else ""


proposals.register(
    proposals.Kind(
        HOLIDAY,
        "Market holidays",
        "orders.add_holiday",
        "portal.approve_proposal",
        affects=_orders_on,
        after=scheme_queries.forget_market,
    )
)


@admin.register(Holiday)
class HolidayAdmin(ProposedAdmin):
    """Weekdays on which the market is closed: kept by two persons, because some are announced days before."""

    act = HOLIDAY

    list_display = ("on", "weekday", "name")
    fields = ("on", "name")
    search_fields = ("name",)
    ordering = ("-on",)

    def get_readonly_fields(self, request: HttpRequest, obj: Holiday | None = None) -> tuple[str, ...]:
        # Another date is another holiday.
        return ("on",) if obj else ()

    @display(description="Weekday")
    def weekday(self, holiday: Holiday) -> str:
        return f"{holiday.on:%A}"


@home.part(order=75, permission="orders.view_navrun")
def navs_part(at: datetime) -> home.Part:
    """How fresh the NAVs are."""
    # The newest day counts: a run that fills history afterwards makes nothing older.
    run = NavRun.objects.filter(newest_on__isnull=False).order_by("-newest_on", "-started_at").first()
    if run is None or run.newest_on is None:
        return home.Part([home.Tile("NAVs", "None", "No NAV file was taken in yet.", show.list_url(NavRun), "needs")])
    old = at.date() - run.newest_on > NAV_IS_OLD_AFTER
    note = f"read {show.since(run.finished_at)} ago · {run.unreadable} bad lines"
    return home.Part(
        [home.Tile("Newest NAV", show.day(run.newest_on), note, show.list_url(NavRun), "failed" if old else "done")]
    )
