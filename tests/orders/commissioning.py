"""Statements of commission for tests: lines of a file about one folio, and the file entered."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from orders.models import CommissionLine, CommissionShare, CommissionStatement
from orders.operations import commission_statements as statements
from portal import clock

AT = datetime(2026, 11, 20, 12, tzinfo=clock.IST)
HEAD = "Fund house,Folio,ISIN,Month,Kind,Amount,GST,TDS,Reference"


def line(book: SimpleNamespace, **cells: Any) -> str:
    values = {
        "house": book.scheme.fund_house.name, "folio": book.folio.number, "isin": book.scheme.isin, "month": "2026-10",
        "kind": "trail", "amount": "100.00", "gst": "18", "tds": "2", "reference": "", **cells,
    }  # fmt: skip
    return ",".join(str(value) for value in values.values())


def raw(*lines: str) -> bytes:
    return "\n".join([HEAD, *lines]).encode()


def enter(book: SimpleNamespace, *lines: str, at: datetime = AT) -> CommissionStatement:
    return statements.enter(name="october.csv", raw=raw(*lines), actor=book.user, at=at)


def only(statement: CommissionStatement) -> CommissionLine:
    return CommissionLine.objects.get(statement=statement)


def share(book: SimpleNamespace, percent: str, *, begins: date = date(2026, 1, 1)) -> CommissionShare:
    """The part of the commission that goes on to the partner of the book."""
    return CommissionShare.objects.create(
        partner=book.partner, percent=percent, valid_from=begins, source="Agreement of 1 January 2026"
    )
