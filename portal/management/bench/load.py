"""One load generator: sixteen keep-alive connections over loopback, one thread, no library between it and the sockets.

It must cost less than the server's fastest answer, so requests are bytes made beforehand and answers are only read as
far as their length and status.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

CONNECTIONS = 16
# A server that says nothing for so long has failed the bench.
SILENCE_S = 30.0


@dataclass
class Outcome:
    """What a run of the generator saw."""

    answers: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds if self.seconds else 0.0


def get(path: str, **headers: str) -> bytes:
    """A GET request as bytes. Underscores in header names become hyphens."""
    return message("GET", path, headers, b"")


def post(path: str, body: bytes, **headers: str) -> bytes:
    """A form POST as bytes."""
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    return message("POST", path, {**form, **headers}, body)


def message(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A request as bytes, with its length."""
    headers = {"Content_Length": str(len(body)), **headers} if body else headers
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One keep-alive connection: one request out, one answer in."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def read(self) -> tuple[int, bytes, bytes] | None:
        """(status, head, body) once the answer is complete, else None. Raises ConnectionError on a hang-up."""
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise ConnectionError("the server closed a keep-alive connection")
        self.buffer += chunk
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        status = int(head[9:12])
        if status not in (204, 304) and len(body) < _length(head):
            return None
        self.buffer = b""
        return status, head, body

    def ask(self, request: bytes) -> tuple[int, bytes, bytes]:
        """Send one request and wait for its answer."""
        self.socket.sendall(request)
        while (answer := self.read()) is None:
            pass
        return answer


def _length(head: bytes) -> int:
    start = head.lower().find(b"content-length:")
    if start < 0:
        raise ConnectionError("an answer without Content-Length")
    return int(head[start + 15 :].split(b"\r\n", 1)[0])


def run(port: int, requests: Iterable[bytes], *, seconds: float) -> Outcome:
    """Keep every connection busy for `seconds`, or until there is no further request."""
    outcome, following = Outcome(), iter(requests)
    with selectors.DefaultSelector() as selector:
        busy = _open(port, selector, following)
        began = time.perf_counter()
        while busy:
            ready = selector.select(SILENCE_S)
            if not ready:
                raise TimeoutError("the server went silent")
            now = time.perf_counter()
            for key, _ in ready:
                connection: Connection = key.data
                if (answer := connection.read()) is None:
                    continue
                outcome.statuses[answer[0]] += 1
                outcome.answers += 1
                upcoming = next(following, None) if now - began < seconds else None
                if upcoming is not None:
                    connection.socket.sendall(upcoming)
                else:
                    selector.unregister(connection.socket)
                    connection.socket.close()
                    busy -= 1
        outcome.seconds = time.perf_counter() - began
    return outcome


def _open(port: int, selector: selectors.BaseSelector, following: Iterator[bytes]) -> int:
    """Open the connections and send the first request on each; returns how many are busy."""
    busy = 0
    for _ in range(CONNECTIONS):
        if (first := next(following, None)) is None:
            break
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.socket.sendall(first)
        busy += 1
    return busy
