"""Transactions of folios, newest first, with the rules for `from` and `to`."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import Any

from ..clock import ist
from ..web import Request, Response, json_response
from ..world import World
from .allotment import sources
from .common import number, query_date, refuse

TYPES = (
    "purchase", "redemption", "switch_in", "switch_out", "transfer_in", "transfer_out", "dividend_payout",
    "dividend_reinvestment", "bonus",
)  # fmt: skip
RTA = ("rta_order_reference", "rta_product_code", "rta_investment_option", "rta_scheme_name")


def a_year_after(day: dt.date) -> dt.date:
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def a_year_before(day: dt.date) -> dt.date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def period(start: dt.date | None, end: dt.date | None, today: dt.date) -> tuple[dt.date, dt.date]:
    """The document's table; raises Problem 400 for more than a year."""
    if start and end:
        if end < start or end > a_year_after(start):
            raise refuse("to", "the range of from and to should not be greater than a year")
        return start, end
    if start:
        return start, min(a_year_after(start), max(today, start))
    if end:
        return a_year_before(end), end
    return dt.date(today.year - (today.month < 4), 4, 1), today


def document(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "object": "transaction", "id": str(row["id"]), "folio_number": row["folio_number"], "isin": row["isin"],
        "type": row["type"],
        "amount": number(row["amount"]), "units": number(row["units"]), "traded_on": row["traded_on"],
        "traded_at": number(row["traded_at"]), "order": str(row["order_id"]) if row["order_id"] else None,
        "corporate_action": row["corporate_action"],
        "related_transaction_id": str(row["related_transaction_id"]) if row["related_transaction_id"] else None,
        **{name: row[name] for name in RTA}, "sources": sources(row),
    }  # fmt: skip


def list_all(world: World, request: Request) -> Response:
    folios = [folio.strip() for folio in request.query.get("folios", "").split(",") if folio.strip()]
    if not folios:
        raise refuse("folios", "is mandatory")
    types = [word.strip().lower() for word in request.query.get("types", "").split(",") if word.strip()]
    if wrong := [word for word in types if word not in TYPES]:
        raise refuse("types", f"{', '.join(wrong)} is not one of {', '.join(TYPES)}")
    first, last = period(query_date(request, "from"), query_date(request, "to"), ist(world.now()).date())
    where = f"tenant = ? AND folio_number IN ({','.join('?' * len(folios))}) AND traded_on BETWEEN ? AND ?"
    args: list[Any] = [request.tenant, *folios, first.isoformat(), last.isoformat()]
    if types:
        where += f" AND type IN ({','.join('?' * len(types))})"
        args += types
    rows = world.all(f"SELECT * FROM fp_transactions WHERE {where} ORDER BY traded_on DESC, id DESC", *args)  # noqa: S608
    return json_response({"object": "list", "data": [document(row) for row in rows]})


ROUTES = [("GET", "/transactions", list_all)]
