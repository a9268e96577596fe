"""One scheme in one folio in one month: the days that make what is expected, and the lines that came for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from orders import commission_rules
from orders.models import CommissionLine, CommissionMonth, Folio, Scheme
from orders.queries import commission
from portal import audit, clock
from portal.admin import export, home, show

SEE = "orders.view_commissionmonth"
PAGE = "admin:orders_commissionrate_compared_days"
# A folio has a handful of lines a month; of a file gone wrong the first are shown.
MOST_LINES = 100
# A day has no last digit; in a file it ends here.
SHOWN_TO = Decimal("0.000001")
COLUMNS: tuple[export.Column, ...] = (
    ("Day", lambda day: day.on),
    ("Units", lambda day: day.units),
    ("NAV", lambda day: day.nav),
    ("NAV of", lambda day: day.nav_on),
    ("Per cent a year", lambda day: day.percent),
    ("Rate by", lambda day: day.source),
    ("Rupees", lambda day: None if day.amount is None else day.amount.quantize(SHOWN_TO)),
)


def month_of(text: str) -> date | None:
    """The first of the month that is written like `2026-10`; None where it is none."""
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == 7 else None
    except ValueError:
        return None


def address(month: date, folio_id: int, scheme_id: int) -> str:
    """The page of one scheme in one folio in one month."""
    return f"{reverse(PAGE)}?{urlencode({'month': f'{month:%Y-%m}', 'folio': folio_id, 'scheme': scheme_id})}"


def days_view(request: HttpRequest) -> HttpResponse:
    """The days, their sum, and what came; whoever opens it is in the log of visits to the investor."""
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    month, folio, scheme = _asked(request)
    about: Any = {"month": month, "folio": folio, "scheme": scheme}
    row = CommissionMonth.objects.select_related("scheme", "partner").filter(**about).first()
    days = commission.explained(row) if row else []
    if kind := request.GET.get("as", ""):
        export.note(request.user, "orders.commission.days", rows=len(days), kind=kind, query=request.GET, about=folio)
        return export.answer("days", COLUMNS, days, kind=kind)
    user: Any = request.user
    audit.saw(folio.investor, actor=user, at=clock.now(), page="orders.commissionmonth")
    lines = CommissionLine.objects.filter(**about, why_not="").select_related("statement", "partner").order_by("pk")
    context = {
        **admin.site.each_context(request),
        "title": f"{folio.number}, {month:%B %Y}",
        "panels": [_days(row, days, scheme), _lines(list(lines[:MOST_LINES]))],
        "files": [(f"{address(month, folio.pk, scheme.pk)}&as={kind}", kind.upper()) for kind in ("csv", "xlsx")],
        "back": show.change_url(Folio, folio.pk),
        "back_words": f"Folio {folio.number}",
    }
    return TemplateResponse(request, "admin/commission.html", context)


def _asked(request: HttpRequest) -> tuple[date, Folio, Scheme]:
    month = month_of(request.GET.get("month", ""))
    keys = [request.GET.get(name, "") for name in ("folio", "scheme")]
    if month is None or not all(key.isascii() and key.isdigit() and len(key) < 19 for key in keys):
        raise Http404
    folio = get_object_or_404(Folio.objects.select_related("investor"), pk=int(keys[0]))
    return month, folio, get_object_or_404(Scheme, pk=int(keys[1]))


def _days(row: CommissionMonth | None, days: Sequence[commission.Day], scheme: Scheme) -> home.Panel:
    columns = ("Day", "Units", "NAV", "Per cent a year", "Rupees")
    if row is None:
        empty = "Nothing is expected: by the ledger no units were held in this month, or it was not computed yet."
        return home.Panel(scheme.name, columns, [], empty)
    return home.Panel(
        f"{scheme.name}: {show.rupees(row.expected)} expected",
        columns,
        [_day(day) for day in days],
        "",
        note=_note(row, days),
    )


def _note(row: CommissionMonth, found: Sequence[commission.Day]) -> str:
    """Whose it is, how it adds up, and which days bring nothing."""
    served = f"{row.partner} served the investor on the last day." if row.partner else "No partner served the investor."
    told = [served, "A day brings its units times NAV times rate over 36,500; the sum is rounded once."]
    without = [f"{days} without {what}" for days, what in ((row.unrated, "a rate"), (row.unpriced, "a NAV")) if days]
    if without:
        told.append(f"Of {row.days} days, {' and '.join(without)}: these bring nothing.")
    now = commission_rules.together(day.amount for day in found)
    if now != row.expected:
        told.append(f"By what is known now it is {show.rupees(now)}: a worker computes the month anew.")
    return " ".join(told)


def _day(day: commission.Day) -> list[str]:
    return [
        show.day(day.on),
        show.figure(day.units, 3),
        show.two(show.figure(day.nav, 4, "₹"), f"of {show.day(day.nav_on)}") if day.nav_on else "no NAV",
        "no rate" if day.percent is None else show.two(f"{day.percent.normalize():f} %", day.source),
        show.figure(day.amount, 4, "₹"),
    ]


def _lines(lines: Sequence[CommissionLine]) -> home.Panel:
    rows = [
        [
            show.change_link(line.statement, line.statement.name),
            str(line.number),
            line.get_kind_display(),
            str(line.partner or "No partner"),
            show.rupees(line.amount),
        ]
        for line in lines
    ]
    columns = ("Statement", "Line", "Kind", "Partner", "Rupees")
    return home.Panel("What came", columns, rows, "No line of a statement is of this folio, scheme and month.")
