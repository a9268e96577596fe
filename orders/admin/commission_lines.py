"""Lines of commission statements: as they were read, what they were matched with, and why some count for nothing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RadioFilter
from unfold.decorators import display

from orders.models import CommissionLine
from portal.admin import show
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, by_text


class StandingFilter(RadioFilter):
    """Lines by whether they count."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("counts", "Counts"),
            ("not", "Does not count"),
            ("unmatched", "Not matched yet"),
            ("unreadable", "Could not be read"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "unmatched":
            return queryset.exclude(why_not="").filter(amount__isnull=False, statement__withdrawn_at=None)
        conditions = {"counts": Q(why_not=""), "not": ~Q(why_not=""), "unreadable": ~Q(why_not="") & Q(amount=None)}
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(CommissionLine)
class CommissionLineAdmin(OpsAdmin):
    """Lines of statements as they were read, and what they were matched with."""

    list_display = ("line", "house", "folio_number", "scheme_code", "month_words", "kind", "rupees", "standing")
    list_filter = (StandingFilter, ("kind", ChoicesCheckboxFilter))
    list_select_related = ("statement", "fund_house", "folio", "scheme", "partner")
    ordering = ("-id",)
    finders = (by_code("statement__code"), by_text("folio_number", "scheme_code", "reference"))
    search_help_text = "Code of the statement, folio, scheme or reference"
    nothing = "No line was entered yet"
    shows_timeline = False
    quick = (
        ("Not matched yet", "standing=unmatched"),
        ("Could not be read", "standing=unreadable"),
        ("Counts", "standing=counts"),
        ("All", ""),
    )
    exported = (
        ("Statement", lambda line: line.statement.code),
        ("Line", lambda line: line.number),
        ("Fund house", lambda line: line.fund_house and line.fund_house.name),
        ("Folio", lambda line: line.folio_number),
        ("Scheme", lambda line: line.scheme_code),
        ("Month", lambda line: line.month and f"{line.month:%Y-%m}"),
        ("Kind", lambda line: line.get_kind_display()),
        ("Amount", lambda line: line.amount),
        ("GST", lambda line: line.gst),
        ("TDS", lambda line: line.tds),
        ("Reference", lambda line: line.reference),
        ("Partner", lambda line: line.partner and line.partner.code),
        ("Why it does not count", lambda line: line.why_not),
    )
    fieldsets = (
        (None, {"fields": (("its_statement", "number"), "standing", "text")}),
        (
            "As it was read",
            {
                "fields": (
                    ("kind", "month_words"),
                    ("folio_number", "scheme_code"),
                    ("rupees", "reference"),
                    ("gst", "tds"),
                )
            },
        ),
        ("Matched with", {"fields": (("house", "its_folio"), "its_scheme", "its_partner")}),
    )

    def related(self, obj: Any) -> list[Model]:
        return [obj.statement]

    @display(description="Statement, line", ordering="id")
    def line(self, row: CommissionLine) -> str:
        return show.two(row.statement.code, f"line {row.number}")

    @display(description="Statement")
    def its_statement(self, row: CommissionLine) -> str:
        return show.change_link(row.statement, row.statement.code)

    @display(description="Fund house")
    def house(self, row: CommissionLine) -> str:
        return str(row.fund_house or show.NOTHING)

    @display(description="Month")
    def month_words(self, row: CommissionLine) -> str:
        return f"{row.month:%b %Y}" if row.month else show.NOTHING

    @display(description="Amount", ordering="amount")
    def rupees(self, row: CommissionLine) -> str:
        return show.rupees(row.amount)

    @display(description="Counts")
    def standing(self, row: CommissionLine) -> str:
        if not row.why_not:
            return show.badge("done", "counts")
        tone = "failed" if row.amount is None else "needs"
        return show.two(show.badge(tone, "does not count"), row.why_not)

    @display(description="Folio")
    def its_folio(self, row: CommissionLine) -> str:
        return show.change_link(row.folio)

    @display(description="Scheme")
    def its_scheme(self, row: CommissionLine) -> str:
        return show.change_link(row.scheme)

    @display(description="Partner on the last day of the month")
    def its_partner(self, row: CommissionLine) -> str:
        return show.change_link(row.partner)
