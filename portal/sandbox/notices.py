"""Notices from the providers to the portal: a queue in the world, a thread that delivers it, and ways to spoil it.

A notice is written in the transaction that caused it and sent later, so a restart loses none. Times are the world's:
moving the clock brings retries nearer. smallcase tries three times more, about 15 minutes, 24 hours and 48 hours after
a failure (providers.md 1.7); for ODIN no retry is documented, what was missed is fetched with its sync call.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import logging
import sqlite3
import threading
import urllib.parse
from decimal import Decimal
from typing import Any

from .clock import ist
from .web import Handler, Problem, Request, Response, dumps, json_response
from .world import World

log = logging.getLogger("portal.sandbox")

SCHEMA = """
CREATE TABLE IF NOT EXISTS notices (
  id INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL, body TEXT NOT NULL, mode TEXT NOT NULL,
  state TEXT NOT NULL, made_at REAL NOT NULL, at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, answer TEXT);
CREATE INDEX IF NOT EXISTS notices_due ON notices (state, at);
"""
MODES = ("normal", "off", "duplicate", "reorder", "delay", "tamper")
TAMPERS = ("both", "body", "signature")
RETRIES_S: dict[str, tuple[float, ...]] = {"smallcase": (15 * 60, 24 * 3600, 48 * 3600), "odin": ()}
# Where the portal receives what; a whole address for one of them can be set instead.
PATHS = {
    "smallcase": "/webhooks/smallcase/",
    "odin": "/webhooks/odin/",
    "odin_two_way": "/odin/two-way-auth/",
    "odin_order_details": "/GetOrderDetails",
    "odin_callback": "/odin/callback/",
}
REORDER_WINDOW_S = 2.0
DELAY_S = 60.0
TIMEOUT_S = 5.0
MOST_BYTES = 65_536
TICK_S = 0.2
SHOWN = 200


def install(world: World) -> None:
    with world.transaction():
        world.db.executescript(SCHEMA)


# -- where to --------------------------------------------------------------------------------------------------------


def checked_address(url: str) -> str:
    """The address, when it is plain HTTP on this machine; raises Problem 400."""
    parts = urllib.parse.urlsplit(url)
    try:
        loopback = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
        good = loopback and parts.scheme == "http" and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Problem(400, f"{url!r} is not an http address on this machine")
    return url


def address(world: World, name: str) -> str:
    """Where the portal takes what `name` stands for, or nothing when nobody said."""
    portal = world.meta("portal")
    return world.meta(f"target.{name}") or (portal + PATHS[name] if portal else "")


def set_portal(world: World, url: str) -> None:
    """The portal's own address; its paths are those of PATHS. Raises Problem 400."""
    world.set_meta("portal", checked_address(url).rstrip("/"))


def set_target(world: World, name: str, url: str) -> None:
    """One address in full; an empty one forgets it. Raises Problem 400."""
    if name not in PATHS:
        raise Problem(400, f"targets are {', '.join(PATHS)}")
    world.set_meta(f"target.{name}", checked_address(url) if url else "")


# -- queueing --------------------------------------------------------------------------------------------------------


def _bent(value: Any) -> Any:
    """The same document with every number one higher."""
    if isinstance(value, dict):
        return {key: _bent(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_bent(item) for item in value]
    return value + 1 if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


def _tampered(world: World, body: dict[str, Any], signature: str) -> dict[str, Any]:
    what = world.meta("webhooks_tamper", "both")
    changed: dict[str, Any] = _bent(body) if what in ("both", "body") else dict(body)
    if what in ("both", "signature"):
        text = str(body[signature])
        changed[signature] = ("0" if text[:1] != "0" else "1") + text[1:]
    return changed


def _due_at(world: World, mode: str) -> float:
    """When to send: those held back for reordering leave together, the last first."""
    now = world.now()
    if mode == "delay":
        return now + float(world.meta("webhooks_delay_s", str(DELAY_S)))
    if mode == "reorder":
        held = world.scalar("SELECT max(at) FROM notices WHERE state = 'waiting' AND mode = 'reorder' AND at > ?", now)
        return float(held) if held else now + REORDER_WINDOW_S
    return now


def send(world: World, provider: str, body: dict[str, Any], signature: str) -> None:
    """Queues a notice in the mode that is on now; `signature` names the field that proves its sender."""
    mode = world.meta("webhooks", "normal")
    if mode == "tamper":
        body = _tampered(world, body, signature)
    lost = "switched off" if mode == "off" else "" if address(world, provider) else "no address"
    for _ in range(2 if mode == "duplicate" else 1):
        world.insert(
            "notices", provider=provider, body=dumps(body).decode(), mode=mode, state="lost" if lost else "waiting",
            made_at=world.moment(), at=_due_at(world, mode), answer=lost or None,
        )  # fmt: skip


# -- delivering ------------------------------------------------------------------------------------------------------


def post(url: str, body: bytes, timeout: float = TIMEOUT_S) -> tuple[int, bytes]:
    """One POST to this machine, following no redirect; raises OSError or HTTPException.

    A body that is longer than MOST_BYTES comes one byte longer, which tells.
    """
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path or "/", body, {"Content-Type": "application/json", "User-Agent": "sandbox"})
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES + 1)
    finally:
        connection.close()


