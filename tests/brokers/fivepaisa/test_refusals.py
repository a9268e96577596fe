"""5paisa's two statuses: what each printed sample and each row of the written table means."""

from __future__ import annotations

import json

import pytest

from brokers.fivepaisa import refusals
from portal.gateway import errors
from portal.gateway.transport import Request, Response

SERVICE = "/VendorsAPI/Service1.svc"
PLACE = Request("POST", f"{SERVICE}/V1/PlaceOrderRequest")
CANCEL = Request("POST", f"{SERVICE}/V1/CancelOrderRequest")
HOLDING = Request("POST", f"{SERVICE}/V4/Holding")
TOKEN = Request("POST", f"{SERVICE}/GetAccessToken")
MASTER = Request("GET", f"{SERVICE}/ScripMaster/segment/all")
NONE = object()


def answer(head: object = NONE, body: object = NONE, message: str = "", **more: object) -> bytes:
    whole: dict[str, object] = {}
    if head is not NONE:
        whole["head"] = {"responseCode": "5P", "status": head, "statusDescription": "said in the head"}
    if body is not NONE:
        whole["body"] = {"Status": body, "Message": message, **more} if body is not None else None
    return json.dumps(whole).encode()


def verdict(request: Request, body: bytes, status: int = 200) -> type[errors.GatewayError] | None:
    found = refusals.classify(request, Response(status, {}, body))
    return type(found) if found else None


@pytest.mark.parametrize("head", [0, "0"])
@pytest.mark.parametrize("body", [0, "0"])
def test_success_is_a_nought_in_head_and_body_as_text_or_number(head, body):
    assert verdict(PLACE, answer(head, body, "Success")) is None


SAMPLES = [
    ("003 token expired", TOKEN, answer("2", 2, "Token Expired."), errors.NotAuthorised),
    ("003 server trouble", TOKEN, answer(-1, -1, "Server Unable to process your request"), errors.OutcomeUnknown),
    ("004 place, app key", PLACE, answer("2"), errors.NotAuthorised),
    ("004 place, token", PLACE, answer(body=9, message="Authentication Fails"), errors.NotAuthorised),
    ("004 place, session", PLACE, answer(body=9, message="Invalid Session"), errors.NotAuthorised),
    ("004 place, input", PLACE, answer(body=2, message="Invalid Input Parameters."), errors.Refused),
    (
        "004 modify, closed",
        PLACE,
        answer("0", 1, "Exchange is closed. Cannot Modify your order.", RMSResponseCode=-15),
        errors.Refused,
    ),
    ("004 modify, no token", PLACE, b"Invalid Token", errors.NotAuthorised),
    (
        "004 modify, no token",
        PLACE,
        b"Authorization header missing or invalid\nResponse: Invalid Token",
        errors.NotAuthorised,
    ),
    ("004 modify, head", PLACE, answer("2", None), errors.NotAuthorised),
    ("004 modify, order", PLACE, answer("0", 1, "Order does not exist", RMSResponseCode=0), errors.Refused),
    ("004 cancel, input", CANCEL, answer("0", 2, "Invalid Input Parameters."), errors.Refused),
    ("004 book, range", HOLDING, answer(0, 1, "updatedInLastSeconds should be in range from 0 to 600"), errors.Refused),
    ("004 book, client", HOLDING, answer(0, 3, "Invalid ClientCode"), errors.Refused),
    ("004 trade book, session", HOLDING, answer(9, 9, "Invalid session"), errors.NotAuthorised),
    ("004 holding, none", HOLDING, answer("0", 1, "No record found."), None),
    ("004 book, none", HOLDING, answer(0, 1, "No Order found for this Client."), None),
    ("004 holding, session", HOLDING, answer("9", 9, "Invalid session."), errors.NotAuthorised),
]


