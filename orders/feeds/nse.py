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


class BadLine(NamedTuple):
    """A line that cannot be used: its number in the file from 1, its text, and why."""

    number: int
    text: str
    why: str


@dataclass(frozen=True)
class Read:
    """What a file held: its good lines by symbol, and those that could not be read."""

    bad: tuple[BadLine, ...]

    @property
    def unreadable(self) -> int:
        """How many could not be read."""
        return len(self.bad)


@dataclass(frozen=True)
class ReadList(Read):
    """The list of equities."""

    lines: dict[str, Listed]


@dataclass(frozen=True)
class ReadDay(Read):
    """Closing prices in rupees by symbol."""

    closes: dict[str, Decimal]
    # Lines of other series: bonds, warrants and the like, and a share's second series.
    ignored: int = 0


def read_list(raw: bytes) -> ReadList:
    """The equities in NSE's list. Raises NotThatFile."""
    lines: dict[str, Listed] = {}
    bad = []
    for number, text, row in _rows(raw, {"SYMBOL", "NAME OF COMPANY", "SERIES", "ISIN NUMBER"}):
        symbol, isin, name = row["SYMBOL"], row["ISIN NUMBER"], " ".join(row["NAME OF COMPANY"].split())
        if why := _why_not_listed(symbol, isin, name, symbol in lines):
            bad.append(BadLine(number, text, why))
        else:
            lines[symbol] = Listed(symbol, isin, name[:120], row["SERIES"][:4])
    return ReadList(tuple(bad), lines)


def _why_not_listed(symbol: str, isin: str, name: str, is_there: bool) -> str:
    """Why a line of the list cannot be used; an empty text when it can."""
    wrong = (
        (not SYMBOL.match(symbol), f"the symbol {symbol!r} is not one"),
        (not ISIN.match(isin), f"the ISIN {isin!r} is not one of India"),
        (not name, "it names no company"),
        (is_there, f"{symbol} stands in an earlier line"),
    )
    return next((why for is_wrong, why in wrong if is_wrong), "")


def read_day(raw: bytes) -> ReadDay:
    """The closes in NSE's file of a day, of shares only. Raises NotThatFile."""
    closes: dict[str, Decimal] = {}
    bad, ignored = [], 0
    for number, text, row in _rows(raw, {"SYMBOL", "SERIES", "CLOSE_PRICE"}):
        if row["SERIES"] and (row["SERIES"] not in SHARES or row["SYMBOL"] in closes):
            ignored += 1
            continue
        close = _rupees(row["CLOSE_PRICE"])
        if close and SYMBOL.match(row["SYMBOL"]):
            closes[row["SYMBOL"]] = close
        else:
            what = f"price {row['CLOSE_PRICE']!r}" if SYMBOL.match(row["SYMBOL"]) else f"symbol {row['SYMBOL']!r}"
            bad.append(BadLine(number, text, f"the {what} is not one"))
    return ReadDay(tuple(bad), closes, ignored)


def _rows(raw: bytes, needed: set[str]) -> Iterator[tuple[int, str, Mapping[str, str]]]:
    """Number, text and named values of each line; of one with too few or too many cells the values are empty."""
    reader = csv.reader(raw.decode("utf-8-sig", "replace").splitlines())
    head = [each.strip() for each in next(reader, [])]
    if not needed <= set(head):
        raise NotThatFile(f"The file has no column {', '.join(sorted(needed - set(head)))}.")
    for cells in reader:
        if len(cells) == len(head):
            yield reader.line_num, ",".join(cells), dict(zip(head, (each.strip() for each in cells), strict=True))
        elif cells:
            yield reader.line_num, ",".join(cells), dict.fromkeys(head, "")


def _rupees(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value.quantize(Decimal("0.01")) if value.is_finite() and 0 < value < 10**9 else None
