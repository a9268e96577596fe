"""AMFI's NAV files. Two layouts, told apart by their header and never by position:

    NAVAll.txt   Scheme Code;ISIN Div Payout/ ISIN Growth;ISIN Div Reinvestment;Scheme Name;Net Asset Value;Date
    history      Scheme Code;Scheme Name;ISIN ...;ISIN ...;Net Asset Value;Repurchase Price;Sale Price;Date

Between the data lines stand blank lines, section lines such as "Open Ended Schemes(Equity Scheme - Flexi Cap Fund)"
and names of fund houses. A NAV may be "N.A."; the date is written 26-May-2025 (providers.md 6.1).

A file in order is read by one pass of one pattern, made from the header; only a file with an odd line in it is walked
line by line, to say which line it is and why.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple

from portal.errors import Failure

MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
NO_NAV = "N.A."
FIRST_YEAR = 1964  # UTI's first scheme: nothing can have a NAV before it
# A file of which more than this part cannot be read is another file than we think.
MOST_UNREADABLE = Decimal("0.05")
# What a wanted column holds. Ten digits before the point are more than any NAV has ever had.
_VALUES = {
    "scheme code": r"([0-9]{1,9}+)",
    "net asset value": r"([0-9]{1,10}+(?:\.[0-9]*+)?|N\.A\.)",
    "date": r"([0-9][0-9]-[A-Z][a-z][a-z]-[0-9]{4})",
}
_BLANK = re.compile(r"\s*")
_SECTION = re.compile(r"^([A-Z][\w ]*Schemes?)\((.+)\)\s*$")
# Code, NAV and date, as printed and checked.
Line = tuple[str, str, str]


class NotANavFile(Failure):
    """Raised when a file is refused as a whole; nothing of it was used."""

    code = "not_a_nav_file"
    message = "This is not AMFI's NAV file."


class NavLine(NamedTuple):
    """The NAV of one AMFI code on one day, as printed: digits, `1234.5678`, `26-May-2025`; checked."""

    code: str
    nav: str
    on: str


class BadLine(NamedTuple):
    """A data line that cannot be used: its number in the file from 1, its text, and why."""

    number: int
    text: str
    why: str


@dataclass(frozen=True)
class NavFile:
    """What a file says. `lines` holds each code and day once."""

    is_daily: bool
    lines: list[Line]
    bad: list[BadLine] = field(default_factory=list)
    without_nav: int = 0
    newest_on: date | None = None

    def typed(self) -> Iterator[NavLine]:
        """The lines by name, for readers who do not need them by the ten thousand."""
        return map(NavLine._make, self.lines)


@dataclass(frozen=True)
class _Layout:
    """Where the wanted columns stand, and the pattern of a data line."""

    columns: list[str]
    body_at: int
    pattern: re.Pattern[str]

    @property
    def is_daily(self) -> bool:
        return "sale price" not in self.columns


def read(raw: bytes, *, today: date) -> NavFile:
    """Read a whole file. Raises NotANavFile for one that is empty, a web page, cut off, or mostly unreadable.

    A line dated after `today` is a bad line.
    """
    text = _decoded(raw)
    layout = _layout(text)
    found = layout.pattern.findall(text, layout.body_at)
    # A day's file repeats a few hundred dates fourteen thousand times: each is looked at once.
    days = {on: parse_date(on) for on in _dates(found)}
    if _in_order(text, layout, found, days, today):
        bad: list[BadLine] = []
    else:
        found, bad = _line_by_line(text, layout, today)
    lines = [line for line in found if line[1] != NO_NAV]
    if not lines:
        raise NotANavFile("The file has no NAV in it. Nothing was changed.")
    if len(bad) > MOST_UNREADABLE * (len(found) + len(bad)):
        raise NotANavFile(
            f"{len(bad)} of {len(found) + len(bad)} lines cannot be read, the first is line {bad[0].number}: "
            f"{bad[0].why}. Has the layout changed? Nothing was changed."
        )
    newest = max(day for on in _dates(lines) if (day := parse_date(on)))
    return NavFile(layout.is_daily, lines, bad, len(found) - len(lines), newest)


def _dates(lines: list[Line]) -> set[str]:
    return set(map(itemgetter(2), lines))


@contextmanager
def without_collection() -> Iterator[None]:
    """For as long as a file's lines live: ten thousand small tuples make Python look through them, and then through
    all of its memory, for cycles, which costs as much as reading them. There are none in them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _decoded(raw: bytes) -> str:
    """The text. Raises NotANavFile."""
    if not raw or raw.isspace():
        raise NotANavFile("The file is empty. Nothing was changed.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")  # what AMFI used before 2024
    if text.startswith("<", _first_line(text)):
        raise NotANavFile("This is a web page, not AMFI's NAV file. Nothing was changed.")
    if not text.endswith("\n"):
        raise NotANavFile("The file ends in the middle of a line: it was cut off. Nothing was changed.")
    return text


