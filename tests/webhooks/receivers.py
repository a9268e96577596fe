"""Receivers of webhooks on this machine: good, slow, dead, redirecting, dripping, each a real socket."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Receiver:
    """What it answers, and what it was sent."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thank you"
    # Waits so long before answering; `drips` sends a byte of the head at a time for ever.
    wait_s: float = 0.0
    drips: bool = False
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def receiver(**kind: Any) -> Iterator[Receiver]:
    """A receiver that lives as long as the block."""
    its = Receiver(**kind)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            its.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            its.closing.wait(its.wait_s)
            with contextlib.suppress(OSError):
                _drip(self.wfile, its) if its.drips else self._answer()

        def _answer(self) -> None:
            self.send_response(its.status)
            for name, value in its.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(its.body)))
            self.end_headers()
            self.wfile.write(its.body)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    its.url = f"http://127.0.0.1:{server.server_port}/hooks"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield its
    finally:
        its.closing.set()
        server.shutdown()
        server.server_close()


def _drip(out: Any, its: Receiver) -> None:
    out.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not its.closing.is_set():
        out.write(b"a")
        time.sleep(0.05)
