"""One method wide: a request goes out, an answer or a named failure comes back.

`Transport.send` is the only place that touches the network. It follows no redirects, speaks only to the configured
host, refuses loopback in live mode and everything else in sandbox mode, and never runs inside a database transaction.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from portal.gateway import errors, patience

MAX_BODY = 20 * 1024 * 1024


@dataclass(frozen=True)
class File:
    """A file of a multipart body."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Request:
    """What is sent. `path` begins with a slash and is joined to the provider's base URL.

    The body is `json`, or `content`, or multipart: `files` with `fields` beside them.
    """

    method: str
    path: str
    params: Mapping[str, str] | None = None
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, File] | None = None
    fields: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Response:
    """What came back, unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """A pooled HTTP connection to one provider."""

    def __init__(self, provider: str, base_url: str) -> None:
        refuse_the_wrong_world(base_url)
        self.provider = provider
        self.base_url = base_url.rstrip("/")
        self._client = httpx2.Client(
            follow_redirects=False,
            verify=_trust(),
            trust_env=False,
            limits=httpx2.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=4.0),
        )

    def send(self, request: Request) -> Response:
        """Send and read the whole answer. Raises Unreachable, OutcomeUnknown, or RuntimeError inside a transaction."""
        with self.open(request) as answer:
            return Response(answer.status_code, answer.headers, read_whole(answer))

    @contextmanager
    def open(self, request: Request) -> Iterator[httpx2.Response]:
        """An answer whose body is still to be read, for those too long to hold. Raises like `send`."""
        refuse_inside_a_transaction()
        where = (self.provider, request.method, request.path)
        try:
            with self._client.stream(
                request.method,
                self.base_url + request.path,
                params=request.params,
                json=request.json,
                content=request.content,
                files=_parts(request),
                data=dict(request.fields) if request.fields else None,
                headers=dict(request.headers),
                timeout=_timeout(),
            ) as answer:
                yield answer
        except (
            httpx2.ConnectError,
            httpx2.ConnectTimeout,
            httpx2.PoolTimeout,
            httpx2.UnsupportedProtocol,
        ) as error:
            raise errors.Unreachable(*where, said=type(error).__name__) from error
        except httpx2.HTTPError as error:
            raise errors.OutcomeUnknown(*where, said=type(error).__name__) from error


def _parts(request: Request) -> dict[str, tuple[str, bytes, str]] | None:
    files = (request.files or {}).items()
    return {name: (file.filename, file.content, file.content_type) for name, file in files} or None


def _timeout() -> httpx2.Timeout:
    """Connect and read limits: the configured ones for workers, shorter ones while a browser waits."""
    read_s, connect_s = settings.PROVIDER_READ_TIMEOUT_S, settings.PROVIDER_CONNECT_TIMEOUT_S
    if patience.somebody_waits():
        read_s, connect_s = min(read_s, patience.READ_TIMEOUT_S), min(connect_s, patience.CONNECT_TIMEOUT_S)
    return httpx2.Timeout(read_s, connect=connect_s, pool=2.0)


def read_whole(answer: httpx2.Response) -> bytes:
    """The body, up to a bound: a provider cannot fill our memory."""
    chunks, size = [], 0
    for chunk in answer.iter_bytes():
        size += len(chunk)
        if size > MAX_BODY:
            raise httpx2.ReadError("answer larger than we read")
        chunks.append(chunk)
    return b"".join(chunks)


def _trust() -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=settings.PROVIDER_CA_FILE) if settings.PROVIDER_CA_FILE else True


def is_loopback(url: str) -> bool:
    """Does this URL stay on this machine?"""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def refuse_the_wrong_world(base_url: str) -> None:
    """Raise ImproperlyConfigured when sandbox mode would leave the machine, or live mode would stay on it."""
    if is_loopback(base_url) != settings.SANDBOX:
        world = "loopback only" if settings.SANDBOX else "no loopback"
        raise ImproperlyConfigured(f"{settings.MODE} mode speaks to {world}, not to {urlsplit(base_url).hostname}")


def refuse_inside_a_transaction() -> None:
    """Raise RuntimeError when a transaction is open: nobody waits for a network while holding locks."""
    # Blocks that Django's TestCase opens around a whole test are not ours.
    ours = [block for block in connection.atomic_blocks if not getattr(block, "_from_testcase", False)]
    if ours:
        raise RuntimeError("a provider must not be called inside a database transaction")
