"""The investor's session at 5paisa: the way there, the way back, and when it ends."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from brokers.fivepaisa import auth, events
from portal.clock import IST

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=IST)


def token(**claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{part}.c2ln"


def test_the_way_there_names_app_return_and_state():
    address = auth.login_url("https://dev-openapi.5paisa.com/", "key&1", "https://portal.example/back?x=1", "state 1")
    parts = urlsplit(address)
    assert (
        f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://dev-openapi.5paisa.com/WebVendorLogin/VLogin/Index"
    )
    assert parse_qs(parts.query) == {
        "VendorKey": ["key&1"],
        "ResponseURL": ["https://portal.example/back?x=1"],
        "State": ["state 1"],
    }


def test_without_a_state_nobody_is_sent_there():
    with pytest.raises(ValueError, match="state"):
        auth.login_url("https://dev-openapi.5paisa.com", "key", "https://portal.example/back", "")


@pytest.mark.parametrize("name", ["state", "State"])
def test_the_way_back_is_believed_with_our_state(name):
    assert events.read_callback({"RequestToken": "eyJ.a.b", name: "ours"}, "ours") == "eyJ.a.b"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"RequestToken": "eyJ.a.b", "state": "theirs"}, "ours"),
        ({"RequestToken": "eyJ.a.b"}, "ours"),
        ({"RequestToken": "eyJ.a.b", "state": ""}, ""),
        ({"RequestToken": "eyJ.a.b", "state": "\ud800é"}, "ours"),
        ({"RequestToken": "", "state": "ours"}, "ours"),
        ({"state": "ours"}, "ours"),
    ],
)
def test_another_way_back_is_not_believed(params, expected):
    with pytest.raises(events.NotGenuine):
        events.read_callback(params, expected)


@pytest.mark.parametrize(
    ("claims", "end"),
    [
        ({}, "2026-11-20T23:59"),
        ({"exp": datetime(2026, 11, 20, 15, 0, tzinfo=IST).timestamp()}, "2026-11-20T15:00"),
        ({"exp": datetime(2026, 11, 22, 15, 0, tzinfo=IST).timestamp()}, "2026-11-20T23:59"),
        ({"exp": True}, "2026-11-20T23:59"),
        ({"exp": 1e300}, "2026-11-20T23:59"),
        ({"exp": "soon"}, "2026-11-20T23:59"),
    ],
)
def test_a_session_ends_at_23_59_or_when_its_token_says(claims, end):
    assert auth.ends_at(token(**claims), NOON) == datetime.fromisoformat(f"{end}+05:30")


@pytest.mark.parametrize("broken", ["", "x", "a.b.c", "a." + "A" * 5 + ".c"])
def test_a_token_that_cannot_be_read_ends_at_23_59(broken):
    assert auth.ends_at(broken, NOON).strftime("%H:%M") == "23:59"


def test_a_session_shows_its_token_nowhere():
    session = auth.Session("50000001", "secret-token")
    assert "secret-token" not in repr(session)
    for client, word in (("", "t"), ("c", "")):
        with pytest.raises(ValueError, match="session"):
            auth.Session(client, word)
