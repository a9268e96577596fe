"""The FP client: signature, token, the written table of refusals, tolerant reading, strict writing."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from portal.clock import IST
from portal.fintech_primitives import auth, messages, refusals
from portal.fintech_primitives import client as fp
from portal.gateway import errors, patience
from portal.gateway.transport import Request, Response

MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


@pytest.mark.parametrize(
    ("base64_first", "token"),
    [
        (False, "Kwm0IQpq2v4ZHUYNEZJlY1OhTY32wmL+0T0nBh37F9o="),
        (True, "GBePyrgwI07Wj8LqYdVUT84nIqPyrnPnyx6U7qjmOWU="),
    ],
)
def test_signs_the_login_like_the_published_vectors(base64_first, token):
    """providers.md section 10."""
    credentials = auth.Credentials("acme", "key", "test-secret", base64_payload_first=base64_first)
    headers = auth.login_headers(credentials, MOMENT)
    assert headers["Authorization"] == f"acme:{token}"
    assert headers["MFProDate"] == "20150830T123600Z"


@pytest.mark.django_db
@pytest.mark.parametrize("base64_first", [False, True])
@pytest.mark.parametrize("principal", ["tenant", "api_key_id"])
def test_the_sandbox_accepts_every_spelling_of_the_login(sandbox, settings, base64_first, principal):
    settings.FP_BASE64_PAYLOAD_FIRST, settings.FP_AUTHORIZATION_PRINCIPAL = base64_first, principal
    assert fp.build().list_amcs()


@pytest.mark.django_db
def test_a_wrong_secret_is_not_authorised(sandbox, settings):
    settings.FP_SECRET = "wrong"
    with pytest.raises(errors.NotAuthorised):
        fp.build().list_amcs()


@pytest.mark.django_db(transaction=True)
def test_fifty_calls_at_once_log_in_once(sandbox):
    client, logins = fp.build(), []
    login = client.login
    client.login = lambda: logins.append(1) or login()
    threads = [threading.Thread(target=client.headers) for _ in range(50)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(logins) == 1


@pytest.mark.django_db
def test_a_token_that_fp_forgot_is_renewed_once(sandbox):
    client = fp.build()
    client.list_amcs()
    client._token = "eyJ.stale.token"
    assert client.list_amcs()


# --- the written table of refusals ---------------------------------------------------------------------------

COMPLAINTS = [{"field": "orders[0].amount", "message": "too small"}]
REFUSAL = json.dumps({"error": {"status": 400, "message": "invalid", "errors": COMPLAINTS}}).encode()
POST = Request("POST", "/api/oms/x")


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"{}", None),
        (201, b"{}", None),
        (400, REFUSAL, errors.Refused),
        (404, b'{"error": {"status": 404, "message": "not found", "errors": null}}', errors.Refused),
        (
            400,
            b'{"error": {"status": 400, "message": "request timed out, check before placing"}}',
            errors.OutcomeUnknown,
        ),
        (400, b"<html>Bad Request</html>", errors.Garbled),
        (400, b'{"error": {"status": 500, "message": "?"}}', errors.Garbled),
        (418, b'{"error": {"status": 418, "message": "teapot"}}', errors.Garbled),
        (302, b"", errors.Garbled),
        (401, b"", errors.NotAuthorised),
        (403, b"<html>", errors.NotAuthorised),
        (429, b"", errors.Throttled),
        (500, b"", errors.OutcomeUnknown),
        (502, b"<html>", errors.OutcomeUnknown),
        (504, REFUSAL, errors.OutcomeUnknown),
    ],
)
def test_only_what_stands_in_the_table_is_a_refusal(status, body, outcome):
    found = refusals.classify(POST, Response(status, {}, body))
    assert (type(found) if found else None) is outcome


def test_a_refusal_names_its_fields():
    refusal = refusals.classify(POST, Response(400, {}, REFUSAL))
    assert refusal.complains_about("amount")
    assert not refusal.complains_about("isin")
    assert "too small" in refusal.said


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("", 5.0), ("soon", 5.0), ("999999", 600.0)])
def test_waits_as_told_within_reason(header, seconds):
    assert refusals.classify(POST, Response(429, {"Retry-After": header}, b"")).retry_after_s == seconds


# --- tolerant reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2019-05-15T13:10:00:345+05:30", datetime(2019, 5, 15, 13, 10, 0, 345000, tzinfo=IST)),
        ("2019-04-03T14:10:00+05:30", datetime(2019, 4, 3, 14, 10, tzinfo=IST)),
        ("2018-05-22T10:14:19.072Z", datetime(2018, 5, 22, 10, 14, 19, 72000, tzinfo=UTC)),
        ("2018-05-22T10:14:19+0530", datetime(2018, 5, 22, 10, 14, 19, tzinfo=IST)),
    ],
)
def test_reads_moments_in_every_spelling_fp_uses(text, moment):
    order = messages.Order.model_validate({"id": 1, "status": "PENDING", "created_at": text})
    assert order.created_at == moment


@pytest.mark.parametrize("word", ["on_the_moon", "", None, 7])
def test_ids_of_64_bits_stay_exact_and_unknown_words_are_unknown(word):
    order = messages.Order.model_validate({"id": 2654461373273791985, "status": word})
    assert order.id == "2654461373273791985"
    assert order.status == messages.OrderStatus.UNKNOWN


@pytest.mark.parametrize("word", ["successful", "SUCCESSFUL", " Successful "])
def test_words_are_read_in_any_case(word):
    assert messages.Order.model_validate({"id": 1, "status": word}).status == messages.OrderStatus.SUCCESSFUL


@pytest.mark.parametrize("body", ["[]", "null", '{"id": null}', '{"id": {}, "status": 7}', '{"status": "PENDING"}'])
def test_an_answer_of_the_wrong_shape_is_garbled(body):
    client = fp.FintechPrimitives.__new__(fp.FintechPrimitives)
    with pytest.raises(errors.Garbled):
        client._read_as(messages.Order, POST, json.loads(body))


def test_money_is_read_as_exact_decimals():
    from portal.gateway.client import parse_json

    parsed = parse_json("fp", POST, Response(200, {}, b'{"id": 1, "status": "SUCCESSFUL", "price": 36.1752}'))
    assert messages.Order.model_validate(parsed).price == Decimal("36.1752")


@pytest.mark.parametrize(
    "body", [b"NaN", b'{"a": Infinity}', b'{"a": 1', b"", b"<html>", b"[" * 100_000, b'{"a": 1e99999999}']
)
def test_what_is_no_strict_json_is_garbled(body):
    from portal.gateway.client import parse_json

    try:
        parsed = parse_json("fp", POST, Response(200, {}, body))
    except errors.Garbled:
        return
    with pytest.raises(ValueError, match="price"):
        messages.Order.model_validate({"id": 1, "status": "PENDING", "price": parsed["a"]})


# --- strict writing ------------------------------------------------------------------------------------------


def test_an_order_without_our_reference_is_never_sent():
    with pytest.raises(ValueError, match="source_ref_id"):
        messages.NewPurchase(isin="INF204K01EF9", amount=Decimal(1))


@pytest.mark.parametrize(("amount", "wire"), [(Decimal("5000.00"), "5000"), (Decimal("1E+3"), "1000")])
def test_whole_rupees_travel_as_integers(amount, wire):
    line = messages.NewPurchase(isin="INF204K01EF9", amount=amount, source_ref_id="ref")
    assert json.dumps(line.body()["amount"]) == wire


@pytest.mark.parametrize("amount", ["1.50", "0", "-5", "NaN", "1e15", True, 5.0])
def test_what_is_no_whole_number_of_rupees_is_never_sent(amount):
    with pytest.raises(ValueError, match="amount"):
        messages.NewPurchase(isin="INF204K01EF9", amount=amount, source_ref_id="ref")


@pytest.mark.parametrize("units", ["0.001", "15.125", "99999999999.999"])
def test_units_travel_digit_for_digit(units):
    sell = messages.NewSell(isin="INF204K01EF9", folio_number="1/2", type="units", units=units, source_ref_id="ref")
    assert json.dumps(sell.body()["units"]) == units


@pytest.mark.django_db
def test_lists_always_name_the_states(sandbox):
    client, asked = fp.build(), []
    send = client.transport.send
    client.transport.send = lambda request: asked.append(request) or send(request)
    list(client.list_orders(fp.OPEN_STATES))
    lists = [request for request in asked if request.path.endswith("/orders")]
    assert lists
    assert all(request.params["state"] for request in lists)


@pytest.mark.django_db
def test_while_a_browser_waits_a_provider_is_asked_once_and_a_worker_asks_again(sandbox):
    client, asked = fp.build(), []
    client.list_amcs()
    send = client.transport.send
    client.transport.send = lambda request: asked.append(request.path) or send(request)
    sandbox.fault("status:500", method="GET", path="*/amcs", times=1)
    assert client.list_amcs()
    assert len(asked) == 2

    sandbox.fault("status:500", method="GET", path="*/amcs", times=1)
    failures = []

    def page(request):
        try:
            client.list_amcs()
        except errors.OutcomeUnknown as error:
            failures.append(error)

    patience.PatienceMiddleware(page)(None)
    assert len(failures) == 1
    assert not patience.somebody_waits()
