"""Who calls: an access token, the key behind it, its partner, and from where. The database shows the partner's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.idp.oidc.adapter import get_adapter as get_token_adapter
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from portal import addresses, clock
from portal.api import keys
from portal.api.errors import Trouble
from portal.api.models import ApiKey
from portal.models import Partner
from portal.scope import NONE, set_scope

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
        opened = _open(value.strip())
        if opened is None:
            raise Trouble("not_authenticated")
        key, scopes = opened
        at = clock.now()
        try:
            check(key, request._request, at)
        except Trouble:
            set_scope(NONE)
            raise
        return AnonymousUser(), Call(key.partner, key, scopes, at)

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


def _open(value: str) -> tuple[ApiKey, frozenset[str]] | None:
    """The key and the scopes of a token that has not expired, with the connection narrowed to its partner."""
    digest = get_token_adapter().hash_token(value)
    with connection.cursor() as cursor:
        cursor.execute("SELECT key_id, scopes FROM portal_open_by_token(%s, %s)", [digest, timezone.now()])
        found = cursor.fetchone()
    if found is None:
        return None
    key_id, scopes = found
    return ApiKey.objects.select_related("partner").get(pk=key_id), frozenset(scopes.split())
