"""Who calls: an access token, the key behind it, its partner, and from where. The database shows the partner's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.idp.oidc.models import Token
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from portal import addresses, clock
from portal.api import keys, partners
from portal.api.errors import Trouble
from portal.api.models import ApiKey
from portal.models import Partner
from portal.scope import ALL, scope, set_scope

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
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            return None
        with scope(ALL):
            token = _token(value.strip())
        key = getattr(getattr(token, "client", None), "api_key", None)
        if token is None or key is None:
            raise Trouble("not_authenticated")
        at = clock.now()
        check(key, request._request, at)
        set_scope(partners.scope_of(key.partner))
        return AnonymousUser(), Call(key.partner, key, frozenset(token.get_scopes()), at)

    def authenticate_header(self, request: Request) -> str:
        """What makes an anonymous call a 401."""
        return 'Bearer realm="api"'


def check(key: ApiKey, request: HttpRequest, at: datetime) -> None:
    """The key works, now and from here. Raises Trouble."""
    partner = key.partner
    if not keys.is_live(key, at) or not partner.is_active:
        raise Trouble("not_authenticated")
    if partner.api_closed_at:
        raise Trouble("api_closed", f"The API is closed for you: {partner.api_closed_why}")
    if partner.networks and not addresses.is_among(get_adapter().get_client_ip(request) or "", partner.networks):
        raise Trouble("address_not_allowed")


def _token(value: str) -> Token | None:
    found = Token.objects.by_value(value).filter(type=Token.Type.ACCESS_TOKEN, expires_at__gt=timezone.now())
    return found.select_related("client__api_key__partner").first()
