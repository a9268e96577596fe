"""The invest button: a basket becomes a product of its own, and the answer is the address of its page, good for once.

`sRecoId` names a basket for good. The same basket may be sent again until somebody executes it, and gets a new
address; the same id with another basket, or after execution, is refused.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import urllib.parse
import uuid
from typing import Any

from ..web import Request, Response, dumps, json_response
from ..world import World
from . import lines, sessions
from .sessions import Refusal

KIND = "odin_baskets"
PATH = "/productmgmtservice/apiButtonRequest"
BUTTON_TOKEN = "ButtonAPI63moonsnode9867283a319"  # noqa: S105  the document's own
LIMITS = {"sessionId": 512, "sRecoId": 6, "sClientCode": 50}
WAITING, PLACED, LEFT = "WAITING", "PLACED", "LEFT"


def trace() -> str:
    return f"traceId-{secrets.token_hex(8)}"


def answer(data: Any, message: str, number: int) -> Response:
    body = {
        "success": True, "data": data, "message": message, "statusCode": f"vasprd-200-{number}", "traceId": trace(),
    }  # fmt: skip
    return json_response(body)


def _texts(body: Any) -> dict[str, str]:
    """The three mandatory texts; raises Refusal."""
    if not isinstance(body, dict):
        raise Refusal("Invalid request", lines.NUMBER)
    for name, limit in LIMITS.items():
        value = body.get(name)
        if not isinstance(value, str) or not value:
            raise Refusal(f"{name} is mandatory", lines.NUMBER)
        if len(value) > limit:
            raise Refusal(f"{name} may have {limit} characters", lines.NUMBER)
    return {name: body[name] for name in LIMITS}


def request_button(world: World, request: Request) -> Response:
    given = _texts(request.json)
    session = sessions.valid(world, given["sessionId"], given["sClientCode"])
    wanted = dumps([line.document() for line in lines.read_all(request.json.get("basketData"))]).decode()
    with world.transaction():
        basket = keep(world, given["sRecoId"], session, wanted)
        product = _link(world, basket)
    request.created.append((KIND, basket))
    query = {
        "sAppToken": BUTTON_TOKEN, "sTwoWayToken": secrets.token_hex(8), "sProductCode": product,
        "sTpUserId": session.client, "sPartnerId": session.partner, "nRequestType": 3, "sSession": session.id,
    }  # fmt: skip
    url = f"{request.base_url}/odin/landing/redirect?{urllib.parse.urlencode(query)}"
    return answer(url, "Url successfully formed", 818)


def keep(world: World, reco_id: str, session: sessions.Session, wanted: str) -> int:
    """The basket's number, new or, for the very same basket still waiting, the one there is. Raises Refusal."""
    row = world.one("SELECT * FROM odin_baskets WHERE reco_id = ?", reco_id)
    if row is None:
        return world.insert(
            "odin_baskets", reco_id=reco_id, client=session.client, partner=session.partner, session=session.id,
            lines=wanted, status=WAITING, product="", created_at=world.now(),
        )  # fmt: skip
    same = (row["client"], row["lines"], row["status"]) == (session.client, wanted, WAITING)
    if not same:
        raise Refusal("sRecoId is already used", 511)
    sql = "UPDATE odin_baskets SET received = received + 1, session = ?, partner = ? WHERE seq = ?"
    world.run(sql, session.id, session.partner, row["seq"])
    return int(row["seq"])


def _link(world: World, basket: int) -> str:
    product = f"BUTTON-API-{uuid.uuid4()}"
    world.insert("odin_links", product=product, basket=basket)
    world.run("UPDATE odin_baskets SET product = ? WHERE seq = ?", product, basket)
    return product


def by_reco(world: World, reco_id: str) -> sqlite3.Row | None:
    return world.one("SELECT * FROM odin_baskets WHERE reco_id = ?", reco_id)


def lines_of(basket: sqlite3.Row) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(basket["lines"])
    return found


ROUTES = [("POST", PATH, request_button)]
