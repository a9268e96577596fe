"""Holdings: what was allotted less what was redeemed, folio by folio, at the last published NAV."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from typing import Any

from .. import nav
from ..clock import ist
from ..schemes import fund_schemes
from ..web import Request, Response, json_response
from ..world import World
from . import allotment
from .accounts import account_row
from .common import query_date, refuse


def awaiting_redemption(world: World, folio: str, isin: str, price: Decimal) -> Decimal:
    """Units already promised to redemptions that are not through yet."""
    sql = (
        "SELECT type, amount, units FROM fp_orders WHERE folio_number = ? AND isin = ? AND kind = 'redemption' "
        "AND status IN ('PENDING', 'PAYMENT_CONFIRMED', 'SUBMITTED')"
    )
    total = Decimal(0)
    for row in world.all(sql, folio, isin):
        if row["type"] == "REDEEM_ALL":
            return Decimal("Infinity")
        total += Decimal(row["units"]) if row["units"] else Decimal(row["amount"]) / price if price else Decimal(0)
    return total


def position(world: World, folio: str, isin: str, as_on: dt.date) -> dict[str, Any] | None:
    """One scheme of a folio as the document writes it; None when no units are left."""
    scheme, lots = fund_schemes()[isin], allotment.open_lots(world, folio, isin, as_on)
    units = sum((lot.units for lot in lots), Decimal(0))
    if units <= 0:
        return None
    nav_day, price = nav.latest(scheme, world.now())
    if as_on < nav_day:
        nav_day = nav.day_shown(scheme.listing, as_on)
        price = nav.on_day(scheme, nav_day)
    free = allotment.free_of_lock(scheme, lots, as_on) - awaiting_redemption(world, folio, isin, price)
    free = max(allotment.milli(free) if free.is_finite() else Decimal(0), Decimal(0))
    invested = allotment.paisa(sum((lot.paid for lot in lots), Decimal(0)))
    day, priced_on = as_on.isoformat(), nav_day.isoformat()
    value = {
        "as_on": priced_on,
        "amount": allotment.paisa(units * price),
        "redeemable_amount": allotment.paisa(free * price),
    }
    return {
        "isin": isin, "name": scheme.name, "type": scheme.option,
        "holdings": {"as_on": day, "units": units, "redeemable_units": free},
        "market_value": value,
        "invested_value": {"as_on": day, "amount": invested},
        "payout": {"as_on": day, "amount": allotment.paid_out(world, folio, isin, as_on)},
        "nav": {"as_on": priced_on, "value": price},
    }  # fmt: skip


def _folio(world: World, number: str, as_on: dt.date) -> dict[str, Any] | None:
    isins = [
        row["isin"] for row in world.all("SELECT DISTINCT isin FROM fp_transactions WHERE folio_number = ?", number)
    ]
    schemes = [found for isin in isins if isin in fund_schemes() and (found := position(world, number, isin, as_on))]
    return {"folio_number": number, "schemes": schemes} if schemes else None


def _report(world: World, request: Request, key: int | None, rows: list[sqlite3.Row]) -> Response:
    as_on = query_date(request, "as_on") or ist(world.now()).date()
    folios = [found for row in rows if (found := _folio(world, row["number"], as_on))]
    return json_response({"id": key, "folios": folios})


def _wanted(request: Request) -> list[str]:
    return [folio.strip() for folio in request.query.get("folios", "").split(",") if folio.strip()]


def _folios(world: World, request: Request, account_id: int | None) -> list[sqlite3.Row]:
    wanted = _wanted(request)
    where = "tenant = ?"
    args: list[Any] = [request.tenant]
    if account_id is not None:
        where, args = where + " AND account_id = ?", [*args, account_id]
    if wanted:
        where, args = where + f" AND number IN ({','.join('?' * len(wanted))})", [*args, *wanted]
    return world.all(f"SELECT * FROM fp_folios WHERE {where} ORDER BY created_at, number", *args)  # noqa: S608


def of_account(world: World, request: Request, account_id: str) -> Response:
    key = account_row(world, request.tenant, account_id)["id"]
    return _report(world, request, key, _folios(world, request, key))


def report(world: World, request: Request) -> Response:
    given = request.query.get("investment_account_id")
    if not given and not _wanted(request):
        raise refuse("investment_account_id", "either investment_account_id or folios is mandatory")
    key = account_row(world, request.tenant, given)["id"] if given else None
    rows = _folios(world, request, key)
    return _report(world, request, key or (rows[0]["account_id"] if rows else None), rows)


ROUTES = [
    ("GET", "/api/oms/investment_accounts/{account_id:int}/holdings", of_account),
    ("GET", "/api/oms/reports/holdings", report),
]
