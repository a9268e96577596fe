"""The NAV ingest of a whole day, beside PostgreSQL's own COPY of the same rows into an empty table with the same key.

Ours reads and checks the bytes, stages, upserts, writes the run and commits. The days differ in a blank at the end of
the file, because a file that was taken in before would not be read at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta

from django.db import connection, transaction

from orders.feeds.amfi import print_date
from orders.models import NavRun, Scheme
from orders.operations import navs
from portal import clock
from portal.management.bench import Row, cast, row

ROWS = 14_000
ROUNDS = 11
HEAD = "Scheme Code;ISIN Div Payout/ ISIN Growth;ISIN Div Reinvestment;Scheme Name;Net Asset Value;Date"
# Codes that no scheme has, and the codes of the bench's 14,000 schemes.
NOBODYS, OURS = 700_000, 500_000


def run() -> list[Row]:
    """Nothing changed; all new, as every evening; all corrected; and all new with 14,000 schemes to show it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_copy (LIKE orders_nav INCLUDING INDEXES)")
    today = clock.today()
    first, second = _file(NOBODYS, today, 1), _file(NOBODYS, today, 2)
    _take(first)
    rows = [
        _measure("AMFI day, 14,000 rows, nothing changed", lambda n: first + b" \n" * n, today, 1.6),
        _measure("AMFI day, 14,000 rows, all new", lambda n: _file(NOBODYS, today, n, n), today, 2.6),
        _measure("AMFI day, 14,000 rows, all corrected", lambda n: (second, first)[n % 2] + b"\n" * n, today, 2.6),
    ]
    cast.schemes()
    # Older than every day that is measured, so that each day is shown.
    Scheme.objects.update(nav_on=today - timedelta(days=40), previous_nav_on=today - timedelta(days=41))
    rows.append(
        _measure("AMFI day, 14,000 rows, all new and shown on schemes", lambda n: _file(OURS, today, n, n), today, None)
    )
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_copy")
    return rows


def _measure(work: str, file_of: Callable[[int], bytes], day: date, target: float | None) -> Row:
    """Both sides in turn, in rows a second of the median round."""
    limits, ours = [], []
    for number in range(1, ROUNDS + 1):
        raw = file_of(number)
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE bench_copy")
            # A day lies between two files, and autovacuum runs in it.
            cursor.execute("VACUUM ANALYZE orders_nav, orders_scheme")
        limits.append(_seconds(lambda: _copy(day)))
        ours.append(_seconds(lambda raw=raw: _take(raw)))  # type: ignore[misc]
    best = row(
        work=work, unit="us", limit=[1e6 * s for s in limits], ours=[1e6 * s for s in ours], target=target, at_most=True
    )
    rate = ROWS / sorted(ours)[ROUNDS // 2]
    return best | {"note": f"{rate:,.0f} rows a second; COPY {ROWS / sorted(limits)[ROUNDS // 2]:,.0f}"}


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _copy(day: date) -> None:
    """The limit: rows that somebody has read and checked already, into an empty table."""
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy("COPY bench_copy FROM STDIN") as copy:
        copy.write(_rows(day))


_made: dict[date, bytes] = {}


def _rows(day: date) -> bytes:
    if day not in _made:
        _made[day] = "".join(f"{NOBODYS + n}\t{day}\t{10 + n / 100:.4f}\n" for n in range(ROWS)).encode()
    return _made[day]


def _take(raw: bytes) -> NavRun:
    return navs.ingest(raw=raw, source="bench", at=clock.now())


def _file(codes: int, today: date, cents: int, days_ago: int = 0) -> bytes:
    """A day as AMFI writes it, with a section and a fund house now and then."""
    on = print_date(today - timedelta(days=(ROUNDS - days_ago) if days_ago else 0))
    lines = [HEAD]
    for n in range(ROWS):
        if n % 50 == 0:
            lines += [" ", "Open Ended Schemes(Equity Scheme - Flexi Cap Fund)", " ", f"House {n} Mutual Fund", " "]
        name = f"House {n // 50} Flexi Cap Fund {n} - Regular Plan - Growth"
        lines.append(f"{codes + n};INF{n:08d}1;-;{name};{10 + n / 100 + cents / 10_000:.4f};{on}")
    return ("\r\n".join(lines) + "\r\n").encode()
