"""Taking in AMFI's NAVs: a whole file in one transaction or not at all, and the same file again changes nothing.

    bytes -> checked lines -> a stage -> what differs is written -> newest NAV of the schemes (`nav_store`)

`Scheme.nav` is always the newest day of `Nav` and `previous_nav` the one before, so that a late or old file cannot
turn a price back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from orders import amfi
from orders.feeds import amfi as feed
from orders.models import NavRun, Scheme
from orders.operations import nav_store, search_index
from portal import cases
from portal.errors import Failure

# (what, done, of) for whoever watches.
Progress = Callable[[str, int, int], None]

REFUSED_CASE = "nav_file_refused"
DAILY = "daily"
HISTORY = "history"
# A daily file that names fewer of the codes than the last one did was cut off at the end of a line.
LEAST_OF_LAST_TIME = 0.9
BAD_LINES_KEPT = 100
# AMFI's own advice is 90 days; a week of every scheme is already ten megabytes.
DAYS_AT_ONCE_OF_SOME = 90
DAYS_AT_ONCE_OF_ALL = 7


class NavFileRefused(Failure):
    """Raised when a file is refused as a whole; nothing of it was used and a case is open for ops."""

    code = "nav_file_refused"


def quiet(what: str, done: int, of: int) -> None:
    """Nobody watches."""


@feed.without_collection()
def ingest(
    *,
    raw: bytes,
    source: str,
    at: datetime,
    progress: Progress = quiet,
    only: frozenset[str] = frozenset(),
    accept_short: bool = False,
) -> NavRun:
    """Every NAV of a file is ours, and schemes show their newest one. Returns the run, or the earlier one of this file.

    `only` takes those AMFI codes and leaves the rest of the file. Raises NavFileRefused with words for ops when the
    file is no NAV file, or names clearly fewer schemes than the last one did (unless `accept_short`).
    """
    fingerprint = hashlib.sha256(raw + ",".join(sorted(only)).encode()).hexdigest()
    if earlier := NavRun.objects.filter(fingerprint=fingerprint, finished_at__isnull=False).first():
        progress("the same file was taken in before", earlier.accepted, earlier.accepted)
        return earlier
    run = NavRun(source=source, fingerprint=fingerprint, started_at=at)
    try:
        parsed = feed.read(raw, today=at.date())
        run.source = f"{DAILY if parsed.is_daily else HISTORY} {source}"[:200]
        progress("lines read", len(parsed.lines), len(parsed.lines))
        with transaction.atomic():
            _take_in(run, parsed, only, progress, accept_short)
    except feed.NotANavFile as refusal:
        _remember_refusal(run, refusal.message)
        raise NavFileRefused(refusal.message) from refusal
    if parsed.is_daily:
        fill_categories(raw)
        _close_refusals(at)
    return run


def _take_in(run: NavRun, parsed: feed.NavFile, only: frozenset[str], progress: Progress, accept_short: bool) -> None:
    """Inside the transaction: rows, schemes, and the run that says so."""
    lines = [line for line in parsed.lines if line[0] in only] if only else parsed.lines
    if parsed.is_daily and not accept_short:
        _refuse_a_short_file(len(parsed.lines))
    run.changed, unseen = nav_store.write(lines)
    progress("NAVs new or corrected", run.changed, len(lines))
    if run.changed:
        shown = nav_store.show_latest(unseen)
        progress("schemes with another newest NAV", shown, shown)
    run.lines = len(parsed.lines) + parsed.without_nav + len(parsed.bad)
    run.accepted = len(lines)
    run.unreadable = len(parsed.bad)
    run.bad_lines = [{"line": n, "text": text, "why": why} for n, text, why in parsed.bad[:BAD_LINES_KEPT]]
    run.newest_on = parsed.newest_on
    run.finished_at = run.started_at
    run.save()


def _refuse_a_short_file(lines: int) -> None:
    last = (
        NavRun.objects.filter(source__startswith=f"{DAILY} ", finished_at__isnull=False)
        .order_by("-started_at")
        .values_list("accepted", flat=True)
        .first()
    )
    if last and lines < LEAST_OF_LAST_TIME * last:
        raise feed.NotANavFile(
            f"The file has {lines} NAVs, the last one had {last}: the end is missing. Nothing was changed."
        )


def _remember_refusal(run: NavRun, words: str) -> None:
    """Ops see the refused file once, however often it is offered."""
    run.bad_lines = [{"line": 0, "text": "", "why": words}]
    kept, _ = NavRun.objects.get_or_create(
        fingerprint=run.fingerprint,
        finished_at=None,
        defaults={"source": run.source, "started_at": run.started_at, "bad_lines": run.bad_lines},
    )
    cases.open_case(
        kind=REFUSED_CASE,
        subject=kept,
        title="A NAV file was refused as a whole",
        detail=f"{run.source}: {words}",
        at=run.started_at,
    )


def _close_refusals(at: datetime) -> None:
    """A good file has come: nobody needs to look at the refused ones."""
    for refused in NavRun.objects.filter(finished_at__isnull=True).order_by("-started_at")[:20]:
        cases.close_cases(subject=refused, kinds=(REFUSED_CASE,), resolution="A later file was taken in whole.", at=at)


# --- Categories: FP's scheme master may leave them out, AMFI's section lines do not ----------------------------


def fill_categories(raw: bytes) -> int:
    """Schemes without a category get the one under which AMFI lists them. Returns how many."""
    wanted = Scheme.objects.filter(category="", amfi_code__isnull=False)
    if not wanted.exists():
        return 0
    listed = dict(feed.categories(raw))
    codes = [code for code in wanted.values_list("amfi_code", flat=True).distinct() if str(code) in listed]
    found = [feed.split_category(listed[str(code)]) for code in codes]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FILL, [codes, [kind.upper() for kind, _ in found], [name[:80] for _, name in found]])
        filled: int = cursor.rowcount
    if filled:
        search_index.build()
    return filled


_FILL = """
    UPDATE orders_scheme scheme
       SET category = listed.category,
           asset_class = CASE WHEN listed.kind IN ('EQUITY', 'DEBT', 'HYBRID') THEN listed.kind
                              ELSE scheme.asset_class END
      FROM unnest(%s::integer[], %s::text[], %s::text[]) AS listed (amfi_code, kind, category)
     WHERE scheme.amfi_code = listed.amfi_code AND scheme.category = ''
"""


# --- Fetching ----------------------------------------------------------------------------------------------------


def fetch_history(*, first: date, last: date, codes: frozenset[str], at: datetime, progress: Progress = quiet) -> int:
    """NAVs from `first` to `last` are ours, of `codes` or of every scheme. Returns how many were new or corrected.

    Goes in steps that AMFI can answer; each step is a transaction, so what has come stays when a later one fails.
    Raises GatewayError, NavFileRefused.
    """
    step = DAYS_AT_ONCE_OF_SOME if codes and settings.AMFI_HISTORY_BY_SCHEME else DAYS_AT_ONCE_OF_ALL
    spans = list(_spans(first, last, step))
    changed = 0
    for number, (begin, end) in enumerate(spans, 1):
        raw = amfi.history_client().fetch_history(begin, end, sorted(codes))
        if feed.has_lines(raw):
            run = ingest(raw=raw, source=f"{begin} to {end}", at=at, only=codes)
            changed += run.changed
        progress(f"history up to {end}", number, len(spans))
    return changed


def _spans(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    """Consecutive spans of at most `days` days."""
    while first <= last:
        end = min(last, first + timedelta(days=days - 1))
        yield first, end
        first = end + timedelta(days=1)
