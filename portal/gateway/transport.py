"""One method wide: a request goes out, an answer or a named failure comes back.

`Transport.send` is the only place that touches the network. It follows no redirects, speaks only to the configured
host, refuses loopback in live mode and everything else in sandbox mode, and never runs inside a database transaction.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from portal.gateway import errors, patience
from portal.gateway.lines import Answer, Broken, Host, Lines, NoLine
from portal.gateway.written import File, Request, written

__all__ = ["File", "Request", "Response", "Transport", "is_loopback", "read_whole"]

MAX_BODY = 20 * 1024 * 1024


@dataclass(frozen=True)
class Response:
    """What came back, unread."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as strict JSON, numbers with a fraction as Decimal; read once, for it is asked for several times.

        Raises ValueError (also for NaN and infinities), RecursionError or ArithmeticError.
        """
        return self._json

    @cached_property
    def _json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


class Transport:
    """Kept connections to one provider."""

    def __init__(self, provider: str, base_url: str) -> None:
        refuse_the_wrong_world(base_url)
        self.provider = provider
        self.base_url = base_url.rstrip("/")
        self._opened: tuple[str, Lines] | None = None

    def send(self, request: Request) -> Response:
        """Send and read the whole answer. Raises Unreachable, OutcomeUnknown, or RuntimeError inside a transaction."""
        with self.open(request) as answer:
            return Response(answer.status, answer.headers, read_whole(answer))

    @contextmanager
    def open(self, request: Request) -> Iterator[Answer]:
        """An answer whose body is still to be read, for those too long to hold. Raises like `send`."""
        refuse_inside_a_transaction()
        where = (self.provider, request.method, request.path)
        connect_s, read_s = _limits_s()
        try:
            raw = written(request, self.base_url)
            lines = self._lines()
            line = lines.take(connect_s)
        except (NoLine, ValueError) as error:
            raise errors.Unreachable(*where, said=str(error)) from error
        try:
            yield line.ask(raw, read_s)
        except (OSError, Broken) as error:
            line.may_stay = False
            raise errors.OutcomeUnknown(*where, said=str(error) or type(error).__name__) from error
        finally:
            lines.give_back(line)

    def _lines(self) -> Lines:
        """The lines to the host of the base URL."""
        if self._opened is None or self._opened[0] != self.base_url:
            self._opened = (self.base_url, Lines(_host(self.base_url)))
        return self._opened[1]


def _host(base_url: str) -> Host:
    """Raises ValueError for an address that nobody can call."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no web address")
    secure = parts.scheme == "https"
    return Host(parts.hostname, parts.port or (443 if secure else 80), _trust() if secure else None)


def _limits_s() -> tuple[float, float]:
    """Seconds to connect and to wait for bytes: the configured ones for workers, shorter ones while a browser waits."""
    connect_s, read_s = settings.PROVIDER_CONNECT_TIMEOUT_S, settings.PROVIDER_READ_TIMEOUT_S
    if patience.somebody_waits():
        return min(connect_s, patience.CONNECT_TIMEOUT_S), min(read_s, patience.READ_TIMEOUT_S)
    return connect_s, read_s


def read_whole(answer: Answer) -> bytes:
    """The body, up to a bound: a provider cannot fill our memory."""
    chunks, size = [], 0
    for chunk in answer.chunks():
        size += len(chunk)
        if size > MAX_BODY:
            raise Broken("answer larger than we read")
        chunks.append(chunk)
    return b"".join(chunks)


def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.PROVIDER_CA_FILE or None)


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
