"""NSE's list of equities and its file of a day, as typed lines: bytes in, lines out, no database.

Both are CSV with blanks around names and values. A line that cannot be read is counted and skipped; a file without its
columns is refused whole.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from portal.errors import Failure

SYMBOL = re.compile(r"[A-Z0-9&-]{1,20}$")
ISIN = re.compile(r"IN[A-Z0-9]{10}$")
# Series in which shares are bought for delivery; the others are bonds, warrants and the like.
SHARES = frozenset({"EQ", "BE", "BZ", "SM", "ST"})


class NotThatFile(Failure):
    """Raised when a file has not the columns of the one that was asked for; nothing was read."""

    code = "not_that_file"


class Listed(NamedTuple):
    """One equity of the list."""

    symbol: str
    isin: str
    name: str
    series: str


@dataclass(frozen=True)
class Read:
    """What a file held: its good lines by symbol, and how many could not be read."""

    unreadable: int


@dataclass(frozen=True)
class ReadList(Read):
    """The list of equities."""

    lines: dict[str, Listed]


@dataclass(frozen=True)
class ReadDay(Read):
    """Closing prices in rupees by symbol."""

    closes: dict[str, Decimal]


def read_list(raw: bytes) -> ReadList:
    """The equities in NSE's list. Raises NotThatFile."""
    lines: dict[str, Listed] = {}
    unreadable = 0
    for row in _rows(raw, {"SYMBOL", "NAME OF COMPANY", "SERIES", "ISIN NUMBER"}):
        symbol, isin, name = row["SYMBOL"], row["ISIN NUMBER"], " ".join(row["NAME OF COMPANY"].split())
        if SYMBOL.match(symbol) and ISIN.match(isin) and name and symbol not in lines:
            lines[symbol] = Listed(symbol, isin, name[:120], row["SERIES"][:4])
        else:
            unreadable += 1
    return ReadList(unreadable, lines)


def read_day(raw: bytes) -> ReadDay:
    """The closes in NSE's file of a day, of shares only. Raises NotThatFile."""
    closes: dict[str, Decimal] = {}
    unreadable = 0
    for row in _rows(raw, {"SYMBOL", "SERIES", "CLOSE_PRICE"}):
        if row["SERIES"] not in SHARES:
            continue
        close = _rupees(row["CLOSE_PRICE"])
        if close and SYMBOL.match(row["SYMBOL"]):
            closes.setdefault(row["SYMBOL"], close)
        else:
            unreadable += 1
    return ReadDay(unreadable, closes)


def _rows(raw: bytes, needed: set[str]) -> Iterator[Mapping[str, str]]:
    reader = csv.reader(raw.decode("utf-8-sig", "replace").splitlines())
    head = [each.strip() for each in next(reader, [])]
    if not needed <= set(head):
        raise NotThatFile(f"The file has no column {', '.join(sorted(needed - set(head)))}.")
    for cells in reader:
        if len(cells) == len(head):
            yield dict(zip(head, (each.strip() for each in cells), strict=True))
        elif cells:
            yield dict.fromkeys(head, "")


def _rupees(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value.quantize(Decimal("0.01")) if value.is_finite() and 0 < value < 10**9 else None
