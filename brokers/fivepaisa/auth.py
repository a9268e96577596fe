"""The investor's session at 5paisa: the way to its login page, and when a token ends (document 004, parts 1 and 2).

We never see a PIN or an OTP: the OAuth page of 5paisa asks for them. A distributor must not use the TOTP login, which
would have us collect them (providers.md 4.1).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlencode

from portal.clock import IST

LOGIN_PATH = "/WebVendorLogin/VLogin/Index"
# "Token expires every day at 11:59 PM" (document 003).
ENDS_AT = time(23, 59)


@dataclass(frozen=True)
class Session:
    """An investor's session, as every call takes it. Its token is shown nowhere."""

    client_code: str
    access_token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.client_code or not self.access_token:
            raise ValueError("a session names a client and carries a token")


def login_url(base_url: str, app_key: str, response_url: str, state: str) -> str:
    """Where the browser goes to log in. `state` is our one-time word, bound to the browser's own session."""
    if not state:
        raise ValueError("without a state anybody's login could be slipped in")
    params = {"VendorKey": app_key, "ResponseURL": response_url, "State": state}
    return f"{base_url.rstrip('/')}{LOGIN_PATH}?{urlencode(params)}"


def ends_at(access_token: str, at: datetime) -> datetime:
    """When a token obtained at `at` ends: at 23:59 of that day, or earlier when the token itself says so."""
    midnight = datetime.combine(at.astimezone(IST).date(), ENDS_AT, IST)
    expires = _claims(access_token).get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not 0 < expires < 1e11:
        return midnight
    return min(midnight, datetime.fromtimestamp(expires, UTC).astimezone(IST))


def _claims(token: str) -> dict[str, Any]:
    """What a JWT says, unverified: it is 5paisa's to verify, we only plan by it."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
