"""The habits of public HTTP clients: what curl, old libraries and proxies send, byte by byte."""

from __future__ import annotations

import contextlib
import json
import socket
import urllib.parse

import pytest

from tests.sandbox.api import Caller, Shop, investor

STATES = "/fp/api/onb/states"


def say(caller: Caller, *lines: str, body: bytes = b"") -> str:
    """What the sandbox says to these bytes, until one of the two ends the line."""
    where = urllib.parse.urlsplit(caller.url)
    with socket.create_connection((where.hostname, where.port), timeout=5) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        said = b""
        # A server that ends the line with some of a body unread resets it.
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while more := line.recv(65_536):
                said += more
        return said.decode()


def bearer(caller: Caller) -> str:
    caller.fp("GET", "/api/onb/states")
    return f"Authorization: Bearer {caller.token}"


def investors(caller: Caller) -> int:
    return int(caller.fp("GET", "/api/onb/investors").json["total_elements"])


def test_an_old_client_is_answered_and_the_line_ends(caller: Caller):
    said = say(caller, f"GET {STATES} HTTP/1.0", bearer(caller))
    assert said.startswith("HTTP/1.1 200 OK\r\n")
    assert "\r\nConnection: close\r\n" in said


def test_an_old_client_that_asks_for_it_keeps_its_line_and_is_told(caller: Caller):
    call = [f"GET {STATES} HTTP/1.0", bearer(caller), "Connection: keep-alive", ""]
    said = say(caller, *call, *call[:-1])
    assert said.count("HTTP/1.1 200 OK\r\n") == said.count("\r\nConnection: keep-alive\r\n") == 2


def test_two_calls_sent_at_once_are_answered_in_turn(caller: Caller):
    once = ["Host: sandbox", bearer(caller)]
    said = say(caller, f"GET {STATES} HTTP/1.1", *once, "", "GET /fp/api/nowhere HTTP/1.1", *once)
    assert said.index("HTTP/1.1 200 OK") < said.index("HTTP/1.1 404 Not Found")


def test_a_head_has_the_length_of_the_answer_and_no_body(caller: Caller):
    whole = caller.fp("GET", "/api/onb/states")
    head = caller.fp("HEAD", "/api/onb/states")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.body))


@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "HTTPS://fp.portal.example"])
def test_a_client_that_takes_us_for_a_proxy_is_answered(caller: Caller, origin: str):
    assert " 200 OK" in say(caller, f"GET {origin}{STATES}?page=0 HTTP/1.1", "Host: sandbox", bearer(caller))
    assert " 302 Found" in say(caller, f"GET {origin} HTTP/1.1", "Host: sandbox")


def test_a_body_in_chunks_is_one_body(caller: Caller):
    text = b'{"primary_investor_id": "1"}'
    chunks = b"5;name=value\r\n" + text[:5] + b"\r\n" + f"{len(text) - 5:X}\r\n".encode() + text[5:] + b"\r\n"
    ends = (b"0\r\n\r\n", b"0\r\nX-Trailer: 1\r\n\r\n")
    for end in ends:
        head = ["POST /fp/api/oms/investment_accounts HTTP/1.1", "Host: sandbox", bearer(caller)]
        said = say(caller, *head, "Transfer-Encoding: chunked", body=chunks + end)
        assert "primary_investor_id" in said
        assert "JSON parse error" not in said


@pytest.mark.parametrize(
    ("header", "body", "status"),
    [
        ("Content-Length: many", b"{}", 400),
        ("Content-Length: -2", b"{}", 400),
        ("Content-Length: 1_0", b"0123456789", 400),
        ("Content-Length: 99999999999", b"{}", 413),
        ("Content-Length: 50", b"{}", 400),
        ("Transfer-Encoding: chunked", b"many\r\n{}\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", b"-2\r\n{}\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", b"2\r\n{}\r\n", 400),
        ("Transfer-Encoding: chunked", b"2\r\n{}\r\nFFFFFFFF\r\n", 413),
    ],
)
def test_a_body_that_cannot_be_had_is_refused_and_the_line_ends(caller: Caller, header: str, body: bytes, status: int):
    said = say(caller, "POST /fp/api/kyc/check HTTP/1.1", "Host: sandbox", bearer(caller), header, body=body)
    assert said.startswith(f"HTTP/1.1 {status} ")
    assert said.count("HTTP/1.1") == 1


def test_a_body_of_which_half_came_has_no_effect(caller: Caller):
    """What came is a whole JSON object by itself: taken for the whole, it would have made an investor."""
    before, body = investors(caller), json.dumps(investor()).encode()
    head = ["POST /fp/api/onb/investors HTTP/1.1", "Host: sandbox", bearer(caller)]
    said = say(caller, *head, f"Content-Length: {len(body) + 10}", body=body)
    assert " 400 " in said
    assert investors(caller) == before


@pytest.mark.parametrize(
    "kind",
    [
        "Content-Type: application/x-www-form-urlencoded",  # what curl calls everything
        "Content-Type: application/json; charset=utf-8",
        "content-type:text/plain",
        "Accept: */*",
    ],
)
def test_json_is_json_whatever_it_is_called_and_a_client_that_waits_is_told_to_go_on(caller: Caller, kind: str):
    body = b'{"pan": "ABCPD3751E"}'
    head = ["POST /fp/api/kyc/check HTTP/1.1", "Host: sandbox", bearer(caller), kind, f"Content-Length: {len(body)}"]
    said = say(caller, *head, "Expect: 100-continue", body=body)
    assert said.startswith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "query", ["page=0&size=5", "page=%30&size=%35", "size=5&page=0&unknown=%E2%82%B9&&=", "size=5&size=7"]
)
def test_a_query_is_read_however_it_is_written(shop: Shop, query: str):
    assert shop.caller.fp("GET", f"/api/onb/investors?{query}").json["size"] == 5


@pytest.mark.parametrize("size", ["%C2%B2", "9" * 5_000, "-1", "1.0", "0x5", "+5", "5%205"])
def test_a_size_that_is_no_number_is_refused(caller: Caller, size: str):
    assert "size" in caller.fp("GET", f"/api/onb/investors?size={size}").fields()
