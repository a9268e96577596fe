"""A stand-in for the portal's own addresses: keeps what the sandbox sends to us, word for word."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[bytes], Any]


class Receiver:
    """A real server on a free port. `answers` maps a path to what it says; every other path says nothing, with 200."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.answers: dict[str, Answer] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def bodies(
        self, path: str, count: int = 1, *, within_s: float = 40, such: Callable[[bytes], bool] = lambda body: True
    ) -> list[bytes]:
        """All bodies sent to `path`, once `count` of them are `such`. Raises AssertionError when they do not come."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = [body for where, body in list(self.heard) if where == path]
            if sum(map(such, found)) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{path} did not hear {count} such within {within_s} s; all: {self.heard!r:.2000}")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _handler(receiver) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                receiver.heard.append((path, body))
                answer = receiver.answers.get(path)
                said = json.dumps(answer(body)).encode() if answer else b""
                self.send_response(200)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                """Silence: the tests say what matters."""

        return Handler
