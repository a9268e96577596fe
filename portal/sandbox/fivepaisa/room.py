"""5paisa's part of the control room."""

from __future__ import annotations

from typing import Any

from .. import market
from ..control_parts import SHOWN, button, row_of, state, table
from ..pages import esc, rupees
from ..world import World
from . import control, money

WORDS = {
    "Fully Executed": "execute", "Cancelled": "cancel", "Rejected By 5P": "reject (broker)",
    "Rejected by Exch": "reject (exchange)", "Xmitted": "lose on the way", "Pending": "find again",
}  # fmt: skip


def _paise(paise: Any) -> str:
    return rupees(f"{paise / 100:.2f}")


def _orders(world: World) -> str:
    rows = []
    for row in world.all("SELECT * FROM fivepaisa_orders ORDER BY id DESC LIMIT ?", SHOWN):
        moves = control.BY_HAND.get(row["status"], ())
        acts = "".join(button("fivepaisa", WORDS[to], id=row["id"], to=to) for to in moves)
        price = _paise(row["price_paise"]) if row["price_paise"] else "market"
        stop = f" stop {_paise(row['trigger_paise'])}" if row["trigger_paise"] else ""
        side = "buy" if row["side"] == "B" else "sell"
        product = "delivery" if row["product"] == money.DELIVERY else "intraday"
        rows.append((
            str(row["id"]), esc(row["remote_id"]), esc(row["client"]), f"{side} {esc(row['symbol'])} {product}",
            f"{row['traded']} of {row['qty']}", price + stop, state(row["status"]) + f" {esc(row['reason'])}",
            row_of(acts),
        ))  # fmt: skip
    head = ("id", "reference", "client", "what", "traded", "price", "state", "what may happen next")
    return table(head, rows)


def _clients(world: World) -> str:
    lines = []
    for row in world.all("SELECT code FROM fivepaisa_clients ORDER BY code"):
        funds = money.funds(world, row["code"])
        lines.append(
            f"<p>Client {esc(row['code'])}: {_paise(funds.ledger)} in the ledger, {_paise(funds.available)} free</p>"
        )
    return "".join(lines)


def section(world: World) -> str:
    word = "open" if market.is_open(world) else "closed"
    hours = "".join(
        button("market", label, hours=mode) for mode, label in (("exchange", "NSE hours"), ("always", "always open"))
    )
    return (
        f'<section><h2>5paisa</h2><p>The stock market is <b>{word}</b>.</p><div class="row">{hours}</div>'
        f"{_clients(world)}{_orders(world)}</section>"
    )


def move(world: World, form: dict[str, str]) -> str:
    row = control.move(world, control.find(world, form["id"]), form["to"])
    return f"order {row['id']} is {row['status']}"


def hours(world: World, form: dict[str, str]) -> str:
    return f"market hours: {market.set_hours(world, form['hours'])}"


ACTS = {"fivepaisa": move, "market": hours}
