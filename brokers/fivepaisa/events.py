"""What 5paisa brings to us: the browser's return from its login page (document 004, part 1). It sends no webhooks."""

from __future__ import annotations

import hmac
from collections.abc import Mapping


class NotGenuine(Exception):
    """A return from the login page that does not belong to a login which this browser began."""


def read_callback(params: Mapping[str, str], expected_state: str) -> str:
    """The RequestToken of a return from the login page. Raises NotGenuine for a foreign state or no token.

    It works once and perhaps for 30 s only (providers.md 7 #28): exchange it at once.
    """
    said = {key.lower(): value for key, value in params.items()}
    given = said.get("state", "").encode("utf-8", "replace")
    if not expected_state or not hmac.compare_digest(given, expected_state.encode()):
        raise NotGenuine("not the login that this browser began")
    token = said.get("requesttoken", "")
    if not token:
        raise NotGenuine("no request token")
    return token
