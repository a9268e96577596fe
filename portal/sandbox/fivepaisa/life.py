"""The life of an order.

    Placed -> Pending -> Modified ...  -> Fully Executed | Cancelled          (Placed: an AMO waits for the opening)
    Rejected By 5P                      refused by the broker's own checks (money, shares, market closed)
    Rejected by Exch                    refused by the exchange (tick size, circuit limits)
    Xmitted                             sent, nothing heard: only a hand in the control room does this

An order is looked at when it reaches the exchange, when the market reaches its trigger or its limit (the moment is
reckoned beforehand and put on the world's list), and every half minute while the book is too thin to fill it.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .. import market
from ..clock import DAY_S, at_ist, ist
from ..web import Problem
from ..world import World
from . import money

OPEN_STATES = ("Placed", "Pending", "Modified", "Xmitted")
DAY, GTD, GTC, IOC, EOS, VTD, FOK = range(7)
SQUARE_OFF, SETTLE_AT = (15, 20), (6, 0)
RMS_USER = "RMS"
MOMENT_S = 0.01  # past the moment just looked at, so that no look plans itself again
HORIZON_S, LONGEST_S = 7 * DAY_S, 365 * DAY_S


@dataclass(frozen=True)
class Wish:
    """What a new order asks for. Paise and shares; price 0 is an order at the market, trigger 0 is none."""

    exch: str
    security: market.Security
    side: str
    qty: int
    product: str
    dis_qty: int = 0
    price_paise: int = 0
    trigger_paise: int = 0
    validity: int = 0
    till: float | None = None
    after_hours: bool = False
    remote_id: str = ""

    @property
    def code(self) -> int:
        return self.security.code_on(self.exch) or 0


def order(world: World, key: int) -> sqlite3.Row:
    row = world.one("SELECT * FROM fivepaisa_orders WHERE id = ?", key)
    if row is None:
        raise Problem(404, "Order does not exist")
    return row


def change(world: World, key: int, **values: Any) -> sqlite3.Row:
    """Writes what changed, with the time; an order that is through no longer blocks money."""
    if "status" in values:
        values["live"] = int(values["status"] in OPEN_STATES)
    world.update("fivepaisa_orders", key, **values, updated_at=world.moment())
    return order(world, key)


def business_date(world: World, moment: float) -> dt.date:
    """The day on which what happens at `moment` is booked: of the last session, or today when trading never stops."""
    return ist(moment).date() if market.trades_round_the_clock(world) else market.trading_day(moment)


# -- to the exchange -----------------------------------------------------------------------------------------------


def exchange_id(row: sqlite3.Row) -> str:
    """Sixteen digits, as NSE's are: 11 for NSE or 12 for BSE, then the number of the order."""
    return f"{'11' if row['exch'] == 'N' else '12'}{row['id']:014}"


def exchange_refusal(world: World, row: Any) -> str:
    """Why the exchange would not have an order (a row, or what one is to become) at this price, or nothing."""
    quote = market.quote(world, row["code"], world.moment(), row["exch"])
    for paise in filter(None, (row["price_paise"], row["trigger_paise"])):
        price = Decimal(paise) / 100
        if price % market.TICK:
            return "Order price is not a multiple of the tick size"
        if not quote.lower_circuit <= price <= quote.upper_circuit:
            return f"Order price is outside the circuit limits {quote.lower_circuit} to {quote.upper_circuit}"
    return ""


def send(world: World, key: int) -> None:
    """The order leaves the broker: refused by the exchange, or numbered, planned to its end, and looked at."""
    row = order(world, key)
    if reason := exchange_refusal(world, row):
        change(world, key, status="Rejected by Exch", reason=reason)
        return
    waits = not market.is_open(world, world.moment())
    change(world, key, exch_id=exchange_id(row), exchange_at=world.moment(), status="Placed" if waits else "Pending")
    world.schedule(row["valid_until"], "fivepaisa.expire", key)
    look(world, key)


# -- looking at the market -----------------------------------------------------------------------------------------


def limit_of(row: sqlite3.Row) -> Decimal | None:
    return Decimal(row["price_paise"]) / 100 if row["price_paise"] else None


