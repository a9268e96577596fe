"""Assets under management: on up to six days, by fund house, scheme, asset class or partner, down to the folios.

A table of sums shows nobody in particular. The folios behind a cell do: as a file they are a list like any other, at
most a hundred rows of it (`portal/admin/export.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from investors.models import Investor
from orders.models import Folio
from orders.queries import assets
from portal import clock, money
from portal.access import STAFF, access
from portal.admin import export, home, show

PER_PAGE = 50
# Of more rows a page shows the largest; the file has all.
MOST_SHOWN = 200
PERMISSION = "orders.view_holding"
NOTE = (
    "Units by the ledger up to and with the day, at the newest NAV of that day or before it. Partners are those who "
    "serve the investors today."
)


@dataclass(frozen=True)
class Asked:
    """What the address asks for: the rows, the days from the first to the last, and what all is narrowed to."""

    by: str
    days: tuple[date, ...]
    narrowed: Mapping[str, str]
    # Words of the narrowing, for people.
    words: Mapping[str, str]
    # What of the address could not be used.
    wrong: tuple[str, ...] = ()

    def query(self, **more: str) -> str:
        """The same as an address, with something changed; an empty word takes it away."""
        given: dict[str, Any] = {"by": self.by, **self.narrowed, "on": [day.isoformat() for day in self.days], **more}
        return urlencode({key: value for key, value in given.items() if value}, doseq=True)


def usual_days(today: date) -> tuple[date, ...]:
    """The ends of the financial year, of the quarter and of the month before today, and today."""
    month = today.replace(day=1)
    quarter = month.replace(month=month.month - (month.month - 1) % 3)
    year = date(today.year - (today.month < 4), 4, 1)
    ends = {start - timedelta(days=1) for start in (year, quarter, month)}
    return tuple(sorted({*ends, today}))


def asked_for(given: QueryDict, today: date) -> Asked:
    """What a query string asks for. What it cannot mean is left out and said."""
    days, wrong = _days([each for each in given.getlist("on") if each], today)
    narrowed = {group: str(given[group])[:20] for group in assets.GROUPINGS if given.get(group)}
    words = assets.words_of(narrowed)
    by = given.get("by", "")
    return Asked(
        by=by if by in assets.GROUPINGS else "house",
        days=days or usual_days(today),
        narrowed={group: narrowed[group] for group in words},
        words=words,
        wrong=wrong,
    )


def _days(given: Sequence[str], today: date) -> tuple[tuple[date, ...], tuple[str, ...]]:
    found, wrong = set(), []
    for each in given:
        try:
            day = date.fromisoformat(each)
        except ValueError:
            wrong.append(f"“{each[:20]}” is no date.")
            continue
        (wrong.append(f"{show.day(day)} has not come yet.") if day > today else found.add(day))
    if len(found) > assets.MOST_DAYS:
        wrong.append(f"At most {assets.MOST_DAYS} days stand beside each other; the newest are shown.")
    return tuple(sorted(found)[-assets.MOST_DAYS :]), tuple(wrong)


# --- The table ----------------------------------------------------------------------------------------------------


def table_view(request: HttpRequest) -> HttpResponse:
    """Assets by group and day."""
    asked = _asked(request)
    rows = assets.table(by=asked.by, days=asked.days, narrowed=asked.narrowed)
    if kind := request.GET.get("as", ""):
        export.note(request.user, "orders.assets", rows=len(rows), kind=kind, query=request.GET)
        return export.answer("assets", _columns(asked), [*rows, assets.total(rows, len(asked.days))], kind=kind)
    return _page(request, asked, "Assets under management", _table(asked, rows), _files(asked, "all rows"))


def _table(asked: Asked, rows: Sequence[assets.Row]) -> home.Panel:
    together = assets.total(rows, len(asked.days))
    shown = [_shown(asked, row) for row in (*rows[:MOST_SHOWN], together)] if rows else []
    label = assets.GROUPINGS[asked.by].label
    more = f" The largest {MOST_SHOWN} of {len(rows)}; the file has all." if len(rows) > MOST_SHOWN else ""
    columns = (label, *(show.day(day) for day in asked.days), *_change(asked, "Change"))
    note = f"{NOTE}{_navs(together, asked.days)}{more}"
    return home.Panel(f"By {label.lower()}", columns, shown, "Nothing was held on these days.", note=note)


def _change(asked: Asked, word: str) -> tuple[str, ...]:
    return (word,) if len(asked.days) > 1 else ()


def _signed(rupees: Decimal) -> SafeString:
    return format_html('<span class="ops-sum">{}</span>', money.signed_rupees(rupees))


def _shown(asked: Asked, row: assets.Row) -> list[str]:
    own = {asked.by: row.key} if row.key else {}
    cells = [_cell(asked, own, day, cell) for day, cell in zip(asked.days, row.cells, strict=True)]
    return [_opened(asked, row), *cells, *_change(asked, _signed(row.change))]


# What the rows of a group are opened into.
_INTO = {"house": "scheme", "class": "scheme", "partner": "house"}


def _opened(asked: Asked, row: assets.Row) -> str:
    """The name of a row; of a larger group it leads to what the group is made of."""
    into = _INTO.get(asked.by)
    if not row.key or into is None or into in asked.narrowed:
        return row.words
    return show.link(f"?{asked.query(by=into, **{asked.by: row.key})}", row.words)


def _cell(asked: Asked, own: Mapping[str, str], day: date, cell: assets.Cell) -> str:
    """The value, which leads to the folios behind it, and how many holdings that are."""
    if not cell.holdings:
        return show.NOTHING
    url = f"{reverse('admin:orders_holding_asset_folios')}?{asked.query(**own, at=day.isoformat())}"
    without = f", {cell.unvalued} without a NAV" if cell.unvalued else ""
    counted = f"{show.grouped(cell.holdings)} holding{'' if cell.holdings == 1 else 's'}{without}"
    return show.two(show.link(url, show.rupees(cell.value)), counted)


def _navs(together: assets.Row, days: Sequence[date]) -> str:
    """Which NAVs stand behind the newest day: one that is old makes a sum old."""
    last = together.cells[-1]
    if last.nav_from is None or last.nav_to is None:
        return ""
    oldest = f"{show.day(last.nav_from)} to " if last.nav_from < last.nav_to else ""
    return f" NAVs behind {show.day(days[-1])}: {oldest}{show.day(last.nav_to)}."


def _columns(asked: Asked) -> list[export.Column]:
    columns: list[export.Column] = [(assets.GROUPINGS[asked.by].label, lambda row: row.words)]
    for n, day in enumerate(asked.days):
        for words, name in (("rupees", "value"), ("holdings", "holdings"), ("without a NAV", "unvalued")):
            columns.append((f"{day} {words}", partial(_figure, n, name)))
    return columns


def _figure(n: int, name: str, row: assets.Row) -> Any:
    return getattr(row.cells[n], name)


# --- The folios behind a cell -------------------------------------------------------------------------------------

FOLIO_COLUMNS: tuple[export.Column, ...] = (
    ("Folio", lambda held: held.folio),
    ("Scheme", lambda held: held.scheme),
    ("Investor", lambda held: held.investor),
    ("Units", lambda held: held.units),
    ("NAV", lambda held: held.nav),
    ("NAV of", lambda held: held.nav_on),
    ("Rupees", lambda held: held.value),
)


def folios_view(request: HttpRequest) -> HttpResponse:
    """The holdings behind one cell, the largest first; their sum is the cell."""
    asked = _asked(request)
    on = _at(request, asked)
    if kind := request.GET.get("as", ""):
        return _taken(request, asked, on, kind)
    found = assets.folios(on=on, narrowed=asked.narrowed, size=PER_PAGE + 1, after=_after(request.GET.get("after", "")))
    rows = [_held(each) for each in found[:PER_PAGE]]
    cell = assets.total(assets.table(by="house", days=[on], narrowed=asked.narrowed), 1).cells[0]
    title = f"{show.rupees(cell.value)} on {show.day(on)}, in {show.grouped(cell.holdings)} holdings"
    columns = ("Folio", "Scheme", "Investor", "Units", "NAV", "Value")
    panel = home.Panel(title, columns, rows, "Nothing was held.", note=NOTE)
    files = _files(asked, "up to 100", at=on.isoformat())
    following = _next(asked, on, found[PER_PAGE - 1]) if len(found) > PER_PAGE else ""
    back = f"{reverse('admin:orders_holding_assets')}?{asked.query()}"
    return _page(request, asked, "Folios behind a figure", panel, files, next=following, back=back, at=on.isoformat())


def _at(request: HttpRequest, asked: Asked) -> date:
    """The day of the cell: one of the days that stand beside each other."""
    return next((day for day in asked.days if day.isoformat() == request.GET.get("at")), asked.days[-1])


def _held(each: assets.Held) -> list[str]:
    price = show.two(show.figure(each.nav, 4, "₹"), show.day(each.nav_on)) if each.nav_on else "no NAV"
    return [
        show.change_link(Folio(pk=each.folio_id), each.folio),
        show.cut(each.scheme),
        show.change_link(Investor(pk=each.investor_id), each.investor),
        show.figure(each.units, 3),
        price,
        show.rupees(each.value),
    ]


def _taken(request: HttpRequest, asked: Asked, on: date, kind: str) -> HttpResponse:
    rows = assets.folios(on=on, narrowed=asked.narrowed, size=export.MOST + 1)
    if len(rows) > export.MOST:
        messages.warning(request, f"More than {export.MOST} rows would need a second person. Open a smaller figure.")
        return redirect(f"{reverse('admin:orders_holding_asset_folios')}?{asked.query(at=on.isoformat())}")
    export.note(request.user, "orders.assets.folios", rows=len(rows), kind=kind, query=request.GET)
    return export.answer("folios", FOLIO_COLUMNS, rows, kind=kind)


def _next(asked: Asked, on: date, last: assets.Held) -> str:
    value, folio, scheme = last.place
    return f"?{asked.query(at=on.isoformat(), after=f'{value}_{folio}_{scheme}')}"


def _after(text: str) -> tuple[Decimal, int, int] | None:
    """The place that an address names; the beginning where it names none."""
    value, _, keys = text.partition("_")
    folio, _, scheme = keys.partition("_")
    try:
        place = Decimal(value), int(folio), int(scheme)
    except (InvalidOperation, ValueError):
        return None
    return place if place[0].is_finite() and max(place[1:]) < 2**63 else None


# --- What both share ----------------------------------------------------------------------------------------------


def _asked(request: HttpRequest) -> Asked:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    asked = asked_for(request.GET, clock.today())
    for words in asked.wrong:
        messages.warning(request, words)
    return asked


def _files(asked: Asked, what: str, **more: str) -> list[tuple[str, str]]:
    return [(f"?{asked.query(**more, **{'as': kind})}", f"{kind.upper()} ({what})") for kind in ("csv", "xlsx")]


def _page(
    request: HttpRequest, asked: Asked, title: str, panel: home.Panel, files: list[tuple[str, str]], **more: Any
) -> HttpResponse:
    empty = [""] * (assets.MOST_DAYS - len(asked.days))
    context = {
        **admin.site.each_context(request),
        "title": title,
        "asked": asked,
        "groups": [(key, group.label) for key, group in assets.GROUPINGS.items()],
        "days": [*(day.isoformat() for day in asked.days), *empty],
        "today": clock.today().isoformat(),
        "narrowings": [
            (words, f"?{asked.query(at=more.get('at', ''), **{group: ''})}") for group, words in asked.words.items()
        ],
        "panels": [panel],
        "files": files,
        **more,
    }
    return TemplateResponse(request, "admin/assets.html", context)


def urls() -> list[URLPattern]:
    """Both pages, for the admin of holdings."""
    pages = (("assets/", table_view, "assets"), ("assets/folios/", folios_view, "asset_folios"))
    return [
        path(address, access(STAFF)(admin.site.admin_view(require_safe(view))), name=f"orders_holding_{name}")
        for address, view, name in pages
    ]
