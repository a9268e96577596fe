"""What counts as ODIN's "no": the written table. Everything that is not in it leaves the outcome unknown.

HTTP             success  statusCode          means
2xx              true     <env>-2xx-<nnn>     an answer
2xx and          false    *-400-500           NotAuthorised: the investor's session has ended (document 000, example)
400, 404, 405,   false    *-401-*, *-403-*    NotAuthorised
409, 422         false    *-408-*, *-5xx-*    OutcomeUnknown
                 false    *-429-*             Throttled
                 false    *-4xx-*, none       Refused: nothing was done
401, 403         any      any                 NotAuthorised
429              any      any                 Throttled
5xx              any      any                 OutcomeUnknown
2xx, 4xx         neither or contradictory     Garbled
3xx, other 4xx   any      any                 Garbled: a proxy spoke

The HTTP status of a failure is not documented, so the envelope decides (providers.md 2.6). A message that speaks of a
session is NotAuthorised, and one that speaks of a time-out OutcomeUnknown, whatever its code. OMEX's sync answers
without the envelope: an object with `jOrderMessage` is an answer too, unless it names an error (providers.md 2.7).
"""

from __future__ import annotations

import re
from typing import Any

from portal.gateway import errors, wire
from portal.gateway.transport import Request, Response

PROVIDER = "odin"
_CODE = re.compile(r"(?:^|-)([1-5]\d\d)-(\d{1,4})$")
_SESSION = re.compile(r"\b(invalid|expired|no)\b.{0,20}\b(session|login)\b|please login", re.IGNORECASE)


def classify(request: Request, response: Response) -> errors.GatewayError | None:
    """The failure that an answer stands for; None for an answer whose content is still to be read."""
    if trouble := wire.trouble_of_http(PROVIDER, request, response):
        return trouble
    body, answered = _envelope(response), 200 <= response.status < 300
    success, http = body.get("success"), http_in(body.get("statuscode"))
    if answered and "success" not in body and _is_synced(body):
        return None
    if answered and success is True and http in (None, *range(200, 300)):
        return None
    if success is not False:
        return errors.Garbled(PROVIDER, request.method, request.path, said="no envelope", status=response.status)
    return _no(request, response, body, http)


def _is_synced(body: dict[str, Any]) -> bool:
    """A sync without an error. Its status code is not documented; a negative one is no success."""
    fine = not body.get("jerrorstring") and not str(body.get("jstatuscode", 1)).startswith("-")
    return fine and isinstance(body.get("jordermessage"), list)


def http_in(code: Any) -> int | None:
    """The HTTP status inside an application status code: 400 in `vasprd-400-500`."""
    found = _CODE.search(code.strip()) if isinstance(code, str) else None
    return int(found.group(1)) if found else None


def _no(request: Request, response: Response, body: dict[str, Any], http: int | None) -> errors.GatewayError:
    where = (PROVIDER, request.method, request.path)
    code, message = str(body.get("statuscode") or ""), str(body.get("message") or "")
    said = f"{code} {message}".strip()
    if http in (401, 403) or code.endswith("-400-500") or _SESSION.search(message):
        return errors.NotAuthorised(*where, said=said, status=response.status)
    if http == 429:
        return errors.Throttled(*where, said=said, status=response.status, retry_after_s=wire.retry_after_s(response))
    if http == 408 or (http or 0) >= 500 or wire.TIMED_OUT.search(message):
        return errors.OutcomeUnknown(*where, said=said, status=response.status)
    if http is not None and http < 400:
        return errors.Garbled(*where, said=f"contradicts itself: {said}", status=response.status)
    return errors.Refused(*where, said=said, status=response.status, code=code[:60])


def _envelope(response: Response) -> dict[str, Any]:
    """The answer with folded keys: the table of the document capitalises some that its examples do not."""
    try:
        body = wire.fold(response.json())
    except (ValueError, RecursionError, ArithmeticError):
        return {}
    return body if isinstance(body, dict) else {}
