"""Earnings: what commission the firm's investors bring, by month, down to lines, and to holdings with their days."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import F, Model, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from investors.models import Investor
from orders import commission_rules
from orders.models import CommissionLine, CommissionMonth, EarningsHolding, EarningsLine, EarningsMonth, Payout
from orders.queries import commission
from orders.queries import earnings as queries
from portal import audit, clock, csv_files, identifiers, money
from portal.console.access import ConsoleRequest, console_page

PAGE_SIZE, RECENT = 30, 5
# A file is made while its reader waits; a machine reads any number of lines by the API.
MOST_LINES = 10_000
GONE = "An investor who is no longer yours"
KINDS = {code: word[0].upper() + word[1:] for code, word in CommissionLine.Kind.choices}
# What holdings are narrowed to: how a chip reads, and which they are.
HOLDINGS = {
    "": ("All", Q()),
    "other": ("Received otherwise than expected", Q(received__isnull=False) & ~Q(received=F("expected"))),
    "none": ("Nothing received", Q(received__isnull=True)),
}
STATES = {Payout.State.APPROVED: ("waiting", "Approved, to be paid"), Payout.State.PAID: ("done", "Paid")}
_MONTH = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")
Row = TypeVar("Row", bound=Model)


@require_safe
@never_cache
@console_page
def listed(request: ConsoleRequest) -> HttpResponse:
    """A year of months, the newest first, and the latest payouts."""
    before = _day(request.GET.get("before", ""))
    rows, further = queries.year_before(request.partner.pk, before)
    context = {
        "rows": [(each, _slug(each.month)) for each in rows],
        "payouts": [_payout_row(each) for each in queries.payouts_of(request.partner.pk)[:RECENT]],
        "next_url": f"?before={_slug(further)}" if further else "",
        "first_url": "?" if before else "",
    }
    return render(request, "console/earnings.html", context)


@require_safe
@never_cache
@console_page
def month(request: ConsoleRequest, month: str) -> HttpResponse:
    """One month: by fund house, by kind, and what was received line by line."""
    its = _month_or_404(request, month)
    houses, kinds = queries.by_house_and_kind(request.partner.pk, its.month)
    rows = queries.lines_of(request.partner.pk).filter(month=its.month)
    house, kind = identifiers.row_key(request.GET.get("house", "")), request.GET.get("kind", "")
    rows = rows.filter(fund_house=house) if house else rows
    rows = rows.filter(kind=kind) if kind in KINDS else rows
    more = {name: text for name, text in (("house", house), ("kind", kind)) if text}
    shown, pages = _page(request, rows.select_related("folio__investor", "scheme", "payout"), more)
    context = {
        "its": its,
        "slug": month,
        "said": _difference(its),
        "houses": houses,
        "kinds": [(each, KINDS[each.code]) for each in kinds],
        "lines": [_line_row(each) for each in shown],
        "house": next((each for each in houses if each.key == house), None),
        "kind": KINDS.get(kind, ""),
        **pages,
    }
    return render(request, "console/earnings_month.html", context)


@require_safe
@never_cache
@console_page
def holdings(request: ConsoleRequest, month: str) -> HttpResponse:
    """What each holding should have brought in a month, beside the trail that was received for it."""
    its = _month_or_404(request, month)
    only = request.GET.get("show", "")
    rows = queries.holdings_of(request.partner.pk).filter(month=its.month)
    rows = rows.filter(HOLDINGS[only][1]) if only in HOLDINGS else rows
    shown, pages = _page(request, rows.select_related("folio__investor", "scheme"), {"show": only} if only else {})
    context = {
        "its": its,
        "slug": month,
        "rows": [_holding_row(each) for each in shown],
        "filters": [(name, label) for name, (label, _) in HOLDINGS.items()],
        "only": only,
        **pages,
    }
    return render(request, "console/earnings_holdings.html", context)


@require_safe
@never_cache
@console_page
def holding(request: ConsoleRequest, month: str, holding_id: int) -> HttpResponse:
    """One scheme in one folio for a month: each day with its units, NAV and rate, and what was received."""
    its = (
        queries.holdings_of(request.partner.pk)
        .filter(month=_day_or_404(month), pk=holding_id)
        .select_related("folio__investor", "scheme")
        .first()
    )
    if its is None:
        raise Http404
    # Units of somebody who has left the firm are no longer its to see.
    days = commission.explained(CommissionMonth.objects.get(pk=its.pk)) if _investor(its) else []
    of_days = commission_rules.together(each.amount for each in days)
    lines = queries.lines_of(request.partner.pk).filter(month=its.month, folio=its.folio_id, scheme=its.scheme_id)
    context = {
        **_holding_row(its),
        "slug": month,
        "days": days,
        "of_days": of_days,
        "is_otherwise": bool(days) and of_days != its.expected,
        "lines": [_line_row(each) for each in lines.select_related("folio__investor", "scheme", "payout")[:PAGE_SIZE]],
    }
    return render(request, "console/earnings_holding.html", context)


@require_safe
@never_cache
@console_page
def file(request: ConsoleRequest, month: str) -> HttpResponse:
    """Every line of a month as a file."""
    its = _month_or_404(request, month)
    if its.lines > MOST_LINES:
        messages.info(request, f"A file holds {MOST_LINES:,} lines at most. The API reads any number of them.")
        return redirect("console:earnings_month", month)
    rows = queries.lines_of(request.partner.pk).filter(month=its.month)
    found = list(rows.select_related("folio__investor", "fund_house", "scheme", "payout"))
    told = {"what": "earnings", "rows": len(found), "form": "csv", "filters": {"month": month}}
    audit.record(request.partner, "list.exported", actor=request.user, at=clock.now(), data=told)
    return csv_files.answer(f"earnings-{month}", COLUMNS, found)


COLUMNS: list[csv_files.Column] = [
    ("Month", lambda row: _slug(row.month)),
    ("Fund house", lambda row: row.fund_house.name),
    ("Scheme", lambda row: row.scheme.name),
    ("ISIN", lambda row: row.scheme.isin),
    ("Folio", lambda row: row.folio_number),
    ("Investor", lambda row: getattr(_investor(row), "code", "")),
    ("Kind", lambda row: KINDS[row.kind]),
    ("Received", lambda row: row.amount),
    ("Share in per cent", lambda row: row.percent),
    ("Your share", lambda row: row.payable),
    ("Payout", lambda row: row.payout.code if row.payout else ""),
    ("State of the payout", lambda row: STATES[row.payout.state][1] if row.payout else ""),
    ("Paid on", lambda row: row.payout.paid_on if row.payout else None),
    ("UTR", lambda row: row.payout.utr if row.payout else ""),
]


# --- payouts ----------------------------------------------------------------------------------------------------


@require_safe
@never_cache
@console_page
def payouts(request: ConsoleRequest) -> HttpResponse:
    """What was approved and paid, the newest first."""
    shown, pages = _page(request, queries.payouts_of(request.partner.pk), {})
    context = {"rows": [_payout_row(each) for each in shown], **pages}
    return render(request, "console/payouts.html", context)


@require_safe
@never_cache
@console_page
def payout(request: ConsoleRequest, code: str) -> HttpResponse:
    """One payout: what it is the sum of, what was withheld, and how it was paid."""
    its = queries.payouts_of(request.partner.pk).filter(code=code).first()
    if its is None:
        raise Http404
    rows = queries.lines_of(request.partner.pk).filter(payout=its)
    shown, pages = _page(request, rows.select_related("folio__investor", "scheme", "payout"), {})
    context = {**_payout_row(its), "lines": [_line_row(each) for each in shown], **pages}
    return render(request, "console/payout.html", context)


# --- rows as pages show them ------------------------------------------------------------------------------------


def _investor(row: EarningsLine | EarningsHolding) -> Investor | None:
    """Who is the firm's still: the wall hides others, and this does not rely on it."""
    found = row.folio.investor if row.folio else None
    return found if found and found.partner_id == row.partner_id else None


