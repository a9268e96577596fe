"""Keep-alive lines to one host: as much of HTTP/1.1 as a call to a provider needs, and nothing it must not do.

No redirects, no proxies, no cookies, no second sending: one request's bytes go out, one answer comes back. An answer
that ends early, says two lengths, or is followed by bytes that nobody asked for never looks like a whole one.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MOST_LINES = 50
# A provider's own limit may be as short as five seconds; a line that lay longer is not trusted with a write.
IDLE_S = 4.0
WAIT_FOR_A_LINE_S = 2.0
LARGEST_HEAD, LARGEST_MARK, CHUNK = 65_536, 4_096, 65_536
# Answers of 100 to 199 that may come before the answer.
MOST_HINTS = 10
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(r"HTTP/1\.([01]) ([1-5]\d\d)(?: |$)")
_SIZE = re.compile(rb"\s*([0-9a-fA-F]{1,8})\s*(?:;.*)?$", re.DOTALL)


class Broken(Exception):
    """What came back is no whole HTTP answer."""


class NoLine(Exception):
    """No connection: not a byte has left."""


class Headers(dict[str, str]):
    """Headers of an answer; names in lower case, asked for in any."""

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        """The value, or `default`."""
        return super().get(name.lower(), default)


@dataclass(frozen=True)
class Host:
    """Where the lines go. `context` is None for plain HTTP, which only loopback may speak."""

    name: str
    port: int
    context: ssl.SSLContext | None


class Line:
    """One connection."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._rest = b""
        self.idle_since = time.monotonic()
        self.may_stay = True

    @classmethod
    def to(cls, host: Host, timeout_s: float) -> Line:
        """Connect within the limit. Raises NoLine."""
        try:
            plain = socket.create_connection((host.name, host.port), timeout_s)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return cls(host.context.wrap_socket(plain, server_hostname=host.name) if host.context else plain)
        except (OSError, ValueError) as error:
            raise NoLine(type(error).__name__) from error

    def ask(self, raw: bytes, timeout_s: float) -> Answer:
        """Send, and read the head of the answer. Raises Broken and OSError: what was sent may have been heard."""
        self.may_stay = False
        self._socket.settimeout(timeout_s)
        self._socket.sendall(raw)
        for _ in range(MOST_HINTS):
            version, status, headers = self._head()
            if status >= 200:
                return Answer(self, status, headers, stays=_stays(version, headers))
            if status == 101:
                break
        raise Broken("no answer, only hints of one")

    def is_fresh(self) -> bool:
        """May it carry another call? Not when it lay too long, was hung up, or says what nobody asked."""
        return time.monotonic() - self.idle_since < IDLE_S and not self._poll.poll(0)

    def rest(self, stays: bool) -> None:
        """The answer is read to its end."""
        self.may_stay = stays and not self._rest
        self.idle_since = time.monotonic()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _head(self) -> tuple[str, int, Headers]:
        while not (end := _END_OF_HEAD.search(self._rest)):
            if len(self._rest) > LARGEST_HEAD:
                raise Broken("a head without end")
            self._more()
        head, self._rest = self._rest[: end.start()], self._rest[end.end() :]
        first, *lines = head.decode("latin-1").replace("\r\n", "\n").split("\n")
        if not (found := _STATUS.match(first)):
            raise Broken("no status line")
        return found[1], int(found[2]), _headers(lines)

    def _more(self) -> None:
        if not (found := self._socket.recv(CHUNK)):
            raise Broken("hung up half-way")
        self._rest += found

    def some(self, most: int) -> bytes:
        """Up to `most` bytes of the body, at least one. Raises Broken when the other side hangs up before."""
        if not self._rest:
            self._more()
        found, self._rest = self._rest[:most], self._rest[most:]
        return found

    def until_the_end(self) -> Iterator[bytes]:
        """Everything until the other side hangs up."""
        found, self._rest = self._rest, b""
        while found:
            yield found
            found = self._socket.recv(CHUNK)

    def mark(self) -> bytes:
        """A line of text of the body. Raises Broken for a long one."""
        while b"\n" not in self._rest:
            if len(self._rest) > LARGEST_MARK:
                raise Broken("a mark without end")
            self._more()
        found, _, self._rest = self._rest.partition(b"\n")
        return found.rstrip(b"\r")


