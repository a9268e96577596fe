"""Who calls: an access token, the key behind it, its partner, and from where. The database shows the partner's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.idp.oidc.adapter import get_adapter as get_token_adapter
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from portal import addresses, clock
from portal.api import keys
from portal.api.errors import Trouble
from portal.api.models import ApiKey
from portal.models import Partner
from portal.rows import Columns, opening
from portal.scope import NONE, register_opener, set_scope

PREFIX = "api/v1/"
PARTNER_API = "a partner's key with the scope, own investors' rows only"


@dataclass
class Call:
    """One call of a partner: everything that an endpoint may know of the request."""

    partner: Partner
    key: ApiKey
    scopes: frozenset[str]
    at: datetime
    id: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    # What stood in the address, each known and given once; for endpoints that are no list and no object.
    params: dict[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """How the partner signs evidence."""
        return f"partner:{self.partner.pk}"


class TokenAuthentication(BaseAuthentication):
    """A bearer token of a live key, whose partner works with us, from an allowed address."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Call] | None:
        """Nobody who signs in, and the call, with the connection narrowed to its partner. None without a token."""
        plain = request._request
        if not _token_of(plain):
            return None
        call = getattr(plain, _OPENED, None) or _known(plain)
        if isinstance(call, Exception):
            raise call
        return AnonymousUser(), call

    def authenticate_header(self, request: Request) -> str:
        """What makes an anonymous call a 401."""
        return 'Bearer realm="api"'


_OPENED = "call_of_partner"


@register_opener
def open_by_token(request: HttpRequest) -> bool:
    """The request of a partner's machine is opened by its token, in the one statement that knows it."""
    if not request.path.startswith("/" + PREFIX) or not _token_of(request):
        return False
    setattr(request, _OPENED, _known(request))
    return True


def _token_of(request: HttpRequest) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _known(request: HttpRequest) -> Call | Exception:
    """The call, with the connection narrowed to its partner; or why there is none, with the connection closed."""
    opened = _open(_token_of(request))
    if opened is None:
        return Trouble("not_authenticated")
    key, scopes = opened
    at = clock.now()
    try:
        check(key, request, at)
    except (Trouble, PermissionDenied) as refusal:
        set_scope(NONE)
        return refusal
    return Call(key.partner, key, scopes, at)


def check(key: ApiKey, request: HttpRequest, at: datetime) -> None:
    """The key works, now and from here. Raises Trouble."""
    partner = key.partner
    if not keys.is_live(key, at) or not partner.is_active:
        raise Trouble("not_authenticated")
    if partner.api_closed_at:
        raise Trouble("api_closed", f"The API is closed for you: {partner.api_closed_why}")
    if partner.networks and not addresses.is_among(get_adapter().get_client_ip(request) or "", partner.networks):
        raise Trouble("address_not_allowed")


_KEY, _PARTNER = Columns(ApiKey, "k"), Columns(Partner, "p")
# Key and partner are read with what the function has opened: it is called before a row of theirs is looked at.
_OPEN = f"""
    SELECT o.scopes, its.* FROM portal_open_by_token(%s, %s) AS o, LATERAL (
        SELECT {_KEY.sql}, {_PARTNER.sql} FROM portal_apikey AS k JOIN portal_partner AS p ON p.id = k.partner_id
         WHERE k.client_id = o.key_id OFFSET 0) AS its
"""  # noqa: S608 - our own column names


def _open(value: str) -> tuple[ApiKey, frozenset[str]] | None:
    """The key and the scopes of a token that has not expired, with the connection narrowed to its partner."""
    row = opening(_OPEN, [get_token_adapter().hash_token(value), timezone.now()])
    if row is None:
        return None
    scopes, key, partner = next(row), _KEY.take(row), _PARTNER.take(row)
    key.partner = partner
    return key, frozenset(scopes.split())
