"""Acts on many rows: the dry run, its progress, and the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import display

from portal import clock
from portal.access import STAFF, access
from portal.admin import export, show
from portal.admin.acts import Act, By, QuickForm
from portal.admin.base import OpsAdmin
from portal.admin.finding import by_code, codes
from portal.desk import bulk
from portal.desk.models import BulkLine, BulkRun

codes["BLK"] = BulkRun
TONES = {"DRAFT": "needs", "RUNNING": "waiting", "DONE": "done", "STOPPED": "neutral"}
LINE_TONES = {
    "WAITING": "waiting", "SKIPPED": "neutral", "RUNNING": "waiting", "DONE": "done", "FAILED": "failed",
    "UNKNOWN": "checking",
}  # fmt: skip
SHOWN = 200
REPORT: tuple[export.Column, ...] = (
    ("Record", lambda line: line.title),
    ("Result", lambda line: line.get_state_display()),
    ("Words", lambda line: line.words),
    ("When", lambda line: line.at),
)


def action_for(act: Act) -> Callable[[OpsAdmin, HttpRequest, Any], HttpResponse]:
    """The entry of a list's menu that makes the dry run of an act for the chosen rows."""

    def choose(page: OpsAdmin, request: HttpRequest, rows: Any) -> HttpResponse:
        actor: Any = request.user
        chosen = list(rows[: bulk.MOST + 1])
        run = bulk.plan(act=act, model=page.model, rows=chosen[: bulk.MOST], actor=actor, at=clock.now())
        if len(chosen) > bulk.MOST:
            messages.warning(request, f"Only the first {bulk.MOST:,} rows are in it. Do the others after these.")
        return redirect(show.change_url(BulkRun, run.pk) or "admin:index")

    return choose


def _start(run: BulkRun, by: By) -> str:
    bulk.start(run=run, actor=by.actor, reason=by.reason, at=by.at)
    return "It is being done in the background. This page shows how far it is."


def _stop(run: BulkRun, by: By) -> str:
    bulk.stop(run=run, actor=by.actor, reason=by.reason, at=by.at)
    return "Stopped. What was done stays done; no further line is begun."


def _undo(run: BulkRun, by: By) -> str:
    back = bulk.undo(run=run, actor=by.actor, at=by.at)
    return format_html(
        "{} is the dry run of taking it back. Nothing has changed yet.", show.change_link(back, back.code)
    )


@show.once
def _undone_by(run: BulkRun) -> BulkRun | None:
    return bulk.undone_by(run)


def _can_be_undone(run: BulkRun) -> bool:
    try:
        return bulk.can_be_undone(run, _undone_by(run))
    except LookupError:
        return False


def _permission(run: BulkRun) -> str:
    """What the act itself needs; each line asks once more for its own row."""
    try:
        permission = bulk.act_of(run).permission
    except LookupError:
        return "nobody"
    return permission if isinstance(permission, str) else "portal.view_bulkrun"


