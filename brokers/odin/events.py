"""What ODIN brings to us, read by pure functions: the way back from a login or basket, its question, OMEX's news.

Nothing here is signed (providers.md 2.3). A way back only ends what we began; an event only rings, and the sync or the
greatest sequence number says what is so.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from brokers.odin import messages, refusals
from portal.gateway import wire

MAX_BODY = 1_000_000
_SUCCESS = frozenset({"0", "200", "success"})


class Unreadable(ValueError):
    """Something arrived that is not what ODIN's documents describe."""


@dataclass(frozen=True)
class WayBack:
    """The browser's return. `session` is set only by a login that succeeded; `is_basket` when a basket was echoed."""

    succeeded: bool
    status_code: str
    message: str
    session: str = field(default="", repr=False)
    rest_session: str = field(default="", repr=False)
    vas_user_id: str = ""
    trading_user_id: str = ""
    is_basket: bool = False
    echo: Any = None


def read_return(params: Mapping[str, str]) -> WayBack:
    """The return from a persistence login or a basket's page, by GET or POST. Raises Unreadable: it names no outcome.

    A login has succeeded when its code says so *and* a session and a user came with it. A basket's return, in either
    spelling of its echo, is no news of orders: those come by OMEX (providers.md 7 #34, #35).
    """
    said = _folded(params)
    session, user = said.get("ssession", ""), said.get("svasuserid", "")
    echo = said.get("oecobackobject") or said.get("oechobackobject") or ""
    fine = _is_success(said["sstatuscode"])
    logged_in = fine and not echo and bool(session and user)
    return WayBack(
        succeeded=fine if echo else logged_in,
        status_code=said["sstatuscode"],
        message=said.get("sstatusmessage", ""),
        session=session if logged_in else "",
        rest_session=said.get("srestsession", "") if logged_in else "",
        vas_user_id=user,
        trading_user_id=said.get("stradinguserid", ""),
        is_basket=bool(echo),
        echo=_echo(echo),
    )


def _folded(params: Mapping[str, str]) -> dict[str, str]:
    try:
        said = wire.fold({key: str(value)[:4_000] for key, value in params.items()})
    except ValueError as error:
        raise Unreadable(str(error)) from error
    if not said.get("sstatuscode"):
        raise Unreadable("no status code")
    return dict(said)


def _is_success(code: str) -> bool:
    http = refusals.http_in(code)
    return 200 <= http < 300 if http else code.strip().lower() in _SUCCESS


def _echo(text: str) -> Any:
    """The Base64 JSON that we sent along; None when it is not that."""
    try:
        return json.loads(base64.b64decode(text.replace(" ", "+"), validate=True)) if text else None
    except (binascii.Error, ValueError, RecursionError):
        return None


# --- ODIN asks whether a two-way token is ours ------------------------------------------------------------------------

_TOKEN_NAMES = ("stwowaytoken", "twowaytoken", "stoken", "token")
_STATUS = {True: ("portal-200-001", "Token is valid"), False: ("portal-401-001", "Token is not valid")}


def read_two_way_question(body: bytes) -> str:
    """The two-way token that ODIN asks about. Raises Unreadable. (The body is not documented, providers.md 2.4.)"""
    said = _object(body)
    token = next((said[name] for name in _TOKEN_NAMES if isinstance(said.get(name), str) and said[name]), "")
    if not token:
        raise Unreadable("no two-way token")
    return token


def two_way_answer(genuine: bool, trace_id: str) -> dict[str, Any]:
    """Our answer in ODIN's own envelope."""
    code, message = _STATUS[genuine]
    return {"success": genuine, "data": None, "message": message, "statusCode": code, "traceId": trace_id}


# --- OMEX -------------------------------------------------------------------------------------------------------------


def read_omex(body: bytes) -> list[messages.Event]:
    """The events in one delivery: an object, or a list of them. Raises Unreadable; unknown types are left out."""
    said = _json(body)
    several = said if isinstance(said, list) else [said]
    try:
        read = [messages.read_event(each) for each in several]
    except ValidationError as error:
        raise Unreadable("no OMEX message") from error
    return [each for each in read if type(each) is not messages.Event]


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = wire.fold(_json(body))
    except ValueError as error:
        raise Unreadable(str(error)) from error
    if not isinstance(said, dict):
        raise Unreadable("no JSON object")
    return said


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON") from error
