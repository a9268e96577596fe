"""A partner's own receiver of webhooks: a place to send them while there is no other, and to look at what came.

    POST /partner/hooks/<name>     takes a message and answers 200; faults of the control room make it slow, dead or 500
    GET  /partner/                 the last messages, each with whether its signature fits the secret of its name
    POST /partner/secret           keeps a secret (`whsec_...`) for a name

Written from the Standard Webhooks specification, so it checks what any partner's library would check.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import sqlite3

from .clock import real_now
from .control_parts import SHOWN, state, table, when
from .pages import esc, page
from .pages import static as static_file
from .web import Problem, Request, Response, Router, json_response, redirect
from .world import World

PAGES = ("/secret", "/static/")
CSS = "/partner/static/control.css"
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
KEPT = 500
# The specification's own advice: older or younger messages are refused.
FIVE_MINUTES = 300


def take(world: World, request: Request, name: str) -> Response:
    """Keeps the message, whoever sent it: what is wrong with it is shown, not refused."""
    given = {header: request.headers.get(header, "") for header in HEADERS}
    with world.transaction():
        world.insert(
            "partner_hooks", name=name, at=world.now(), body=request.body.decode("utf-8", "replace"),
            verdict=verdict(world.meta(_key(name)), given, request.body, real_now()),
            event=given["webhook-id"][:100],
        )  # fmt: skip
        world.run("DELETE FROM partner_hooks WHERE id <= (SELECT max(id) FROM partner_hooks) - ?", KEPT)
    return json_response({"message": "thank you"})


def verdict(secret: str, given: dict[str, str], body: bytes, now: float) -> str:
    """What a partner's library would say of the message."""
    if not secret:
        return "no secret yet"
    if not all(given.values()):
        return "not signed"
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        age = abs(now - int(given["webhook-timestamp"]))
    except (binascii.Error, ValueError):
        return "unreadable"
    said = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + body
    right = "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    if not any(hmac.compare_digest(each.encode(), right.encode()) for each in given["webhook-signature"].split()):
        return "does not fit"
    return "fits" if age < FIVE_MINUTES else "too old"


def _key(name: str) -> str:
    return f"partner.secret.{name}"


def keep_secret(world: World, request: Request) -> Response:
    """From now on messages to this name are checked with it. Raises Problem 400."""
    name, secret = request.form.get("name", ""), request.form.get("secret", "").strip()
    if not name.isalnum() or not secret.startswith("whsec_"):
        raise Problem(400, "a name of letters and digits, and a secret that begins with whsec_")
    world.set_meta(_key(name), secret)
    return redirect("/partner/")


def room(world: World, request: Request) -> Response:
    """The page for people."""
    rows = [
        (
            when(row["at"]), esc(row["name"]), esc(_type(row["body"])), esc(row["event"]), state(row["verdict"]),
            f"<details><summary>body</summary><pre>{esc(row['body'])}</pre></details>",
        )
        for row in _latest(world)
    ]  # fmt: skip
    form = (
        '<form method="post" action="/partner/secret" class="row"><label>name <input name="name" value="demo"></label>'
        '<label>secret <input name="secret" placeholder="whsec_…" autocomplete="off"></label>'
        "<button>keep</button></form>"
    )
    body = (
        "<main><h1>A partner's receiver</h1><section><p>Set up an endpoint in the console with the address "
        f"<code>{esc(request.base_url)}/partner/hooks/demo</code>, then give its secret here: from then on each "
        f"message is checked.</p>{form}</section><section><h2>What came</h2>"
        + table(("at", "to", "type", "webhook-id", "signature", ""), rows)
        + "</section></main>"
    )
    return page("A partner's receiver", body, CSS)


def _latest(world: World) -> list[sqlite3.Row]:
    return world.all("SELECT * FROM partner_hooks ORDER BY id DESC LIMIT ?", SHOWN)


def _type(body: str) -> str:
    try:
        return str(json.loads(body)["type"])
    except (ValueError, KeyError, TypeError):
        return ""


def listed(world: World, request: Request) -> Response:
    """The same for programs, the newest first."""
    return json_response({"hooks": [dict(row) for row in _latest(world)]})


def router() -> Router:
    routes = Router()
    routes.add("POST", "/hooks/{name}", take)
    routes.add("GET", "/hooks", listed)
    routes.add("POST", "/secret", keep_secret)
    routes.add("GET", "/", room)
    routes.add("GET", "/static/{name}", static_file)
    return routes


def render(problem: Problem) -> Response:
    return json_response({"message": problem.message}, problem.status)
