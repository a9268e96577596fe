"""The machinery: the schedule of background work, and whether it is alive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.idp.oidc.models import Client, Token
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.decorators import display

from portal import jobs
from portal.admin import health, show
from portal.admin.base import KeptAdmin, OpsAdmin, replace
from portal.models import Heartbeat, JobRun

# Lengths with a word of their own.
_OFTEN = {timedelta(days=1): "every day", timedelta(hours=1): "every hour", timedelta(minutes=1): "every minute"}


def _often(length: timedelta) -> str:
    """A rhythm as people say it: `every day`, `every 5 min`, `every 10 s`."""
    minutes, seconds = divmod(length.total_seconds(), 60)
    return _OFTEN.get(length) or (f"every {length.total_seconds():g} s" if seconds else f"every {minutes:g} min")


class PeriodicTaskAdmin(KeptAdmin):
    """Scheduled work. What runs when stands in the code; here a task can be paused and set going again."""

    list_display = ("name", "task", "rhythm", "enabled", "last_run", "how_long", "failures", "last_error")
    actions = ("run_now",)  # type: ignore[assignment]
    list_select_related = ("interval", "crontab", "solar", "clocked")
    ordering = ("name",)
    fields = ("name", "task", "rhythm", "enabled", "last_run", "total_run_count")
    readonly_fields = ("name", "task", "rhythm", "last_run", "total_run_count")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Rhythm")
    def rhythm(self, task: PeriodicTask) -> str:
        every = task.interval
        return _often(timedelta(**{every.period: every.every})) if every else str(task.scheduler)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicTask]:
        self.runs = {run.task: run for run in JobRun.objects.all()}
        return super().get_queryset(request)

    def _run_of(self, task: PeriodicTask) -> JobRun:
        return self.runs.get(task.task) or JobRun(task=task.task)

    @display(description="Took")
    def how_long(self, task: PeriodicTask) -> str:
        took = self._run_of(task).took_ms
        return show.NOTHING if took is None else f"{took} ms"

    @display(description="Failures")
    def failures(self, task: PeriodicTask) -> str:
        run = self._run_of(task)
        return f"{run.failures} of {run.runs}" if run.runs else show.NOTHING

    @display(description="Last error")
    def last_error(self, task: PeriodicTask) -> str:
        run = self._run_of(task)
        return show.two(show.moment(run.failed_at), run.error) if run.failed_at else show.NOTHING

    @admin.action(description="Run now", permissions=["change"])
    def run_now(self, request: HttpRequest, tasks: QuerySet[PeriodicTask]) -> None:
        """Each chosen task is asked for once more. They may run beside themselves: every one of them takes its lock."""
        for task in tasks:
            self._record(request, task, "run_asked", [])
            jobs.nudge(task.task)
        self.message_user(request, f"{len(tasks)} asked for; a worker takes them within seconds.")

    @display(description="Last run", ordering="last_run_at")
    def last_run(self, task: PeriodicTask) -> str:
        return show.moment(task.last_run_at)


class ScheduleAdmin(OpsAdmin):
    """A rhythm of the schedule, as beat keeps it."""

    list_display = ("__str__",)
    fieldsets = ((None, {"fields": ("__str__",)}),)


@admin.register(Heartbeat)
class HeartbeatAdmin(OpsAdmin):
    """When the background was last heard: beat sent the task and a worker ran it."""

    list_display = ("name", "heard", "ago")
    ordering = ("name",)
    fieldsets = ((None, {"fields": ("name", "heard", "ago")}),)

    def get_urls(self) -> list[URLPattern]:
        return [*health.urls(), *super().get_urls()]

    @display(description="Heard", ordering="at")
    def heard(self, heartbeat: Heartbeat) -> str:
        return show.moment(heartbeat.at)

    @display(description="Ago")
    def ago(self, heartbeat: Heartbeat) -> str:
        return show.since(heartbeat.at)


replace(PeriodicTask, PeriodicTaskAdmin)
replace(IntervalSchedule, ScheduleAdmin)
replace(CrontabSchedule, ScheduleAdmin)
# Keys of partners are made and ended in their console, with a record of each.
for unused in (ClockedSchedule, SolarSchedule, Client, Token):
    admin.site.unregister(unused)
