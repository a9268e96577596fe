"""Tenant login (the document's HMAC) and the 1,800-second JWT, with their own signature code.

The document signs the Base64 of the payload, the vendor's own snippets sign the payload itself: both are accepted, and
so are both principals, `tenant:token` and `api_key_id:token`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..clock import real_now
from ..web import Problem, Request, Response, dumps, json_response
from ..world import World

LOGIN_PATH = "/api/auth/tenant/login"
TOKEN_LIFE_S = 1800
CLOCK_SLACK_S = 12 * 3600
TAIL = "mfprocybrilla"


@dataclass(frozen=True)
class Tenant:
    name: str
    api_key_id: str
    secret: str
    gateway: str


TENANTS = (
    Tenant("sandbox", "sandbox", "sandbox-secret", "RTA"),
    Tenant("sandbox-bse", "sandbox-bse", "sandbox-bse-secret", "BSE"),
)
BY_PRINCIPAL = {name: tenant for tenant in TENANTS for name in (tenant.name, tenant.api_key_id)}


def gateway(tenant: str) -> str:
    return BY_PRINCIPAL[tenant].gateway


def _step(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()


def signature(secret: str, tenant: str, stamp: str, *, base64_first: bool) -> str:
    """The four chained signatures; each step's key is the Base64 text of the step before."""
    payload = "\n".join(["POST", hashlib.md5(b"").hexdigest(), "application/json", stamp, LOGIN_PATH])  # noqa: S324
    if base64_first:
        payload = base64.b64encode(payload.encode()).decode()
    key = _step(secret, payload)
    for message in (stamp[:8], tenant, TAIL):
        key = _step(key, message)
    return key


def _stamp(world: World, request: Request) -> str:
    stamp = request.headers.get("mfprodate", "")
    try:
        # The document's pattern is Java's, whose Z is an offset (`+0000`); its example ends in the letter.
        moment = datetime.strptime(stamp, "%Y%m%dT%H%M%S%z")
    except ValueError:
        raise Problem(401, "MFProDate must be yyyyMMdd'T'HHmmssZ") from None
    if min(abs(moment.timestamp() - now) for now in (real_now(), world.now())) > CLOCK_SLACK_S:
        raise Problem(401, "MFProDate is too far from the time now")
    return stamp


def login(world: World, request: Request) -> Response:
    principal, _, given = request.headers.get("authorization", "").partition(":")
    tenant = BY_PRINCIPAL.get(principal.strip())
    if tenant is None or not given:
        raise Problem(401, "Unauthorized")
    stamp = _stamp(world, request)
    forms = (signature(tenant.secret, tenant.name, stamp, base64_first=flag) for flag in (False, True))
    if not any(hmac.compare_digest(form.encode(), given.strip().encode()) for form in forms):
        raise Problem(401, "Unauthorized")
    if request.headers.get("x-tenant-id", tenant.name) != tenant.name:
        raise Problem(401, "x-tenant-id is not the tenant that signed")
    user = {"id": "1", "name": tenant.name, "email": f"{tenant.name}@example.com", "phone_number": "9876543210"}
    return json_response({"user": user, "token": issue(world, tenant.name)})


# -- tokens ------------------------------------------------------------------------------------------------------


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _key(world: World) -> bytes:
    if not world.meta("jwt_key"):
        world.set_meta("jwt_key", secrets.token_hex(32))
    return world.meta("jwt_key").encode()


def _seal(world: World, text: str) -> str:
    return _b64(hmac.new(_key(world), text.encode(), hashlib.sha256).digest())


def issue(world: World, tenant: str) -> str:
    """A token that ends after 1,800 s of real time or of the world's clock, whichever comes first."""
    now = int(real_now())
    claims = {
        "sub": "2", "scopes": ["user"], "iss": "cybrilla-auth", "tenant": tenant, "jti": secrets.token_hex(8),
        "iat": now, "exp": now + TOKEN_LIFE_S, "world_exp": int(world.now()) + TOKEN_LIFE_S,
    }  # fmt: skip
    text = f"{_b64(dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{_b64(dumps(claims))}"
    return f"{text}.{_seal(world, text)}"


def _claims(world: World, token: str) -> dict[str, Any]:
    text, _, seal = token.rpartition(".")
    if not hmac.compare_digest(_seal(world, text).encode(), seal.encode()):
        raise Problem(401, "Unauthorized")
    claims: dict[str, Any] = json.loads(_unb64(text.partition(".")[2]))
    return claims


def tenant_of(world: World, request: Request) -> str:
    """The tenant a call speaks for; raises Problem 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem(401, "Unauthorized")
    claims = _claims(world, token.strip())
    if real_now() >= claims["exp"] or world.now() >= claims["world_exp"]:
        raise Problem(401, "Token expired")
    tenant: str = claims["tenant"]
    if request.headers.get("x-tenant-id", tenant) != tenant:
        raise Problem(401, "Unauthorized")
    return tenant


ROUTES = [("POST", LOGIN_PATH, login)]
