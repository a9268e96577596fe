"""The gateway's two proofs: the partner's API secret in a header, and the user's token, an HS256 JWT.

Guest tokens say `{"guest": true}`, connected ones `{"smallcaseAuthId": "..."}` (providers.md 1.2); `exp` is optional.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from ..clock import real_now
from ..limits import Limiter
from ..web import Problem, Request, dumps
from ..world import World

GATEWAY = "gatewaydemo"
SECRET = "sandbox-secret"  # noqa: S105  made up, stands in the README
API_SECRET = "sandbox-api-secret"  # noqa: S105
LIMITER = Limiter()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _seal(text: str) -> bytes:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()


def issue(world: World, auth_id: str) -> str:
    """The connected user's token that the SDK hands back."""
    claims = {"smallcaseAuthId": auth_id, "iat": int(world.now())}
    text = f"{_b64(dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{_b64(dumps(claims))}"
    return f"{text}.{_b64(_seal(text))}"


def _claims(token: str) -> dict[str, Any] | None:
    """What a well-signed token says; None for any other."""
    head, _, rest = token.partition(".")
    payload, _, seal = rest.partition(".")
    try:
        header, claims = json.loads(_unb64(head)), json.loads(_unb64(payload))
        good = hmac.compare_digest(_unb64(seal), _seal(f"{head}.{payload}"))
    except (ValueError, TypeError):
        return None
    known = isinstance(header, dict) and header.get("alg") == "HS256" and isinstance(claims, dict)
    return claims if good and known else None


def user_of(world: World, token: str) -> str:
    """The smallcaseAuthId of a connected token, empty for a guest; raises Problem 403 `invalid_jwt`."""
    claims = _claims(token)
    if claims is None:
        raise Problem(403, "invalid_jwt")
    ends = claims.get("exp")
    if ends is not None and (not isinstance(ends, int | float) or min(real_now(), world.now()) >= ends):
        raise Problem(403, "invalid_jwt")
    auth_id = claims.get("smallcaseAuthId")
    if isinstance(auth_id, str) and auth_id:
        return auth_id
    if claims.get("guest") is not True:
        raise Problem(403, "invalid_jwt")
    return ""


def check_gateway(name: str) -> None:
    """Raises Problem 403 `invalid_gateway`."""
    if name != GATEWAY:
        raise Problem(403, "invalid_gateway")


def check_call(world: World, request: Request, gateway: str) -> None:
    """Raises Problem 401 for the API secret, 403 for the gateway or the token; `request.tenant` becomes the user."""
    given = request.headers.get("x-gateway-secret", "")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), API_SECRET.encode()):
        raise Problem(401, "invalid_gateway_secret")
    check_gateway(gateway)
    token = request.headers.get("x-gateway-authtoken", "")
    if not token:
        raise Problem(401, "missing_authtoken")
    request.tenant = user_of(world, token)
    LIMITER.check(world, gateway)
