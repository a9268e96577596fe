"""Canaries: secrets that are planted through the product's own features, and the search for them in every store.

A secret is looked for as it is and in the spellings in which software likes to keep things: hex, base64 (of any
alignment and alphabet), zlib and gzip, one inside the other. Encrypted tokens open to noise, so they are no hit.
"""

from __future__ import annotations

import base64
import binascii
import logging
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client

from tests import world

DEPTH = 4
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){6,}")
# Short numbers stand by themselves: neither a part of a longer one, nor of a hash, nor the fraction of a second.
_SHORT = 8


@dataclass
class Canaries:
    """What was planted: kind -> the secrets of it."""

    planted: dict[str, set[bytes]] = field(default_factory=dict)

    def plant(self, kind: str, *secrets: str | bytes) -> None:
        """Look for these from now on."""
        plain = (secret.encode() if isinstance(secret, str) else secret for secret in secrets if secret)
        self.planted.setdefault(kind, set()).update(plain)

    def found_in(self, content: bytes) -> set[str]:
        """The kinds of which a secret can be read in `content`, in any spelling."""
        return {kind for reading in readings(content) for kind in self._read_in(reading)}

    def _read_in(self, reading: bytes) -> Iterator[str]:
        for kind, secrets in self.planted.items():
            if any(_stands_in(secret, reading) for secret in secrets):
                yield kind


def _stands_in(secret: bytes, reading: bytes) -> bool:
    if len(secret) > _SHORT:
        return secret.lower() in reading.lower()
    return secret in reading and bool(re.search(rb"(?<![\w.])" + re.escape(secret) + rb"(?![\w])", reading))


def readings(content: bytes, depth: int = DEPTH) -> Iterator[bytes]:
    """`content` as it is, and whatever can be decoded or unpacked from it."""
    yield content
    if depth:
        for inner in _decoded(content):
            yield from readings(inner, depth - 1)


def _decoded(content: bytes) -> Iterator[bytes]:
    for run in _HEX.findall(content):
        yield binascii.unhexlify(run)
    for run in _BASE64.findall(content):
        if len(set(run)) > 4:
            yield from _of_base64(run)
    if unpacked := _unpacked(content):
        yield unpacked


def _of_base64(run: bytes) -> Iterator[bytes]:
    """A run of the alphabet may begin with letters that do not belong to it: each of four alignments."""
    plain = run.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    for start in range(4):
        part = plain[start:]
        part = part[:-1] if len(part) % 4 == 1 else part
        decoded = base64.b64decode(part + b"=" * (-len(part) % 4))
        if decoded:
            yield decoded


def _unpacked(content: bytes) -> bytes:
    """zlib or gzip, as far as it goes."""
    if content[:1] not in (b"\x78", b"\x1f"):
        return b""
    try:
        return zlib.decompressobj(wbits=47).decompress(content, 4_000_000)
    except zlib.error:
        return b""


# --- stores -----------------------------------------------------------------------------------------------------


def tables() -> Iterator[tuple[str, bytes]]:
    """(table, a row of it as text): every table and materialised view of ours, the cache and the history included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'm', 'p') AND relnamespace = 'public'::regnamespace"
        )
        names = sorted(name for (name,) in cursor.fetchall())
        for name in names:
            cursor.execute(f'SELECT t::text FROM "{name}" t')
            for (row,) in cursor.fetchall():
                yield f"table {name}", row.encode()


def redis() -> Iterator[tuple[str, bytes]]:
    """Everything in Redis, where there is one: queue and cache."""
    if not settings.REDIS_URL:
        return
    from redis import Redis

    store = Redis.from_url(settings.REDIS_URL)
    for key in store.scan_iter():
        yield f"redis {key.decode()}", key + b" " + (store.dump(key) or b"")


def files(folder: Path, *, besides: tuple[str, ...] = ()) -> Iterator[tuple[str, bytes]]:
    """Names and contents of everything below a folder."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.parts[0] not in besides:
            yield f"file {inside}", str(inside).encode()
            yield f"file {inside}", path.read_bytes()


def server_log(since: int = 0) -> Iterator[tuple[str, bytes]]:
    """What the embedded PostgreSQL has written into its own log; another server's is not ours to read."""
    if world.has_own_server():
        yield "log of the database", _server_log().read_bytes()[since:]


def server_log_size() -> int:
    """How long that log is now, so that a test reads what came after."""
    return _server_log().stat().st_size if world.has_own_server() else 0


def _server_log() -> Path:
    return world.KEPT / "postgres" / "log"


class Lines(logging.Handler):
    """Everything that is logged, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Watched(Client):
    """A browser whose addresses are kept: where it went, and where it was sent."""

    addresses: list[str]

    def __init__(self, addresses: list[str], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.addresses = addresses

    def request(self, **environ: Any) -> Any:
        answer = super().request(**environ)
        self.addresses.append(f"{environ.get('PATH_INFO')}?{environ.get('QUERY_STRING', '')}")
        self.addresses.append(answer.headers.get("Location", ""))
        return answer
