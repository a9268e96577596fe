"""Statements of commission as people upload them: bytes in, typed lines out, no database.

A file is CSV with a line of column names, in any order and under any of the names of `COLUMNS`. Everything that is not
that is refused whole, with words for whoever chose the file. A line that cannot be read says why, and is kept; its
amount is then none. Each line is read by itself: an open quotation mark spoils its own line and swallows no other.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from portal.errors import Failure

MOST_BYTES = 10 * 1024 * 1024
# A request enters so many in a few seconds; a larger file is entered in parts.
MOST_LINES = 25_000
MOST_COLUMNS = 100
LONGEST = 4_000
# What is kept of a line's text.
KEPT = 1_000
# In rupees; more than a line can be.
MOST_RUPEES = Decimal(1_000_000_000)
TRAIL, UPFRONT, CLAWBACK, OTHER = "TRAIL", "UPFRONT", "CLAWBACK", "OTHER"
# Nothing is paid in advance from this month on (SEBI/HO/IMD/DF2/CIR/P/2018/137, 22 October 2018).
NO_UPFRONT_FROM = date(2018, 11, 1)

# What a column is -> the names under which it may stand, without capitals, blanks and signs.
COLUMNS: dict[str, tuple[str, ...]] = {
    "house": ("fundhouse", "fundhousename", "amc", "amccode", "amcname", "fund", "fundcode", "mutualfund"),
    "folio": ("folio", "foliono", "folionumber", "acno", "accountno"),
    "isin": ("isin", "isinno", "isinnumber", "schemeisin"),
    "amfi": ("amficode", "amfischemecode", "amfi"),
    "scheme": ("scheme", "schemecode", "productcode", "prodcode"),
    "month": ("month", "formonth", "commissionmonth", "brokeragemonth", "period"),
    "kind": ("kind", "type", "commissiontype", "brokeragetype", "brokeragehead", "broktype"),
    "amount": ("amount", "commission", "commissionamount", "brokerage", "brokerageamount", "grossbrokerage"),
    "gst": ("gst", "gstamount"),
    "tds": ("tds", "tdsamount"),
    "reference": ("reference", "referenceno", "referencenumber", "refno", "transactionno", "trxnno"),
}
SCHEMES = ("isin", "amfi", "scheme")
NEEDED = ("folio", "month", "amount")
# Our own template.
TEMPLATE = ("Fund house", "Folio", "ISIN", "Month", "Kind", "Amount", "GST", "TDS", "Reference")
SAID = {
    "house": "Fund house", "folio": "Folio", "isin": "ISIN", "amfi": "AMFI code", "scheme": "Scheme", "month": "Month",
    "kind": "Kind", "amount": "Amount", "gst": "GST", "tds": "TDS", "reference": "Reference",
}  # fmt: skip
_WHAT = {name: field for field, names in COLUMNS.items() for name in names}

KINDS = {
    "trail": TRAIL, "trailcommission": TRAIL, "trailfee": TRAIL, "trailbrokerage": TRAIL,
    "incentive": "INCENTIVE", "additionalincentive": "INCENTIVE", "b30": "INCENTIVE", "b30incentive": "INCENTIVE",
    "upfront": UPFRONT, "upfrontcommission": UPFRONT, "upfrontbrokerage": UPFRONT,
    "charge": "CHARGE", "transactioncharge": "CHARGE", "transactioncharges": "CHARGE",
    "clawback": CLAWBACK, "recovery": CLAWBACK,
    "other": OTHER, "others": OTHER,
}  # fmt: skip
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTHS = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})(?:[-/.](?P<d>\d{1,2}))?(?:[T ]00:00(?::00)?)?",
        r"(?:(?P<d>\d{1,2})[-/.])?(?P<m>\d{1,2})[-/.](?P<y>\d{4})",
        r"(?P<y>\d{4})(?P<m>\d{2})",
        r"(?:(?P<d>\d{1,2})[-/. ])?(?P<name>[a-z]{3,9})[-/., ']+(?P<y>\d{4}|\d{2})",
    )
)
_NUMBER = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})*,\d{3})?(?:\.\d*)?", re.ASCII)
_MADE_SHORT = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.IGNORECASE | re.ASCII)
_UNSEEN = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029]")
# How other files begin that people take for CSV.
_OTHERS = (
    (b"PK", "It is a workbook or a packed file (XLSX, ZIP). Save the sheet as CSV UTF-8 and choose that file."),
    (b"\xd0\xcf\x11\xe0", "It is a workbook (XLS). Save the sheet as CSV UTF-8 and choose that file."),
    (b"%PDF", "It is a PDF. Ask the registrar for the file as CSV."),
    (b"\x1f\x8b", "It is packed. Unpack it and choose the CSV inside."),
    (b"\xff\xfe", "It is text in UTF-16. Save it as CSV UTF-8 and choose that file."),
    (b"\xfe\xff", "It is text in UTF-16. Save it as CSV UTF-8 and choose that file."),
)


class NotAStatement(Failure):
    """The file is none that can be read; nothing of it was used."""

    code = "not_a_statement"


class Line(NamedTuple):
    """One line as it was read. `why_not` says why it cannot be used, and its amount is then none."""

    number: int
    text: str
    house: str = ""
    folio: str = ""
    scheme: str = ""
    month: date | None = None
    kind: str = TRAIL
    amount: Decimal | None = None
    gst: Decimal = Decimal(0)
    tds: Decimal = Decimal(0)
    reference: str = ""
    why_not: str = ""
    # The statement in which it is kept; 0 while it is none yet.
    statement_id: int = 0


class _Unreadable(Exception):
    """Why a cell cannot be used."""


@dataclass(frozen=True)
class Statement:
    """A file whose columns are known: what each of them is (empty: not used), and its lines with their numbers."""

    delimiter: str
    head: tuple[str, ...]
    fields: tuple[str, ...]
    texts: tuple[tuple[int, str], ...]

    @property
    def unused(self) -> list[str]:
        """Columns of the file that say nothing to us."""
        return [name for name, field in zip(self.head, self.fields, strict=True) if name and not field]

    def lines(self) -> Iterator[Line]:
        """Each line, in order."""
        return (self._line(number, text) for number, text in self.texts)

    def _line(self, number: int, text: str) -> Line:
        found = Line(number, _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)[:KEPT])
        try:
            cells = self._cells(text)
        except _Unreadable as why:
            return found._replace(why_not=str(why))
        return _read(found, cells)

    def _cells(self, text: str) -> dict[str, str]:
        if len(text) > LONGEST:
            raise _Unreadable(f"It is longer than {LONGEST:,} characters.")
        if _UNSEEN.search(text):
            raise _Unreadable("It holds characters that no table has.")
        cells = _split(text, self.delimiter)
        if cells is None:
            raise _Unreadable("A quotation mark in it is not closed, or stands inside a cell.")
        if any(cells[len(self.head) :]) or len(cells) < len(self.head):
            raise _Unreadable(f"It has {len(cells)} cells, and the file {len(self.head)} columns.")
        return {field: cell for field, cell in zip(self.fields, cells, strict=False) if field}


def read(raw: bytes) -> Statement:
    """The file with its columns. Raises NotAStatement for anything but a table of commission."""
    texts = _lines(_decoded(raw))
    _, first = next(texts, (0, ""))
    if not first:
        raise NotAStatement("The file is empty.")
    delimiter, head, fields = _columns(first)
    rest = tuple((n, text) for n, text in texts if text.strip(delimiter + " \t"))
    if not rest:
        raise NotAStatement("Below its column names the file has no line.")
    if len(rest) > MOST_LINES:
        raise NotAStatement(f"It has more than {MOST_LINES:,} lines. Divide it, and enter the parts one by one.")
    return Statement(delimiter, head, fields, rest)


def _decoded(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise NotAStatement(f"It is larger than {MOST_BYTES // 1024**2} MB. Divide it, and enter the parts one by one.")
    for start, words in _OTHERS:
        if raw.startswith(start):
            raise NotAStatement(words)
    if b"\0" in raw:
        raise NotAStatement("It holds bytes that no text has. Save the sheet as CSV UTF-8 and choose that file.")
    # Programs of the eighties end a file so, and some still do.
    raw = raw.rstrip(b"\x1a")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotAStatement("It is text neither in UTF-8 nor in Windows-1252. Save it as CSV UTF-8 and choose that file.")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not blank."""
    if text.count("\n") + text.count("\r") > 3 * MOST_LINES:
        raise NotAStatement(f"It has more than {MOST_LINES:,} lines. Divide it, and enter the parts one by one.")
    each = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return ((number, line) for number, line in enumerate(each, 1) if line.strip())


