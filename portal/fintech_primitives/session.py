"""A signed-in conversation with FP: the token, and how calls are sent and answers read. Endpoints stand beside it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from portal import clock
from portal.fintech_primitives import auth, refusals, repeats
from portal.fintech_primitives.messages import base
from portal.gateway import errors, wire
from portal.gateway.client import ProviderClient
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response, Transport

M = TypeVar("M", bound=base.Message)
P = TypeVar("P", bound=base.Page)

# No list of ours is longer; a provider that never says `last` must not keep us for ever.
MAX_PAGES = 2_000
# FP's token lives 1800 s; we renew at four fifths of what the token itself says.
RENEW_AT = 0.8
DEFAULT_LIFE_S = 1_800.0


class Session(ProviderClient):
    """A tenant at FP. Thread-safe; one login at a time, and none for a token that another call has renewed already."""

    provider = "fp"

    def __init__(self, transport: Transport, credentials: auth.Credentials, *, calls_per_second: int) -> None:
        super().__init__(transport, calls_per_second=calls_per_second)
        self._credentials = credentials
        self._login_lock = threading.Lock()
        self._sent = threading.local()
        self._token = ""
        self._renew_at = 0.0
        self._renew_on = datetime.max.replace(tzinfo=UTC)

    # --- signing in ---------------------------------------------------------------------------------------------

    def login(self) -> base.Login:
        """POST the tenant login. Raises NotAuthorised for wrong credentials, and the other gateway errors."""
        request = Request("POST", auth.LOGIN_PATH, headers=auth.login_headers(self._credentials, _real_now()))
        # Of its headers and its answer, which are secrets, the journal keeps nothing.
        found = self._once(request, About(keep_body=False), effect=False, signed=False)
        return self._read_as(base.Login, request, found)

    def headers(self) -> dict[str, str]:
        """The bearer token, renewed early; one login at a time, the others wait for it."""
        self._sent.token = self._valid_token()
        return {"Authorization": f"Bearer {self._sent.token}", "x-tenant-id": self._credentials.tenant}

    def renew(self) -> bool:
        """Forget the token that FP refused to this thread; the next call logs in.

        When many calls are refused at once, the first forgets the token and the others find a newer one.
        """
        with self._login_lock:
            if getattr(self._sent, "token", self._token) == self._token:
                self._renew_at = 0.0
        return True

    def may_repeat(self, request: Request) -> bool:
        """See `repeats`."""
        return repeats.may_follow_a_401(request)

    def _valid_token(self) -> str:
        with self._login_lock:
            # By both clocks: `monotonic` stands still while a machine sleeps, and only the other one follows a sandbox
            # whose days are moved. A 401 to a write would leave its outcome open.
            if time.monotonic() >= self._renew_at or clock.now() >= self._renew_on:
                self._token = self.login().token
                good_for = RENEW_AT * _life_s(self._token)
                self._renew_at = time.monotonic() + good_for
                self._renew_on = clock.now() + timedelta(seconds=good_for)
            return self._token

    def classify(self, request: Request, response: Response) -> errors.GatewayError | None:
        """See `refusals`."""
        return refusals.classify(request, response)

    # --- sending and reading ------------------------------------------------------------------------------------

    def _get(self, kind: type[M], path: str, params: Mapping[str, str] | None = None, about: About = About()) -> M:
        request = Request("GET", path, params=params)
        return self._read_as(kind, request, self.read(request, about))

    def _list(self, kind: type[M], path: str, about: About = About()) -> list[M]:
        """A list that comes bare, without an object around it."""
        request = Request("GET", path)
        found = self.read(request, about)
        if not isinstance(found, list):
            raise errors.Garbled("fp", request.method, request.path, said="unreadable: no list")
        return [self._read_as(kind, request, each) for each in found]

    def _pages(self, kind: type[P], path: str, query: base.Paging, about: About = About()) -> Iterator[P]:
        """Page after page, from the query's page on. Raises Garbled when FP never says that a page is the last."""
        for number in range(query.page, query.page + MAX_PAGES):
            params = query.model_copy(update={"page": number}).params()
            page = self._get(kind, path, params, about)
            yield page
            if page.is_last:
                return
        raise errors.Garbled("fp", "GET", path, said=f"more than {MAX_PAGES} pages")

    def _post(self, kind: type[M], path: str, ask: base.Ask | None, about: About, method: str = "POST") -> M:
        request = Request(method, path, json=ask.body() if ask else None)
        return self._read_as(kind, request, self.write(request, about))

    def _read_as(self, kind: type[M], request: Request, parsed: Any) -> M:
        """The typed message. Raises Garbled when FP's JSON is not what its document says."""
        return wire.read_as(kind, self.provider, request, parsed)


def at(template: str, *parts: str) -> str:
    """A path with each `{}` filled in turn; what came from outside cannot leave its place in the path."""
    return template.format(*(quote(part, safe="") for part in parts))


def _life_s(token: str) -> float:
    """Seconds between `iat` and `exp` of a JWT; the documented 1800 when it cannot be read."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return max(1.0, float(claims["exp"]) - float(claims["iat"]))
    except (IndexError, ValueError, KeyError, TypeError):
        return DEFAULT_LIFE_S


def _real_now() -> datetime:
    """Real time, not the sandbox's: FP checks MFProDate against its own wall clock."""
    return datetime.now(UTC)
