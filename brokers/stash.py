"""What a browser brought back from a broker, kept for the moment until its own session says whose it is.

A way back may be a POST from the broker's site, with which the browser sends no session cookie (SameSite), and it may
carry the broker's session in its address. So whatever comes is put away encrypted, under a name that works once, and
the browser is sent on to an address of ours that says nothing.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping

from django.core.cache import cache

from portal import encryption

LASTS_S = 300
MOST_FIELDS, MOST_CHARACTERS = 30, 4_000


def keep(params: Mapping[str, str]) -> str:
    """The name under which `take` finds what came. What is too long or too much for a way back is cut off."""
    name = secrets.token_urlsafe(24)
    kept = {key[:60]: value[:MOST_CHARACTERS] for key, value in list(params.items())[:MOST_FIELDS]}
    cache.set(_key(name), encryption.encrypt(json.dumps(kept)), LASTS_S)
    return name


def take(name: str) -> dict[str, str] | None:
    """What was put away under the name, once; None when there is nothing, or no longer."""
    found = cache.get(_key(name))
    if found is None or not cache.delete(_key(name)):
        return None
    return dict(json.loads(encryption.decrypt(found)))


def _key(name: str) -> str:
    return "way-back-" + hashlib.sha256(name.encode()).hexdigest()