@admin.register(BulkRun)
class BulkRunAdmin(OpsAdmin):
    """Acts on many rows, the newest first."""

    list_display = ("code", "what", "state_badge", "asker", "asked")
    list_filter = (("state", ChoicesCheckboxFilter),)
    list_select_related = ("asked_by", "undoes")
    ordering = ("-id",)
    finders = (by_code("code"),)
    search_help_text = "Code"
    quick = (("Dry runs", "state__exact=DRAFT"), ("Running", "state__exact=RUNNING"), ("All", ""))
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("code", "state_badge"),
                    ("what", "progress"),
                    ("asker", "asked"),
                    "reason",
                    "undoing",
                    "report",
                )
            },
        ),
        ("Line by line", {"fields": ("lines",)}),
    )
    acts = (
        Act(
            name="start",
            label="Do it",
            permission=_permission,
            explain="Every line that is to be done is done in the background, one after the other, under your name. "
            "Each is asked once more whether it is possible. Lines that are left out stay as they are.",
            run=_start,
            offered=lambda run: run.state == BulkRun.State.DRAFT,
            only_by=lambda run: (run.asked_by_id,),
            icon="play_arrow",
        ),
        Act(
            name="stop",
            label="Stop",
            permission=_permission,
            explain="No further line is begun. What was done stays done.",
            run=_stop,
            offered=lambda run: run.state in (BulkRun.State.DRAFT, BulkRun.State.RUNNING),
            only_by=lambda run: (run.asked_by_id,),
            icon="stop",
            danger=True,
        ),
        Act(
            name="undo",
            label="Undo",
            permission=_permission,
            explain="Makes the dry run of taking it back: a line for each that was done. What somebody changed since "
            "stays as it is. Nothing happens before you start that one, with a reason.",
            run=_undo,
            offered=_can_be_undone,
            form=QuickForm,
            icon="undo",
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        report = access(STAFF)(self.admin_site.admin_view(require_safe(self.report_view)))
        return [path("<path:object_id>/report/", report, name="portal_bulkrun_report"), *super().get_urls()]

    def report_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All lines as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run: Any = self.get_object(request, object_id)
        if run is None:
            raise Http404
        lines, kind = list(run.lines.order_by("id")), request.GET.get("as", "csv")
        what = f"report of {run.subject_kind} {run.act}"
        export.note(request.user, what, rows=len(lines), kind=kind, query=request.GET, about=run)
        return export.answer(run.code, REPORT, lines, kind=kind)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().changeform_view(request, *args, **kwargs)
        run = getattr(answer, "context_data", {}).get("original")
        if isinstance(run, BulkRun) and run.state == BulkRun.State.RUNNING:
            answer["Refresh"] = "3"
        return answer

    @display(description="What")
    def what(self, run: BulkRun) -> str:
        return f"{run.label}: {apps.get_model(run.subject_kind)._meta.verbose_name_plural}"

    @display(description="State", ordering="state")
    def state_badge(self, run: BulkRun) -> str:
        return show.badge(TONES[run.state], run.get_state_display())

    @display(description="Progress")
    def progress(self, run: BulkRun) -> str:
        found = bulk.counts(run)
        labels = dict(BulkLine.State.choices)
        words = [f"{count} {labels[state]}" for state in BulkLine.State.values if (count := found.get(state))]
        return ", ".join(words) or "no line"

    @display(description="Asked by")
    def asker(self, run: BulkRun) -> str:
        return str(run.asked_by)

    @display(description="Asked", ordering="id")
    def asked(self, run: BulkRun) -> str:
        return show.moment(run.asked_at)

    @display(description="Undo")
    def undoing(self, run: BulkRun) -> str:
        if run.undoes:
            return format_html("This takes back {}.", show.change_link(run.undoes, run.undoes.code))
        if back := _undone_by(run):
            return format_html("{} takes it back: {}.", show.change_link(back, back.code), back.get_state_display())
        try:
            act = bulk.act_of(run)
        except LookupError:
            return show.NOTHING
        return act.no_undo if act.undo is None else "It can be taken back once it has ended."

    @display(description="Report")
    def report(self, run: BulkRun) -> str:
        links = ((f"../report/?as={kind}", f"All lines as {kind.upper()}") for kind in ("csv", "xlsx"))
        return format_html_join(" · ", '<a class="ops-link" href="{}">{}</a>', links)

    @display(description="Lines")
    def lines(self, run: BulkRun) -> str:
        found = list(run.lines.order_by("id")[: SHOWN + 1])
        rows = (
            (
                show.change_link(self._subject(run, line), line.title),
                show.badge(LINE_TONES[line.state], line.get_state_display()),
                line.words,
            )
            for line in found[:SHOWN]
        )
        head = mark_safe('<thead><tr><th>Record</th><th>Result</th><th class="ops-words">Words</th></tr></thead>')
        cells = (
            '<tr><th scope="row">{}</th><td data-label="Result">{}</td>'
            '<td data-label="Words" class="ops-words">{}</td></tr>'
        )
        table = format_html(
            '<table class="ops-table">{}<tbody>{}</tbody></table>', head, format_html_join("", cells, rows)
        )
        more = "The first 200 lines; the report has all." if len(found) > SHOWN else ""
        return format_html("{}<p>{}</p>", table, more)

    def _subject(self, run: BulkRun, line: BulkLine) -> Any:
        return apps.get_model(run.subject_kind)(pk=line.subject_id)
