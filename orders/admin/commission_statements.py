"""Statements of commission as they were entered: what of each counts, matching again, withdrawing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display

from orders.admin import commission_entering
from orders.admin.commission_entering import ACT, KINDS
from orders.admin.commission_steps import begins, table
from orders.models import CommissionLine, CommissionStatement
from orders.operations import commission_statements as statements
from portal.access import STAFF, access
from portal.admin import show
from portal.admin.acts import Act, By, QuickForm
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, codes

codes["CST"] = CommissionStatement


def _match(row: CommissionStatement, by: By) -> str:
    more = statements.match(statement=row, actor=by.actor, at=by.at)
    return f"{show.grouped(more)} more lines count now." if more else "No further line can be matched now."


def _withdraw(row: CommissionStatement, by: By) -> str:
    statements.withdraw(statement_id=row.pk, actor=by.actor, reason=by.reason, at=by.at)
    return "Nothing of it counts any more. The file may be entered again."


def _stands(row: CommissionStatement) -> bool:
    return row.withdrawn_at is None


@admin.register(CommissionStatement)
class CommissionStatementAdmin(OpsAdmin):
    """What registrars and fund houses sent, as it was entered."""

    list_display = ("code", "name", "entered", "entered_by", "lines_count", "state_badge")
    list_select_related = ("entered_by", "withdrawn_by")
    ordering = ("-id",)
    finders = (by_code("code"),)
    search_help_text = "Code"
    nothing = "No statement was entered yet"
    list_before_template = "admin/begin.html"
    fieldsets = (
        (None, {"fields": (("code", "state_badge"), "name", ("entered", "entered_by"), "lines_count")}),
        ("What counts", {"fields": ("sums", "lists")}),
        ("Withdrawn", {"fields": (("withdrawn", "withdrawn_by"), "withdrawn_why")}),
    )
    acts = (
        Act(
            name="match",
            label="Match again",
            permission=ACT,
            explain="Looks once more for the folios and schemes of lines that count for nothing yet. A worker does the "
            "same every hour.",
            run=_match,
            offered=_stands,
            form=QuickForm,
            icon="join_inner",
        ),
        Act(
            name="withdraw",
            label="Withdraw",
            permission=ACT,
            explain="For a file that was wrong: none of its lines counts any more, and it may be entered again. A "
            "statement of which a line is in a payout stays.",
            run=_withdraw,
            offered=_stands,
            icon="undo",
            danger=True,
        ),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        begin = begins(request, ACT, "Enter a statement", "orders_commissionstatement_choose")
        return super().changelist_view(request, begin)

    def get_urls(self) -> list[URLPattern]:
        views: tuple[tuple[str, Any], ...] = (
            ("choose", commission_entering.choose),
            ("enter", require_POST(commission_entering.enter)),
            ("left_out", require_POST(commission_entering.left_out)),
            ("template", require_safe(commission_entering.template)),
        )
        name = "orders_commissionstatement"
        own = [
            path(f"{step}/", access(STAFF)(self.admin_site.admin_view(view)), name=f"{name}_{step}")
            for step, view in views
        ]
        return [*own, *super().get_urls()]

    @display(description="State")
    def state_badge(self, row: CommissionStatement) -> str:
        return show.badge("done", "stands") if _stands(row) else show.badge("neutral", "withdrawn")

    @display(description="Entered", ordering="id")
    def entered(self, row: CommissionStatement) -> str:
        return show.moment(row.entered_at)

    @display(description="Withdrawn")
    def withdrawn(self, row: CommissionStatement) -> str:
        return show.moment(row.withdrawn_at)

    @display(description="By fund house and kind")
    @show.once
    def sums(self, row: CommissionStatement) -> str:
        return _table(row)

    @display(description="Lines")
    def lists(self, row: CommissionStatement) -> str:
        url = show.list_url(CommissionLine, f"q={row.code}")
        found = ((url, "All"), (f"{url}&standing=not", "Those that do not count"))
        return format_html_join(" · ", '<a class="ops-link" href="{}">{}</a>', found)


_HEAD = ("Fund house", "Kind", "Lines", "Amount", "GST", "TDS")


def _table(row: CommissionStatement) -> str:
    found = row.lines.filter(why_not="").values_list("fund_house__name", "kind").order_by("fund_house__name", "kind")
    sums = found.annotate(n=Count("pk"), amount=Sum("amount"), its_gst=Sum("gst"), its_tds=Sum("tds"))
    rows = [(house, KINDS[kind], show.grouped(n), *map(show.rupees, rupees)) for house, kind, n, *rupees in sums]
    return table(_HEAD, rows)