def _attempt(world: World, row: sqlite3.Row) -> None:
    url = address(world, row["provider"])
    if not url:
        world.update("notices", row["id"], state="lost", answer="no address")
        return
    try:
        status, _ = post(url, row["body"].encode())
        good, answer = 200 <= status < 300, str(status)
    except (OSError, http.client.HTTPException) as error:
        good, answer = False, f"{type(error).__name__}: {error}"
    retries, attempts = RETRIES_S[row["provider"]], row["attempts"] + 1
    more = not good and attempts <= len(retries)
    state = "delivered" if good else "waiting" if more else "failed"
    at = world.now() + retries[attempts - 1] if more else row["at"]
    world.update("notices", row["id"], state=state, attempts=attempts, answer=answer, at=at)


_ONE_AT_A_TIME = threading.Lock()


def deliver_due(world: World) -> int:
    """Sends what is due, one after the other; returns how many were sent, well or not."""
    order = "at, CASE mode WHEN 'reorder' THEN -id ELSE id END"
    sql = f"SELECT * FROM notices WHERE state = 'waiting' AND at <= ? ORDER BY {order} LIMIT 1"  # noqa: S608
    sent = 0
    with _ONE_AT_A_TIME:
        while (row := world.one(sql, world.now())) is not None:
            _attempt(world, row)
            sent += 1
    return sent


def run(world: World, stop: threading.Event) -> None:
    """The server's delivery thread."""
    while not stop.wait(TICK_S):
        try:
            deliver_due(world)
        except Exception:
            if not stop.is_set():
                log.exception("notices could not be delivered")


# -- control ---------------------------------------------------------------------------------------------------------


def document(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"], "provider": row["provider"], "mode": row["mode"], "state": row["state"],
        "attempts": row["attempts"], "answer": row["answer"], "made_at": ist(row["made_at"]).isoformat(),
        "at": ist(row["at"]).isoformat(), "body": json.loads(row["body"]),
    }  # fmt: skip


def listed(world: World) -> list[dict[str, Any]]:
    """Newest first."""
    return [document(row) for row in world.all("SELECT * FROM notices ORDER BY id DESC LIMIT ?", SHOWN)]


def settings(world: World) -> dict[str, Any]:
    return {
        "mode": world.meta("webhooks", "normal"), "what": world.meta("webhooks_tamper", "both"),
        "delay_s": float(world.meta("webhooks_delay_s", str(DELAY_S))), "portal": world.meta("portal"),
        "targets": {name: address(world, name) for name in PATHS},
    }  # fmt: skip


def change(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Sets `mode`, `what` (of tamper), `delay_s`, `portal`, `targets`; what is not given stays. Raises Problem 400."""
    for name, key, allowed in (("mode", "webhooks", MODES), ("what", "webhooks_tamper", TAMPERS)):
        if name in given:
            if given[name] not in allowed:
                raise Problem(400, f"{name} is one of {', '.join(allowed)}")
            world.set_meta(key, given[name])
    if "delay_s" in given:
        try:
            world.set_meta("webhooks_delay_s", str(float(given["delay_s"])))
        except (TypeError, ValueError):
            raise Problem(400, "delay_s is a number of seconds") from None
    if given.get("portal"):
        set_portal(world, str(given["portal"]))
    targets = given.get("targets") or {}
    if not isinstance(targets, dict):
        raise Problem(400, "targets are names and addresses")
    for name, url in targets.items():
        set_target(world, name, str(url or ""))
    return settings(world)


def resend(world: World, notice_id: int) -> None:
    """Puts a notice back at the head of the queue as it is. Raises Problem 404."""
    if world.one("SELECT 1 FROM notices WHERE id = ?", notice_id) is None:
        raise Problem(404, "no such notice")
    world.update("notices", notice_id, state="waiting", at=world.now(), attempts=0, answer=None, mode="normal")


def _show_settings(world: World, request: Request) -> Response:
    return json_response(settings(world))


def _list(world: World, request: Request) -> Response:
    return json_response({"notices": listed(world)})


def _deliver(world: World, request: Request) -> Response:
    return json_response({"sent": deliver_due(world)})


def _resend(world: World, request: Request, notice_id: str) -> Response:
    resend(world, int(notice_id))
    return json_response({"id": int(notice_id)})


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/webhooks", _show_settings),
    ("GET", "/notices", _list),
    ("POST", "/notices/deliver", _deliver),
    ("POST", "/notices/{notice_id:int}/resend", _resend),
]
