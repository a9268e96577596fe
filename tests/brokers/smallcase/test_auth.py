"""smallcase's JWTs: signed as worked out by hand with openssl, and read without trust."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from brokers.smallcase import auth

AT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
SECRET = "sandbox-secret"
HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
GUEST = (
    f"{HEADER}.eyJndWVzdCI6dHJ1ZSwiaWF0IjoxNzA0MTY0NjQ1LCJleHAiOjE3MDQxNjgyNDV9"
    ".6TghNDARKZiTtBBqRAxetNCCnRD0d-5l6NSPso25zfA"
)
CONNECTED = (
    f"{HEADER}.eyJzbWFsbGNhc2VBdXRoSWQiOiI1ZjBjMGZmZWUwZGRiYTExY2E1ZTAwMDEiLCJpYXQiOjE3MDQxNjQ2NDUsImV4cCI6MTcwNDE2"
    "ODI0NX0.dUzshy-E9WlfQlhqkVsrrvKH7eB-4TimxrgSPb-GtrU"
)


def test_signs_a_guest_as_openssl_does():
    assert auth.guest_token(SECRET, AT) == GUEST


def test_signs_a_known_account_as_openssl_does():
    assert auth.connected_token(SECRET, "5f0c0ffee0ddba11ca5e0001", AT) == CONNECTED


def test_reads_its_own_tokens():
    assert auth.read_token(GUEST, [SECRET], AT).guest
    assert auth.read_token(CONNECTED, [SECRET], AT).smallcase_auth_id == "5f0c0ffee0ddba11ca5e0001"


def test_the_old_secret_is_believed_while_it_is_rotated_out():
    assert auth.read_token(GUEST, ["new", SECRET], AT).guest
    with pytest.raises(auth.NotGenuine):
        auth.read_token(GUEST, ["new"], AT)


def unsigned(header: dict, claims: dict) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (header, claims)]
    return ".".join(parts)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c",
        GUEST[:-2] + "AA",
        unsigned({"alg": "none"}, {"guest": True}) + ".",
        unsigned({"alg": "none"}, {"smallcaseAuthId": "5f0c0ffee0ddba11ca5e0001"}) + "." + CONNECTED.split(".")[2],
        CONNECTED.split(".")[0] + "." + GUEST.split(".")[1] + "." + CONNECTED.split(".")[2],
        unsigned({"alg": "HS256"}, []) + ".AAAA",
        "é.é.é",
    ],
)
def test_believes_nothing_that_it_did_not_sign(token):
    with pytest.raises(auth.NotGenuine):
        auth.read_token(token, [SECRET], AT)


@pytest.mark.parametrize("claims", [{}, {"guest": "true"}, {"smallcaseAuthId": ""}, {"smallcaseAuthId": 7}])
def test_a_token_that_stands_for_nobody_is_not_genuine(claims):
    with pytest.raises(auth.NotGenuine):
        auth.read_token(auth._mint(SECRET, claims, AT), [SECRET], AT)


def test_a_token_ends_after_an_hour():
    assert auth.read_token(GUEST, [SECRET], AT + auth.LIFE)
    with pytest.raises(auth.NotGenuine):
        auth.read_token(GUEST, [SECRET], AT + auth.LIFE + auth.SLACK + timedelta(seconds=1))


def test_a_connected_token_needs_an_account():
    with pytest.raises(ValueError, match="smallcaseAuthId"):
        auth.connected_token(SECRET, "", AT)
