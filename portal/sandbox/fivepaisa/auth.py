"""Tokens: a one-shot RequestToken from the login page or TOTPLogin, and an access token until 23:59 Indian time."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from ..clock import IST, ist
from ..web import Request, dumps
from ..world import World

APP_KEY = "sandbox-app-key"
ENCRYPTION_KEY = "sandbox-encry-key"
USER_ID = "sandbox-user"
REQUEST_LIFE_S = 3600
LAST_MINUTE = dt.time(23, 59, tzinfo=IST)
FAILS, NO_SESSION = "Authentication Fails", "Invalid Session"
# The document's other proof of a session, which the oldest SDKs know alone; a bearer token goes before it.
COOKIE = "5paisacookie"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _key(world: World) -> bytes:
    if not world.meta("fivepaisa_key"):
        with world.transaction():
            world.set_meta("fivepaisa_key", world.meta("fivepaisa_key") or secrets.token_hex(32))
    return world.meta("fivepaisa_key").encode()


def _seal(world: World, text: str) -> str:
    return _b64(hmac.digest(_key(world), text.encode(), "sha256"))


def _sign(world: World, claims: dict[str, Any]) -> str:
    text = f"{_b64(dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{_b64(dumps(claims))}"
    return f"{text}.{_seal(world, text)}"


def _read(world: World, token: str) -> dict[str, Any] | None:
    """The claims of a token that this world signed."""
    text, _, seal = token.rpartition(".")
    if not text or not hmac.compare_digest(_seal(world, text).encode(), seal.encode()):
        return None
    payload = text.partition(".")[2]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _claims(world: World, client: str, use: str, ends: float) -> dict[str, Any]:
    now = int(world.now())
    return {
        "unique_name": client, "role": hashlib.sha256(APP_KEY.encode()).hexdigest()[:12], "use": use,
        "jti": secrets.token_hex(8), "nbf": now, "exp": int(ends), "iat": now,
    }  # fmt: skip


# -- request tokens ------------------------------------------------------------------------------------------------


def request_token(world: World, client: str) -> str:
    """What the login page sends back: good once, for 60 minutes (document, OAuth login)."""
    return _sign(world, _claims(world, client, "request", world.now() + REQUEST_LIFE_S))


def use_request_token(world: World, token: str) -> str | None:
    """The client of a token that is still good; uses it up."""
    claims = _read(world, token)
    if claims is None or claims["use"] != "request" or claims["exp"] <= world.now():
        return None
    with world.transaction() as db:
        sql = "INSERT OR IGNORE INTO fivepaisa_used_tokens VALUES (?, ?)"
        fresh = db.execute(sql, (claims["jti"], world.now())).rowcount
    return str(claims["unique_name"]) if fresh else None


# -- access tokens -------------------------------------------------------------------------------------------------


def end_of_day(moment: float) -> float:
    """The next 23:59 Indian time."""
    today = dt.datetime.combine(ist(moment).date(), LAST_MINUTE).timestamp()
    return today if moment < today else today + 86_400


def access_token(world: World, client: str) -> str:
    """`RedirectServer` is what the SDK reads to find its feed server (providers.md 4.1)."""
    claims = _claims(world, client, "access", end_of_day(world.now()))
    return _sign(world, claims | {"RedirectServer": "C"})


def cookie(token: str) -> dict[str, str]:
    """The headers that leave the session with a client that keeps cookies."""
    return {"Set-Cookie": f"{COOKIE}={token}; Path=/; HttpOnly"}


def _given(request: Request) -> str:
    authorization = request.headers.get("authorization", "").strip()
    if authorization:
        scheme, _, token = authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    pairs = (pair.strip().partition("=") for pair in request.headers.get("cookie", "").split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")


def session(world: World, request: Request) -> tuple[str, str]:
    """The caller's client code, or nothing and the words of the refusal."""
    claims = _read(world, _given(request))
    if claims is None or claims["use"] != "access":
        return "", FAILS
    if claims["exp"] <= world.now():
        return "", NO_SESSION
    return str(claims["unique_name"]), ""


# -- what older SDKs encrypt -----------------------------------------------------------------------------------------

SALT = bytes([83, 71, 26, 58, 54, 35, 22, 11]) * 2
ROUNDS = 1_000


def decrypted(text: str) -> str:
    """What `LoginRequestMobileNewbyEmail` carries: AES-256-CBC in Base64 under a key made of `EncryKey` by PBKDF2.

    Nothing, where it was encrypted with another key.
    """
    vector_and_key = hashlib.pbkdf2_hmac("sha1", ENCRYPTION_KEY.encode(), SALT, ROUNDS, 48)
    opener = Cipher(AES(vector_and_key[16:]), CBC(vector_and_key[:16])).decryptor()
    padding = PKCS7(128).unpadder()
    try:
        padded = opener.update(base64.b64decode(text, validate=True)) + opener.finalize()
        return (padding.update(padded) + padding.finalize()).decode()
    except ValueError:
        return ""