def _line_row(row: EarningsLine) -> dict[str, Any]:
    return {
        "row": row,
        "slug": _slug(row.month),
        "who": _investor(row),
        "gone": GONE,
        "kind": KINDS[row.kind],
        "state": STATES[Payout.State(row.payout.state)] if row.payout else None,
    }


def _holding_row(row: EarningsHolding) -> dict[str, Any]:
    return {
        "row": row,
        "who": _investor(row),
        "gone": GONE,
        "difference": None if row.received is None else row.received - row.expected,
    }


def _payout_row(row: Payout) -> dict[str, Any]:
    return {
        "row": row,
        "state": STATES[Payout.State(row.state)],
        "net": None if row.tds is None else row.payable - row.tds,
    }


def _difference(its: EarningsMonth) -> str:
    """How what was received compares with what was expected, which is of trail only."""
    if not its.lines:
        return "Nothing has been received for this month yet."
    if not its.holdings:
        return "Our records expected no trail for this month, so there is nothing to compare with."
    difference = its.trail - its.expected
    if not difference:
        return "The trail that was received is what was expected, to the paisa."
    word = "more" if difference > 0 else "less"
    return f"{money.rupees(abs(difference))} {word} trail was received than was expected."


def _page(request: ConsoleRequest, rows: QuerySet[Row], more: dict[str, Any]) -> tuple[list[Row], dict[str, str]]:
    """A page of rows by their keys, the newest first, and the addresses of the next and of the first."""
    before = identifiers.row_key(request.GET.get("before", ""))
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_SIZE + 1])
    is_more = len(found) > PAGE_SIZE
    return found[:PAGE_SIZE], {
        "next_url": f"?{urlencode({**more, 'before': found[PAGE_SIZE - 1].pk})}" if is_more else "",
        "first_url": f"?{urlencode(more)}" if before else "",
    }


def _slug(on: date) -> str:
    return f"{on:%Y-%m}"


def _day(text: str) -> date | None:
    """The first day of a month as an address names it."""
    return date.fromisoformat(f"{text}-01") if _MONTH.fullmatch(text) else None


def _day_or_404(text: str) -> date:
    on = _day(text)
    if on is None:
        raise Http404
    return on


def _month_or_404(request: ConsoleRequest, text: str) -> EarningsMonth:
    its = queries.one_month(request.partner.pk, _day_or_404(text))
    if its is None:
        raise Http404
    return its
