"""Brokers and the sessions that a login with one of them gives: the publisher's proof in every button request.

A session is valid until the end of its day and only for the user id that came with it. `XYZ` of `connector`, the
document's example, is always valid; `EXPIRED-SESSION` never is.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

from ..clock import ist
from ..web import Problem
from ..world import World

APP_TOKEN = "sandbox-app-token"  # noqa: S105  made up, stands in the README
OMEX_TOKEN = "sandbox-omex-token"  # noqa: S105
PARTNERS = {"0AF1C1": "Make-Believe Broking", "0B52D7": "Paper Boat Securities", "0C91E4": "Lantern Capital"}
FIRST_PARTNER = "0AF1C1"
ALWAYS_VALID = ("XYZ", "connector")
INVALID = "Invalid session. Please login with your broker and try it"


class Refusal(Problem):
    """A "no" in ODIN's envelope; `number` is the last part of its `statusCode`."""

    def __init__(self, message: str, number: int, status: int = 400) -> None:
        super().__init__(status, message)
        self.number = number

    @property
    def code(self) -> str:
        """`vas<environment>-<HTTP status>-<number>`."""
        return f"vasprd-{self.status}-{self.number}"


@dataclass(frozen=True)
class Session:
    """`client` is what the callback calls sVasUserId and a request sClientCode; `user` is the id at the broker."""

    id: str
    client: str
    partner: str
    user: str


def _today(world: World) -> str:
    return ist(world.now()).date().isoformat()


def client_code(partner: str, user: str) -> str:
    """The same login at the same broker is always the same user."""
    return hashlib.sha256(f"{partner}/{user.strip().upper()}".encode()).hexdigest()[:10].upper()


def log_in(world: World, partner: str, user: str) -> Session:
    """Raises Refusal for a broker that is not in the list."""
    if partner not in PARTNERS:
        raise Refusal("Invalid partner id", 503)
    made = Session(secrets.token_hex(16).upper(), client_code(partner, user), partner, user.strip().upper())
    world.insert("odin_sessions", id=made.id, client=made.client, partner=partner, user=made.user, day=_today(world))
    return made


def _of(row: sqlite3.Row) -> Session:
    return Session(row["id"], row["client"], row["partner"], row["user"])


def valid(world: World, key: str, client: str) -> Session:
    """The session of a user; raises Refusal with the document's words when it is none of today's."""
    if (key, client) == ALWAYS_VALID:
        return Session(key, client, FIRST_PARTNER, "DEMO01")
    row = world.one("SELECT * FROM odin_sessions WHERE id = ? AND client = ?", key, client)
    if row is None or row["day"] != _today(world):
        raise Refusal(INVALID, 500)
    return _of(row)
