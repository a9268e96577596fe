"""smallcase's answers in every shape that is known, the written table of refusals, and what is never sent."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from pydantic import ValidationError

from brokers.smallcase import client as smallcase
from brokers.smallcase import messages, refusals
from brokers.smallcase.messages import BatchStatus, NewTransaction, OrderStatus, Security, Side, TransactionStatus
from portal import redaction
from portal.gateway import errors, wire
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response

POST = Request("POST", "/gateway/gatewaydemo/transaction")
ORDER = {
    "tradingsymbol": "ITC",
    "transactionType": "BUY",
    "orderType": "MARKET",
    "status": "COMPLETE",
    "quantity": 5,
    "filledQuantity": 5,
    "averagePrice": Decimal("444.75"),
    "product": "CNC",
    "exchange": "NSE",
    "exchangeOrderId": "1100000000012345",
    "errorCode": None,
    "statusMessage": None,
}
BATCH = {"batchId": "B1", "variety": "regular", "status": "COMPLETED", "orders": [ORDER], "unplaced": []}


def orders(value: object) -> messages.Orders:
    return wire.read_as(messages.Orders, "smallcase", POST, value)


# --- the written table of refusals ---------------------------------------------------------------------------


def no(*errors_: object, **more: object) -> bytes:
    return json.dumps({"success": False, "errors": list(errors_) or None, "data": None, **more}).encode()


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"success": true, "errors": null, "data": {}}', None),
        (200, no("bad ticker"), errors.Refused),
        (400, no("bad ticker"), errors.Refused),
        (404, no(message="transaction not found"), errors.Refused),
        (409, no({"code": 3001, "message": "transaction_expired"}), errors.Refused),
        (422, no(), errors.Refused),
        (400, no("invalid_jwt"), errors.NotAuthorised),
        (200, no({"code": 1001, "message": "user_mismatch"}), errors.NotAuthorised),
        (200, no(errorType="api_error"), errors.OutcomeUnknown),
        (400, no({"code": 2000}), errors.OutcomeUnknown),
        (200, no("internal_error"), errors.OutcomeUnknown),
        (400, no("Request timed out"), errors.OutcomeUnknown),
        (400, b'{"error": "timed out"}', errors.OutcomeUnknown),
        (200, b'{"success": "true", "data": {}}', errors.Garbled),
        (200, b'{"success": true, "errors": ["but"], "data": {}}', errors.Garbled),
        (200, b'{"data": {"transactionId": "TRX_1"}}', errors.Garbled),
        (400, b'{"success": true, "data": {}}', errors.Garbled),
        (200, b"<html>", errors.Garbled),
        (200, b"", errors.Garbled),
        (200, b"[]", errors.Garbled),
        (400, b"<html>", errors.Garbled),
        (418, no("teapot"), errors.Garbled),
        (302, b"", errors.Garbled),
        (401, b"", errors.NotAuthorised),
        (403, no("x"), errors.NotAuthorised),
        (429, b"", errors.Throttled),
        (500, no("x"), errors.OutcomeUnknown),
        (502, b"<html>", errors.OutcomeUnknown),
    ],
)
def test_only_what_stands_in_the_table_is_a_refusal(status, body, outcome):
    found = refusals.classify(POST, Response(status, {}, body))
    assert (type(found) if found else None) is outcome


def test_a_refusal_keeps_the_words():
    found = refusals.classify(POST, Response(400, {}, no({"code": 3001, "message": "transaction_expired"})))
    assert (found.code, found.said) == ("3001", "3001; transaction_expired")


# --- tolerant reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [{"orderBatches": [BATCH]}, {"orderBatches": [[BATCH]]}, BATCH, [BATCH], {**BATCH, "transactionId": "T"}]
)
def test_orders_are_read_from_every_shape(shape):
    (batch,) = orders(shape).batches
    assert batch.status is BatchStatus.COMPLETED
    assert (batch.orders[0].ticker, batch.orders[0].average_price) == ("ITC", Decimal("444.75"))


@pytest.mark.parametrize("shape", [[], {"orderBatches": []}])
def test_no_batches_are_no_orders_yet(shape):
    assert orders(shape).batches == ()


@pytest.mark.parametrize("shape", [None, {}, "", 7, {"orderBatches": None}, {"orderBatches": [{}]}, {"orders": []}])
def test_an_answer_of_the_wrong_shape_is_garbled(shape):
    with pytest.raises(errors.Garbled):
        orders(shape)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("CANCELLED AMO", OrderStatus.CANCELLED_AMO),
        ("cancelled_amo", OrderStatus.CANCELLED_AMO),
        ("COMPLETED", OrderStatus.UNKNOWN),
        ("on the moon", OrderStatus.UNKNOWN),
        ("", OrderStatus.UNKNOWN),
        (None, OrderStatus.UNKNOWN),
        (True, OrderStatus.UNKNOWN),
    ],
)
def test_words_that_are_not_known_are_unknown_and_never_final(word, status):
    assert messages.Order.model_validate({**ORDER, "status": word}).status is status


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": True},
        {"quantity": -1},
        {"quantity": 1.5},
        {"filledQuantity": 6},
        {"averagePrice": "NaN"},
        {"averagePrice": True},
        {"tradingsymbol": ""},
    ],
)
def test_numbers_that_cannot_be_are_not_read(change):
    with pytest.raises(ValidationError):
        messages.Order.model_validate({**ORDER, **change})


def test_holdings_are_read_in_both_versions():
    flat = {"securities": [{"ticker": "ITC", "shares": 5, "averagePrice": 400}]}
    deep = {"securities": [{"nseTicker": "ITC", "holdings": {"quantity": 5, "averagePrice": "400"}}]}
    for answer in (flat, deep, {"data": flat}):
        (held,) = messages.Holdings.model_validate(answer).securities
        assert (held.ticker, held.quantity, held.average_price) == ("ITC", 5, 400)


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_transaction_tells_its_error_with_its_number(wrapped):
    said = {"transactionId": "TRX_1", "status": "ERRORED", "error": {"message": "user_cancelled", "code": 1010}}
    found = messages.Transaction.model_validate({"transaction": said} if wrapped else said)
    assert (found.status, found.error, found.error_code) == (TransactionStatus.ERRORED, "user_cancelled", "1010")


def test_a_transaction_that_is_new_tells_neither_error_nor_account():
    said = {"transactionId": "TRX_1", "status": "INITIALIZED", "error": None, "success": None, "authToken": None}
    found = messages.Transaction.model_validate(said)
    assert (found.error, found.error_code, found.auth_token, found.smallcase_auth_id) == ("", "", "", "")


# --- strict writing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        {"quantity": 0},
        {"quantity": -1},
        {"quantity": 1.0},
        {"quantity": True},
        {"ticker": ""},
        {"ticker": "ITC-EQ NSE"},
        {"side": "HOLD", "quantity": "1"},
    ],
)
def test_a_line_that_makes_no_sense_is_never_made(line):
    with pytest.raises(ValidationError):
        Security(**{"ticker": "ITC", "quantity": 1, "side": Side.BUY, **line})


@pytest.mark.parametrize(
    "change",
    [
        {"securities": ()},
        {"securities": (Security(ticker="ITC", quantity=1, side=Side.BUY),) * 2},
        {"notes": "x" * 257},
        {"basket_logo": "http://portal.example/logo.png"},
    ],
)
def test_a_transaction_that_makes_no_sense_is_never_made(change):
    values = {"securities": (Security(ticker="ITC", quantity=1, side=Side.BUY),), **change}
    with pytest.raises(ValidationError):
        NewTransaction(**values)


def test_a_basket_is_written_as_the_document_writes_it(sent, settings):
    settings.SMALLCASE_BASKET_NAME_KEY = "basketName"
    lines = (Security(ticker="M&M", quantity=2, side=Side.SELL), Security(ticker="TCS", quantity=5, side=Side.BUY))
    smallcase.build().create_transaction(
        NewTransaction(securities=lines, notes="n", basket_name="Smart Basket"), about=About()
    )
    (request,) = sent
    assert request.json == {
        "intent": "TRANSACTION",
        "orderConfig": {
            "type": "SECURITIES",
            "securities": [
                {"ticker": "M&M", "quantity": 2, "type": "SELL"},
                {"ticker": "TCS", "quantity": 5, "type": "BUY"},
            ],
            "basketName": "Smart Basket",
        },
        "notes": "n",
    }
    assert set(request.headers) == {"x-gateway-secret", "x-gateway-authtoken"}


@pytest.fixture
def sent(monkeypatch, db):
    """Requests as they would leave; each is answered with a transaction."""
    requests: list[Request] = []

    def send(_, request: Request) -> Response:
        requests.append(request)
        return Response(200, {}, b'{"success": true, "errors": null, "data": {"transactionId": "TRX_1"}}')

    monkeypatch.setattr("portal.gateway.transport.Transport.send", send)
    return requests


def test_an_answer_about_another_transaction_is_garbled(sent):
    with pytest.raises(errors.Garbled, match="another"):
        smallcase.build().fetch_transaction("TRX_2")


# --- redaction -----------------------------------------------------------------------------------------------


def test_hides_what_smallcase_says_about_people():
    token = "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl"
    said = {
        "data": {"smallcaseAuthToken": token, "authToken": token, "smallcaseAuthId": "58935d4568ae6acbf37b5bc1"},
        "checksum": "160bb82bb590b19d6c73915c1b7e7f43e23b07c534814dcf28f34f1f9fbf1441",
        "x-gateway-secret": "sandbox-api-secret",
        "notes": f"see {token}",
    }
    kept = str(redaction.redact(said))
    for secret in (token, "58935d4568ae6acbf37b5bc1", "160bb82b", "sandbox-api-secret"):
        assert secret not in kept


def test_keeps_what_ops_need_to_find_an_order():
    said = {
        "transactionId": "TRX_7cdfcb8d1f7a236bdc292c2fa8be7490",
        "batchId": "b1",
        "exchangeOrderId": "1641632683283462",
    }
    assert redaction.redact(said) == said