@dataclass
class Answer:
    """The head of an answer; its body is still on the line."""

    line: Line
    status: int
    headers: Headers
    stays: bool

    def chunks(self) -> Iterator[bytes]:
        """The body, opened when it is gzip. Raises Broken and OSError when it does not come whole."""
        encoding = self.headers.get("content-encoding").strip().lower()
        if encoding in ("", "identity"):
            return self._body()
        if encoding in ("gzip", "x-gzip"):
            return _unzipped(self._body())
        raise Broken("an encoding that we did not ask for")

    def _body(self) -> Iterator[bytes]:
        if self.status in (204, 304):
            self.line.rest(self.stays)
            return
        length, chunked = self.headers.get("content-length"), self.headers.get("transfer-encoding")
        if chunked:
            if chunked.strip().lower() != "chunked":
                raise Broken("a transfer that we do not know")
            yield from self._chunked()
        elif length:
            if not (length.isascii() and length.isdigit()) or len(length) > 15:
                raise Broken("no length, or two")
            yield from self._counted(int(length))
        else:
            self.stays = False
            yield from self.line.until_the_end()
        self.line.rest(self.stays and not (chunked and length))

    def _counted(self, left: int) -> Iterator[bytes]:
        while left:
            found = self.line.some(left)
            left -= len(found)
            yield found

    def _chunked(self) -> Iterator[bytes]:
        while True:
            if not (size := _SIZE.match(self.line.mark())):
                raise Broken("no size of a chunk")
            if not (left := int(size[1], 16)):
                break
            yield from self._counted(left)
            if self.line.mark():
                raise Broken("a chunk longer than it said")
        for _ in range(100):
            if not self.line.mark():
                return
        raise Broken("trailers without end")


class Lines:
    """The lines to one host: as many as calls at once, at most fifty. Thread-safe."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._idle: list[Line] = []
        self._free = threading.BoundedSemaphore(MOST_LINES)

    def take(self, timeout_s: float) -> Line:
        """A line, kept or new. Raises NoLine."""
        if not self._free.acquire(timeout=WAIT_FOR_A_LINE_S):
            raise NoLine("no line free")
        try:
            return self._kept() or Line.to(self._host, timeout_s)
        except BaseException:
            self._free.release()
            raise

    def give_back(self, line: Line) -> None:
        """Keep it for the next call, or hang up."""
        if line.may_stay:
            self._idle.append(line)
        else:
            line.close()
        self._free.release()

    def _kept(self) -> Line | None:
        """The line that was used last: the others may grow old."""
        while self._idle:
            try:
                line = self._idle.pop()
            except IndexError:
                return None
            if line.is_fresh():
                return line
            line.close()
        return None


def _headers(lines: list[str]) -> Headers:
    """Names once; two values stand beside each other, so that two lengths are none."""
    headers = Headers()
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip() or not name:
            raise Broken("no header")
        name, value = name.lower(), value.strip()
        before = headers.get(name)
        headers[name] = f"{before}, {value}" if before and before != value else value
    return headers


def _stays(version: str, headers: Headers) -> bool:
    return version == "1" and "close" not in headers.get("connection").lower()


def _unzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    opener = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        try:
            while chunk:
                if found := opener.decompress(chunk, CHUNK):
                    yield found
                chunk = opener.unconsumed_tail
        except zlib.error as error:
            raise Broken("broken compression") from error
        if opener.unused_data:
            raise Broken("more than was compressed")
    if not opener.eof:
        raise Broken("compressed, and cut off")
