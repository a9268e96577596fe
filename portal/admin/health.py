"""The page of system health: memory, connections, queues and sweeps, providers, and the gates beside them.

What it says can be taken as a file for whoever helps: figures and names of ours only (`portal/health.py`), looked
through once more on its way out. Words that somebody wrote, such as the reason of a gate, stay here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from portal import audit, clock, gates, health, redaction, release, views
from portal.access import STAFF, access
from portal.admin import home, providers, queues, show
from portal.models import Case, Gate, Heartbeat, InboundEvent, JobRun, User

PERMISSION, MAY_TURN = "portal.view_heartbeat", "portal.turn_gate"
# Less than this, and a person should look.
LITTLE_MEMORY, LITTLE_DISK_MB = 0.1, 2_000
MANY_CONNECTIONS, LONG_TRANSACTION_S, SLOW_MS = 0.8, 60, 100
_COLUMNS = ("What", "Now", "State")
Line = tuple[str, str, bool]


def page(request: HttpRequest) -> HttpResponse:
    """How everything is now."""
    _may(request)
    at = clock.now()
    parts = (queues.queues_part(at), providers.providers_part(at))
    panels = [_process(), _machine(), _database(), _around(), *(panel for part in parts for panel in part.panels)]
    context = {
        **admin.site.each_context(request),
        "title": "System health",
        "as_of": show.moment(at),
        "tiles": [_ready(), *(tile for part in parts for tile in part.tiles)],
        "panels": [*panels, _gates(request, at), _tables()],
    }
    return TemplateResponse(request, "admin/health.html", context)


def _may(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def _panel(title: str, lines: list[Line], note: str = "") -> home.Panel:
    rows = [
        [what, now, show.badge("done", "well") if well else show.badge("needs", "look")] for what, now, well in lines
    ]
    return home.Panel(title, _COLUMNS, rows, "", note=note)


def _ready() -> home.Tile:
    missing = views.missing()
    note = f"Missing: {', '.join(missing)}." if missing else "Database, migrations, cache and beat are there."
    return home.Tile("Ready", "No" if missing else "Yes", note, tone="failed" if missing else "done")


def _mb(value: int | None) -> str:
    return show.NOTHING if value is None else f"{show.grouped(value)} MB"


def _process() -> home.Panel:
    found = health.process()
    lines: list[Line] = [
        ("Release", release.digest(), True),
        ("Up for", show.age(timedelta(seconds=found["up_s"])), True),
        ("Memory", _mb(found["memory_mb"]), True),
        ("Most memory so far", _mb(found["most_memory_mb"]), True),
        ("Threads", str(found["threads"]), True),
    ]
    return _panel("This web process", lines, "Each process of a deployment has figures of its own.")


def _machine() -> home.Panel:
    found = health.machine()
    load, cores, free, whole = found["load"], found["cores"] or 1, found["free_memory_mb"], found["memory_mb"]
    lines: list[Line] = [
        (
            "Load",
            f"{' · '.join(map(str, load))} on {cores} cores" if load else show.NOTHING,
            not load or load[1] < 2 * cores,
        ),
        ("Memory free", f"{_mb(free)} of {_mb(whole)}", not whole or free >= LITTLE_MEMORY * whole),
        *((f"Room in {name}", _mb(room), room >= LITTLE_DISK_MB) for name, room in found["free_disk_mb"].items()),
    ]
    return _panel("Its machine", lines)


def _database() -> home.Panel:
    found = health.database()
    used, most = found["active"] + found["idle"] + found["idle_in_transaction"], found["most_connections"]
    connections = f"{used} of {most}: {found['active']} at work, {found['idle_in_transaction']} idle in a transaction"
    oldest = found["oldest_transaction_s"]
    lines: list[Line] = [
        ("Answers in", f"{found['answers_in_ms']} ms", found["answers_in_ms"] < SLOW_MS),
        ("Connections", connections, used < MANY_CONNECTIONS * most),
        ("Oldest transaction", show.age(timedelta(seconds=oldest)), oldest < LONG_TRANSACTION_S),
        ("Waiting for a lock", str(found["waiting_for_a_lock"]), not found["waiting_for_a_lock"]),
        ("Deadlocks so far", str(found["deadlocks"]), True),
        ("Found in memory", f"{found['found_in_memory_percent']}%", True),
        ("Size", _mb(found["size_mb"]), True),
        ("PostgreSQL", found["version"], True),
    ]
    return _panel("Database", lines)


def _around() -> home.Panel:
    answers, waiting = health.cache_answers_in_ms(), health.messages_waiting()
    lines: list[Line] = [
        (
            "Cache answers in",
            "no answer" if answers is None else f"{answers} ms",
            answers is not None and answers < SLOW_MS,
        ),
        ("Messages waiting", show.NOTHING if waiting is None else show.grouped(waiting), True),
    ]
    return _panel("Cache and queue", lines, "A message is a bell only: what waits is told by the rows below.")


def _tables() -> home.Panel:
    columns = ("Table", "Rows, about", "Size", "Dead rows", "Cleaned")
    rows = [
        [
            each["name"],
            show.grouped(each["rows"]),
            _mb(each["size_mb"]),
            show.grouped(each["dead_rows"]),
            show.moment(each["cleaned_at"]),
        ]
        for each in health.largest_tables()
    ]
    return home.Panel("Largest tables", columns, rows, "")


def _gates(request: HttpRequest, at: datetime) -> home.Panel:
    """Each gate with its button: the quickest way to stop what goes wrong at one provider."""
    lately = gates.money_calls(at)
    may_turn = request.user.has_perm(MAY_TURN)
    rows = [
        [
            home.gate_words(gate.name),
            show.badge("failed", "closed") if gate.is_closed else show.badge("done", "open"),
            gate.reason or show.NOTHING,
            str(lately[gate.name]) if gate.name in lately else show.NOTHING,
            _button(gate) if may_turn else show.NOTHING,
        ]
        for gate in Gate.objects.order_by("name")
    ]
    columns = ("Gate", "State", "Why", "Money calls in the last minute", "Incident")
    note = "A closed gate stops what moves money; orders and payments wait, and their investors read that they do."
    return home.Panel("Stop or reopen", columns, rows, "No gate yet.", show.list_url(Gate), note)


def _button(gate: Gate) -> str:
    name, words = ("open", "Open again") if gate.is_closed else ("close", "Stop it")
    url = reverse("admin:portal_gate_act", args=[gate.pk, name])
    return format_html(
        '<a class="ops-link" href="{}" aria-label="{}: {}">{}</a>', url, words, home.gate_words(gate.name), words
    )


# --- The file -----------------------------------------------------------------------------------------------------


def diagnostics(request: HttpRequest) -> HttpResponse:
    """The same and more as JSON, for whoever helps; the log has who took it."""
    _may(request)
    at = clock.now()
    user: Any = request.user
    told = redaction.each_in(json.loads(json.dumps(document(at), default=str)))
    audit.record(user, "diagnostics.taken", actor=user, at=at, release=release.digest())
    answer = HttpResponse(json.dumps(told, indent=2), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="diagnostics-{at:%Y%m%d-%H%M%S}.json"'
    return answer


def document(at: datetime) -> dict[str, Any]:
    """Everything of the file."""
    return {"at": at.isoformat(), "release": release.digest(), **{name: read(at) for name, read in _PARTS.items()}}


def _job_runs(at: datetime) -> list[dict[str, Any]]:
    """Of an error only its kind: its words may repeat what somebody typed."""
    names = ("task", "runs", "failures", "ran_at", "took_ms", "failed_at")
    return [
        {name: getattr(run, name) for name in names} | {"error": run.error.partition(":")[0][:60]}
        for run in JobRun.objects.order_by("task")
    ]


def _counted(rows: Any, *by: str) -> list[dict[str, Any]]:
    return list(rows.order_by(*by).values(*by).annotate(count=Count("pk")))


_PARTS: dict[str, Callable[[datetime], Any]] = {
    "missing": lambda at: views.missing(),
    "versions": lambda at: health.versions(),
    "settings": lambda at: health.chosen_settings(),
    "process": lambda at: health.process(),
    "machine": lambda at: health.machine(),
    "database": lambda at: health.database(),
    "tables": lambda at: health.largest_tables(30),
    "migrations": lambda at: health.migrations(),
    "cache_answers_in_ms": lambda at: health.cache_answers_in_ms(),
    "messages_waiting": lambda at: health.messages_waiting(),
    "due": lambda at: [{"queue": words, "rows": many, "oldest": since} for words, many, since in queues.due(at)],
    "scheduled": _job_runs,
    "heartbeats": lambda at: dict(Heartbeat.objects.values_list("name", "at")),
    "providers": lambda at: providers.figures(at),
    "gates": lambda at: list(Gate.objects.order_by("name").values("name", "is_closed", "changed_at")),
    "open_cases": lambda at: _counted(Case.objects.filter(state=Case.State.OPEN), "kind"),
    "inbound_events": lambda at: _counted(
        InboundEvent.objects.filter(state__in=["NEW", "FAILED"]), "provider", "state"
    ),
    "staff": lambda at: User.objects.filter(is_staff=True, is_active=True).count(),
    "mode": lambda at: settings.MODE,
}


def urls() -> list[URLPattern]:
    """Page and file, for the admin of heartbeats."""
    pages = (("health/", page, "health"), ("health/diagnostics/", diagnostics, "diagnostics"))
    return [
        path(address, access(STAFF)(admin.site.admin_view(require_safe(view))), name=f"portal_heartbeat_{name}")
        for address, view, name in pages
    ]
