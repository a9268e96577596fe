"""The JWTs of smallcase Gateway: HS256 over the shared secret (given document 001, FAQ 1; providers.md 1.2).

`{"guest": true}` lets the person choose a broker; `{"smallcaseAuthId": ...}` holds them to the account used before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

HEADER = {"alg": "HS256", "typ": "JWT"}
# Minted for each use, so that one which leaks is soon worthless (providers.md 1.2).
LIFE = timedelta(hours=1)
SLACK = timedelta(minutes=5)


class NotGenuine(Exception):
    """A token or notice that was not made with our shared secret, or is too old to be believed."""


@dataclass(frozen=True)
class Claims:
    """Whom a token stands for: a guest, or one broker account."""

    smallcase_auth_id: str = ""

    @property
    def guest(self) -> bool:
        """Is no broker account known yet?"""
        return not self.smallcase_auth_id


def guest_token(secret: str, at: datetime) -> str:
    """The token of a person whose broker account we do not know."""
    return _mint(secret, {"guest": True}, at)


def connected_token(secret: str, smallcase_auth_id: str, at: datetime) -> str:
    """The token of a person whose broker account we know; the SDK accepts no other account with it."""
    if not smallcase_auth_id:
        raise ValueError("a connected token needs a smallcaseAuthId")
    return _mint(secret, {"smallcaseAuthId": smallcase_auth_id}, at)


def read_token(token: str, secrets: list[str], at: datetime) -> Claims:
    """What a token says that a browser brought back. Raises NotGenuine unless one of our secrets signed it."""
    try:
        header, claims, signature = token.split(".")
        signed, given = f"{header}.{claims}".encode(), _decode(signature)
        said, algorithm = json.loads(_decode(claims)), json.loads(_decode(header))["alg"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotGenuine("no token") from error
    if algorithm != "HS256" or not any(hmac.compare_digest(_mac(secret, signed), given) for secret in secrets):
        raise NotGenuine("signed by somebody else")
    if not isinstance(said, dict) or not _in_time(said.get("exp"), at):
        raise NotGenuine("too old")
    return _claims(said)


def _claims(said: dict[str, Any]) -> Claims:
    auth_id = said.get("smallcaseAuthId")
    if isinstance(auth_id, str) and auth_id:
        return Claims(auth_id)
    if said.get("guest") is True:
        return Claims()
    raise NotGenuine("stands for nobody")


def _in_time(expires: Any, at: datetime) -> bool:
    """`exp` is optional in practice (providers.md 1.2)."""
    if expires is None:
        return True
    number = isinstance(expires, int | float) and not isinstance(expires, bool)
    return number and at.timestamp() <= expires + SLACK.total_seconds()


def _mint(secret: str, claims: dict[str, Any], at: datetime) -> str:
    issued = int(at.timestamp())
    claims = {**claims, "iat": issued, "exp": issued + int(LIFE.total_seconds())}
    signed = f"{_encode(HEADER)}.{_encode(claims)}"
    return f"{signed}.{_text(_mac(secret, signed.encode()))}"


def _mac(secret: str, message: bytes) -> bytes:
    return hmac.new(secret.encode(), message, hashlib.sha256).digest()


def _encode(part: dict[str, Any]) -> str:
    return _text(json.dumps(part, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
