"""Lists of the admin as files (CSV, XLSX): at most a hundred rows, and no cell is live (`portal/csv_files.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpResponse, QueryDict

from portal import audit, clock, csv_files, redaction
from portal.admin import workbook
from portal.clock import IST
from portal.desk import saved
from portal.sought import FIND

# More rows than this need a second person; there is no such approval yet, so there is no such file.
MOST = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Column = csv_files.Column


def answer(name: str, columns: Sequence[Column], rows: Iterable[Any], *, kind: str = "csv") -> HttpResponse:
    """A file for download: `csv`, or `xlsx`."""
    return _workbook(name, columns, rows) if kind == "xlsx" else csv_files.answer(name, columns, rows)


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