@pytest.mark.parametrize(("request_", "body", "outcome"), [each[1:] for each in SAMPLES], ids=[s[0] for s in SAMPLES])
def test_the_samples_of_the_documents_mean_what_they_say(request_, body, outcome):
    assert verdict(request_, body) is outcome


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (answer(0, 0, "Success", RMSResponseCode=-15), errors.Garbled),
        (answer(0, None), errors.Garbled),
        (answer(0), errors.Garbled),
        (answer(body=0, message="Success"), errors.Garbled),
        (answer(1, 0), errors.Garbled),
        (answer(2, 0), errors.Garbled),
        (answer(-1, 0), errors.OutcomeUnknown),
        (answer(None, None), errors.Garbled),
        (answer(), errors.Garbled),
        (answer(True, False), errors.Garbled),
        (answer(0, 0.0), errors.Garbled),
        (answer("zero", 0), errors.Garbled),
        (answer(0, []), errors.Garbled),
        (b'{"head": [], "body": []}', errors.Garbled),
        (b'{"head": {"status": 0, "Status": 2}, "body": {"Status": 0}}', errors.Garbled),
        (b"", errors.Garbled),
        (b"null", errors.Garbled),
        (b"<html>Invalid Token</html>", errors.Garbled),
        (b'{"head": {"status": 0}, "body": {"Status": 0, "Message": "Inv', errors.Garbled),
        (b"[" * 100_000, errors.Garbled),
        (answer(1), errors.Refused),
        (answer(1, 1), errors.Refused),
        (answer(9), errors.NotAuthorised),
        (answer(0, 9), errors.NotAuthorised),
        (answer(0, -1), errors.OutcomeUnknown),
        (answer(-1), errors.OutcomeUnknown),
        (answer(0, 1, "Request timed out"), errors.OutcomeUnknown),
        (answer(0, 77), errors.OutcomeUnknown),
        (answer(77), errors.OutcomeUnknown),
    ],
)
def test_nothing_else_is_a_success_or_a_refusal(body, outcome):
    assert verdict(PLACE, body) is outcome


@pytest.mark.parametrize("request_", [PLACE, CANCEL])
def test_an_order_that_is_not_found_is_not_done(request_):
    """ "No record found" is an empty list to a read; to a cancellation it is a refusal."""
    assert verdict(request_, answer(0, 1, "No Order found for this Client.")) is errors.Refused


def test_a_read_is_believed_without_a_status_in_its_head_and_an_order_is_not():
    """providers.md 4.4 shows no head status for MultiOrderMargin, and 7 #21 heads that lack parts."""
    body = b'{"head": {"responseCode": "5PMultiOrderMargin"}, "body": {"Status": 0, "Message": "Success"}}'
    assert verdict(HOLDING, body) is None
    assert verdict(PLACE, body) is errors.Garbled
    assert verdict(TOKEN, body) is errors.Garbled


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, answer(0, 0, "Success"), errors.Garbled),
        (400, answer(0, 2, "Invalid Input Parameters."), errors.Refused),
        (400, b"<html>", errors.Garbled),
        (400, b'{"error": "Request timed out"}', errors.OutcomeUnknown),
        (401, answer(0, 0), errors.NotAuthorised),
        (403, b"", errors.NotAuthorised),
        (404, b"<html>", errors.Garbled),
        (429, b"", errors.Throttled),
        (500, answer(0, 2), errors.OutcomeUnknown),
        (503, b"", errors.OutcomeUnknown),
        (302, b"", errors.Garbled),
    ],
)
def test_http_speaks_first(status, body, outcome):
    assert verdict(PLACE, body, status) is outcome


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (answer(0, 1, "Exchange is closed.", RMSResponseCode=-15), "RMS:-15"),
        (answer(0, 2, "Invalid Input Parameters."), "0:2"),
        (answer(1), "1:-"),
    ],
)
def test_a_refusal_keeps_its_code_and_words(body, code):
    found = refusals.classify(PLACE, Response(200, {}, body))
    assert found.code == code
    assert found.said


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"Invalid segment 'nse'", errors.Refused),
        (b"Cache not available, try later", errors.OutcomeUnknown),
        (b"<html>", errors.Garbled),
    ],
)
def test_the_master_says_no_in_plain_text(body, outcome):
    assert type(refusals.trouble_of_text(MASTER, 200, body)) is outcome
    assert verdict(MASTER, body, 400) is outcome