def _split(text: str, delimiter: str) -> list[str] | None:
    """The cells of one line; None where quotation marks do not fit."""
    try:
        return [
            cell.strip().replace("\xa0", " ") for cell in next(csv.reader([text], delimiter=delimiter, strict=True))
        ]
    except (csv.Error, StopIteration):
        return None


def _columns(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Delimiter, names and meanings of the columns: by the delimiter that makes the most of the first line."""
    if len(text) > LONGEST:
        raise NotAStatement("Its first line is too long to be one of column names.")
    found = [(delimiter, tuple(_split(text, delimiter) or ())) for delimiter in ",;\t"]
    delimiter, head = max(found, key=lambda each: sum(_plain(name) in _WHAT for name in each[1]))
    fields = tuple(_WHAT.get(_plain(name), "") for name in head)
    lacks = [SAID[field] for field in NEEDED if field not in fields]
    lacks += [] if set(SCHEMES) & set(fields) else ["ISIN, AMFI code or Scheme"]
    if lacks:
        raise NotAStatement(f"Its first line names no column for: {', '.join(lacks)}. The template has the names.")
    if len(head) > MOST_COLUMNS:
        raise NotAStatement(f"It has more than {MOST_COLUMNS} columns.")
    for field, words in SAID.items():
        if fields.count(field) > 1:
            both = " and ".join(f"“{name[:40]}”" for name, of in zip(head, fields, strict=True) if of == field)
            raise NotAStatement(f"Two columns could be the {words}: {both}. Leave one of them out.")
    return delimiter, head, fields


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


# --- The cells of a line ----------------------------------------------------------------------------------------------


def _read(line: Line, cells: dict[str, str]) -> Line:
    """What the cells say; of what cannot be used everything that can be read is kept."""
    scheme = next((cells[name] for name in SCHEMES if cells.get(name)), "")
    line = line._replace(
        house=cells.get("house", "")[:120],
        folio="".join(cells["folio"].split())[:40],
        scheme=scheme[:60],
        reference=cells.get("reference", "")[:60],
    )
    readers: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("month", lambda: month(cells["month"])),
        ("kind", lambda: _kind(cells)),
        ("gst", lambda: rupees(cells.get("gst", "") or "0", "GST")),
        ("tds", lambda: rupees(cells.get("tds", "") or "0", "TDS")),
        ("amount", lambda: rupees(cells["amount"], "amount")),
        ("why_not", lambda: _must(cells, scheme)),
    )
    wrong: list[str] = []
    for name, reader in readers:
        try:
            line = line._replace(**{name: reader()})
        except _Unreadable as why:
            wrong.append(str(why))
            line = line._replace(kind=OTHER) if name == "kind" else line
    why_not = " ".join(wrong) or _contradiction(line)
    return line._replace(why_not=why_not[:200], amount=None) if why_not else line


def _must(cells: dict[str, str], scheme: str) -> str:
    """Raises for what a line cannot be without, and for what is too long to be it. An empty text: nothing is wrong."""
    for value, words, most in (
        (cells["folio"], "folio", 40),
        (scheme, "scheme", 60),
        (cells.get("reference", ""), "reference", 60),
        (cells.get("house", ""), "fund house", 120),
    ):
        if len(value) > most:
            raise _Unreadable(f"Its {words} is longer than {most} characters.")
        if not value and words in ("folio", "scheme"):
            raise _Unreadable(f"It names no {words}.")
    if _MADE_SHORT.fullmatch(cells["folio"]):
        raise _Unreadable("A spreadsheet has shortened the folio number, and its digits are lost.")
    return ""


def _contradiction(line: Line) -> str:
    if line.kind == CLAWBACK and line.amount and line.amount > 0:
        return "A clawback takes back: its amount is below zero."
    if line.kind == UPFRONT and line.month and line.month >= NO_UPFRONT_FROM:
        return "Nothing is paid upfront for months after October 2018."
    return ""


def _kind(cells: dict[str, str]) -> str:
    """Without a column of kinds everything is trail; where there is one, each line says what it is."""
    if "kind" not in cells:
        return TRAIL
    found = KINDS.get(_plain(cells["kind"]))
    if found is None:
        said = cells["kind"][:40]
        raise _Unreadable(f"“{said}” is no kind of commission." if said else "It says no kind of commission.")
    return found


def month(text: str) -> date:
    """The first day of the month that a cell means; days are read as in India, day first."""
    found = next((match for pattern in _MONTHS if (match := pattern.fullmatch(text.strip()))), None)
    if found is None:
        raise _Unreadable(f"“{text[:20]}” is no month." if text else "It names no month.")
    said = found.groupdict()
    year = int(said["y"]) + (2000 if len(said["y"]) == 2 else 0)
    number = _named(said["name"].lower()) if said.get("name") else int(said["m"])
    try:
        day = date(year, number, int(said.get("d") or 1))
    except ValueError:
        raise _Unreadable(f"“{text[:20]}” is no month.") from None
    if year < 1993:
        raise _Unreadable(f"“{text[:20]}” is too long ago.")
    return day.replace(day=1)


def _named(name: str) -> int:
    """The number of a month by its name or the beginning of it; 0 for none."""
    return next((number for number, whole in enumerate(MONTHS, 1) if whole.startswith(name)), 0)


def rupees(text: str, words: str) -> Decimal:
    """An amount in rupees: with ₹, Indian or other grouping, a minus in front or brackets around it."""
    wrong = _Unreadable(f"Its {words} “{text[:20]}” is no amount in rupees." if text else f"It has no {words}.")
    plain = re.sub(r"\s+", "", text)
    is_below = plain.startswith("(") and plain.endswith(")")
    plain = plain[1:-1] if is_below else plain
    sign, plain = _sign(re.sub(r"^(₹|Rs\.?|INR)", "", plain, flags=re.IGNORECASE))
    plain = re.sub(r"^(₹|Rs\.?|INR)", "", plain, flags=re.IGNORECASE)
    if (is_below and sign) or not _NUMBER.fullmatch(plain) or not any(map(str.isdigit, plain)) or len(plain) > 30:
        raise wrong
    value = Decimal(plain.replace(",", ""))
    if value != value.quantize(Decimal("0.01")):
        raise _Unreadable(f"Its {words} “{text[:20]}” has more than two decimals.")
    if value >= MOST_RUPEES:
        raise _Unreadable(f"Its {words} “{text[:20]}” is more than a line can be.")
    return (-value if is_below or sign == "-" else value).quantize(Decimal("0.01")) + Decimal(0)


def _sign(text: str) -> tuple[str, str]:
    if text[:1] in ("-", "\N{MINUS SIGN}", "+"):
        return ("+" if text[0] == "+" else "-"), text[1:]
    return "", text


def template() -> Sequence[Sequence[str]]:
    """Our template: the names of its columns, and a line as an example."""
    return (
        TEMPLATE,
        ("Example Mutual Fund", "12345678/01", "INF000000000", "2026-10", "trail", "1,234.50", "0", "0", "EX-1"),
    )
