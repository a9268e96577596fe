"""Orders in single shares, and what investors asked to change of those that were open: each with its conversation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from investors.admin.finding import by_investor
from orders import lifecycle, stock_words
from orders.models import Security, StockChange, StockOrder
from portal.admin import show
from portal.admin.acts import Act
from portal.admin.evidence_pack import EVIDENCE
from portal.admin.filters import StuckFilter, UnknownFilter
from portal.admin.finding import by_code, by_related, by_text, codes
from portal.admin.money import MoneyAdmin

codes.update({"STK": StockOrder, "STC": StockChange})
TONES = {state: kind for state, (kind, _) in stock_words.LINE.items()}
# The exchange ends the orders of a day in the evening; after-market ones begin in the evening before.
PATIENCE = {
    lifecycle.PENDING: timedelta(days=2),
    lifecycle.PLACED: timedelta(days=2),
    lifecycle.PARTLY_FILLED: timedelta(days=2),
}
CHANGE_TONES = {lifecycle.SUBMITTING: "waiting", lifecycle.DONE: "done", lifecycle.FAILED: "failed"}
CHANGE_PATIENCE = {lifecycle.SUBMITTING: timedelta(minutes=15)}


def _numbers(row: StockOrder | StockChange) -> str:
    """The prices that an order or an instruction names; nothing where it goes at the market's."""
    named = (("limit", row.price), ("trigger", row.trigger))
    return ", ".join(f"{word} {show.rupees(price)}" for word, price in named if price) or show.NOTHING


@admin.register(StockOrder)
class StockOrderAdmin(MoneyAdmin):
    """Orders in shares, one share a row. State and numbers are the broker's; nobody types them."""

    tones = TONES
    patience = PATIENCE
    list_display = ("code", "what", "journey", "executed", "state_and_age", "at_provider", "due")
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("side", ChoicesCheckboxFilter),
        ("kind", ChoicesCheckboxFilter),
        StuckFilter,
        UnknownFilter,
    )
    quick = (("We are checking", "unknown=1"), ("Stuck", "stuck=1"), ("Rejected", "state__exact=REJECTED"), ("All", ""))
    list_select_related = ("security", "basket_order", "investor__partner")
    exported = (
        ("Order", lambda line: line.basket_order.code),
        ("Share order", lambda line: line.code),
        ("Investor", lambda line: line.investor.code),
        ("Partner", lambda line: line.investor.partner_id and line.investor.partner.code),
        ("Route", lambda line: line.basket_order.broker),
        ("Share", lambda line: line.security.symbol),
        ("ISIN", lambda line: line.security.isin),
        ("Side", lambda line: line.side),
        ("Asked", lambda line: line.quantity),
        ("Executed", lambda line: line.filled),
        ("Average price", lambda line: line.average_price),
        ("State", lambda line: line.state),
        ("Reason", lambda line: line.failure_code),
        ("Placed", lambda line: line.placed_at),
        ("Ended", lambda line: line.final_at),
    )
    finders = (
        by_code("code", "client_ref"),
        by_text("provider_ref"),
        by_text("exchange_ref"),
        by_related("security", lambda term: Security.objects.filter(isin=term.upper())),
        by_investor(),
    )
    search_help_text = "Code, our reference or the broker's, ISIN, investor code, email, mobile or PAN"
    acts: tuple[Act, ...] = (EVIDENCE,)
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("investor", "age_now"), ("what", "journey"))}),
        (
            "Asked",
            {"fields": (("kind", "prices"), ("product", "is_after_market"), ("is_immediate", "created"))},
        ),
        ("Executed", {"fields": (("executed", "average"), ("placed", "ended"))}),
        (
            "At the broker",
            {"fields": (("client_ref", "attempts"), ("provider_ref", "exchange_ref"), ("due", "sequence"))},
        ),
        ("Not executed", {"fields": (("failure_code", "failure_text"),)}),
    )

    def get_queryset(self, request: Any) -> QuerySet[StockOrder]:
        return super().get_queryset(request).defer("investor__pan")

    def related(self, obj: Any) -> Sequence[Model]:
        return [obj.basket_order, *obj.changes.all()]

    @display(description="Share")
    def what(self, line: StockOrder) -> str:
        return f"{line.get_side_display()} {line.quantity} {line.security.symbol}"

    @display(description="Order")
    def journey(self, line: StockOrder) -> str:
        order = line.basket_order
        return show.two(show.change_link(order), stock_words.BROKERS.get(order.broker, order.broker))

    @display(description="Executed")
    def executed(self, line: StockOrder) -> str:
        return f"{line.filled} of {line.quantity}"

    @display(description="Average price")
    def average(self, line: StockOrder) -> str:
        return show.figure(line.average_price, 4, "₹")

    @display(description="Prices")
    def prices(self, line: StockOrder) -> str:
        return _numbers(line)

    @display(description="Asked for")
    def created(self, line: StockOrder) -> str:
        return show.moment(line.created_at)

    @display(description="Placed")
    def placed(self, line: StockOrder) -> str:
        return show.moment(line.placed_at)

    @display(description="Ended")
    def ended(self, line: StockOrder) -> str:
        return show.moment(line.final_at)


@admin.register(StockChange)
class StockChangeAdmin(MoneyAdmin):
    """What investors asked to change or cancel of open share orders, and what became of it."""

    tones = CHANGE_TONES
    patience = CHANGE_PATIENCE
    list_display = ("code", "share", "kind", "wanted", "state_and_age", "failure_code", "due")
    list_filter = (("state", ChoicesCheckboxFilter), ("kind", ChoicesCheckboxFilter), StuckFilter, UnknownFilter)
    quick = (("On their way", "state__exact=SUBMITTING"), ("Not done", "state__exact=FAILED"), ("All", ""))
    list_select_related = ("stock_order__security",)
    finders = (
        by_code("code"),
        by_related("stock_order", lambda term: StockOrder.objects.filter(code=term.upper())),
        by_investor(),
    )
    search_help_text = "Code, code of the share order, investor code, email, mobile or PAN"
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), ("share", "investor"), ("kind", "wanted"), ("asked", "age_now"))}),
        ("At the broker", {"fields": (("attempts", "due"),)}),
        ("Not done", {"fields": (("failure_code", "failure_text"),)}),
    )

    def get_queryset(self, request: Any) -> QuerySet[StockChange]:
        return super().get_queryset(request).defer("investor__pan")

    def related(self, obj: Any) -> Sequence[Model]:
        return [obj.stock_order]

    @display(description="Share order")
    def share(self, change: StockChange) -> str:
        return show.two(show.change_link(change.stock_order), change.stock_order.security.symbol)

    @display(description="What it shall be")
    def wanted(self, change: StockChange) -> str:
        if change.kind == StockChange.Kind.CANCEL:
            return "ended"
        return show.two(f"{change.quantity} shares", _numbers(change))

    @display(description="Asked")
    def asked(self, change: StockChange) -> str:
        return show.moment(change.created_at)
