"""The parts of a payout and their lines, each with its folio: on a page, and as a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from orders.admin.commission_steps import page, table
from orders.admin.payout_asking import KINDS
from orders.models import Folio, Payout, PayoutLine
from orders.operations import payouts
from portal.admin import export, home, show

PER_PAGE = 50


def view(request: HttpRequest, payout_id: int) -> HttpResponse:
    """The lines of one part, or all; as a file up to a hundred."""
    if not request.user.has_perm("orders.view_payout"):
        raise PermissionDenied
    row = Payout.objects.select_related("partner").filter(pk=payout_id).first()
    if row is None:
        raise Http404
    narrowed = {name: value for name in NARROWED if (value := request.GET.get(name, ""))}
    lines = _narrow(payouts.lines_of(row), narrowed)
    if kind := request.GET.get("as", ""):
        return _taken(request, row, lines, narrowed, kind)
    return _lines_page(request, row, lines, narrowed)


_HEAD = ("Fund house", "Month", "Kind", "Lines", "Came", "For the partner")


def parts_table(row: Payout) -> str:
    """The same parts as when it was simulated; each opens into its lines."""
    found = [
        (
            part.house,
            f"{part.month:%b %Y}",
            KINDS[part.kind],
            show.link(lines_url(row, _of(part)), show.grouped(part.lines)),
            show.rupees(part.received),
            show.rupees(part.payable),
        )
        for part in payouts.parts_of(row)
    ]
    return table(_HEAD, found)


# What lines are narrowed to -> the column.
NARROWED = {"house": "line__fund_house", "month": "line__month", "kind": "line__kind"}


def _of(part: payouts.Part) -> dict[str, str]:
    return {"house": str(part.house_id), "month": part.month.isoformat(), "kind": part.kind}


def lines_url(row: Payout, asked: Mapping[str, str]) -> str:
    url = reverse("admin:orders_payout_lines", args=[row.pk])
    return f"{url}?{urlencode(asked)}" if asked else url


def _narrow(lines: QuerySet[PayoutLine], asked: Mapping[str, str]) -> QuerySet[PayoutLine]:
    """Only the lines of a part; an address that names none shows none."""
    try:
        return lines.filter(**{NARROWED[name]: _meant(name, value) for name, value in asked.items()})
    except ValueError:
        return lines.none()


def _meant(name: str, value: str) -> Any:
    if name == "house":
        return int(value[:9])
    return date.fromisoformat(value) if name == "month" else value[:9]


LINE_COLUMNS: tuple[export.Column, ...] = (
    ("Fund house", lambda each: each.line.fund_house.name),
    ("Folio", lambda each: each.line.folio_number),
    ("Scheme", lambda each: each.line.scheme.name),
    ("Month", lambda each: f"{each.line.month:%Y-%m}"),
    ("Kind", lambda each: each.line.get_kind_display()),
    ("Came", lambda each: each.line.amount),
    ("Share", lambda each: each.percent),
    ("For the partner", lambda each: each.payable),
    ("Reference", lambda each: each.line.reference),
)


def _lines_page(
    request: HttpRequest, row: Payout, lines: QuerySet[PayoutLine], asked: Mapping[str, str]
) -> HttpResponse:
    after = request.GET.get("after", "")
    beyond = lines.filter(pk__gt=int(after)) if after.isascii() and after.isdigit() and len(after) < 19 else lines
    found = list(beyond[: PER_PAGE + 1])
    rows = [_shown(each) for each in found[:PER_PAGE]]
    following = lines_url(row, {**asked, "after": str(found[PER_PAGE - 1].pk)}) if len(found) > PER_PAGE else ""
    files = [(f"{kind.upper()} (up to 100)", lines_url(row, {**asked, "as": kind})) for kind in ("csv", "xlsx")]
    links = [(f"Back to {row.code}", show.change_url(Payout, row.pk) or ""), *files]
    columns = ("Folio", "Scheme", "Fund house, month", "Kind", "Came", "Share", "For the partner")
    title = f"Lines of {row.code}, {row.partner}"
    panel = home.Panel("Line by line", columns, rows, "There is no such line.")
    return page(request, Payout, title, panels=[panel], links=links, following=following)


def _shown(each: PayoutLine) -> list[str]:
    line = each.line
    return [
        show.change_link(Folio(pk=line.folio_id), line.folio_number),
        show.cut(str(line.scheme)),
        show.two(str(line.fund_house), f"{line.month:%b %Y}"),
        KINDS[line.kind],
        show.rupees(line.amount),
        f"{each.percent} %",
        show.rupees(each.payable),
    ]


def _taken(
    request: HttpRequest, row: Payout, lines: QuerySet[PayoutLine], asked: Mapping[str, str], kind: str
) -> HttpResponse:
    found = list(lines[: export.MOST + 1])
    if len(found) > export.MOST:
        messages.warning(request, f"More than {export.MOST} rows would need a second person. Open a smaller part.")
        return redirect(lines_url(row, asked))
    export.note(request.user, "orders.payoutline", rows=len(found), kind=kind, query=request.GET, about=row)
    return export.answer(f"lines-{row.code}", LINE_COLUMNS, found, kind=kind)
