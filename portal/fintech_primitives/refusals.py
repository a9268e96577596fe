"""What counts as FP's "no": the written table. Everything that is not in it leaves the outcome unknown.

`TABLE` is read from the top, the first row that fits counts. A refusal needs a status of the document and the
document's own envelope with that same status in it: a proxy's HTML or another service's JSON refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portal.gateway import errors
from portal.gateway.transport import Request, Response
from portal.gateway.wire import retry_after_s

_TIMED_OUT = re.compile(r"tim(ed|e)[\s-]*out", re.IGNORECASE)
Envelope = dict[str, Any]


def _any(_envelope: Envelope | None) -> bool:
    return True


def _enveloped(envelope: Envelope | None) -> bool:
    return envelope is not None


def _speaks_of_a_timeout(envelope: Envelope | None) -> bool:
    return envelope is not None and bool(_TIMED_OUT.search(_message(envelope)))


@dataclass(frozen=True)
class Rule:
    """One row: for these statuses, when the body fits, the answer means `outcome`; None is a usable answer."""

    first: int
    last: int
    fits: Callable[[Envelope | None], bool]
    outcome: type[errors.GatewayError] | None
    means: str
    source: str


ERRORS, STATUSES, UNSURE = "document, Errors", "providers.md 3.3", "providers.md 3.4"
TABLE = (
    Rule(200, 299, _any, None, "taken; the body must still be what the document shows, else Garbled", "every section"),
    Rule(300, 399, _any, errors.Garbled, "a proxy spoke: FP never redirects", "no section has one"),
    Rule(400, 400, _speaks_of_a_timeout, errors.OutcomeUnknown, "it timed out behind FP: check before placing", UNSURE),
    Rule(400, 400, _enveloped, errors.Refused, "a rule was broken, field by field, or the JSON", ERRORS),
    Rule(401, 401, _any, errors.NotAuthorised, "the token is not valid or no longer", STATUSES),
    Rule(403, 403, _any, errors.NotAuthorised, "the tenant may not do this", STATUSES),
    Rule(404, 404, _enveloped, errors.Refused, "there is no such thing at FP", STATUSES),
    Rule(405, 405, _enveloped, errors.Refused, "the call does not exist", STATUSES),
    Rule(409, 409, _speaks_of_a_timeout, errors.OutcomeUnknown, "as for 400", UNSURE),
    Rule(409, 409, _enveloped, errors.Refused, "it is there already, or another state forbids it", ERRORS),
    Rule(422, 422, _speaks_of_a_timeout, errors.OutcomeUnknown, "as for 400", UNSURE),
    Rule(422, 422, _enveloped, errors.Refused, "a rule was broken", ERRORS),
    Rule(429, 429, _any, errors.Throttled, "above the tenant's calls a second; nothing was done", STATUSES),
    Rule(400, 499, _any, errors.Garbled, "no envelope, or a status FP does not use: somebody else spoke", ERRORS),
    Rule(500, 599, _any, errors.OutcomeUnknown, "it broke somewhere; the write may have been done", UNSURE),
)  # fmt: skip


def classify(request: Request, response: Response) -> errors.GatewayError | None:
    """The failure that FP's answer stands for; None for a 2xx, whose body is still to be read."""
    envelope = _envelope(response)
    rule = next((each for each in TABLE if each.first <= response.status <= each.last and each.fits(envelope)), None)
    if rule is None:
        return errors.Garbled("fp", request.method, request.path, said="no HTTP status", status=response.status)
    return _error(rule, request, response, envelope or {})


def _error(rule: Rule, request: Request, response: Response, envelope: Envelope) -> errors.GatewayError | None:
    where, message, status = ("fp", request.method, request.path), _message(envelope), response.status
    if rule.outcome is None:
        return None
    if rule.outcome is errors.Throttled:
        return errors.Throttled(*where, status=status, retry_after_s=retry_after_s(response))
    if rule.outcome is not errors.Refused:
        return rule.outcome(*where, said=message or rule.means, status=status)
    fields = tuple(_fields(envelope.get("errors")))
    said = "; ".join([message, *(f"{each.field}: {each.message}" for each in fields)])
    return errors.Refused(*where, said=said, status=status, code=str(envelope.get("code") or ""), fields=fields)


def _message(envelope: Envelope) -> str:
    return str(envelope.get("message") or "")


def _envelope(response: Response) -> Envelope | None:
    """The `error` object of FP's documented envelope, if the body is one and agrees with the status."""
    if response.status < 400:
        return None
    try:
        body = response.json()
    except (ValueError, RecursionError, ArithmeticError):
        return None
    error = body.get("error") if isinstance(body, dict) else None
    agrees = isinstance(error, dict) and error.get("status") in (response.status, str(response.status), None)
    return error if agrees else None


def _fields(complaints: Any) -> list[errors.FieldError]:
    if not isinstance(complaints, list):
        return []
    return [
        errors.FieldError(str(each.get("field") or ""), str(each.get("message") or ""))
        for each in complaints
        if isinstance(each, dict)
    ]
