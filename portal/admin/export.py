"""Lists as files (CSV, XLSX): at most a hundred rows, no cell that a spreadsheet would run (reliability.md P36)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse, QueryDict

from portal import audit, clock, redaction
from portal.admin import workbook
from portal.clock import IST
from portal.desk import saved
from portal.sought import FIND

# More rows than this need a second person; there is no such approval yet, so there is no such file.
MOST = 100
# What spreadsheets take for the beginning of a formula, also in full width, and what moves it there.
_LIVE = tuple("=+-@\t\r\n\0|%＝＋－＠")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Column = tuple[str, Callable[[Any], Any]]


def cell(value: Any) -> str:
    """A value as it stands in a file: numbers as numbers, moments in Indian time, and text that stays text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(IST):%Y-%m-%d %H:%M:%S}"
    text = str(value).replace("\0", "")
    return f"'{text}" if text.lstrip().startswith(_LIVE) or text.startswith(_LIVE) else text


def answer(name: str, columns: Sequence[Column], rows: Iterable[Any], *, kind: str = "csv") -> HttpResponse:
    """A file for download: `csv`, or `xlsx`."""
    if kind == "xlsx":
        return _workbook(name, columns, rows)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    # A byte-order mark, so that a spreadsheet reads the rupee sign.
    response.write("\ufeff")
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow([label for label, _ in columns])
    writer.writerows([[cell(of(row)) for _, of in columns] for row in rows])
    return response


def note(actor: Any, what: str, *, rows: int, kind: str, query: QueryDict, about: Any = None) -> None:
    """Who took which list as a file, narrowed how, and how many rows went out: in the audit log, before it leaves."""
    narrowed = {key: query.getlist(key) for key in query if key not in saved.NOT_KEPT and query[key]}
    searched = "q" in query or FIND in query
    told = {"what": what, "rows": rows, "form": kind, "filters": redaction.each_in(narrowed), "searched": searched}
    audit.record(about or actor, "list.exported", actor=actor, at=clock.now(), data=told)


def _workbook(name: str, columns: Sequence[Column], rows: Iterable[Any]) -> HttpResponse:
    heading = [label for label, _ in columns]
    book = workbook.write([heading, *([_plain(of(row)) for _, of in columns] for row in rows)])
    response = HttpResponse(book, content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return response


def _plain(value: Any) -> Any:
    """Moments in Indian time; a cell of text is never evaluated, so text stays as it is."""
    return f"{value.astimezone(IST):%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value
