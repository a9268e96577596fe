"""FP's HMAC login (given document, "HMAC Token Generation"; providers.md 3.2 for what the document gets wrong)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

LOGIN_PATH = "/api/auth/tenant/login"
MD5_OF_NOTHING = hashlib.md5(b"", usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Credentials:
    """What FP gave us, and the two choices on which its documents disagree."""

    tenant: str
    api_key_id: str
    secret: str
    base64_payload_first: bool = False
    principal: str = "tenant"


def login_headers(credentials: Credentials, at: datetime) -> dict[str, str]:
    """Headers of the login call made at the moment `at`."""
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    who = credentials.tenant if credentials.principal == "tenant" else credentials.api_key_id
    return {
        "Authorization": f"{who}:{sign(credentials, moment)}",
        "MFProDate": moment,
        "Content-Type": "application/json",
        "x-tenant-id": credentials.tenant,
    }


def sign(credentials: Credentials, moment: str) -> str:
    """The final token: a chain of HMAC-SHA256, each key being the Base64 text of the step before."""
    payload = "\n".join(["POST", MD5_OF_NOTHING, "application/json", moment, LOGIN_PATH])
    if credentials.base64_payload_first:
        payload = base64.b64encode(payload.encode()).decode()
    key = credentials.secret
    for message in (payload, moment[:8], credentials.tenant, "mfprocybrilla"):
        key = base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()
    return key
