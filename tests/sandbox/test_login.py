import base64
import datetime as dt
import json

import pytest

from portal.sandbox.fp.auth import signature
from tests.sandbox.api import Caller, hmac_token

STAMP = "20150830T123600Z"


@pytest.mark.parametrize(
    ("base64_first", "token"),
    [(False, "Kwm0IQpq2v4ZHUYNEZJlY1OhTY32wmL+0T0nBh37F9o="), (True, "GBePyrgwI07Wj8LqYdVUT84nIqPyrnPnyx6U7qjmOWU=")],
)
def test_signature_meets_the_published_vectors(base64_first, token):
    assert signature("test-secret", "acme", STAMP, base64_first=base64_first) == token
    assert hmac_token("test-secret", "acme", STAMP, base64_first=base64_first) == token


@pytest.mark.parametrize("base64_first", [False, True])
def test_login_takes_both_forms_and_gives_a_token_of_1800_seconds(caller: Caller, base64_first):
    answer = caller.login(form={"base64_first": base64_first})
    assert answer.status == 200
    assert set(answer.json["user"]) == {"id", "name", "email", "phone_number"}
    claims = answer.json["token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert claims["exp"] - claims["iat"] == 1800


@pytest.mark.parametrize("offset", ["+0000", "+0530"])
def test_login_takes_the_offset_of_the_documents_pattern(caller: Caller, offset):
    """`yyyyMMdd'T'HHmmssZ` as Java's own formatter writes it."""
    zone = dt.datetime.strptime(offset, "%z").tzinfo
    assert caller.login(stamp=dt.datetime.now(zone).strftime("%Y%m%dT%H%M%S%z")).status == 200
    old = dt.datetime.now(zone) - dt.timedelta(hours=13)
    assert caller.login(stamp=old.strftime("%Y%m%dT%H%M%S%z")).status == 401


def test_login_refuses_a_wrong_secret_a_stranger_and_an_old_date(caller: Caller):
    assert caller.login(secret="other").status == 401
    assert caller.login(principal="stranger").status == 401
    old = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=13)).strftime("%Y%m%dT%H%M%SZ")
    assert caller.login(stamp=old).status == 401
    assert caller.login(stamp="2015-08-30").status == 401


def test_calls_without_a_token_with_a_forged_one_or_after_its_end_are_401(caller: Caller):
    assert caller.raw("GET", "/fp/api/onb/states").status == 401
    assert caller.fp("GET", "/api/onb/states").status == 200
    forged = caller.token[:-4] + "AAAA"
    assert caller.raw("GET", "/fp/api/onb/states", None, {"Authorization": f"Bearer {forged}"}).status == 401
    caller.control("POST", "/clock", {"advance": "PT31M"})
    answer = caller.fp("GET", "/api/onb/states")
    assert answer.status == 401
    assert answer.json == {"error": {"status": 401, "message": "Token expired", "errors": None}}


def test_a_tenant_sees_nothing_of_another(caller: Caller, shop):
    other = Caller(caller.url, "sandbox-bse")
    assert other.fp("GET", f"/api/onb/investors/{shop.investor['id']}").status == 404
    assert other.fp("GET", f"{shop.base}/orders").status == 404
    assert other.fp("GET", "/api/onb/investors").json["total_elements"] == 0
