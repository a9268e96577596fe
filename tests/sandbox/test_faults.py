"""A fault speaks as its provider does: an envelope of somebody else's would prove nothing about a client."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.api import Answer, Caller

# A call that each provider has -> how its own envelope begins.
CALLS = {
    "fp": ("POST", "/api/onb/investors"),
    "smallcase": ("POST", "/gateway/gatewaydemo/transaction"),
    "odin": ("POST", "/productmgmtservice/apiButtonRequest"),
    "5paisa": ("POST", "/VendorsAPI/Service1.svc/V1/PlaceOrderRequest"),
}
ENVELOPES = {
    "fp": {"error"},
    "smallcase": {"success", "errors", "data", "message"},
    "odin": {"success", "data", "message", "statusCode", "traceId"},
    "5paisa": {"head", "body"},
}


def spoilt(caller: Caller, provider: str, mode: str) -> Answer:
    caller.control("POST", "/faults", {"provider": provider, "mode": mode})
    method, path = CALLS[provider]
    return caller.raw(method, f"/{provider}{path}", b"{}", {"Content-Type": "application/json"})


@pytest.mark.parametrize("mode", ["status:400", "status:401", "status:409", "status:429", "status:500", "status:503"])
@pytest.mark.parametrize("provider", CALLS)
def test_a_failing_status_comes_in_the_providers_own_envelope(caller: Caller, provider: str, mode: str):
    answer = spoilt(caller, provider, mode)
    assert answer.status == int(mode[7:])
    assert set(answer.json) == ENVELOPES[provider]
    assert ("Retry-After" in answer.headers) == (answer.status in (429, 503))


@pytest.mark.parametrize("provider", CALLS)
def test_what_timed_out_says_so_in_the_providers_own_envelope(caller: Caller, provider: str):
    answer = spoilt(caller, provider, "timed_out_400")
    assert (answer.status, set(answer.json)) == (400, ENVELOPES[provider])
    assert "Request timed out" in answer.text


@pytest.mark.parametrize("provider", CALLS)
def test_a_field_is_refused_by_its_name_in_the_providers_own_envelope(caller: Caller, provider: str):
    answer = spoilt(caller, provider, "refuse:bank_accounts[0].ifsc_code")
    assert (answer.status, set(answer.json)) == (400, ENVELOPES[provider])
    assert "bank_accounts[0].ifsc_code: is not acceptable" in answer.text


def test_fp_names_the_field_as_the_document_does(caller: Caller):
    assert spoilt(caller, "fp", "refuse:nomination.nominee1.name").fields() == {
        "nomination.nominee1.name": "is not acceptable"
    }


@pytest.mark.parametrize("provider", CALLS)
def test_a_cut_answer_is_the_beginning_of_an_answer_of_theirs(caller: Caller, provider: str):
    answer = spoilt(caller, provider, "truncated")
    assert answer.text.startswith(first_key(provider))
    with pytest.raises(json.JSONDecodeError):
        answer.json  # noqa: B018 - reading it is the point


def first_key(provider: str) -> str:
    return {"fp": '{"error"', "5paisa": '{"head"'}.get(provider, '{"success"')


@pytest.mark.parametrize("provider", CALLS)
def test_a_redirect_stays_at_the_provider(caller: Caller, provider: str):
    answer = spoilt(caller, provider, "redirect")
    assert (answer.status, answer.headers["Location"]) == (302, f"{caller.url}/{provider}/redirected")


def test_an_effect_is_told_from_none(caller: Caller):
    """`before` leaves nothing behind, `after` leaves what the call made."""
    counts: list[Any] = []
    for when in ("before", "after"):
        fault = {"provider": "fp", "match": {"method": "POST", "path": "/files"}, "when": when, "mode": "status:500"}
        caller.control("POST", "/faults", fault)
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nx\r\n--x--\r\n'
        assert caller.fp("GET", "/files").status == 200
        sent = {"Authorization": f"Bearer {caller.token}", "Content-Type": "multipart/form-data; boundary=x"}
        assert caller.raw("POST", "/fp/files", body, sent).status == 500
        counts.append(len(caller.fp("GET", "/files").json["data"]))
    assert counts == [0, 1]