def look(world: World, key: int) -> None:
    """Does what the market allows right now, and plans the next look."""
    row, now = order(world, key), world.moment()
    if row["status"] not in ("Placed", "Pending", "Modified"):
        return
    if not market.is_open(world, now):
        _plan(world, row, market.next_open(now))
        return
    if row["status"] == "Placed":
        row = change(world, key, status="Pending")
    quote = market.quote(world, row["code"], now, row["exch"])
    if row["trigger_paise"] and not row["triggered"]:
        if not _trigger_reached(row, quote):
            _plan(world, row, _next_reach(world, row, now + MOMENT_S))
            return
        row = change(world, key, triggered=1)
    _match(world, row, quote)


def _trigger_reached(row: sqlite3.Row, quote: market.Quote) -> bool:
    trigger = Decimal(row["trigger_paise"]) / 100
    return quote.last >= trigger if row["side"] == "B" else quote.last <= trigger


def _fits(row: sqlite3.Row, price: Decimal) -> bool:
    limit = limit_of(row)
    return limit is None or (price <= limit if row["side"] == "B" else price >= limit)


def _match(world: World, row: sqlite3.Row, quote: market.Quote) -> None:
    """Takes what the other side of the book offers within the limit."""
    levels = [level for level in (quote.asks if row["side"] == "B" else quote.bids) if _fits(row, level.price)]
    enough = sum(level.quantity for level in levels) >= row["pending"]
    for level in levels if enough or row["validity"] != FOK else ():
        if row["pending"]:
            row = trade(world, row, min(row["pending"], level.quantity), int(level.price * 100))
    if not row["pending"]:
        return
    if row["validity"] in (IOC, FOK):
        change(world, row["id"], status="Cancelled", reason="Immediate or cancel: nothing more to be had")
        return
    now = world.moment()
    _plan(world, row, now + market.STEP_S if levels else _next_reach(world, row, now + MOMENT_S))


def _next_reach(world: World, row: sqlite3.Row, start: float) -> float | None:
    """When the market reaches the trigger, or the limit of an order without one; looks a week ahead."""
    security = market.find(row["code"], row["exch"])
    if security is None:
        return None
    buys = row["side"] == "B"
    if row["trigger_paise"] and not row["triggered"]:
        wanted, upwards = Decimal(row["trigger_paise"]) / 100, buys
    else:  # the best offer is one tick over the last price, the best bid is the last price
        limit = limit_of(row) or Decimal(0)
        wanted, upwards = (limit - market.TICK, False) if buys else (limit, True)
    horizon = min(start + HORIZON_S, row["valid_until"])
    return market.next_time(world, security, start, horizon, wanted, upwards=upwards) or horizon


def _plan(world: World, row: sqlite3.Row, at: float | None) -> None:
    if at is not None and at < row["valid_until"]:
        world.schedule(at, "fivepaisa.look", row["id"], version=row["version"])


# -- trades --------------------------------------------------------------------------------------------------------


def trade(world: World, row: sqlite3.Row, qty: int, paise: int) -> sqlite3.Row:
    """One trade: the order, the trade book and the position move together."""
    day = business_date(world, world.moment())
    pending = row["pending"] - qty
    world.insert(
        "fivepaisa_trades", order_id=row["id"], client=row["client"], day=day.isoformat(), qty=qty, price_paise=paise,
        pending=pending, at=world.moment(),
    )  # fmt: skip
    _book(world, row, day, qty, paise)
    status = row["status"] if pending else "Fully Executed"
    values = {"pending": pending, "traded": row["traded"] + qty, "traded_paise": row["traded_paise"] + qty * paise}
    return change(world, row["id"], status=status, **values)


def _book(world: World, row: sqlite3.Row, day: dt.date, qty: int, paise: int) -> None:
    side = "buy" if row["side"] == "B" else "sell"
    key = (row["client"], day.isoformat(), row["exch"], row["code"], row["product"], row["isin"])
    sql = (
        f"INSERT INTO fivepaisa_positions (client, day, exch, code, product, isin, {side}_qty, {side}_paise) "  # noqa: S608
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        f"{side}_qty = {side}_qty + excluded.{side}_qty, {side}_paise = {side}_paise + excluded.{side}_paise"
    )
    with world.transaction() as db:
        db.execute(sql, (*key, qty, qty * paise))
        first = db.execute("INSERT OR IGNORE INTO fivepaisa_days VALUES (?, ?)", key[:2]).rowcount
    if first:
        _plan_day(world, row["client"], day)


