"""Visits of request type 1: somebody comes with a product's name, logs in, and only then is the basket asked for.

A visit keeps what came with the link until the person has chosen a broker: the publisher's name for the user and for
the product, the token that the publisher will know again, and what it wants back. No session is left behind: the next
visit logs in again.
"""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3

from ..web import dumps
from ..world import World
from . import button, publisher
from .sessions import Refusal, Session

LIMITS = {"sProductCode": 100, "sTpUserId": 50, "sTwoWayToken": 512}
MOST_ECHO = 4096
MANDATORY, USED, BAD_ECHO = 507, 508, 514
USED_UP = "This link has been used. Please start again from the publisher's page."


def begin(world: World, given: dict[str, str]) -> str:
    """The new visit's id; raises Refusal for a field that is missing, too long or no Base64 JSON."""
    for name, limit in LIMITS.items():
        if not given.get(name):
            raise Refusal(f"{name} is mandatory", MANDATORY)
        if len(given[name]) > limit:
            raise Refusal(f"{name} may have {limit} characters", MANDATORY)
    key = f"VISIT-{secrets.token_hex(16)}"
    world.insert(
        "odin_visits", id=key, client=given["sTpUserId"], product=given["sProductCode"], auth=given["sTwoWayToken"],
        echo=_checked_echo(given.get("oEchoBackObject", "")), made_at=world.now(),
    )  # fmt: skip
    return key


def _checked_echo(text: str) -> str:
    """As it came: a `+` that lost its percent sign on the way is found here, not in the publisher's callback."""
    if len(text) > MOST_ECHO:
        raise Refusal(f"oEchoBackObject may have {MOST_ECHO} characters", BAD_ECHO)
    try:
        if text:
            json.loads(base64.b64decode(text, validate=True))
    except (ValueError, RecursionError):
        raise Refusal("oEchoBackObject must be JSON in Base64", BAD_ECHO) from None
    return text


def find(world: World, key: str) -> sqlite3.Row | None:
    return world.one("SELECT * FROM odin_visits WHERE id = ?", key)


def fetch(world: World, visit: sqlite3.Row, partner: str, user: str) -> sqlite3.Row:
    """The publisher's basket for this visit, kept as one that waits to be executed. Raises Refusal.

    A visit gets one basket: a page that is sent again, or in two windows, does not bring a second one beside it.
    """
    if visit["basket"] is not None:
        raise Refusal(USED_UP, USED)
    reco, found = publisher.order_details(world, visit["client"], visit["product"], visit["auth"], partner)
    wanted = dumps([line.document() for line in found]).decode()
    with world.transaction() as db:
        seq = button.keep(world, reco, Session("", visit["client"], partner, user), wanted)
        sql = "UPDATE odin_visits SET basket = ? WHERE id = ? AND basket IS NULL"
        if not db.execute(sql, (seq, visit["id"])).rowcount:  # another window came first while the publisher answered
            raise Refusal(USED_UP, USED)
        world.run("UPDATE odin_baskets SET product = ? WHERE seq = ?", visit["product"], seq)
        # Its page is reached by logging in alone: as an address it counts as used.
        world.insert("odin_links", product=visit["id"], basket=seq, used_at=world.now())
    return world.the("SELECT * FROM odin_baskets WHERE seq = ?", seq)


def echo_of(world: World, basket: int, key: str = "") -> str:
    """What the publisher wants back after this basket: by the visit that executes it, else by the last one."""
    sql = "SELECT echo FROM odin_visits WHERE basket = ? AND ? IN (id, '') ORDER BY rowid DESC LIMIT 1"
    return str(world.scalar(sql, basket, key) or "")