def _layout(text: str) -> _Layout:
    """The layout that the first line names. Raises NotANavFile when a column that we need is missing."""
    begin = _first_line(text)
    end = text.index("\n", begin)
    columns = [name.strip().lower() for name in text[begin:end].split(";")]
    missing = [name for name in _VALUES if columns.count(name) != 1]
    if missing:
        raise NotANavFile(f"The first line of the file does not name the column {missing[0]!r}. Nothing was changed.")
    wanted = [name for name in columns if name in _VALUES]
    if wanted != list(_VALUES):
        raise NotANavFile(f"The columns come in an unknown order: {', '.join(wanted)}. Nothing was changed.")
    # A column that we do not need may hold anything; a name that is broken over two lines is still one name.
    cells = (_VALUES.get(name, "[^;]*+") for name in columns)
    pattern = re.compile("^" + ";".join(cells) + r"\r?$", re.MULTILINE)
    return _Layout(columns, end, pattern)


def _first_line(text: str) -> int:
    """Where the text begins. A file is a megabyte and more: every copy of it costs as much as a query."""
    blank = _BLANK.match(text)
    return blank.end() if blank else 0


def _in_order(
    text: str,
    layout: _Layout,
    found: list[Line],
    days: dict[str, date | None],
    today: date,
) -> bool:
    """No data line escaped the pattern, every date is one, and no code has two NAVs on a day."""
    separators = text.count(";", layout.body_at)
    return (
        separators == len(found) * (len(layout.columns) - 1)
        and all(day is not None and day <= today for day in days.values())
        and not _has_twins(found)
    )


def _has_twins(found: list[Line]) -> bool:
    # A daily file names each code once, which is quicker to see than each code and day once.
    many = len(found)
    return len({code for code, _, _ in found}) < many and len({(code, on) for code, _, on in found}) < many


def _line_by_line(text: str, layout: _Layout, today: date) -> tuple[list[Line], list[BadLine]]:
    """The slow way: every usable line once, and every other with its number and the reason."""
    good: dict[tuple[str, str], tuple[str, str, str]] = {}
    bad: list[BadLine] = []
    first = text.count("\n", 0, layout.body_at) + 1
    for number, line in enumerate(text[layout.body_at :].split("\n"), first):
        if ";" not in line:
            continue
        cells = [cell.strip() for cell in line.split(";")]
        hit = layout.pattern.match(";".join(cells))
        why = _why_bad(cells, layout, today)
        if not hit or why:
            bad.append(BadLine(number, line.strip()[:200], why or "unreadable"))
            continue
        code, nav, on = hit.groups()
        before = good.setdefault((code, on), (code, nav, on))
        if before[1] != nav:
            why = f"a second NAV for code {code} on {on}: {before[1]} stands"
            bad.append(BadLine(number, line.strip()[:200], why))
    return list(good.values()), bad


def _why_bad(cells: list[str], layout: _Layout, today: date) -> str:
    """Why a data line cannot be used; an empty text when it can."""
    if len(cells) != len(layout.columns):
        return f"{len(cells)} columns instead of {len(layout.columns)}"
    by_name = dict(zip(layout.columns, cells, strict=True))
    for name, shape in _VALUES.items():
        if not re.fullmatch(shape, by_name[name]):
            return f"{name} {by_name[name]!r} is not one"
    day = parse_date(by_name["date"])
    if day is None:
        return f"date {by_name['date']!r} is not one"
    return f"the date {by_name['date']} lies ahead" if day > today else ""


def has_lines(raw: bytes) -> bool:
    """Whether anything follows the header: a history of holidays only is a header and nothing else."""
    return raw.count(b";") > raw.partition(b"\n")[0].count(b";")


def parse_date(text: str) -> date | None:
    """`26-May-2025` as a date; None when there is no such day."""
    try:
        day, month, year = text.split("-")
        found = date(int(year), MONTHS[month], int(day))
    except (ValueError, KeyError):
        return None
    return found if found.year >= FIRST_YEAR else None


def print_date(day: date) -> str:
    """A date as AMFI writes it: `26-May-2025`."""
    return f"{day.day:02d}-{list(MONTHS)[day.month - 1]}-{day.year}"


def categories(raw: bytes) -> Iterator[tuple[str, str]]:
    """(AMFI code, section text) of every data line; the section is what stands in the brackets of the line above it."""
    section = ""
    for line in _decoded(raw).splitlines():
        code, separator, _ = line.partition(";")
        if separator and code.isdigit():
            yield code, section
        elif hit := _SECTION.match(line):
            section = hit.group(2).strip()


def split_category(section: str) -> tuple[str, str]:
    """`Equity Scheme - Flexi Cap Fund` as (`Equity`, `Flexi Cap Fund`); sections of before 2018 have no first part."""
    kind, dash, category = section.partition(" - ")
    if not dash:
        return "", " ".join(section.split())
    return kind.removesuffix("Scheme").strip(), " ".join(category.replace("\u2019", "'").split())
