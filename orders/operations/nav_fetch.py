"""When to ask AMFI for the file of the day, and asking: only while something is missing, and only for another file.

AMFI publishes between about 21:00 and 23:00, stragglers (funds of overseas funds) the next morning. So a day is looked
for from 21:00 on until nine schemes in ten have it, and once more after 10:00 the next day.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Max

from orders import amfi, calendar
from orders.models import NavRun, Scheme
from orders.operations import navs
from orders.queries import schemes
from portal import hints, jobs
from portal.clock import IST

PUBLISHED_FROM = time(21, 0)
STRAGGLERS_BY = time(10, 0)
ENOUGH = 0.9
# With fewer schemes than this that have the day before, that day's file was missed.
HALF = 0.5
# A scheme without a NAV for this long is not waited for.
ALIVE_DAYS = 7
# What a scheme's page shows: the five-year return needs a NAV from just before.
PAST_DAYS = 5 * 365 + 30
_VERSION = "amfi:version"
_LOOKED = "amfi:looked"
_MONTH_S = 30 * 86_400
# How long we wait for a worker before another is asked, and how long a fetched past is not fetched again.
PAST_WAIT_S = 60
PAST_LASTS_S = 43_200
_PAST, _DONE = "amfi:past", "done"


def expected_on(at: datetime, holidays: frozenset[date]) -> date:
    """The day whose NAVs AMFI should have published by `at`."""
    local = at.astimezone(IST)
    if local.time() >= PUBLISHED_FROM and calendar.is_business_day(local.date(), holidays):
        return local.date()
    return calendar.previous_business_day(local.date(), holidays)


def is_due(*, at: datetime) -> bool:
    """Whether the day that AMFI should have is not complete here, or the morning look for stragglers is still open."""
    day = expected_on(at, schemes.holidays())
    with connection.cursor() as cursor:
        cursor.execute(_COMPLETENESS, {"day": day, "alive": day - timedelta(days=ALIVE_DAYS)})
        have, alive = cursor.fetchone()
    if not alive or have < ENOUGH * alive:
        return True
    morning = datetime.combine(day + calendar.ONE_DAY, STRAGGLERS_BY, tzinfo=IST)
    looked: datetime | None = hints.get(_LOOKED)
    return at >= morning and (looked is None or looked < morning)


_COMPLETENESS = """
    SELECT count(*) FILTER (WHERE nav_on >= %(day)s), count(*) FILTER (WHERE nav_on >= %(alive)s)
      FROM orders_scheme WHERE is_active
"""


def fetch_day(*, at: datetime, progress: navs.Progress = navs.quiet) -> NavRun | None:
    """AMFI's newest file is taken in. None when it is still the one that we know.

    Raises GatewayError, navs.NavFileRefused. The version is remembered only after the file is in: a refused file, or a
    lost cache, costs one more download and nothing else.
    """
    answer = amfi.client().fetch_day(hints.get(_VERSION) or amfi.Version())
    run = None
    if answer:
        raw, version = answer
        progress("bytes fetched", len(raw), len(raw))
        run = navs.ingest(raw=raw, source=amfi.DAY_PATH, at=at, progress=progress)
        fill_gap(at=at, progress=progress)
        hints.put(_VERSION, version, _MONTH_S)
    hints.put(_LOOKED, at, _MONTH_S)
    return run


def fill_gap(*, at: datetime, progress: navs.Progress = navs.quiet) -> int:
    """The days before the newest one are ours too, up to a week: a portal that was off missed their files.

    Returns how many NAVs were new. Raises GatewayError.
    """
    newest = Scheme.objects.filter(is_active=True).aggregate(Max("nav_on"))["nav_on__max"]
    if newest is None:
        return 0
    yesterday = calendar.previous_business_day(newest, schemes.holidays())
    of_that_day = Scheme.objects.filter(is_active=True, nav_on=newest)
    complete, alive = of_that_day.filter(previous_nav_on__gte=yesterday).count(), of_that_day.count()
    if complete >= HALF * alive:
        return 0
    return navs.fetch_history(
        first=newest - timedelta(days=ALIVE_DAYS), last=yesterday, codes=frozenset(), at=at, progress=progress
    )


def want_past(*, amfi_code: int) -> bool:
    """A worker fetches the past of a scheme unless one has lately. True while it is on its way.

    Only where the history can be asked for by scheme: the sandbox. Elsewhere it comes by `ingest_navs --history`.
    """
    if not settings.AMFI_HISTORY_BY_SCHEME:
        return False
    key = f"{_PAST}:{amfi_code}"
    state = hints.get(key)
    if state is None and hints.first(key, PAST_WAIT_S):
        jobs.nudge("orders.fetch_nav_history", amfi_code=amfi_code)
    return bool(state != _DONE)


def fetch_past(*, amfi_code: int, at: datetime) -> int:
    """The NAVs of the last five years of one scheme are ours. Returns how many were new. Raises GatewayError."""
    today = at.astimezone(IST).date()
    changed = navs.fetch_history(
        first=today - timedelta(days=PAST_DAYS), last=today, codes=frozenset({str(amfi_code)}), at=at
    )
    hints.put(f"{_PAST}:{amfi_code}", _DONE, PAST_LASTS_S)
    return changed
