"""The arithmetic of an account: positions, what is blocked, what may be spent, what may be sold.

A delivery purchase needs its whole value, an intraday trade a fifth of it; a delivery sale needs the shares. Sale
proceeds and intraday gains may be spent once they are settled, on the next business day (T+1); losses count at once:

    NetAvailableMargin = Ledgerbalance - blocked for positions - blocked for pending orders - today's loss
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from decimal import Decimal

from ..world import World

DELIVERY, INTRADAY = "D", "I"
INTRADAY_SHARE = 5


def margin_per_share(price_paise: int, product: str) -> int:
    """Paise to block for each share bought, or sold intraday; rounded up."""
    return price_paise if product == DELIVERY else -(-price_paise // INTRADAY_SHARE)


@dataclass(frozen=True)
class Position:
    """One scrip, exchange and product on one day, not yet settled. Paise and shares."""

    client: str
    day: str
    exch: str
    code: int
    product: str
    isin: str
    buy_qty: int
    buy_paise: int
    sell_qty: int
    sell_paise: int

    @property
    def net(self) -> int:
        return self.buy_qty - self.sell_qty

    @property
    def buy_average(self) -> Decimal:
        return Decimal(self.buy_paise) / self.buy_qty if self.buy_qty else Decimal(0)

    @property
    def sell_average(self) -> Decimal:
        return Decimal(self.sell_paise) / self.sell_qty if self.sell_qty else Decimal(0)

    @property
    def open_value(self) -> Decimal:
        """Paise of the open side at its average price."""
        return abs(self.net) * (self.buy_average if self.net > 0 else self.sell_average)

    @property
    def booked(self) -> Decimal:
        """Profit or loss, in paise, of the shares both bought and sold."""
        return min(self.buy_qty, self.sell_qty) * (self.sell_average - self.buy_average)

    @property
    def blocked(self) -> Decimal:
        if self.product == INTRADAY:
            return self.open_value / INTRADAY_SHARE
        return self.open_value if self.net > 0 else Decimal(0)

    @property
    def credit(self) -> Decimal:
        """Paise that come in at settlement: shares delivered, and gains."""
        sold = self.open_value if self.product == DELIVERY and self.net < 0 else Decimal(0)
        return sold + max(self.booked, Decimal(0))


def position_of(row: sqlite3.Row) -> Position:
    return Position(**{name: row[name] for name in Position.__dataclass_fields__})


def positions(world: World, client: str) -> list[Position]:
    sql = "SELECT * FROM fivepaisa_positions WHERE client = ? AND settled = 0 ORDER BY day, code, exch, product"
    return [position_of(row) for row in world.all(sql, client)]


@dataclass(frozen=True)
class Funds:
    """Paise."""

    ledger: Decimal
    positions: Decimal
    pending: Decimal
    loss: Decimal
    credits: Decimal

    @property
    def available(self) -> Decimal:
        return self.ledger - self.positions - self.pending - self.loss


def funds(world: World, client: str) -> Funds:
    rows = positions(world, client)
    cash = world.scalar("SELECT cash_paise FROM fivepaisa_clients WHERE code = ?", client)
    blocked = "SELECT sum(pending * block_paise) FROM fivepaisa_orders WHERE client = ? AND live = 1"
    booked = sum((row.booked for row in rows), Decimal(0))
    return Funds(
        Decimal(cash or 0), sum((row.blocked for row in rows), Decimal(0)), Decimal(world.scalar(blocked, client) or 0),
        max(-booked, Decimal(0)), sum((row.credit for row in rows), Decimal(0)),
    )  # fmt: skip


def net_today(world: World, client: str, isin: str) -> int:
    """Shares bought less sold for delivery and not yet settled, on both exchanges together."""
    return nets_today(world, client).get(isin, 0)


def nets_today(world: World, client: str) -> dict[str, int]:
    """`net_today` of every ISIN that was traded for delivery and is not yet settled."""
    sql = (
        "SELECT isin, sum(buy_qty - sell_qty) AS net FROM fivepaisa_positions "
        "WHERE client = ? AND settled = 0 AND product = 'D' GROUP BY isin"
    )
    return {row["isin"]: row["net"] for row in world.all(sql, client)}


def held(world: World, client: str, isin: str) -> tuple[int, int]:
    """Settled shares in the demat account, and how many of them are pledged."""
    row = world.one("SELECT qty, pledged FROM fivepaisa_holdings WHERE client = ? AND isin = ?", client, isin)
    return (row["qty"], row["pledged"]) if row else (0, 0)


def sellable(world: World, client: str, isin: str) -> int:
    """Shares that a new delivery sale may offer: held and bought, less pledged and already offered."""
    qty, pledged = held(world, client, isin)
    sql = (
        "SELECT sum(pending) FROM fivepaisa_orders "
        "WHERE client = ? AND live = 1 AND isin = ? AND side = 'S' AND product = 'D'"
    )
    return qty - pledged + net_today(world, client, isin) - (world.scalar(sql, client, isin) or 0)


def open_intraday(world: World, client: str, exch: str, code: int) -> int:
    sql = (
        "SELECT sum(buy_qty - sell_qty) FROM fivepaisa_positions "
        "WHERE client = ? AND settled = 0 AND product = 'I' AND exch = ? AND code = ?"
    )
    return world.scalar(sql, client, exch, code) or 0


def settle(world: World, client: str, day: str) -> None:
    """T+1: money changes hands and shares move in or out of the demat account, for one day's trades."""
    sql = "SELECT * FROM fivepaisa_positions WHERE client = ? AND settled = 0 AND day = ? ORDER BY code, exch, product"
    rows = [position_of(row) for row in world.all(sql, client, day)]
    cash = sum(row.sell_paise - row.buy_paise for row in rows)
    with world.transaction() as db:
        db.execute("UPDATE fivepaisa_clients SET cash_paise = cash_paise + ? WHERE code = ?", (cash, client))
        for isin in {row.isin for row in rows}:
            _deliver(world, client, [row for row in rows if row.isin == isin])
        done = "UPDATE fivepaisa_positions SET settled = 1 WHERE client = ? AND settled = 0 AND day = ?"
        db.execute(done, (client, day))


def _deliver(world: World, client: str, rows: list[Position]) -> None:
    """Shares of one ISIN: bought ones come in at their average price, sold ones leave at the average cost."""
    net = sum(row.net for row in rows)
    if not net:
        return
    isin = rows[0].isin
    old = world.one("SELECT qty, cost FROM fivepaisa_holdings WHERE client = ? AND isin = ?", client, isin)
    qty, cost = (old["qty"], Decimal(old["cost"])) if old else (0, Decimal(0))
    if net > 0:
        bought = sum(row.buy_qty for row in rows)
        cost += net * Decimal(sum(row.buy_paise for row in rows)) / bought / 100
    else:
        cost += net * cost / qty if qty else 0
    _keep(world, client, isin, rows[0].exch, qty + net, cost)


def _keep(world: World, client: str, isin: str, exch: str, qty: int, cost: Decimal) -> None:
    if qty <= 0:
        world.run("DELETE FROM fivepaisa_holdings WHERE client = ? AND isin = ?", client, isin)
        return
    sql = (
        "INSERT INTO fivepaisa_holdings (client, isin, exch, qty, cost) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (client, isin) DO UPDATE SET qty = excluded.qty, cost = excluded.cost"
    )
    world.run(sql, client, isin, exch, qty, str(cost))
