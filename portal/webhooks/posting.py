"""One try on the network: connect to a vetted address, post, read the status and the first bytes, hang up.

Nothing is followed, nothing is kept, nothing is believed. A watch hangs up after `WHOLE_S`, whatever the other side is
doing: a receiver that sends a byte now and then would pass every limit that counts from byte to byte.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings

from portal.gateway.lines import Answer, Broken, Line
from portal.gateway.transport import refuse_inside_a_transaction
from portal.gateway.written import Request, written
from portal.webhooks import addresses

# Seconds to connect; seconds for the whole try. Receivers should store, answer, and work later.
CONNECT_S = 3.0
WHOLE_S = 10.0
# Of an answer's body so much is kept, for the partner's own log.
FIRST_BYTES = 500


@dataclass(frozen=True)
class Outcome:
    """What became of a try. `status` is None when there was no answer; `error` says why, and is empty for 2xx."""

    status: int | None
    answer: str
    error: str
    took_ms: int

    @property
    def arrived(self) -> bool:
        """Did the receiver take it? Only 2xx says so."""
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """One try. Never raises for what the other side does; raises RuntimeError inside a transaction."""
    refuse_inside_a_transaction()
    began = time.monotonic()
    try:
        status, answer = _ask(url, body, headers)
    except addresses.NotAllowed as error:
        return _none(str(error), began)
    except (OSError, Broken, ValueError) as error:
        slow = time.monotonic() - began >= WHOLE_S - 0.05
        return _none(f"No answer within {WHOLE_S:.0f} seconds." if slow else _words(error), began)
    return Outcome(status, answer, _why_not(status), _since(began))


def _ask(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    where = addresses.target(url)
    raw = written(
        Request("POST", where.path, content=body, headers={"Content-Type": "application/json", **headers, **_ALWAYS}),
        where.base,
    )
    with _connected(where) as line:
        answer = line.ask(raw, WHOLE_S)
        return answer.status, _first(answer)


# No compression: nobody can send us a kilobyte that becomes a gigabyte.
_ALWAYS = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "portal-webhooks/1"}


@contextlib.contextmanager
def _connected(where: addresses.Target) -> Iterator[Line]:
    """A line to the very address that was looked at, which the watch cuts after `WHOLE_S`."""
    plain = socket.create_connection((addresses.resolved(where), where.port), CONNECT_S)
    spare = plain.dup()
    watch = threading.Timer(WHOLE_S, _cut, [spare])
    watch.daemon = True
    watch.start()
    try:
        line = Line(_trust().wrap_socket(plain, server_hostname=where.host) if where.secure else plain)
        try:
            yield line
        finally:
            line.close()
    finally:
        plain.close()
        watch.cancel()
        spare.close()


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.PROVIDER_CA_FILE or None)


def _first(answer: Answer) -> str:
    """The first bytes of a body as text; what cannot be read as text is shown as such."""
    found = b""
    with contextlib.suppress(OSError, Broken):
        for chunk in answer.chunks():
            found += chunk
            if len(found) >= FIRST_BYTES:
                break
    return found[:FIRST_BYTES].decode("utf-8", "replace").replace("\x00", "\ufffd")


_WHY = {3: "Answered with a redirect, which is not followed.", 4: "Answered with a refusal.", 5: "Answered in trouble."}


def _why_not(status: int) -> str:
    return _WHY.get(status // 100, "") if not 200 <= status < 300 else ""


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, "The certificate is not valid for this address."),
    (ssl.SSLError, "No secure connection could be made."),
    (socket.gaierror, "The name could not be found."),
    (ConnectionRefusedError, "The connection was refused."),
    (TimeoutError, "No connection or no answer in time."),
    (Broken, "The answer was not whole."),
)


def _words(error: Exception) -> str:
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "The connection failed.")


def _none(error: str, began: float) -> Outcome:
    return Outcome(None, "", error, _since(began))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
