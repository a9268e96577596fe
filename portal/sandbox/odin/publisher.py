"""What ODIN asks of the publisher: whether a token is its own (TwoWayAuth), and what is in a basket (GetOrderDetails).

Both are a POST of JSON to the publisher's address, answered with `{success, data, message, statusCode, traceId}`
(providers.md 2.4). Published are the questions' names, the envelope, and the dictionary of an order line (2.5). Not
published, and settled here: `AuthCode` is the two-way token of the visit, and `data` holds `productType` (always
BASKET), `recoId` (or `sRecoId`) and `basketData`, the button's own list.

Nothing that comes back is trusted: whatever cannot be read ends at a page that says why.
"""

from __future__ import annotations

import http.client
import json
from typing import Any

from .. import notices
from ..web import dumps
from ..world import World
from . import lines
from .sessions import Refusal

TWO_WAY, ORDER_DETAILS = "odin_two_way", "odin_order_details"
TWO_WAY_FIELDS = ("sTwoWayToken", "sAppToken", "sPartnerId", "nRequestType")
STRANGER = "The publisher does not know this request. Please start again from its page."
UNKNOWN, UNREADABLE, DECLINED = 506, 512, 513
RECO_LENGTH, MOST_SHOWN = 6, 200


class NoAnswer(Exception):
    """The publisher gave nothing that can be read; the words say what instead."""


def _ask(url: str, body: dict[str, Any]) -> dict[str, Any]:
    """The publisher's answer as a document that can be written down again; raises NoAnswer."""
    try:
        status, answer = notices.post(url, dumps(body))
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"it did not answer ({type(error).__name__})") from None
    if status != 200:
        raise NoAnswer(f"it answered {status}")
    if len(answer) > notices.MOST_BYTES:
        raise NoAnswer(f"its answer is longer than {notices.MOST_BYTES} bytes")
    try:
        said = json.loads(answer)
        dumps(said)  # half of a surrogate pair could be shown to nobody
    except (ValueError, RecursionError):
        raise NoAnswer("its answer is not JSON") from None
    if not isinstance(said, dict):
        raise NoAnswer("its answer is not an object")
    return said


def check_two_way(world: World, given: dict[str, str]) -> None:
    """Asks whether the token is one that the publisher made. Raises Refusal when it says no, or nothing."""
    url = notices.address(world, TWO_WAY)
    if not url:
        return
    try:
        said = _ask(url, {name: given.get(name, "") for name in TWO_WAY_FIELDS})
    except NoAnswer:
        said = {}
    if said.get("success") is not True:
        raise Refusal(STRANGER, UNKNOWN, 403)


def order_details(world: World, client: str, product: str, auth: str, partner: str) -> tuple[str, list[lines.Line]]:
    """The basket's id and its lines. Raises Refusal when the publisher has none, or none that can be executed."""
    url = notices.address(world, ORDER_DETAILS)
    if not url:
        raise Refusal("The publisher has not said where its baskets are.", UNREADABLE)
    wish = {"ClientCode": client, "ProductCode": product, "AuthCode": auth, "PartnerId": partner}
    try:
        return _basket(_ask(url, wish))
    except NoAnswer as error:
        raise Refusal(f"The publisher's basket could not be read: {error}.", UNREADABLE, 502) from None


def _basket(said: dict[str, Any]) -> tuple[str, list[lines.Line]]:
    if said.get("success") is False:
        words = said.get("message")
        why = words[:MOST_SHOWN] if isinstance(words, str) and words else "no reason given"
        raise Refusal(f"The publisher did not give the basket: {why}", DECLINED)
    if said.get("success") is not True:
        raise NoAnswer("success is neither true nor false")
    data = said.get("data")
    if not isinstance(data, dict):
        raise NoAnswer("data is not an object")
    if data.get("productType") != "BASKET":
        raise NoAnswer("productType is not BASKET")
    return _reco(data), lines.read_all(data.get("basketData"))


def _reco(data: dict[str, Any]) -> str:
    reco = data.get("recoId", data.get("sRecoId"))
    if not isinstance(reco, str) or not 0 < len(reco) <= RECO_LENGTH:
        raise NoAnswer(f"recoId must have 1 to {RECO_LENGTH} characters")
    return reco
