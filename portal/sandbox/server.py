"""The sandbox's own HTTP/1.1 server: threads, keep-alive, and faults that reach the socket."""

from __future__ import annotations

import contextlib
import logging
import re
import signal
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import notices
from .app import Sandbox
from .web import REASONS, Problem, Request, Response

log = logging.getLogger("portal.sandbox")
TICK_S = 0.5
IDLE_S = 75
BODY_LIMIT = 32 * 1024 * 1024
LINE = 64 * 1024
# What may stand before the path: clients that think we are a proxy name the host there too (RFC 9112, 3.2.2).
ORIGIN = re.compile(r"^https?://[^/?]*", re.IGNORECASE)
SIZES = {10: re.compile(r"[0-9]{1,18}"), 16: re.compile(r"[0-9A-Fa-f]{1,15}")}
LINGER_RESET = struct.pack("ii", 1, 0)


class Handler(BaseHTTPRequestHandler):
    """Reads a call, lets the sandbox answer it, writes the answer in one piece (or breaks it, when a fault says so)."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    rbufsize = 64 * 1024
    server: SandboxServer

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        response = self.server.sandbox.handle(self._request(body))
        getattr(self, f"_wire_{response.wire or 'well'}")(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _request(self, body: bytes) -> Request:
        path, _, query = ORIGIN.sub("", self.path, count=1).partition("?")
        headers = {key.lower(): value for key, value in self.headers.items()}
        base_url = f"http://{headers.get('host') or '{}:{}'.format(*self.server.server_address[:2])}"
        return Request(self.command, path, query, headers, body, base_url, full_path=path or "/")

    def _body(self) -> bytes | None:
        """All of the body. None when it cannot be had, which is said already: half a call has no effect."""
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        try:
            return self._chunks() if chunked else self._read(self.headers.get("Content-Length") or "0", 10)
        except Problem as problem:
            self.close_connection = True
            self.send_error(problem.status)
            return None

    def _read(self, length: str, base: int, already: int = 0) -> bytes:
        """So many bytes. Raises Problem: 400 for a length that is none or a body that ends early, 413 for too much."""
        if not SIZES[base].fullmatch(length.strip()):
            raise Problem(400, "no length")
        size = int(length, base)
        if already + size > BODY_LIMIT:
            raise Problem(413, "too much")
        found = self.rfile.read(size) if size else b""
        if len(found) < size:
            raise Problem(400, "the body ends early")
        return found

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        total = 0
        while part := self._read(self.rfile.readline(LINE).split(b";")[0].decode("latin-1"), 16, total):
            parts.append(part)
            total += len(part)
            self.rfile.readline(LINE)
        while self.rfile.readline(LINE).strip():
            continue
        return b"".join(parts)

    def _head(self, response: Response) -> bytes:
        lines = [
            f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}",
            f"Date: {self.date_time_string()}",
        ]
        lines += [f"{name}: {value}" for name, value in response.header_list()]
        if self.close_connection:
            lines.append("Connection: close")
        elif self.request_version == "HTTP/1.0":
            lines.append("Connection: keep-alive")  # which an old client asked for, and goes by
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _wire_well(self, response: Response) -> None:
        with contextlib.suppress(ConnectionError):
            self.wfile.write(self._head(response) + (b"" if self.command == "HEAD" else response.body))

    def _wire_hang(self, response: Response) -> None:
        """The waiting is over and nothing was said: the line just ends."""
        self.close_connection = True

    def _wire_reset(self, response: Response) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        self.server.drop(self.connection)

    def _wire_close_half_way(self, response: Response) -> None:
        self.close_connection = True
        half = response.body[: max(len(response.body) // 2, 1)]
        self.wfile.write(self._head(response) + half)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)


class SandboxServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        super().__init__(address, Handler)

    def drop(self, connection: socket.socket) -> None:
        """Closes at once; with linger 0 the peer gets a reset."""
        connection.close()

    def shutdown_request(self, request: Any) -> None:
        with contextlib.suppress(OSError):
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError, ValueError, OSError)):
            super().handle_error(request, client_address)


def _ticker(sandbox: Sandbox, stop: threading.Event) -> None:
    """Does what is due even when nobody calls."""
    while not stop.wait(TICK_S):
        try:
            sandbox.world.settle()
        except Exception:
            log.exception("something due could not be done")


def _warm() -> None:
    """Reads the data files, so that the first caller need not wait for them."""
    from . import market, places, schemes

    for load in (schemes.fund_schemes, schemes.by_scheme_code, places.pincodes, places.ifsc_count, market.securities):
        load()


class Running:
    """A server in threads of this process: what the command and the tests use."""

    def __init__(self, sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> None:
        self.sandbox = sandbox
        self.server = SandboxServer((host, port), sandbox)
        self.url = "http://{}:{}".format(*self.server.server_address[:2])
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self.server.serve_forever, args=(0.1,), name="sandbox-http", daemon=True),
            threading.Thread(target=_ticker, args=(sandbox, self._stop), name="sandbox-clock", daemon=True),
            threading.Thread(target=notices.run, args=(sandbox.world, self._stop), name="sandbox-post", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        threading.Thread(target=_warm, name="sandbox-warm", daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        self.server.shutdown()
        self.server.server_close()
        for thread in self._threads:
            thread.join(5)
        self.sandbox.close()


def serve(sandbox: Sandbox, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT; raises OSError when the port cannot be had."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    running = Running(sandbox, host, port)
    print(f"sandbox at {running.url}  control room at {running.url}/_control/", flush=True)
    stop.wait()
    running.close()
