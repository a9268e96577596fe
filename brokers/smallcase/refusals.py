"""What counts as smallcase's "no": the written table. Everything that is not in it leaves the outcome unknown.

status            body                                              means
2xx               {"success": true, "data": ...}                    an answer
2xx, 400, 404,    {"success": false, ...}                           Refused: nothing was done
405, 409, 422
  the same        ... naming a code of NOT_AUTHORISED               NotAuthorised
  the same        ... naming a code of IN_DOUBT, or a time-out      OutcomeUnknown
401, 403          any                                               NotAuthorised
429               any                                               Throttled
5xx               any                                               OutcomeUnknown
2xx, 4xx          anything but the envelope                         Garbled
3xx, other 4xx    any                                               Garbled: a proxy spoke

Sources: the envelope, providers.md 1.3 and 1.4; the codes, 1.6.
"""

from __future__ import annotations

from typing import Any

from portal.gateway import errors, wire
from portal.gateway.transport import Request, Response

PROVIDER = "smallcase"
# Initialisation errors about our credentials, and an account that is not the connected one (providers.md 1.6).
NOT_AUTHORISED = frozenset({"invalid_jwt", "invalid_gateway", "user_mismatch", "1001"})
# smallcase's own trouble: it does not say whether anything was done.
IN_DOUBT = frozenset({"api_error", "internal_error", "2000"})


def classify(request: Request, response: Response) -> errors.GatewayError | None:
    """The failure that an answer stands for; None for an answer whose `data` is still to be read."""
    if trouble := wire.trouble_of_http(PROVIDER, request, response):
        return trouble
    where, status = (PROVIDER, request.method, request.path), response.status
    body = _envelope(response)
    success = body.get("success") if body else None
    if success is True and 200 <= status < 300 and not body.get("errors"):
        return None
    if success is not False:
        return errors.Garbled(*where, said="no envelope of smallcase's", status=status)
    words = list(dict.fromkeys(_words({key: each for key, each in body.items() if key != "data"})))
    said = "; ".join(words)
    if NOT_AUTHORISED.intersection(words):
        return errors.NotAuthorised(*where, said=said, status=status)
    if IN_DOUBT.intersection(words) or wire.TIMED_OUT.search(said):
        return errors.OutcomeUnknown(*where, said=said, status=status)
    return errors.Refused(*where, said=said, status=status, code=words[0][:60] if words else "")


def _envelope(response: Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError, ArithmeticError):
        return {}
    return body if isinstance(body, dict) else {}


def _words(value: Any, depth: int = 0) -> list[str]:
    """Every word and number that is said, wherever it stands: `errors` is a list of texts, of objects, or neither."""
    if depth > 4 or value is None or isinstance(value, bool):
        return []
    if isinstance(value, dict):
        return [word for each in value.values() for word in _words(each, depth + 1)]
    if isinstance(value, list):
        return [word for each in value[:20] for word in _words(each, depth + 1)]
    return [str(value)[:500]]
