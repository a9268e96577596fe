"""The last calls that reached the sandbox, for the control room; secrets are struck out before they are kept."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from typing import Any

from .web import Request, Response

KEPT = 200
BODY_LIMIT = 4_000
SECRET_HEADERS = {
    "authorization",
    "cookie",
    "x-gateway-secret",
    "x-gateway-authtoken",
    "x-api-key",
    "proxy-authorization",
}


SECRET_FIELDS = re.compile(
    r"(\b(?:token|authToken|smallcaseAuthToken|sessionId|sSession|sRestSession|jToken|sAppToken|sApplicationToken"
    r"|sInitiatorAppToken|sTwoWayToken|apiKey|secretKey|seal"
    r"|RequestToken|AccessToken|RefreshToken|JWTToken|EncryKey|UserId|Userkey|PIN|TOTP|My2PIN|Password|password)"
    r"(?:\"\s*:\s*\"|=))[^\"&\s]+"
)
# A signed token under whatever name, also one that was cut off.
TOKENS = re.compile(r"\beyJ[\w-]*\.[\w.-]*")


def _struck(text: str) -> str:
    return TOKENS.sub("[redacted]", SECRET_FIELDS.sub(r"\1[redacted]", text))


def _text(body: bytes) -> str:
    return _struck(body[:BODY_LIMIT].decode("utf-8", "replace"))


class Journal:
    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._number = 0

    def note(self, request: Request, response: Response, took_s: float, fault: str) -> None:
        headers = {k: "[redacted]" if k in SECRET_HEADERS else v for k, v in request.headers.items()}
        answer = (
            _text(response.body)
            if "json" in response.content_type
            else f"[{response.content_type}, {len(response.body)} bytes]"
        )
        if request.path.endswith("/login"):
            answer = "[redacted]"
        entry = {
            "at": time.time(), "method": request.method, "path": request.full_path,
            "query": _struck(request.query_string),
            "headers": headers, "body": _text(request.body), "status": 0 if response.wire else response.status,
            "wire": response.wire, "answer": answer, "ms": round(took_s * 1000, 2), "fault": fault,
        }  # fmt: skip
        with self._lock:
            self._number += 1
            self._entries.append({"number": self._number, **entry})

    def latest(self) -> list[dict[str, Any]]:
        """Newest first."""
        with self._lock:
            return list(reversed(self._entries))
