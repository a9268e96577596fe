"""Files and lists of others: how each was read, which lines could not be used, and the days on which nothing came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RadioFilter
from unfold.decorators import display

from orders import sources
from orders.models import FileRun, NavRun
from portal import audit, clock, jobs
from portal.access import STAFF, access
from portal.admin import home, show
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_text

SEE, ASK = "orders.view_filerun", "orders.act_filerun"
LIVES_AT = "admin:orders_filerun_sources"
SHOWN = 100
_HEAD = ("Line", "Why", "Text")


def bad_lines(lines: Sequence[dict[str, Any]], whole: int) -> str:
    """What could not be used and why, as a table; `whole` is how many there were."""
    if not lines:
        return show.NOTHING
    rows = ((str(each["line"] or show.NOTHING), each["why"], each["text"] or show.NOTHING) for each in lines[:SHOWN])
    table = format_html(
        '<table class="ops-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        format_html_join("", '<th scope="col" class="ops-words">{}</th>', ((words,) for words in _HEAD)),
        format_html_join(
            "",
            '<tr><th scope="row">{}</th><td data-label="Why" class="ops-words">{}</td>'
            '<td data-label="Text" class="ops-words">{}</td></tr>',
            rows,
        ),
    )
    kept = min(len(lines), SHOWN)
    return format_html("{}<p>The first {} of {}.</p>", table, kept, show.grouped(whole)) if whole > kept else table


class RefusedFilter(RadioFilter):
    """Runs of which nothing was used."""

    title = "result"
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("refused", "Nothing was used"), ("bad", "With lines that cannot be used")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "refused":
            return queryset.exclude(refusal="")
        return queryset.filter(unreadable__gt=0) if self.value() == "bad" else queryset


@admin.register(FileRun)
class FileRunAdmin(OpsAdmin):
    """Each file and list as it was read; the NAVs' have a list of their own."""

    list_display = ("read", "pipeline", "result", "lines", "changed", "ignored", "unreadable", "about_on", "times")
    list_filter = (("pipeline", ChoicesCheckboxFilter), RefusedFilter)
    ordering = ("-id",)
    finders = (by_text("fingerprint"),)
    search_help_text = "Fingerprint"
    nothing = "No file was read yet"
    shows_timeline = False
    fieldsets = (
        (None, {"fields": (("pipeline", "result"), ("read", "again"), ("about_on", "refusal"), "fingerprint")}),
        ("Lines", {"fields": (("lines", "changed"), ("ignored", "unreadable"), "bad")}),
    )

    def get_urls(self) -> list[URLPattern]:
        pages = (("sources/", require_safe(page), "sources"), ("sources/ask/", require_POST(ask), "ask"))
        own = [
            path(address, access(STAFF)(self.admin_site.admin_view(view)), name=f"orders_filerun_{name}")
            for address, view, name in pages
        ]
        return [*own, *super().get_urls()]

    @display(description="Read", ordering="id")
    def read(self, run: FileRun) -> str:
        return show.moment(run.first_at)

    @display(description="Read again")
    def again(self, run: FileRun) -> str:
        if run.times == 1:
            return "not again on that day"
        return f"{run.times - 1} times, the last at {show.moment(run.last_at)}"

    @display(description="Result")
    def result(self, run: FileRun) -> str:
        if run.refusal:
            return show.badge("failed", "nothing was used")
        return show.badge("needs", "with bad lines") if run.bad_lines else show.badge("done", "complete")

    @display(description="Cannot be used")
    def bad(self, run: FileRun) -> str:
        return bad_lines(run.bad_lines, max(run.unreadable, len(run.bad_lines)))


# --- The page of all sources -----------------------------------------------------------------------------------------


def page(request: HttpRequest) -> HttpResponse:
    """How each file and list stands, its last days, and which days of NAVs are missing."""
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    at = clock.now()
    days = sources.business_days(at)
    navs = sources.nav_days(days)
    context = {
        **admin.site.each_context(request),
        "title": "Files and lists",
        "as_of": show.moment(at),
        "lists": [("Runs of NAV files", show.list_url(NavRun)), ("Runs of other files", show.list_url(FileRun))],
        "panels": [_standing(request, at), _missing(request, navs), _days(days[: sources.GRID_DAYS], navs)],
    }
    return TemplateResponse(request, "admin/files.html", context)


