"""What success means: units, price, folio, a transaction, and lots first in, first out.

Stamp duty of 0.005 % (to the paisa, half up) comes off a purchase first; units are rounded half up to three decimals;
`reverse_amount` is the amount net of stamp duty. On redemption of equity funds 0.001 % securities transaction tax
comes off.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import sqlite3
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ..schemes import FundScheme, fund_schemes
from ..web import dumps
from ..world import World

STAMP_DUTY = Decimal("0.00005")
SECURITIES_TAX = Decimal("0.00001")
PAISA, MILLI = Decimal("0.01"), Decimal("0.001")
ADDS = ("purchase", "switch_in", "transfer_in", "dividend_reinvestment", "bonus")
TAKES = ("redemption", "switch_out", "transfer_out")


def paisa(value: Decimal) -> Decimal:
    return value.quantize(PAISA, ROUND_HALF_UP)


def milli(value: Decimal) -> Decimal:
    return value.quantize(MILLI, ROUND_HALF_UP)


@dataclass
class Lot:
    transaction_id: int
    day: dt.date
    price: Decimal
    units: Decimal
    paid: Decimal

    def part(self, units: Decimal) -> Decimal:
        """What was paid for so many of the lot's units."""
        return self.paid * units / self.units if self.units else Decimal(0)


def take(lots: list[Lot], units: Decimal, day: dt.date, price: Decimal) -> list[dict[str, Any]]:
    """Takes units from the oldest lots and says where they came from."""
    sources = []
    while units > 0 and lots:
        lot = lots[0]
        part = min(lot.units, units)
        sources.append({
            "days_held": (day - lot.day).days, "units": part, "purchased_on": lot.day.isoformat(),
            "purchased_at": lot.price,
            "gain": paisa((price - lot.price) * part),
        })  # fmt: skip
        lot.paid -= lot.part(part)
        lot.units -= part
        units -= part
        if not lot.units:
            lots.pop(0)
    return sources


def lots_of(rows: list[sqlite3.Row]) -> list[Lot]:
    """Open lots after all transactions of one folio and scheme, given in order of time."""
    lots: list[Lot] = []
    undone = {row["related_transaction_id"] for row in rows if row["related_transaction_id"]}
    for row in rows:
        if row["id"] in undone or row["related_transaction_id"]:
            continue
        units, day = Decimal(row["units"]), dt.date.fromisoformat(row["traded_on"])
        if row["type"] in ADDS:
            lots.append(Lot(row["id"], day, Decimal(row["traded_at"]), units, Decimal(row["paid"])))
        elif row["type"] in TAKES:
            take(lots, units, day, Decimal(row["traded_at"]))
    return lots


def folio_transactions(world: World, folio: str, isin: str, until: dt.date | None = None) -> list[sqlite3.Row]:
    sql = "SELECT * FROM fp_transactions WHERE folio_number = ? AND isin = ? AND traded_on <= ? ORDER BY traded_on, id"
    return world.all(sql, folio, isin, (until or dt.date.max).isoformat())


def open_lots(world: World, folio: str, isin: str, until: dt.date | None = None) -> list[Lot]:
    return lots_of(folio_transactions(world, folio, isin, until))


def paid_out(world: World, folio: str, isin: str, until: dt.date) -> Decimal:
    """Dividends that went to the bank and were not taken back."""
    rows = folio_transactions(world, folio, isin, until)
    undone = {row["related_transaction_id"] for row in rows}
    paid = (row for row in rows if row["type"] == "dividend_payout" and row["id"] not in undone)
    return sum((Decimal(row["amount"]) for row in paid if not row["related_transaction_id"]), Decimal(0))


def free_of_lock(scheme: FundScheme, lots: list[Lot], today: dt.date) -> Decimal:
    """Units that may be redeemed: all, or those past the scheme's lock-in."""
    years = scheme.lock_in_period or 0
    return sum((lot.units for lot in lots if _years_later(lot.day, years) <= today), Decimal(0))


