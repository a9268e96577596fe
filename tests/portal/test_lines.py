"""Lines to a provider that speaks HTTP badly: only a whole answer looks like one, and nothing is sent twice."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.gateway import errors, lines
from portal.gateway.transport import File, Request, Transport

pytestmark = pytest.mark.django_db
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PING = Request("GET", "/ping")


class Server:
    """Answers each request with the next of the prepared bytes; b"" hangs up. Keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.heard: list[bytes] = []
        self.connections = 0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._context: ssl.SSLContext | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def secure(self, context: ssl.SSLContext) -> None:
        self._context = context

    def close(self) -> None:
        self._door.close()

    def _run(self) -> None:
        while True:
            try:
                plain, _ = self._door.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[plain], daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with self._context.wrap_socket(plain, server_side=True) if self._context else plain as line:
                while asked := line.recv(65_536):
                    self.heard.append(asked)
                    if not (answer := self.answers.pop(0) if self.answers else b""):
                        return
                    line.sendall(answer)
                    if b"Content-Length: 9\r\n" in answer:
                        return
        except OSError:
            return


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


@pytest.fixture
def door(server: Server) -> Transport:
    return Transport("fp", f"http://127.0.0.1:{server.port}/base")


BROKEN = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "hung up half-way": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
    "hung up before a word": b"",
    "no status line": b"SMTP ready\r\n\r\n",
    "a chunk longer than it said": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
    "a chunk without a size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n",
    "an unknown transfer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "an unknown encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok",
    "compressed and cut off": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n"
    + gzip.compress(b"whole")[:12],
    "more than was compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 44\r\n\r\n"
    + gzip.compress(b"ok") * 2,
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "hints without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    "a header without a colon": b"HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_says_that_the_outcome_is_unknown_when_no_whole_answer_comes(server, door, answer):
    server.answers = [answer, OK]
    with pytest.raises(errors.OutcomeUnknown):
        door.send(PING)
    assert len(server.heard) == 1, "asked once"
    assert door.send(PING).body == b"ok"
    assert server.connections == 2, "the broken line is not used again"


WHOLE = {
    "counted": OK,
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\no\r\n1\r\nk\r\n0\r\nTrailer: x\r\n\r\n",
    "after a hint": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    "compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n" + gzip.compress(b"ok"),
    "bare line ends": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "the same length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
def test_reads_a_whole_answer_and_keeps_the_line(server, door, answer):
    server.answers = [answer, answer, answer]
    assert [door.send(PING).body for _ in range(3)] == [b"ok"] * 3
    assert server.connections == 1


def test_never_takes_bytes_that_nobody_asked_for_as_the_next_answer(server, door):
    server.answers = [OK + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse", OK]
    assert [door.send(PING).body for _ in range(2)] == [b"ok", b"ok"]
    assert server.connections == 2


def test_uses_no_line_that_was_hung_up_or_lay_too_long(server, door, monkeypatch):
    server.answers = [OK.replace(b"Content", b"Connection: close\r\nContent"), OK, OK]
    assert door.send(PING).body == b"ok"
    assert door.send(PING).body == b"ok"
    assert server.connections == 2
    monkeypatch.setattr(lines, "IDLE_S", 0.0)
    assert door.send(PING).body == b"ok"
    assert server.connections == 3


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/ping", headers={"Authorization": "Bearer a\r\nX-Evil: 1"}),
        Request("GET", "/ping HTTP/1.1\r\nX-Evil: 1\r\n"),
        Request("GET", "/ping", headers={"X-Name": "₹"}),
    ],
    ids=["two headers in one", "a path with a head", "what latin-1 does not know"],
)
def test_sends_nothing_that_http_cannot_carry(server, door, request_):
    with pytest.raises(errors.Unreachable):
        door.send(request_)
    assert server.heard == []


def test_says_each_header_once_and_as_the_caller_wants_it(server, door):
    server.answers = [OK]
    door.send(Request("POST", "/page", json={}, headers={"accept": "text/html", "Content-type": "application/x-json"}))
    head = server.heard[0].partition(b"\r\n\r\n")[0].lower()
    assert head.count(b"\r\naccept: ") == head.count(b"\r\ncontent-type: ") == 1
    assert b"\r\naccept: text/html" in head
    assert b"\r\ncontent-type: application/x-json" in head


def test_sends_a_file_with_its_fields(server, door):
    server.answers = [OK]
    file = File('my "scan".pdf\r\n', "application/pdf", b"%PDF")
    door.send(Request("POST", "/files", files={"file": file}, fields={"purpose": "feed"}))
    asked = b"".join(server.heard)
    boundary = asked.partition(b"boundary=")[2].partition(b"\r\n")[0]
    _, fields, content, end = asked.partition(b"\r\n\r\n")[2].split(b"--" + boundary)
    assert fields == b'\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfeed\r\n'
    assert (
        b'name="file"; filename="my %22scan%22.pdf%0D%0A"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n' in content
    )
    assert end == b"--\r\n"


def test_writes_parameters_and_the_length_of_nothing(server, door):
    server.answers = [OK, OK]
    door.send(Request("GET", "/orders", params={"state": "pending,failed", "name": "A & B"}))
    door.send(Request("POST", "/orders"))
    assert server.heard[0].startswith(b"GET /base/orders?state=pending,failed&name=A%20%26%20B HTTP/1.1\r\n")
    assert b"\r\nContent-Length: 0\r\n" in server.heard[1]


# --- TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that only itself vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


def test_speaks_only_to_whom_a_trusted_authority_vouches_for(server: Server, certificate: Path, settings: Any):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.secure(context)
    server.answers = [OK]
    with pytest.raises(errors.Unreachable):
        Transport("fp", f"https://127.0.0.1:{server.port}").send(PING)
    assert server.heard == [], "nothing was said before the certificate was checked"
    settings.PROVIDER_CA_FILE = str(certificate)
    assert Transport("fp", f"https://127.0.0.1:{server.port}").send(PING).body == b"ok"
    with pytest.raises(errors.Unreachable):
        Transport("fp", f"https://localhost:{server.port}").send(PING)
