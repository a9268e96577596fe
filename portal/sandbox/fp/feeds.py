"""Registrars' reverse feeds: reading what is uploaded, and writing the feed of the world's own transactions.

CAMS WBR2 and KFintech MFSD201, as delimited text (comma, semicolon, tab or bar) or DBF. A bad row fails alone; a row
that is known already (same registrar's reference in the folio, or the world's own transaction) is taken once. A
rejection or reversal is a row of its own and takes back an earlier one: the one that it names, else the last of the
same units. One that finds none fails.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ..schemes import by_scheme_code, fund_schemes
from ..web import dumps
from ..world import World
from . import allotment, life

DATE_FORMATS = ("%d-%b-%Y", "%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%Y%m%d", "%m/%d/%Y", "%d-%b-%y")


class UnreadableFeed(Exception):
    """Not a feed at all: no known header, or no rows that could be read."""


@dataclass(frozen=True)
class Layout:
    """Column names of one registrar's feed; the first that is there counts."""

    name: str
    folio: tuple[str, ...]
    product: tuple[str, ...]
    kind: tuple[str, ...]
    reference: tuple[str, ...]
    ours: tuple[str, ...]
    traded_on: tuple[str, ...]
    price: tuple[str, ...]
    units: tuple[str, ...]
    amount: tuple[str, ...]
    scheme: tuple[str, ...]
    undone: tuple[str, ...]
    parent: tuple[str, ...]


LAYOUTS = (
    Layout(
        "CAMS", ("FOLIO_NO",), ("PRODCODE",),
        ("TRXN_TYPE_FLAG", "TRXN_TYPE_", "TRXN_NATURE", "TRXN_NATUR", "TRXNTYPE"), ("TRXNNO",),
        ("USRTRXNO",), ("TRADDATE",), ("PURPRICE",), ("UNITS",), ("AMOUNT",), ("SCHEME",),
        ("REVERSAL_CODE", "REVERSAL_C"), ("ORIGINAL_TRXNNO", "ORIGINAL_T"),
    ),
    Layout(
        "KFINTECH", ("TD_ACNO",), ("FMCODE", "PRCODE1"), ("TRDESC", "TD_TRTYPE", "TD_PURRED"), ("TD_TRNO",),
        ("TD_APPNO",), ("TD_TRDT",),
        ("TD_NAV", "TD_POP"), ("TD_UNITS",), ("TD_AMT",), ("FUNDDESC",), (), ("TD_PTRNO",),
    ),
)  # fmt: skip
# words in the type column -> our type; the first that is found counts
KINDS = (
    ("switch in", "switch_in"), ("switch over in", "switch_in"), ("lateral shift in", "switch_in"),
    ("switch out", "switch_out"),
    ("switch over out", "switch_out"), ("lateral shift out", "switch_out"), ("transfer in", "transfer_in"),
    ("transmission in", "transfer_in"),
    ("transfer out", "transfer_out"), ("transmission out", "transfer_out"), ("reinvest", "dividend_reinvestment"),
    ("div payout", "dividend_payout"), ("dividend pay", "dividend_payout"), ("bonus", "bonus"),
    ("redemption", "redemption"),
    ("redeem", "redemption"), ("purchase", "purchase"), ("sip", "purchase"), ("sin", "purchase"),
)  # fmt: skip
LETTERS = {
    "P": "purchase", "R": "redemption", "SI": "switch_in", "SO": "switch_out", "TI": "transfer_in",
    "TO": "transfer_out",
    "DR": "dividend_reinvestment", "DP": "dividend_payout", "B": "bonus", "IPO": "purchase",
}  # fmt: skip
# In the words of a type, what takes back an earlier row; and what columns say when they say nothing.
TAKEN_BACK = ("reject", "revers")
NOTHING = ("", "0", "N")


# -- reading --------------------------------------------------------------------------------------------------------


def _dbf_rows(raw: bytes) -> Iterator[dict[str, str]]:
    count, header, length = struct.unpack("<IHH", raw[4:12])
    fields, at = [], 32
    while raw[at] != 0x0D:
        fields.append((raw[at : at + 11].split(b"\0")[0].decode("ascii"), raw[at + 16]))
        at += 32
    for n in range(count):
        record = raw[header + n * length : header + (n + 1) * length]
        if len(record) < length or record[:1] == b"*":
            continue
        row, start = {}, 1
        for name, width in fields:
            row[name] = record[start : start + width].decode("latin-1").strip()
            start += width
        yield row


def _text_rows(raw: bytes) -> Iterator[dict[str, str]]:
    text = raw.decode("utf-8-sig", "replace")
    head = text.partition("\n")[0]
    delimiter = max(",;\t|", key=head.count)
    for row in csv.DictReader(io.StringIO(text), delimiter=delimiter):
        yield {str(k or "").strip(" '\"").upper(): str(v or "").strip(" '") for k, v in row.items() if k}