def _years_later(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


# -- orders ---------------------------------------------------------------------------------------------------------


def allot(world: World, order: sqlite3.Row, day: dt.date, price: Decimal) -> str | None:
    """Gives or takes the units of an order that succeeds; returns a failure code when it cannot."""
    if price <= 0:
        return "scheme_invalid"
    if order["kind"] != "purchase":
        return _sell(world, order, day, price)
    _buy(world, order, day, price)
    return None


def _buy(world: World, order: sqlite3.Row, day: dt.date, price: Decimal) -> None:
    paid = Decimal(order["amount"])
    net = paid - paisa(paid * STAMP_DUTY)
    units = milli(net / price)
    folio = order["folio_number"] or folio_for(world, order)
    fill(world, order, folio, day, price, net, units)
    record(world, order, folio, "purchase", day, price, net, units, paid=paid)


def _sell(world: World, order: sqlite3.Row, day: dt.date, price: Decimal) -> str | None:
    lots = open_lots(world, order["folio_number"], order["isin"])
    held = free_of_lock(fund_schemes()[order["isin"]], lots, day)
    units = held
    if order["units"]:
        units = Decimal(order["units"])
    elif order["amount"]:
        units = milli(Decimal(order["amount"]) / price)
        units = held if held < units <= held + MILLI else units
    if units > held or units <= 0:
        return "folio_balance_insufficient"
    gross = units * price
    tax = paisa(gross * SECURITIES_TAX) if fund_schemes()[order["isin"]].fund_category == "EQUITY" else Decimal(0)
    sources = take(lots, units, day, price)
    fill(world, order, order["folio_number"], day, price, paisa(gross) - tax, units)
    record(world, order, order["folio_number"], "redemption", day, price, paisa(gross) - tax, units, sources=sources)
    return None


def fill(
    world: World, order: sqlite3.Row, folio: str, day: dt.date, price: Decimal, amount: Decimal, units: Decimal
) -> None:
    values = {"reverse_amount": amount, "reverse_units": units, "price": price}
    texts = {name: str(value) for name, value in values.items()}
    world.update("fp_orders", order["id"], folio_number=folio, trade_date=day.isoformat(), **texts)


def record(
    world: World, order: sqlite3.Row, folio: str, kind: str, day: dt.date, price: Decimal, amount: Decimal,
    units: Decimal,
    *, paid: Decimal = Decimal(0), sources: list[dict[str, Any]] | None = None,
) -> None:  # fmt: skip
    """One transaction, as the registrar's feed will report it."""
    scheme = fund_schemes()[order["isin"]]
    world.insert(
        "fp_transactions", tenant=order["tenant"], folio_number=folio, isin=order["isin"], type=kind,
        amount=str(amount),
        paid=str(paid), units=str(units), traded_on=day.isoformat(), traded_at=str(price), order_id=order["id"],
        rta_order_reference=str(random.randrange(10**11, 10**12)), rta_product_code=scheme.scheme_code,  # noqa: S311
        rta_investment_option=scheme.option, rta_scheme_name=scheme.name, sources=dumps(sources or []).decode(),
        origin="order",
    )  # fmt: skip


def folio_for(world: World, order: sqlite3.Row) -> str:
    """The account's folio with the fund house: the first one it has there, or a new one."""
    sql = "SELECT number FROM fp_folios WHERE account_id = ? AND amc_id = ? ORDER BY created_at, number LIMIT 1"
    known = world.scalar(sql, order["account_id"], order["amc_id"])
    return known or new_folio(world, order["tenant"], order["account_id"], order["amc_id"])


def new_folio(world: World, tenant: str, account_id: int, amc_id: int) -> str:
    while True:
        number = str(random.randrange(10**8, 10**10))  # noqa: S311
        number = f"{number[:-2]}/{number[-2:]}" if amc_id % 5 == 0 else number
        if not world.scalar("SELECT 1 FROM fp_folios WHERE number = ?", number):
            break
    world.insert(
        "fp_folios", number=number, tenant=tenant, account_id=account_id, amc_id=amc_id, created_at=world.moment()
    )
    return number


def of_order(world: World, order_id: int) -> sqlite3.Row | None:
    """The transaction that an order became."""
    sql = "SELECT * FROM fp_transactions WHERE order_id = ? AND related_transaction_id IS NULL ORDER BY id LIMIT 1"
    return world.one(sql, order_id)


def reverse(world: World, order: sqlite3.Row) -> None:
    """Undoes a successful order: a transaction that points at the one it takes back."""
    first = of_order(world, order["id"])
    if first is not None:
        take_back(world, first)


def take_back(world: World, first: sqlite3.Row) -> None:
    """The transaction that undoes another."""
    values = {key: first[key] for key in first.keys() if key not in ("id", "sources", "rta_order_reference")}  # noqa: SIM118
    values |= {"units": str(-Decimal(first["units"])), "amount": str(-Decimal(first["amount"]))}
    reference = str(random.randrange(10**11, 10**12))  # noqa: S311
    world.insert(
        "fp_transactions", **values | {"related_transaction_id": first["id"], "rta_order_reference": reference}
    )


def sources(row: sqlite3.Row) -> list[Any]:
    return list(json.loads(row["sources"]))
