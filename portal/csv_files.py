"""Rows as a CSV file in which no cell is one that a spreadsheet would run (reliability.md P36)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse

from portal.clock import IST

# How a column is called, and what of a row stands in it.
Column = tuple[str, Callable[[Any], Any]]
# What spreadsheets take for the beginning of a formula, also in full width, and what moves it there.
_LIVE = tuple("=+-@\t\r\n\0|%＝＋－＠")


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


def answer(name: str, columns: Sequence[Column], rows: Iterable[Any]) -> HttpResponse:
    """A file for download."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    # A byte-order mark, so that a spreadsheet reads the rupee sign.
    response.write("\ufeff")
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow([label for label, _ in columns])
    writer.writerows([[cell(of(row)) for _, of in columns] for row in rows])
    return response
