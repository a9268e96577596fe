"""The publisher's other calls: who the brokers are, its keys, and the messages it may have missed."""

from __future__ import annotations

import hmac
import json
from typing import Any

from ..web import Problem, Request, Response, arguments, json_response
from ..world import World
from . import button, sessions
from .sessions import APP_TOKEN, OMEX_TOKEN, PARTNERS, Refusal

SYNC_PAGE = 500
SYNC_TYPES = ("SYNC_ORDER_REQ", "")


def broker_list(world: World, request: Request) -> Response:
    found = [
        {"sPartnerId": key, "sPartnerName": name, "sLogoUrl": "", "bPersistenceLogin": True}
        for key, name in PARTNERS.items()
    ]
    return button.answer(found, "Broker list fetched successfully", 801)


def _is(given: object, *known: str) -> bool:
    return any(hmac.compare_digest(str(given or "").encode(), one.encode()) for one in known)


def api_keys(world: World, request: Request) -> Response:
    """Endpoints and keys by kind, for the publisher's own token."""
    if not _is(arguments(request).get("sApplicationToken"), APP_TOKEN):
        raise Refusal("Invalid application token", 502, 401)
    base = f"{request.base_url}/odin"
    omex = {"endpoint": f"{base}/OTPA/V1", "apiKey": APP_TOKEN, "secretKey": OMEX_TOKEN}
    keys = {"interactive": None, "broadcast": None, "omex": omex}
    return button.answer(keys, "Keys fetched successfully", 802)


# -- what was missed -------------------------------------------------------------------------------------------------


def _after(given: dict[str, Any]) -> int:
    text = str(given.get("jEntrySequenceNumber") or 0)
    if not (text.isdecimal() and len(text) < 19):
        raise Problem(400, "jEntrySequenceNumber is a whole number")
    return int(text)


def _messages(world: World, after: int) -> list[dict[str, Any]]:
    """Order and trade messages behind a sequence number, in order, a page of them."""
    hidden = world.hidden(button.KIND)
    rows = world.all("SELECT * FROM odin_events WHERE seq > ? ORDER BY seq LIMIT ?", after, SYNC_PAGE)
    return [json.loads(row["body"]) for row in rows if row["basket"] not in hidden]


def sync(world: World, request: Request) -> Response:
    """Asked with the last sequence number seen (0 for all); `jLastSyncedPacket` is where to go on."""
    given = arguments(request)
    if not _is(given.get("jToken"), OMEX_TOKEN, APP_TOKEN):
        return _sync_answer([], 0, "Invalid token", 401)
    if str(given.get("jMessageType") or "") not in SYNC_TYPES:
        return _sync_answer([], 0, "jMessageType must be SYNC_ORDER_REQ", 400)
    after = _after(given)
    found = _messages(world, after)
    return _sync_answer(found, found[-1]["MessageSequenceNumber"] if found else after)


def _sync_answer(found: list[dict[str, Any]], last: int, error: str = "", status: int = 200) -> Response:
    body = {
        "jMessageType": "SYNC_ORDER_RES", "jStatusCode": -1 if error else 1, "jErrorString": error,
        "jLastSyncedPacket": last, "jNoOfRecords": len(found), "jOrderMessage": found,
    }  # fmt: skip
    return json_response(body, status)


def session_valid(world: World, key: str, client: str) -> bool:
    try:
        sessions.valid(world, key, client)
    except Refusal:
        return False
    return True


ROUTES = [
    ("GET POST", "/vasprodmgmt/odinConnectorBrokerList", broker_list),
    ("POST", "/loginservice/apiKeys", api_keys),
    ("GET POST", "/omexorderandtraderesponse/sync", sync),
    ("POST", "/OTPA/V1/SyncOrders", sync),
]
