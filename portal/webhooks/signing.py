"""The signature of a webhook, by the Standard Webhooks specification (standardwebhooks.com, version 1).

    webhook-id          the event's id: the same at every try, so that a receiver can drop repeats
    webhook-timestamp   seconds since 1970 at this try; receivers refuse what is older than five minutes
    webhook-signature   `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several, parted by spaces

A secret is `whsec_` and the base64 of 24 to 64 random bytes; those bytes are the key. While a secret is being rotated
each try carries a signature under the new one and one under the old, and a receiver accepts either.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable
from datetime import timedelta

PREFIX = "whsec_"
VERSION = "v1"
KEY_BYTES = 32
# How far a timestamp may lie from the receiver's clock.
TOLERANCE = timedelta(minutes=5)


class NotSigned(Exception):
    """A message does not carry a signature of ours; the text says why, in words for a developer."""


def wall_clock() -> float:
    """Seconds since 1970 by the real clock, which receivers have too: the sandbox's own may run ahead of it."""
    return time.time()


def new_secret() -> str:
    """A fresh secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def headers(*, event_id: str, body: bytes, sent_at: int, secrets_: Iterable[str]) -> dict[str, str]:
    """The three headers of a try; one signature for each secret, newest first."""
    made = [f"{VERSION},{_signature(event_id, sent_at, body, secret)}" for secret in secrets_]
    return {"webhook-id": event_id, "webhook-timestamp": str(sent_at), "webhook-signature": " ".join(made)}


def verify(*, event_id: str, timestamp: str, signature: str, body: bytes, secret: str, now: float) -> None:
    """What a receiver does, step by step. Raises NotSigned with the first thing that is wrong."""
    if not event_id or not timestamp or not signature:
        raise NotSigned("One of the headers webhook-id, webhook-timestamp and webhook-signature is missing.")
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        raise NotSigned("webhook-timestamp is not a whole number of seconds since 1970.")
    try:
        expected = _signature(event_id, int(timestamp), body, secret)
    except ValueError:
        raise NotSigned(f"The secret is not {PREFIX} followed by base64.") from None
    given = [part.partition(",") for part in signature.split()]
    if not any(version == VERSION for version, _, _ in given):
        raise NotSigned("webhook-signature holds no signature of version v1.")
    if not any(version == VERSION and _same(value, expected) for version, _, value in given):
        raise NotSigned("No signature fits the id, the timestamp and the exact bytes of the body under this secret.")
    if abs(now - int(timestamp)) > TOLERANCE.total_seconds():
        raise NotSigned("The signature fits, but the timestamp is more than five minutes from now.")


def _signature(event_id: str, sent_at: int, body: bytes, secret: str) -> str:
    message = f"{event_id}.{sent_at}.".encode() + body
    return base64.b64encode(hmac.new(_key(secret), message, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    """The key of a secret. Raises ValueError for what is no secret."""
    if not secret.startswith(PREFIX):
        raise ValueError("no secret")
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("no secret") from error


def _same(given: str, expected: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())
