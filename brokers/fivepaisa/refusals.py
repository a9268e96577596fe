"""What counts as 5paisa's "no": the written table. Everything that is not in it leaves the outcome unknown.

The body's status is compared as a number, for "0" and 0 both occur (providers.md 7 #21).

HTTP          head   body           means                                                          source
2xx           0      0              an answer                                                      004, samples
2xx           0      0, RMS code<0  Garbled: accepted and refused at once                          004 ModifyOrder
2xx           0      1, "No .. found"   of a read: an answer without records                       004 Holding
any           0      1              Refused by 5paisa's risk management (`RMS:<code>`)             004 status tables
any           0, -   2, 3           Refused: invalid input, invalid client code                    004 status tables
any           1      none or not 0  Refused: invalid input                                         004 head table
any           2      none or not 0  NotAuthorised: our app key is not accepted                     004 "Invalid App Key"
any           9      any            NotAuthorised: the investor's session has ended                004 Holding
any           any    9              NotAuthorised                                                  004 PlaceOrder
any           -1     any            OutcomeUnknown: "server unable to process"                     004 head table
any           any    -1             OutcomeUnknown                                                 003 failure sample
any           1, 2   0              Garbled: contradicts itself
any           -      -              Garbled: says nothing
any           other  other          OutcomeUnknown: a word that nobody has explained
2xx           -      0              of a read: an answer; else Garbled, an order is only believed with its head
any           the text "Invalid Token"   NotAuthorised                                             004 ModifyOrder
401, 403      any                   NotAuthorised
429           any                   Throttled
5xx           any                   OutcomeUnknown
2xx, 4xx      no envelope           Garbled
3xx, others   any                   Garbled: a proxy spoke

GetAccessToken alone: 2 in head or body is NotAuthorised ("Token Expired."): the investor logs in again. Its failure
samples are printed without their ends, so the words count too. A message that speaks of a time-out or of a server
"unable to process" is OutcomeUnknown, whatever its number. A 4xx never counts as success.
The scrip master has no envelope: its errors are plain text (providers.md 4.6).
"""

from __future__ import annotations

import re
from typing import Any

from portal.gateway import errors, wire
from portal.gateway.transport import Request, Response

PROVIDER = "5paisa"
TOKEN_CALL = "GetAccessToken"  # noqa: S105 - the name of a call
SCRIP_MASTER = "/ScripMaster/"
_NOTHING_FOUND = re.compile(r"^\s*no\b.*\bfound\b", re.IGNORECASE)
_BAD_TOKEN = re.compile(rb'^\s*"?[^<{\[]{0,100}invalid token[^<{\[]{0,20}$', re.IGNORECASE)
_UNABLE = re.compile(r"unable to process", re.IGNORECASE)
_EXPIRED = re.compile(r"token expired", re.IGNORECASE)
# Not "-0", not "٠", not 0.0: what only looks like the mark of success is none.
_STATUS = re.compile(r"\s*(0|-?[1-9][0-9]{0,8})\s*$")
REFUSED_IN_BODY = frozenset({1, 2, 3})


def classify(request: Request, response: Response) -> errors.GatewayError | None:
    """The failure that an answer stands for; None for an answer whose body is still to be read."""
    if trouble := wire.trouble_of_http(PROVIDER, request, response):
        return trouble
    if SCRIP_MASTER in request.path:
        return None if response.status == 200 else trouble_of_text(request, response.status, response.body)
    where = (PROVIDER, request.method, request.path)
    if _BAD_TOKEN.match(response.body[:200]):
        return errors.NotAuthorised(*where, said="Invalid Token", status=response.status)
    try:
        head, body, rms, said = _statuses(response)
    except (ValueError, RecursionError, ArithmeticError, TypeError) as error:
        return errors.Garbled(*where, said=f"no envelope: {type(error).__name__}", status=response.status)
    found = _judge(request, head, body, said)
    if found is not None:
        return found(*where, said=said, status=response.status, **_code(found, head, body, rms))
    if body == 0 and (rms or 0) < 0:
        return errors.Garbled(*where, said=f"contradicts itself: RMS {rms}", status=response.status)
    if not 200 <= response.status < 300:
        return errors.Garbled(*where, said="success under a failing status", status=response.status)
    return None


def trouble_of_text(request: Request, status: int, body: bytes) -> errors.GatewayError:
    """The plain text with which the scrip master says no."""
    where, said = (PROVIDER, request.method, request.path), body[:200].decode("utf-8", "replace").strip()
    if said.lower().startswith("invalid segment"):
        return errors.Refused(*where, said=said, status=status, code="segment")
    if "not available" in said.lower():
        return errors.OutcomeUnknown(*where, said=said, status=status)
    return errors.Garbled(*where, said="no scrip master", status=status)


def _judge(request: Request, head: int | None, body: int | None, said: str) -> type[errors.GatewayError] | None:
    """The row of the table."""
    pair = (head, body)
    if 9 in pair or (TOKEN_CALL in request.path and (2 in pair or (pair != (0, 0) and _EXPIRED.search(said)))):
        return errors.NotAuthorised
    nothing_found = pair == (0, 1) and _NOTHING_FOUND.match(said)
    if pair == (0, 0) or (not _is_write(request) and (nothing_found or pair == (None, 0))):
        return None
    if -1 in pair or wire.TIMED_OUT.search(said) or _UNABLE.search(said):
        return errors.OutcomeUnknown
    if pair in ((0, None), (None, None)) or body == 0:
        return errors.Garbled
    if head == 2:
        return errors.NotAuthorised
    if head == 1 or (head in (0, None) and body in REFUSED_IN_BODY):
        return errors.Refused
    return errors.OutcomeUnknown


def _is_write(request: Request) -> bool:
    """An order that was not found is not cancelled: "nothing found" is an answer only to a read."""
    return request.path.endswith(("OrderRequest", TOKEN_CALL))


def _code(kind: type[errors.GatewayError], head: int | None, body: int | None, rms: int | None) -> dict[str, str]:
    if kind is not errors.Refused:
        return {}
    if body == 1 and rms is not None:
        return {"code": f"RMS:{rms}"}
    return {"code": f"{head if head is not None else '-'}:{body if body is not None else '-'}"}


def _statuses(response: Response) -> tuple[int | None, int | None, int | None, str]:
    """(status of the head, status of the body, RMS code, what was said). Raises ValueError for no envelope."""
    answer = wire.fold(response.json())
    if not isinstance(answer, dict):
        raise ValueError("no object")
    head, body = (wire.fold(answer.get(part)) for part in ("head", "body"))
    if not all(part is None or isinstance(part, dict) for part in (head, body)) or not (head or body):
        raise ValueError("neither head nor body")
    head, body = head or {}, body or {}
    said = str(body.get("message") or head.get("statusdescription") or "")[:500]
    return _whole(head.get("status")), _whole(body.get("status")), _whole(body.get("rmsresponsecode")), said


def _whole(value: Any) -> int | None:
    """A status as a number. Raises ValueError for one that is none: it must not be mistaken for a missing one."""
    if value is None:
        return None
    if isinstance(value, bool) or not _STATUS.match(str(value)):
        raise ValueError("a status that is no number")
    return int(value)
