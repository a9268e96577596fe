"""How this deployment is, in figures: the process that answers, its machine, the database, cache and queue.

Figures and names of ours only. Nothing here reads a row of anybody's, an address or a secret, so whatever is made of it
may be shown to staff and sent to whoever helps.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection

_STARTED = time.monotonic()
MB = 1024 * 1024
# What runs here, and in which release: the first question of whoever helps.
PACKAGES = ("Django", "celery", "psycopg", "djangorestframework", "django-allauth", "django-unfold", "requests")
# Settings that say how it is run. No address, no name, no key: a setting that is not named here is not told.
SETTINGS = (
    "MODE", "DEBUG", "DB_SCOPE", "BROKERS", "FP_ORDER_GATEWAY", "KYC_DESK_APPROVES", "STAFF_SECOND_FACTOR",
    "ALLAUTH_TRUSTED_PROXY_COUNT", "PROVIDER_CONNECT_TIMEOUT_S", "PROVIDER_READ_TIMEOUT_S", "PROVIDER_CALLS_PER_SECOND",
    "MONEY_CALLS_PER_MINUTE", "JOURNAL_GATHER_S", "JOURNAL_DAYS", "APPROVALS_A_DAY", "WEBHOOK_LOOPBACK", "LOG_LEVEL",
)  # fmt: skip


def process() -> dict[str, Any]:
    """The process that answers: age, memory in MB (None where the system does not tell), threads."""
    status = _read("/proc/self/status")
    return {
        "pid": os.getpid(),
        "up_s": round(time.monotonic() - _STARTED),
        "memory_mb": _kb(status, "VmRSS"),
        "most_memory_mb": _kb(status, "VmHWM"),
        "threads": threading.active_count(),
    }


def machine() -> dict[str, Any]:
    """Its machine: load, memory, room on the disks that we write to."""
    memory = _read("/proc/meminfo")
    free = {name: shutil.disk_usage(path).free // MB for name, path in _folders().items() if path.exists()}
    return {
        "cores": os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "memory_mb": _kb(memory, "MemTotal"),
        "free_memory_mb": _kb(memory, "MemAvailable"),
        "free_disk_mb": free,
    }


def _folders() -> dict[str, Path]:
    return {"var": Path(settings.VAR_DIR), "media": Path(settings.MEDIA_ROOT)}


def _read(path: str) -> dict[str, str]:
    """A file of Linux with a name and a figure in each line; nothing elsewhere."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {name: figure.strip() for name, _, figure in (line.partition(":") for line in lines)}


def _kb(figures: dict[str, str], name: str) -> int | None:
    """A figure that stands there in kB, in MB."""
    found = figures.get(name, "").removesuffix("kB").strip()
    return int(found) // 1024 if found.isdigit() else None


def versions() -> dict[str, str]:
    """Python, the system, and the packages that matter."""
    own = {"Python": platform.python_version(), "system": f"{sys.platform} {platform.machine()}"}
    return own | {name: version(name) for name in PACKAGES}


def chosen_settings() -> dict[str, Any]:
    """How it is run, as far as that is nobody's secret."""
    return {name: getattr(settings, name) for name in SETTINGS}


# --- The database -------------------------------------------------------------------------------------------------

_DATABASE = """
    SELECT current_setting('server_version'), pg_database_size(current_database()) / 1048576,
           current_setting('max_connections')::int,
           count(*) FILTER (WHERE a.state = 'active'), count(*) FILTER (WHERE a.state = 'idle'),
           count(*) FILTER (WHERE a.state LIKE 'idle in transaction%%'),
           count(*) FILTER (WHERE a.wait_event_type = 'Lock'),
           coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start))
                    FILTER (WHERE a.pid <> pg_backend_pid()), 0)::int,
           (SELECT d.deadlocks FROM pg_stat_database d WHERE d.datname = current_database()),
           (SELECT round(100.0 * d.blks_hit / nullif(d.blks_hit + d.blks_read, 0), 1)::float FROM pg_stat_database d
             WHERE d.datname = current_database())
      FROM pg_stat_activity a WHERE a.datname = current_database()
"""
_FIGURES = (
    "version", "size_mb", "most_connections", "active", "idle", "idle_in_transaction", "waiting_for_a_lock",
    "oldest_transaction_s", "deadlocks", "found_in_memory_percent",
)  # fmt: skip
_TABLES = """
    SELECT c.relname, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid) / 1048576,
           coalesce(s.n_dead_tup, 0), greatest(s.last_vacuum, s.last_autovacuum)
      FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
     WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
     ORDER BY pg_total_relation_size(c.oid) DESC LIMIT %s
"""


def database() -> dict[str, Any]:
    """Version, size, connections of this database, and how long a question takes to come back."""
    asked = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        answered_ms = (time.perf_counter() - asked) * 1000
        cursor.execute(_DATABASE)
        figures = dict(zip(_FIGURES, cursor.fetchone(), strict=True))
    return {**figures, "answers_in_ms": round(answered_ms, 1)}


def largest_tables(most: int = 10) -> list[dict[str, Any]]:
    """Rows are the planner's estimate: nothing is counted."""
    names = ("name", "rows", "size_mb", "dead_rows", "cleaned_at")
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [most])
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def migrations() -> dict[str, str]:
    """The newest migration of each app."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app")
        return dict(cursor.fetchall())


# --- Cache and queue ----------------------------------------------------------------------------------------------


def cache_answers_in_ms() -> float | None:
    """How long the shared cache takes to keep a word and give it back; None where it does not."""
    asked = time.perf_counter()
    try:
        cache.set("health", "1", 10)
        kept = cache.get("health") == "1"
    except Exception:  # noqa: BLE001 - any trouble of any cache backend means that it does not answer
        return None
    return round((time.perf_counter() - asked) * 1000, 1) if kept else None


def messages_waiting() -> int | None:
    """Messages that no worker has taken; None where the queue does not tell. They are bells: rows are the queue."""
    folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("data_folder_in")
    return sum(1 for _ in Path(str(folder)).glob("*.msg")) if folder else _in_broker()


def _in_broker() -> int | None:
    try:
        with current_app.connection_for_read() as broker, broker.channel() as channel:
            return int(channel.queue_declare(current_app.conf.task_default_queue, passive=True).message_count)
    except Exception:  # noqa: BLE001 - each transport has errors of its own, and none may break the page that tells of them
        return None