def rows_of(raw: bytes) -> tuple[Layout, list[dict[str, str]]]:
    """The feed's layout and rows; raises UnreadableFeed."""
    try:
        rows = list(_dbf_rows(raw) if raw[:1] in (b"\x03", b"\x83", b"\x30") else _text_rows(raw))
    except (struct.error, IndexError, csv.Error, UnicodeDecodeError) as error:
        raise UnreadableFeed from error
    for layout in LAYOUTS:
        if rows and layout.folio[0] in rows[0] and layout.reference[0] in rows[0]:
            return layout, rows
    raise UnreadableFeed


def _cell(row: dict[str, str], names: tuple[str, ...]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _kind(row: dict[str, str], layout: Layout) -> str:
    for name in layout.kind:
        text = row.get(name, "").strip()
        if text.upper() in LETTERS:
            return LETTERS[text.upper()]
        found = next((kind for word, kind in KINDS if word in text.lower()), None)
        if found:
            return found
    raise ValueError("unknown transaction type")


def _day(text: str) -> dt.date:
    for form in DATE_FORMATS:
        try:
            return dt.datetime.strptime(text.split(" ")[0], form).date()  # noqa: DTZ007  a date has no zone
        except ValueError:
            continue
    raise ValueError(f"{text!r} is not a date")


@dataclass(frozen=True)
class Line:
    """One row. `undoes`: None, or the reference of the row that it takes back, empty where it names none."""

    folio: str
    isin: str
    kind: str
    reference: str
    ours: str
    day: dt.date
    price: Decimal
    units: Decimal
    amount: Decimal
    product: str
    scheme: str
    undoes: str | None


def _undoes(row: dict[str, str], layout: Layout, kind: str, units: Decimal) -> str | None:
    """An addition of fewer than no units takes back as well: KFintech signs its units."""
    said = " ".join(row.get(name, "") for name in layout.kind).lower()
    spoken = any(word in said for word in TAKEN_BACK) or _cell(row, layout.undone) not in NOTHING
    if not (spoken or (kind in allotment.ADDS and units < 0)):
        return None
    parent = _cell(row, layout.parent)
    return "" if parent in NOTHING else parent


def read_line(row: dict[str, str], layout: Layout) -> Line:
    """One row as a typed line; raises ValueError or InvalidOperation."""
    product = _cell(row, layout.product)
    scheme = by_scheme_code().get(product)
    if scheme is None:
        raise ValueError(f"unknown product {product!r}")
    folio, reference = _cell(row, layout.folio), _cell(row, layout.reference)
    if not folio or not reference:
        raise ValueError("no folio or reference")
    price, units, amount = (
        Decimal(_cell(row, n).replace(",", "")) for n in (layout.price, layout.units, layout.amount)
    )
    kind = _kind(row, layout)
    return Line(
        folio, scheme.isin, kind, reference, _cell(row, layout.ours), _day(_cell(row, layout.traded_on)),
        price, abs(units), abs(amount), product, _cell(row, layout.scheme), _undoes(row, layout, kind, units),
    )  # fmt: skip


def process(world: World, tenant: str, raw: bytes) -> tuple[int, int]:
    """Takes the feed in, oldest row first; returns how many rows succeeded and failed. Raises UnreadableFeed."""
    layout, rows = rows_of(raw)
    lines = []
    for row in rows:
        try:
            lines.append(read_line(row, layout))
        except (ValueError, InvalidOperation):
            continue
    in_time = sorted(lines, key=lambda found: (found.day, found.undoes is not None))
    good = [(_take if line.undoes is None else _take_back)(world, tenant, line) for line in in_time].count(True)
    return good, len(rows) - good


def _by_reference(world: World, tenant: str, folio: str, reference: str) -> sqlite3.Row | None:
    sql = "SELECT * FROM fp_transactions WHERE tenant = ? AND folio_number = ? AND rta_order_reference = ?"
    return world.one(sql, tenant, folio, reference)


def _known(world: World, tenant: str, line: Line) -> sqlite3.Row | None:
    """The same transaction, by the registrar's reference or as the world's own."""
    row = _by_reference(world, tenant, line.folio, line.reference)
    sql = (
        "SELECT * FROM fp_transactions WHERE folio_number = ? AND isin = ? AND type = ? AND traded_on = ? "
        "AND units = ? AND origin = 'order' AND tenant = ?"
    )
    return row or world.one(sql, line.folio, line.isin, line.kind, line.day.isoformat(), str(line.units), tenant)


UNDONE = "SELECT * FROM fp_transactions WHERE related_transaction_id = ?"


def _first(world: World, tenant: str, line: Line) -> sqlite3.Row | None:
    """What a reversal takes back: the transaction that it names, else the last of its kind and units that stands."""
    if line.undoes:
        named = _by_reference(world, tenant, line.folio, line.undoes)
        return named if named and not named["related_transaction_id"] else None
    alike = (
        row
        for row in reversed(allotment.folio_transactions(world, line.folio, line.isin, line.day))
        if (row["tenant"], row["type"], Decimal(row["units"])) == (tenant, line.kind, line.units)
    )
    return next((row for row in alike if world.one(UNDONE, row["id"]) is None), None)


def _take_back(world: World, tenant: str, line: Line) -> bool:
    """The row undoes an earlier transaction, once; the order behind that is reversed. False: there is none."""
    known = _by_reference(world, tenant, line.folio, line.reference)
    first = None if known else _first(world, tenant, line)
    if first is None:
        return known is not None and known["related_transaction_id"] is not None
    undone = world.one(UNDONE, first["id"])
    if undone and undone["origin"] == "feed":
        return False
    if undone is None:
        _undo(world, first)
    facts = {"rta_order_reference": line.reference, "rta_product_code": line.product, "origin": "feed"}
    world.update("fp_transactions", world.the(UNDONE, first["id"])["id"], traded_on=line.day.isoformat(), **facts)
    return True


def _undo(world: World, first: sqlite3.Row) -> None:
    """An order whose own transaction is taken back is reversed; any other transaction goes alone."""
    order = life.order_row(world, first["order_id"]) if first["order_id"] else None
    own = order and allotment.of_order(world, order["id"])
    if order and own and own["id"] == first["id"] and "REVERSED" in life.moves(order):
        life.move(world, order["id"], "REVERSED")
    else:
        allotment.take_back(world, first)


def _take(world: World, tenant: str, line: Line) -> bool:
    known = _known(world, tenant, line)
    if known:
        world.update("fp_transactions", known["id"], rta_order_reference=line.reference, rta_product_code=line.product)
        return True
    sources = []
    if line.kind in allotment.TAKES:
        lots = allotment.open_lots(world, line.folio, line.isin, line.day)
        sources = allotment.take(lots, line.units, line.day, line.price)
    order = world.scalar("SELECT id FROM fp_orders WHERE tenant = ? AND source_ref_id = ?", tenant, line.ours)
    world.insert(
        "fp_transactions",
        tenant=tenant,
        folio_number=line.folio,
        isin=line.isin,
        type=line.kind,
        amount=str(line.amount),
        paid=str(line.amount if line.kind in allotment.ADDS else 0),
        units=str(line.units),
        traded_on=line.day.isoformat(),
        traded_at=str(line.price),
        order_id=order,
        rta_order_reference=line.reference,
        rta_product_code=line.product,
        rta_investment_option=fund_schemes()[line.isin].option,
        rta_scheme_name=line.scheme,
        sources=dumps(sources).decode(),
        origin="feed",
    )
    return True


# -- writing --------------------------------------------------------------------------------------------------------

WORDS = {"purchase": ("P", "Purchase"), "redemption": ("R", "Redemption")}


def _export_row(world: World, row: sqlite3.Row, rta: str) -> dict[str, str]:
    letter, word = WORDS[row["type"]]
    ref = world.scalar("SELECT source_ref_id FROM fp_orders WHERE id = ?", row["order_id"]) or ""
    day = dt.date.fromisoformat(row["traded_on"])
    if rta == "CAMS":
        return {
            "AMC_CODE": row["rta_product_code"][:1], "FOLIO_NO": row["folio_number"],
            "PRODCODE": row["rta_product_code"],
            "SCHEME": row["rta_scheme_name"], "TRXNTYPE": letter, "TRXNNO": row["rta_order_reference"], "TRXNSTAT": "N",
            "USRTRXNO": ref, "TRADDATE": f"{day:%d-%b-%Y}", "POSTDATE": f"{day:%d-%b-%Y}", "PURPRICE": row["traded_at"],
            "UNITS": row["units"], "AMOUNT": row["amount"], "TRXN_NATURE": word, "SEQ_NO": "1",
            "TRXN_TYPE_FLAG": letter,
        }  # fmt: skip
    return {
        "FMCODE": row["rta_product_code"], "TD_FUND": row["rta_product_code"][:3], "TD_ACNO": row["folio_number"],
        "FUNDDESC": row["rta_scheme_name"], "TD_PURRED": letter, "TD_TRNO": row["rta_order_reference"],
        "TD_TRDT": f"{day:%d/%m/%Y}",
        "TD_PRDT": f"{day:%d/%m/%Y}", "TD_POP": row["traded_at"], "TD_UNITS": row["units"], "TD_AMT": row["amount"],
        "TD_APPNO": ref,
        "TRDESC": word, "TD_TRTYPE": letter, "TD_NAV": row["traded_at"],
    }  # fmt: skip


def export(world: World, rta: str, first: str, last: str) -> bytes:
    """The registrar's feed of the world's own transactions between two dates, as CSV."""
    sql = (
        "SELECT * FROM fp_transactions WHERE origin = 'order' AND related_transaction_id IS NULL "
        "AND traded_on BETWEEN ? AND ? ORDER BY traded_on, id"
    )
    wanted = 1 if rta == "CAMS" else 2
    rows = [r for r in world.all(sql, first, last) if fund_schemes()[r["isin"]].rta_id == wanted]
    out = io.StringIO()
    found = [_export_row(world, row, rta) for row in rows]
    if found:
        writer = csv.DictWriter(out, list(found[0]))
        writer.writeheader()
        writer.writerows(found)
    return out.getvalue().encode()