def _plan_day(world: World, client: str, day: dt.date) -> None:
    """Intraday positions are closed at 15:20; everything is settled on the next business day."""
    closing = (23, 55) if market.trades_round_the_clock(world) else SQUARE_OFF
    world.schedule(at_ist(day, *closing), "fivepaisa.square_off", client)
    settled_on = at_ist(market.settlement(day), *SETTLE_AT)
    world.schedule(settled_on, "fivepaisa.settle", client, day=day.isoformat())


# -- what the world's list asks for --------------------------------------------------------------------------------


def _due_look(world: World, ref: str, details: dict[str, Any]) -> None:
    row = world.one("SELECT version FROM fivepaisa_orders WHERE id = ?", int(ref))
    if row and row["version"] == details["version"]:
        look(world, int(ref))


def _due_expire(world: World, ref: str, details: dict[str, Any]) -> None:
    row = world.one("SELECT * FROM fivepaisa_orders WHERE id = ?", int(ref))
    if row and row["live"] and row["valid_until"] <= world.moment():
        change(world, row["id"], status="Cancelled", reason="Order validity is over")


def _due_settle(world: World, ref: str, details: dict[str, Any]) -> None:
    money.settle(world, ref, details["day"])


def _due_square_off(world: World, ref: str, details: dict[str, Any]) -> None:
    """The broker cancels what is pending intraday and closes what is open, at the market."""
    pending = "SELECT id FROM fivepaisa_orders WHERE client = ? AND live = 1 AND product = 'I'"
    for row in world.all(pending, ref):
        change(world, row["id"], status="Cancelled", reason="Intraday orders end at 15:20")
    for position in money.positions(world, ref):
        if position.product == money.INTRADAY and position.net:
            _close_position(world, position)


def _close_position(world: World, position: money.Position) -> None:
    security = market.find(position.code, position.exch)
    if security:
        side = "S" if position.net > 0 else "B"
        wish = Wish(position.exch, security, side, abs(position.net), money.INTRADAY)
        create(world, position.client, wish, placed_by=RMS_USER)


DUE = {
    "fivepaisa.look": _due_look, "fivepaisa.expire": _due_expire, "fivepaisa.settle": _due_settle,
    "fivepaisa.square_off": _due_square_off,
}  # fmt: skip


# -- making one ----------------------------------------------------------------------------------------------------


def valid_until(world: World, validity: int, till: float | None) -> float:
    """The close of the session an order is for; of its last day for one that is valid till a date."""
    close = market.next_close(world.moment())
    if validity in (GTD, GTC, VTD) and till:
        last = min(till, world.moment() + LONGEST_S)
        close = max(close, at_ist(market.trading_day(at_ist(ist(last).date(), 12)), *market.CLOSES))
    return close


def create(
    world: World, client: str, wish: Wish, *, amo: str = "N", placed_by: str = "", refusal: str = ""
) -> sqlite3.Row:
    """Writes the order down and, unless the broker refuses it, sends it to the exchange."""
    now, free = world.moment(), bool(refusal) or placed_by == RMS_USER
    with world.transaction():
        key = world.insert(
            "fivepaisa_orders", client=client, remote_id=wish.remote_id, day=business_date(world, now).isoformat(),
            exch=wish.exch, code=wish.code, isin=wish.security.isin, symbol=wish.security.symbol, side=wish.side,
            product=wish.product, qty=wish.qty, dis_qty=wish.dis_qty, price_paise=wish.price_paise,
            trigger_paise=wish.trigger_paise, validity=wish.validity, amo=amo, reason=refusal,
            valid_until=valid_until(world, wish.validity, wish.till), placed_by=placed_by or client,
            status="Rejected By 5P" if refusal else "Placed", live=int(not refusal), pending=wish.qty,
            block_paise=0 if free else block_rate(world, client, wish, wish.price_paise or wish.trigger_paise),
            created_at=now, updated_at=now,
        )  # fmt: skip
        if not refusal:
            send(world, key)
    return order(world, key)


def block_rate(world: World, client: str, wish: Wish, price_paise: int) -> int:
    """Paise blocked for each pending share: nothing for a delivery sale or for closing an intraday position.

    `price_paise` is the limit or trigger; 0 takes the best offer of the market.
    """
    if wish.product == money.DELIVERY and wish.side == "S":
        return 0
    net = money.open_intraday(world, client, wish.exch, wish.code)
    if wish.product == money.INTRADAY and net * (1 if wish.side == "S" else -1) > 0:
        return 0
    if not price_paise:
        price_paise = int(market.quote(world, wish.code, world.moment(), wish.exch).asks[0].price * 100)
    return money.margin_per_share(price_paise, wish.product)
