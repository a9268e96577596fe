"""The token endpoint, the OpenAPI document, the docs page, and the catalogue."""

from __future__ import annotations

import base64
import binascii
import sys
from typing import Any

from allauth.idp.oidc import views as idp
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from portal import clock, unavailable
from portal.access import ANYONE, access
from portal.api import calls, catalogue, door, errors, schema, usage
from portal.api.door import PREFIX
from portal.api.endpoints import dumps, get
from portal.api.errors import Trouble
from portal.api.models import ApiKey
from portal.api.shapes import Shape, col
from portal.scope import ALL, scope


@access("a partner's key and its secret; answers a token for an hour")
@csrf_exempt
@never_cache
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Client credentials for an access token (RFC 6749, section 4.4), answered by allauth's identity provider.

    A key that is over, a partner whose API is closed and a foreign address get no token. All other tries are counted:
    whoever knows no more than a partner's client id uses nothing up from outside of its networks.
    """
    with scope(ALL):
        key = ApiKey.objects.select_related("partner", "client").filter(pk=_client_id(request)).first()
        if key is None or request.POST.get("grant_type") != "client_credentials":
            return _refused("invalid_client" if key is None else "unsupported_grant_type")
        try:
            door.check(key, request, clock.now())
            usage.count(key.partner, clock.now())
        except Trouble as trouble:
            return _refused("invalid_client", trouble)
        response = idp.token(request)
        if response.status_code == 200:
            ApiKey.objects.filter(pk=key.pk).update(used_at=clock.now())
    return response


def _refused(error: str, trouble: Trouble | None = None) -> HttpResponse:
    """As RFC 6749, section 5.2, wants it."""
    status = errors.KINDS[trouble.code].status if trouble else 401 if error == "invalid_client" else 400
    said = (trouble.detail or errors.KINDS[trouble.code].title) if trouble else ""
    response = JsonResponse({"error": error} | ({"error_description": said} if said else {}), status=status)
    for name, value in (trouble.headers if trouble else {}).items():
        response[name.replace("_", "-")] = value
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="api"'
    return response


def _client_id(request: HttpRequest) -> str:
    """The key that is named: in the header (client_secret_basic) or in the form (client_secret_post)."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0].replace("\0", "")
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return request.POST.get("client_id", "").replace("\0", "")


@access(ANYONE)
@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI 3.1 document of everything that is declared."""
    return HttpResponse(dumps(schema.document()), content_type="application/json")


@access(ANYONE)
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Every endpoint with its parameters, an example, and calls that run as they stand."""
    context = {
        "resources": schema.for_people(),
        "errors": errors.KINDS,
        "failures": catalogue.failures(),
        "begin": calls.begin(),
    }
    return render(request, "api/docs.html", context)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that nothing answers: a problem below the API, the page elsewhere."""
    return errors.problem("not_found") if _is_ours(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Trouble that nobody foresaw, or a database that is away; it is logged and mailed whatever is answered."""
    if unavailable.is_away(sys.exception()):
        is_ours = _is_ours(request)
        return errors.problem("unavailable", headers=unavailable.HEADERS) if is_ours else unavailable.page(request)
    return errors.problem("server") if _is_ours(request) else defaults.server_error(request)


def _is_ours(request: HttpRequest) -> bool:
    return request.path.startswith("/" + PREFIX)


CATALOGUE = Shape(
    "Catalogue",
    "Tables of codes and words: name of the table -> code -> words.",
    {"errors": col("any", "errors", "Error codes with status and title.", example={})},
)


@get("catalogue", answer=CATALOGUE, scope="", is_plain=True, by="")
def get_catalogue(call: door.Call) -> dict[str, Any]:
    """Read all states, reasons, errors and scopes with their words."""
    return catalogue.everything()


PARTNER = Shape(
    "Partner",
    "Who you are, and what the key may do.",
    {
        "code": col("id", "code", "Your code.", example="NORTHSTAR"),
        "name": col("text", "name", "Your name.", example="Northstar Wealth LLP"),
        "scopes": col("any", "scopes", "What the key may do.", example=["orders:read"]),
        "calls_per_minute": col("count", "calls_per_minute", "Your allowance.", example=300),
        "calls_per_day": col("count", "calls_per_day", "Your allowance.", example=100000),
    },
)


@get("me", answer=PARTNER, scope="", is_plain=True, by="")
def get_me(call: door.Call) -> dict[str, Any]:
    """Read who you are."""
    partner = call.partner
    return {
        "code": partner.code,
        "name": partner.name,
        "scopes": sorted(call.scopes),
        "calls_per_minute": partner.calls_per_minute,
        "calls_per_day": partner.calls_per_day,
    }
