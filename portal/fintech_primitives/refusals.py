"""What counts as FP's "no": the written table. Everything that is not in it leaves the outcome unknown.

status          body                                     means
400, 404, 405,  {"error": {...}} with the same status    Refused: nothing was done
409, 422
400 and others  the message speaks of a time-out         OutcomeUnknown ("timed out, check before placing")
401, 403        any                                      NotAuthorised
429             any                                      Throttled
5xx             any                                      OutcomeUnknown
2xx             anything but the documented JSON         Garbled
3xx, other 4xx  any                                      Garbled: a proxy spoke, not FP
"""

from __future__ import annotations

import json
import re
from typing import Any

from portal.gateway import errors
from portal.gateway.transport import Request, Response

REFUSALS = frozenset({400, 404, 405, 409, 422})
_TIMED_OUT = re.compile(r"tim(ed|e)[\s-]*out", re.IGNORECASE)


def classify(request: Request, response: Response) -> errors.GatewayError | None:
    """The failure that FP's answer stands for; None for a 2xx, whose body is still to be read."""
    where = ("fp", request.method, request.path)
    status = response.status
    if 200 <= status < 300:
        return None
    if status in (401, 403):
        return errors.NotAuthorised(*where, status=status)
    if status == 429:
        return errors.Throttled(*where, status=status, retry_after_s=_retry_after_s(response))
    if status >= 500:
        return errors.OutcomeUnknown(*where, status=status)
    error = _error_of(response)
    if status not in REFUSALS or error is None:
        return errors.Garbled(*where, said="no readable refusal", status=status)
    message = str(error.get("message") or "")
    fields = tuple(_fields(error.get("errors")))
    if _TIMED_OUT.search(message):
        return errors.OutcomeUnknown(*where, said=message, status=status)
    said = "; ".join([message, *(f"{each.field}: {each.message}" for each in fields)])
    return errors.Refused(*where, said=said, status=status, code=str(error.get("code") or ""), fields=fields)


def _error_of(response: Response) -> dict[str, Any] | None:
    """The `error` object of FP's documented envelope, if the body is one and agrees with the status."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or error.get("status") not in (
        response.status,
        str(response.status),
        None,
    ):
        return None
    return error


def _fields(complaints: Any) -> list[errors.FieldError]:
    if not isinstance(complaints, list):
        return []
    return [
        errors.FieldError(str(each.get("field") or ""), str(each.get("message") or ""))
        for each in complaints
        if isinstance(each, dict)
    ]


def _retry_after_s(response: Response) -> float:
    text = str(response.headers.get("Retry-After", ""))
    return min(float(text), 600.0) if text.isdigit() else 5.0
