"""Expected and received: up to six months, by fund house, scheme, category, partner or kind, down to folio and day.

A table of sums shows nobody in particular. The folios behind a cell do: as a file they are a list like any other, at
most a hundred rows of it (`portal/admin/export.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from investors.models import Investor
from orders import commission_tasks
from orders.admin import commission_days
from orders.models import Folio
from orders.operations import commission_months
from orders.queries import commission_compared as compared
from portal import audit, clock, jobs, money
from portal.access import STAFF, access
from portal.admin import export, home, show

PER_PAGE = 50
# Of more rows a page shows the first; the file has all.
MOST_SHOWN = 200
SEE, ASK = "orders.view_commissionmonth", "orders.act_commissionstatement"
PAGE, FOLIOS = "admin:orders_commissionrate_compared", "admin:orders_commissionrate_compared_folios"
# Registrars round in their own ways: what differs by less than a hundredth is as expected.
NEAR = Decimal("0.01")
NOTE = (
    "Expected: trail by the day, units by the ledger times NAV times rate. The difference is of trail only, as other"
    " kinds are not expected. Partners are those who served the investors on the month's last day."
)


@dataclass(frozen=True)
class Asked:
    """What the address asks for: the rows, the months from the first to the last, and what all is narrowed to."""

    by: str
    months: tuple[date, ...]
    narrowed: Mapping[str, str]
    # Words of the narrowing, for people.
    words: Mapping[str, str]
    # What of the address could not be used.
    wrong: tuple[str, ...] = ()

    def query(self, **more: str) -> str:
        """The same as an address, with something changed; an empty word takes it away."""
        months = [f"{month:%Y-%m}" for month in self.months]
        given: dict[str, Any] = {"by": self.by, **self.narrowed, "month": months, **more}
        return urlencode({key: value for key, value in given.items() if value}, doseq=True)


def asked_for(given: QueryDict, today: date) -> Asked:
    """What a query string asks for. What it cannot mean is left out and said."""
    months, wrong = _months([each for each in given.getlist("month") if each], today)
    narrowed = {group: str(given[group])[:80] for group in compared.GROUPINGS if given.get(group)}
    words = compared.words_of(narrowed)
    by = given.get("by", "")
    return Asked(
        by=by if by in compared.GROUPINGS else "house",
        # What a month brings is paid in the next.
        months=months or (commission_months.back(today, 1),),
        narrowed={group: narrowed[group] for group in words},
        words=words,
        wrong=wrong,
    )


def _months(given: Sequence[str], today: date) -> tuple[tuple[date, ...], tuple[str, ...]]:
    found, wrong = set(), []
    for each in given:
        month = commission_days.month_of(each)
        if month is None:
            wrong.append(f"“{each[:20]}” is no month.")
        elif month > today:
            wrong.append(f"{month:%B %Y} has not come yet.")
        else:
            found.add(month)
    if len(found) > compared.MOST_MONTHS:
        wrong.append(f"At most {compared.MOST_MONTHS} months stand beside each other; the newest are shown.")
    return tuple(sorted(found)[-compared.MOST_MONTHS :]), tuple(wrong)


# --- The table ----------------------------------------------------------------------------------------------------


def table_view(request: HttpRequest) -> HttpResponse:
    """Expected and received by group and month."""
    asked = _asked(request)
    rows = compared.table(by=asked.by, months=asked.months, narrowed=asked.narrowed)
    if kind := request.GET.get("as", ""):
        export.note(request.user, "orders.commission", rows=len(rows), kind=kind, query=request.GET)
        together = compared.total(rows, len(asked.months))
        return export.answer("commission", _columns(asked), [*rows, together], kind=kind)
    panels = [_table(asked, rows), _computed(request, asked)]
    return _page(request, asked, "Expected and received", panels, _files(asked, "all rows"))


def _table(asked: Asked, rows: Sequence[compared.Row]) -> home.Panel:
    together = compared.total(rows, len(asked.months))
    label = compared.GROUPINGS[asked.by].label
    one, today = len(asked.months) == 1, clock.today()
    columns = ("Expected", "Received", "Difference", "Other kinds", "Holdings") if one else _names(asked)
    shown = [_shown(asked, row, one, today) for row in (*rows[:MOST_SHOWN], together)] if rows else []
    more = f" The first {MOST_SHOWN} of {len(rows)}; the file has all." if len(rows) > MOST_SHOWN else ""
    title = f"By {label.lower()}, {_names(asked)[0]}" if one else f"By {label.lower()}"
    return home.Panel(title, (label, *columns), shown, "Nothing was expected, and nothing came.", note=NOTE + more)


def _names(asked: Asked) -> tuple[str, ...]:
    return tuple(f"{month:%B %Y}" for month in asked.months)


def _shown(asked: Asked, row: compared.Row, one: bool, today: date) -> list[str]:
    own = {asked.by: row.key} if row.key else {}
    cells = list(zip(asked.months, row.cells, strict=True))
    if one:
        return [_opened(asked, row), *_figures(asked, own, *cells[0], today)]
    return [_opened(asked, row), *(_cell(asked, own, month, cell, today) for month, cell in cells)]


# What the rows of a group are opened into.
_INTO = {"house": "scheme", "category": "scheme", "partner": "house", "kind": "house"}


def _opened(asked: Asked, row: compared.Row) -> str:
    """The name of a row; of a larger group it leads to what the group is made of."""
    into = _INTO.get(asked.by)
    if not row.key or into is None or into in asked.narrowed:
        return row.words
    return show.link(f"?{asked.query(by=into, **{asked.by: row.key})}", row.words)


def _figures(asked: Asked, own: Mapping[str, str], month: date, cell: compared.Cell, today: date) -> list[str]:
    """One month, a figure in each column; what is expected and what came lead to the folios behind them."""
    if cell.is_empty:
        return [show.NOTHING] * 5
    url = _behind(asked, own, month)
    return [
        show.link(url, show.rupees(cell.expected)),
        show.link(url, show.rupees(cell.trail)),
        judged(cell, month, today),
        show.rupees(cell.others) if cell.others else show.NOTHING,
        _holdings(cell),
    ]


def _cell(asked: Asked, own: Mapping[str, str], month: date, cell: compared.Cell, today: date) -> str:
    """What came of what was expected in one of several months, which leads to the folios behind it."""
    if cell.is_empty:
        return show.NOTHING
    words = f"{show.rupees(cell.trail)} of {show.rupees(cell.expected)}"
    return show.two(show.link(_behind(asked, own, month), words), judged(cell, month, today))


def _behind(asked: Asked, own: Mapping[str, str], month: date) -> str:
    return f"{reverse(FOLIOS)}?{asked.query(**own, at=f'{month:%Y-%m}')}"


def _holdings(cell: compared.Cell) -> str:
    """How many holdings something is expected of, and how many of these have days that bring nothing."""
    counted = show.grouped(cell.holdings)
    without = [
        f"{show.grouped(count)} with days without {what}"
        for count, what in ((cell.unrated, "a rate"), (cell.unpriced, "a NAV"))
        if count
    ]
    return show.two(counted, ", ".join(without)) if without else counted


def judged(cell: compared.Cell | compared.Folio, month: date, today: date) -> SafeString:
    """How what came stands to what was expected, in words on a colour."""
    rupees = show.rupees(abs(cell.difference))
    if not cell.difference:
        return show.badge("done", "as expected")
    if month == today.replace(day=1):
        return show.badge("neutral", "the month goes on")
    if not cell.trail and cell.difference < 0:
        return show.badge("waiting", f"{rupees} not received")
    if abs(cell.difference) <= NEAR * cell.expected:
        return show.badge("done", money.signed_rupees(cell.difference))
    return show.badge("failed", f"{rupees} missing") if cell.difference < 0 else show.badge("needs", f"{rupees} over")


def _columns(asked: Asked) -> list[export.Column]:
    columns: list[export.Column] = [(compared.GROUPINGS[asked.by].label, lambda row: row.words)]
    names = (
        ("expected", "expected"),
        ("received as trail", "trail"),
        ("difference", "difference"),
        ("received as other kinds", "others"),
        ("holdings", "holdings"),
        ("with days without a rate", "unrated"),
        ("with days without a NAV", "unpriced"),
    )
    for n, month in enumerate(asked.months):
        columns += [(f"{month:%Y-%m} {words}", partial(_figure, n, name)) for words, name in names]
    return columns


def _figure(n: int, name: str, row: compared.Row) -> Any:
    return getattr(row.cells[n], name)


# --- When it was computed -----------------------------------------------------------------------------------------


def _computed(request: HttpRequest, asked: Asked) -> home.Panel:
    known = commission_months.computed(list(asked.months))
    rows = [
        [f"{month:%B %Y}", show.moment(known[month]) if month in known else "not yet", _button(request, month)]
        for month in asked.months
    ]
    note = "A worker computes this month and the last every day, and a month of the past when a rate of it changes."
    return home.Panel("What is expected was computed", ("Month", "Computed", "Again"), rows, "", note=note)


def _button(request: HttpRequest, month: date) -> str | SafeString:
    """A form of one button; nothing for whoever may not press it."""
    if not request.user.has_perm(ASK):
        return show.NOTHING
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button class="ops-link" name="month" value="{}" aria-label="Compute {} again">Compute again</button></form>',
        reverse("admin:orders_commissionrate_compute"),
        get_token(request),
        f"{month:%Y-%m}",
        f"{month:%B %Y}",
    )


def compute_view(request: HttpRequest) -> HttpResponse:
    """A worker computes a month again; who asked stands in the audit log."""
    if not request.user.has_perm(ASK):
        raise PermissionDenied
    at, user = clock.now(), request.user
    month = commission_days.month_of(request.POST.get("month", ""))
    if month is None or month > at.date():
        raise Http404
    audit.record(user, "commission.asked_again", actor=user, at=at, month=f"{month:%Y-%m}")  # type: ignore[arg-type]
    jobs.nudge(commission_tasks.EXPECT_MONTH, month=month.isoformat())
    messages.success(request, f"Asked: a worker computes {month:%B %Y}. For a large book that takes minutes.")
    return redirect(f"{reverse(PAGE)}?{urlencode({'month': f'{month:%Y-%m}'})}")


# --- The folios behind a cell -------------------------------------------------------------------------------------

FOLIO_COLUMNS: tuple[export.Column, ...] = (
    ("Folio", lambda held: held.folio),
    ("Scheme", lambda held: held.scheme),
    ("Investor", lambda held: held.investor),
    ("Expected", lambda held: held.expected),
    ("Received as trail", lambda held: held.trail),
    ("Difference", lambda held: held.difference),
    ("Received as other kinds", lambda held: held.others),
    ("Days held", lambda held: held.days),
    ("Days without a rate", lambda held: held.unrated),
    ("Days without a NAV", lambda held: held.unpriced),
)


def folios_view(request: HttpRequest) -> HttpResponse:
    """The folios behind one cell, first where most is missing; their sums are the cell."""
    asked = _asked(request)
    month = _at(request, asked)
    if kind := request.GET.get("as", ""):
        return _taken(request, asked, month, kind)
    after = _after(request.GET.get("after", ""))
    found = compared.folios(month=month, narrowed=asked.narrowed, size=PER_PAGE + 1, after=after)
    today = clock.today()
    rows = [_folio(each, month, today) for each in found[:PER_PAGE]]
    cell = compared.total(compared.table(by="house", months=[month], narrowed=asked.narrowed), 1).cells[0]
    title = f"{month:%B %Y}: {show.rupees(cell.trail)} received of {show.rupees(cell.expected)} expected"
    columns = ("Folio", "Scheme", "Investor", "Expected", "Received", "Difference", "Other kinds")
    panel = home.Panel(title, columns, rows, "Nothing was expected, and nothing came.", note=NOTE)
    at = f"{month:%Y-%m}"
    following = f"?{asked.query(at=at, after=_place(found[PER_PAGE - 1]))}" if len(found) > PER_PAGE else ""
    back = f"{reverse(PAGE)}?{asked.query()}"
    more = {"next": following, "back": back, "back_words": "Back to the sums", "at": at}
    return _page(request, asked, "Folios behind a figure", [panel], _files(asked, "up to 100", at=at), **more)


def _at(request: HttpRequest, asked: Asked) -> date:
    """The month of the cell: one of those that stand beside each other."""
    at = request.GET.get("at")
    return next((month for month in asked.months if f"{month:%Y-%m}" == at), asked.months[-1])


def _folio(each: compared.Folio, month: date, today: date) -> list[str]:
    days = commission_days.address(month, each.folio_id, each.scheme_id)
    without = [f"{each.unrated} days without a rate"] if each.unrated else []
    without += [f"{each.unpriced} days without a NAV"] if each.unpriced else []
    expected = show.link(days, show.rupees(each.expected))
    return [
        show.change_link(Folio(pk=each.folio_id), each.folio),
        show.cut(each.scheme),
        show.change_link(Investor(pk=each.investor_id), each.investor),
        show.two(expected, ", ".join(without)) if without else expected,
        show.link(days, show.rupees(each.trail)),
        judged(each, month, today),
        show.rupees(each.others) if each.others else show.NOTHING,
    ]


def _taken(request: HttpRequest, asked: Asked, month: date, kind: str) -> HttpResponse:
    rows = compared.folios(month=month, narrowed=asked.narrowed, size=export.MOST + 1)
    if len(rows) > export.MOST:
        messages.warning(request, f"More than {export.MOST} rows would need a second person. Open a smaller figure.")
        return redirect(f"{reverse(FOLIOS)}?{asked.query(at=f'{month:%Y-%m}')}")
    export.note(request.user, "orders.commission.folios", rows=len(rows), kind=kind, query=request.GET)
    return export.answer("folios", FOLIO_COLUMNS, rows, kind=kind)


def _place(last: compared.Folio) -> str:
    return "_".join(str(each) for each in last.place)


def _after(text: str) -> tuple[Decimal, int, int, int] | None:
    """The place that an address names; the beginning where it names none."""
    difference, *keys = text.split("_")
    try:
        place, (folio, scheme, served) = Decimal(difference), (int(key) for key in keys)
    except (InvalidOperation, ValueError):
        return None
    return (place, folio, scheme, served) if place.is_finite() and max(folio, scheme, served) < 2**63 else None


# --- What both share ----------------------------------------------------------------------------------------------


def _asked(request: HttpRequest) -> Asked:
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    asked = asked_for(request.GET, clock.today())
    for words in asked.wrong:
        messages.warning(request, words)
    return asked


def _files(asked: Asked, what: str, **more: str) -> list[tuple[str, str]]:
    return [(f"?{asked.query(**more, **{'as': kind})}", f"{kind.upper()} ({what})") for kind in ("csv", "xlsx")]


def _page(
    request: HttpRequest,
    asked: Asked,
    title: str,
    panels: list[home.Panel],
    files: list[tuple[str, str]],
    **more: Any,
) -> HttpResponse:
    empty = [""] * (compared.MOST_MONTHS - len(asked.months))
    context = {
        **admin.site.each_context(request),
        "title": title,
        "asked": asked,
        "groups": [(key, group.label) for key, group in compared.GROUPINGS.items()],
        "months": [*(f"{month:%Y-%m}" for month in asked.months), *empty],
        "this_month": f"{clock.today():%Y-%m}",
        "narrowings": [
            (words, f"?{asked.query(at=more.get('at', ''), **{group: ''})}") for group, words in asked.words.items()
        ],
        "panels": panels,
        "files": files,
        **more,
    }
    return TemplateResponse(request, "admin/commission.html", context)


def urls() -> list[URLPattern]:
    """The pages, for the admin of rates."""
    pages = (
        ("compared/", require_safe(table_view), "compared"),
        ("compared/folios/", require_safe(folios_view), "compared_folios"),
        ("compared/days/", require_safe(commission_days.days_view), "compared_days"),
        ("compared/again/", require_POST(compute_view), "compute"),
    )
    return [
        path(address, access(STAFF)(admin.site.admin_view(view)), name=f"orders_commissionrate_{name}")
        for address, view, name in pages
    ]
