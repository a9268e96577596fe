"""Writing NAVs: a day that nobody had yet is copied in; of every other line only what differs is written.

    lines -> COPY of crowded new days -> the rest to a stage -> crowded days, scattered lines -> newest of the schemes

What is held of a day lies together in the table, so a day of which a file has many lines is read as a whole, by the
index on days; the few lines of each other day are looked up one by one, by the key. Either way the size of the history
does not matter. Everything here belongs into the transaction of the caller.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from operator import itemgetter

from django.db import connection
from django.db.backends.utils import CursorWrapper

from orders.feeds import amfi as feed

# A day with as many lines is cheaper to read as a whole than line by line.
CROWD = 500
# The number is only a name: one ingest at a time, since two would only wait for each other's rows.
_STAGE = """
    SELECT pg_advisory_xact_lock(7270002);
    CREATE TEMPORARY TABLE IF NOT EXISTS nav_stage (amfi_code integer, nav numeric(18,4), "on" date)
        ON COMMIT DELETE ROWS;
    DELETE FROM nav_stage;
"""
# The planner takes the rows of a day for scattered ones: it would read the whole history, or look up row by row.
_BY_DAY = "SET LOCAL enable_seqscan = {0}; SET LOCAL enable_nestloop = {0}"


def write(lines: list[feed.Line]) -> tuple[int, list[date]]:
    """Every line is ours; a code and day stands in one line only.

    Returns how many were new or corrected, and the days that were copied in whole, for `show_latest`.
    """
    many = Counter(map(itemgetter(2), lines))
    crowded = {on: day for on, n in many.items() if n >= CROWD and (day := feed.parse_date(on))}
    with connection.cursor() as cursor:
        cursor.execute(_STAGE + _BY_DAY.format("off"))
        unseen = {on: day for on, day in crowded.items() if not _is_held(cursor, day)}
        held = [day for on, day in crowded.items() if on not in unseen]
        changed = 0
        if unseen:
            changed += _copy(cursor, "orders_nav", [line for line in lines if line[2] in unseen])
            lines = [line for line in lines if line[2] not in unseen]
        _copy(cursor, "nav_stage", lines)
        if held:
            changed += _write_staged(cursor, "= ANY", 'held."on" = ANY(%(days)s::date[])', held)
        cursor.execute(_BY_DAY.format("on"))
        if len(crowded) < len(many):
            changed += _write_staged(cursor, "<> ALL", "true", held)
    return changed, list(unseen.values())


def _is_held(cursor: CursorWrapper, day: date) -> bool:
    """Whether anybody's NAV of the day is here."""
    cursor.execute('SELECT 1 FROM orders_nav WHERE "on" = %s LIMIT 1', [day])
    return cursor.fetchone() is not None


def _copy(cursor: CursorWrapper, table: str, lines: list[feed.Line]) -> int:
    with cursor.copy(f'COPY {table} (amfi_code, nav, "on") FROM STDIN') as copy:
        copy.write("\n".join(map("\t".join, lines)))
    return len(lines)


def _write_staged(cursor: CursorWrapper, days_are: str, held: str, days: list[date]) -> int:
    cursor.execute(_WRITE.format(days_are=days_are, held=held), {"days": days})
    changed: int = cursor.fetchone()[0]
    return changed


# Only lines that differ are written, so that a file without news writes nothing. New and corrected rows go separate
# ways: ON CONFLICT would first mark and then confirm each new row, which doubles the log. The lock keeps other ingests
# out, and should a row appear all the same, the unique key fails the whole transaction and the next run finds it.
_WRITE = """
    WITH news AS MATERIALIZED (
        SELECT stage.amfi_code, stage."on", stage.nav, held.nav IS NULL AS is_new
          FROM nav_stage stage
          LEFT JOIN orders_nav held ON held.amfi_code = stage.amfi_code AND held."on" = stage."on" AND {held}
         WHERE stage."on" {days_are}(%(days)s::date[]) AND held.nav IS DISTINCT FROM stage.nav
    ), corrected AS (
        UPDATE orders_nav held SET nav = news.nav FROM news
         WHERE NOT news.is_new AND held.amfi_code = news.amfi_code AND held."on" = news."on" AND {held}
    ), inserted AS (
        INSERT INTO orders_nav (amfi_code, "on", nav) SELECT amfi_code, "on", nav FROM news WHERE is_new
    )
    SELECT count(*) FROM news
"""
_OF_THIS_FILE = """
    JOIN (SELECT amfi_code, "on", nav FROM nav_stage
           UNION ALL
          SELECT amfi_code, "on", nav FROM orders_nav WHERE "on" = ANY(%(days)s::date[])) line
      ON line.amfi_code = scheme.amfi_code
     AND (scheme.previous_nav_on IS NULL OR line."on" >= scheme.previous_nav_on)
     AND (line."on", line.nav) IS DISTINCT FROM (scheme.nav_on, scheme.nav)
     AND (line."on", line.nav) IS DISTINCT FROM (scheme.previous_nav_on, scheme.previous_nav)
"""
_SHOW_LATEST = """
    UPDATE orders_scheme scheme
       SET nav = latest.nav, nav_on = latest."on", previous_nav = before.nav, previous_nav_on = before."on"
      FROM (SELECT DISTINCT scheme.amfi_code FROM orders_scheme scheme {only}) code
     CROSS JOIN LATERAL (
            SELECT nav, "on" FROM orders_nav WHERE amfi_code = code.amfi_code ORDER BY "on" DESC LIMIT 1) latest
      LEFT JOIN LATERAL (
            SELECT nav, "on" FROM orders_nav
             WHERE amfi_code = code.amfi_code AND "on" < latest."on" ORDER BY "on" DESC LIMIT 1) before ON true
     WHERE scheme.amfi_code = code.amfi_code
       AND (scheme.nav, scheme.nav_on, scheme.previous_nav, scheme.previous_nav_on)
           IS DISTINCT FROM (latest.nav, latest."on", before.nav, before."on")
"""
_NEVER_ANALYSED = """
    SELECT relname FROM pg_class
     WHERE oid IN ('orders_nav'::regclass, 'orders_scheme'::regclass) AND reltuples <= 0
"""


def show_latest(unseen: list[date] | None = None) -> int:
    """Every scheme carries its newest NAV and the one before. Returns how many rows changed.

    With `unseen`, the days that `write` returned, only schemes for which that file has a NAV that they should show.
    """
    with connection.cursor() as cursor:
        # Tables that were never analysed look empty to the planner, which then reads all NAVs once per scheme.
        cursor.execute(_NEVER_ANALYSED)
        for (table,) in cursor.fetchall():
            cursor.execute(f"ANALYZE {table}")
        cursor.execute(_SHOW_LATEST.format(only="" if unseen is None else _OF_THIS_FILE), {"days": unseen})
        return cursor.rowcount
