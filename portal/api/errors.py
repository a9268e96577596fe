"""Everything that goes wrong has one shape: a problem (RFC 9457) with our code, the fields, and a link to the docs.

{"type": "https://.../api/v1/docs/#error-invalid", "title": "...", "status": 422, "code": "invalid",
 "detail": "...", "fields": {"lines.0.amount": ["..."]}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpResponse
from django.urls import reverse
from rest_framework import exceptions

from portal.errors import Failure, InvalidInput


@dataclass(frozen=True)
class Kind:
    """One kind of trouble: its status, and what it means."""

    status: int
    title: str


# What any call can meet. Failures of the business add their own codes, with status 422.
KINDS: dict[str, Kind] = {
    "bad_request": Kind(400, "The request could not be read."),
    "idempotency_key_missing": Kind(400, "Every write carries an Idempotency-Key of 1 to 255 visible characters."),
    "cursor": Kind(400, "The cursor is not one of ours. Begin again without it."),
    "not_authenticated": Kind(401, "The access token is missing, unknown, expired or revoked."),
    "scope_missing": Kind(403, "The key has no scope for this."),
    "address_not_allowed": Kind(403, "Calls from this address are not allowed for the partner."),
    "api_closed": Kind(403, "The API is closed for the partner."),
    "not_found": Kind(404, "There is no such thing, or it is not yours."),
    "method_not_allowed": Kind(405, "This address does not take this method."),
    "not_acceptable": Kind(406, "Answers are application/json."),
    "still_running": Kind(409, "A call with this Idempotency-Key is still running."),
    "unsupported_media_type": Kind(415, "Bodies are application/json."),
    "invalid": Kind(422, "Something in the request is not right."),
    "idempotency_key_reused": Kind(422, "This Idempotency-Key was used with another body."),
    "throttled": Kind(429, "Too many calls."),
    "server": Kind(500, "Something went wrong on our side and nothing was done. Call again, with the same key."),
    "unavailable": Kind(503, "Our records cannot be reached for the moment. Call again later, with the same key."),
}
TYPE = "application/problem+json"


class Trouble(Exception):
    """A call ends here with one of `KINDS`."""

    def __init__(self, code: str, detail: str = "", *, fields: Mapping[str, list[str]] | None = None, **headers: Any):
        super().__init__(code)
        self.code, self.detail, self.fields, self.headers = code, detail, fields or {}, headers


def problem(
    code: str,
    *,
    status: int | None = None,
    detail: str = "",
    fields: Mapping[str, list[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer. A code of the business has status 422 and its own words."""
    kind = KINDS.get(code, Kind(422, "The business rules do not allow this."))
    content: dict[str, Any] = {
        "type": f"{settings.PUBLIC_URL}{reverse('api_docs')}#error-{code}",
        "title": kind.title,
        "status": status or kind.status,
        "code": code,
        "detail": detail or kind.title,
    }
    if fields:
        content["fields"] = fields
    # A name of the caller's own may be half of a pair of surrogates, which is no text in UTF-8.
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    response = HttpResponse(text, status=content["status"], content_type=TYPE)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


_OF_DRF: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.NotAuthenticated, "not_authenticated"),
    (exceptions.AuthenticationFailed, "not_authenticated"),
    (exceptions.MethodNotAllowed, "method_not_allowed"),
    (exceptions.NotAcceptable, "not_acceptable"),
    (exceptions.UnsupportedMediaType, "unsupported_media_type"),
    (exceptions.PermissionDenied, "scope_missing"),
    (PermissionDenied, "scope_missing"),
    (exceptions.NotFound, "not_found"),
    (Http404, "not_found"),
    (exceptions.ParseError, "bad_request"),
    (RequestDataTooBig, "bad_request"),
    # JSON that is nested deeper than anybody means it.
    (RecursionError, "bad_request"),
)


def answer(error: Exception, context: object = None) -> HttpResponse | None:
    """The problem of an exception; None for one that nobody foresaw, which is the server's own."""
    if isinstance(error, Trouble):
        headers = {name.replace("_", "-"): value for name, value in error.headers.items()}
        if error.code == "not_authenticated":
            headers["WWW-Authenticate"] = 'Bearer realm="api"'
        return problem(error.code, detail=error.detail, fields=error.fields, headers=headers)
    if isinstance(error, InvalidInput):
        return problem(error.code, detail=error.message, fields={error.field: [error.message]})
    if isinstance(error, Failure):
        return problem(error.code, detail=error.message)
    if isinstance(error, exceptions.ValidationError):
        return problem("invalid", fields=_flat(error.detail))
    code = next((code for kind, code in _OF_DRF if isinstance(error, kind)), "")
    headers = {"WWW-Authenticate": 'Bearer realm="api"'} if code == "not_authenticated" else {}
    if code == "method_not_allowed" and (allowed := getattr(context, "allowed_methods", None)):
        headers["Allow"] = ", ".join(allowed)
    return problem(code, headers=headers) if code else None


def _flat(detail: Any, place: str = "") -> dict[str, list[str]]:
    """`{"lines": [{"amount": [..]}]}` as `{"lines.0.amount": [..]}`."""
    if isinstance(detail, Mapping):
        parts = detail.items()
    elif isinstance(detail, list) and any(isinstance(each, Mapping | list) for each in detail):
        parts = enumerate(detail)  # type: ignore[assignment]
    else:
        return {place or "body": [str(each) for each in (detail if isinstance(detail, list) else [detail])]}
    found: dict[str, list[str]] = {}
    for name, inner in parts:
        if inner:
            found |= _flat(inner, f"{place}.{name}" if place else "body" if name == "non_field_errors" else str(name))
    return found