def _standing(request: HttpRequest, at: datetime) -> home.Panel:
    columns = ("File or list", "State", "Taken in", "Lines", "New or changed", "Left out", "Not readable", "Again")
    rows = [
        [
            show.two(its.source.label, its.source.words),
            _state(its, at),
            show.two(show.moment(its.at), f"{show.since(its.at)} ago") if its.at else show.NOTHING,
            *(show.grouped(each) if its.at else show.NOTHING for each in its.counts),
            _button(request, "source", its.source.key, "Read now", its.source.label),
        ]
        for its in sources.standings()
    ]
    note = "The same file again changes nothing. What was refused as a whole left everything as it was."
    return home.Panel("How each stands", columns, rows, "", note=note)


def _state(its: sources.Standing, at: datetime) -> str:
    if its.refused_at:
        return show.two(show.badge("failed", "refused"), f"{show.moment(its.refused_at)}: {its.refusal}")
    if its.at is None:
        return show.badge("needs", "never read")
    return show.badge("needs", "late") if its.is_late(at) else show.badge("done", "well")


def _missing(request: HttpRequest, navs: list[sources.NavDay]) -> home.Panel:
    rows = [
        [
            f"{day.on:%A}, {show.day(day.on)}",
            show.badge("failed", "missing") if day.is_missing else show.badge("needs", "in part"),
            f"{show.grouped(day.held)} of about {show.grouped(day.usual)}",
            _button(request, "day", day.on.isoformat(), "Fetch", show.day(day.on)),
        ]
        for day in navs
        if not day.is_whole
    ]
    looked = f"Of the last {len(navs)} business days since the first file." if navs else ""
    empty = "No day is missing." if navs else "No file of a day was taken in yet."
    return home.Panel("Days without all NAVs", ("Day", "State", "NAVs", "Again"), rows, empty, note=looked)


def _days(days: list[date], navs: list[sources.NavDay]) -> home.Panel:
    """The last days side by side; lists are read on days without a market, too, which are not shown."""
    read, held = sources.read_days(days), {day.on: day for day in navs}
    rows = [
        [
            each.label,
            *(
                _nav_cell(held.get(day)) if each.key == sources.NAVS else _cell(read.get((each.key, day)))
                for day in days
            ),
        ]
        for each in sources.here()
    ]
    return home.Panel("The last business days", ("File or list", *(f"{day:%-d %b}" for day in days)), rows, "")


def _nav_cell(day: sources.NavDay | None) -> str:
    if day is None:
        return show.NOTHING
    tone = "done" if day.is_whole else "failed" if day.is_missing else "needs"
    return show.badge(tone, "missing" if day.is_missing else show.grouped(day.held))


def _cell(at: datetime | None) -> str:
    return show.badge("done", f"{at.astimezone(clock.IST):%H:%M}") if at else show.NOTHING


def _button(request: HttpRequest, name: str, value: str, words: str, about: str) -> str | SafeString:
    """A form of one button; nothing for whoever may not press it."""
    if not request.user.has_perm(ASK):
        return show.NOTHING
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
        '<button class="ops-link" name="{}" value="{}" aria-label="{}: {}">{}</button></form>',
        reverse("admin:orders_filerun_ask"),
        get_token(request),
        name,
        value,
        words,
        about,
        words,
    )


def ask(request: HttpRequest) -> HttpResponse:
    """A worker reads a source now, or fetches the NAVs of a day; who asked stands in the audit log."""
    if not request.user.has_perm(ASK):
        raise PermissionDenied
    at = clock.now()
    user: Any = request.user
    source = sources.source(request.POST.get("source", ""))
    day = sources.fetchable(request.POST.get("day", ""), at)
    if source is None and day is None:
        raise Http404
    asked: Any = {"source": source.key} if source else {"nav_day": day}
    audit.record(user, "file.asked_again", actor=user, at=at, **asked)
    if source:
        jobs.nudge(source.task, asked=True)
    elif day:
        jobs.nudge("orders.fetch_nav_day", on=day.isoformat())
    what = source.label if source else f"the NAVs of {show.day(day)}"
    messages.success(
        request, f"Asked for {what}. What comes stands here within a minute; the same file changes nothing."
    )
    return redirect(LIVES_AT)
