"""The clients of the broker: their keys to the login, money, and what lies in their demat accounts at the beginning."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from decimal import Decimal

from .. import market
from ..clock import ist
from ..world import World


@dataclass(frozen=True)
class Stock:
    """A holding at the beginning. `average` in rupees a share; `pledged` shares cannot be sold."""

    symbol: str
    exch: str
    qty: int
    average: str
    pledged: int = 0


@dataclass(frozen=True)
class Client:
    code: str
    name: str
    pin: str
    totp: str
    cash: int
    stocks: tuple[Stock, ...] = ()
    born: str = "19900101"
    # A power of attorney lets the broker take shares out of the demat account for a sale.
    poa: bool = True


KNOWN = {
    one.code: one
    for one in (
        Client(
            "50000001", "Mahendra", "111111", "123456", 1_000_000,
            (Stock("IDEA", "B", 52, "7.2338", 8), Stock("ITC", "N", 100, "431.05"), Stock("RELIANCE", "N", 10, "1290")),
        ),
        Client("50000002", "Meera", "111111", "123456", 5_000),
        Client("50000003", "Nalini", "111111", "123456", 100_000, (Stock("ITC", "N", 50, "400"),), poa=False),
    )
}  # fmt: skip


def find(code: str) -> Client | None:
    """A client by code: those above, and beside them every 5000NNNN, with money and no shares."""
    if code in KNOWN or not re.fullmatch(r"5000[0-9]{4}", code):
        return KNOWN.get(code)
    return Client(code, f"Client {code[4:]}", "111111", "123456", 1_000_000)


def ensure(world: World, code: str) -> None:
    """Opens the client's account in a world that has not met them yet."""
    client = find(code)
    if client is None or world.one("SELECT 1 FROM fivepaisa_clients WHERE code = ?", code):
        return
    with world.transaction() as db:
        db.execute("INSERT OR IGNORE INTO fivepaisa_clients VALUES (?, ?)", (code, client.cash * 100))
        for stock in client.stocks:
            security = market.find(stock.symbol)
            cost = str(stock.qty * Decimal(stock.average))
            row = (code, security.isin if security else "", stock.exch, stock.qty, cost, stock.pledged)
            db.execute("INSERT OR IGNORE INTO fivepaisa_holdings VALUES (?, ?, ?, ?, ?, ?)", row)


def sign_in(world: World, code: str, pin: str, totp: str) -> Client | None:
    """The client, when code, PIN and one-time code are right."""
    client = find(code.strip())
    given = f"{pin.strip()} {totp.strip()}".encode()
    if client is None or not hmac.compare_digest(given, f"{client.pin} {client.totp}".encode()):
        return None
    ensure(world, client.code)
    return client


def sign_in_of_old(world: World, name: str, pin: str, born: str) -> Client | None:
    """As before the one-time codes: by code or e-mail (`50000001@sandbox.example`), PIN and date of birth."""
    client = find(name.strip().removesuffix("@sandbox.example"))
    if client is None or born.strip() != client.born:
        return None
    return sign_in(world, client.code, pin, client.totp)


# -- approving sales (eDIS) ------------------------------------------------------------------------------------------


def may_sell(world: World, code: str) -> bool:
    """Whether the broker may deliver shares of a sale today: by power of attorney, or approved by TPIN today."""
    client = find(code)
    return client is None or client.poa or world.meta(f"fivepaisa_edis_{code}") == _today(world)


def approve_sales(world: World, code: str) -> None:
    """What a client without a power of attorney does on the broker's own page, for the day."""
    world.set_meta(f"fivepaisa_edis_{code}", _today(world))


def _today(world: World) -> str:
    return ist(world.now()).date().isoformat()
