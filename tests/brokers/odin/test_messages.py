"""ODIN's baskets in exact paise, its answers in either spelling, and the written table of refusals."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from brokers.odin import client as odin
from brokers.odin import messages, refusals
from brokers.odin.messages import Basket, Line, OrderType, Segment, Side, to_paise
from portal import redaction
from portal.gateway import errors
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response

POST = Request("POST", odin.BUTTON)
LINE = {"segment": Segment.NSE_CASH, "token": 12716, "side": Side.BUY, "quantity": 500}
PAGE = "http://127.0.0.1:8100/odin/landing/redirect?sAppToken=x&sTwoWayToken=abc&nRequestType=3&sSession=XYZ"


# --- paise ---------------------------------------------------------------------------------------------------


@given(st.integers(min_value=0, max_value=10**12))
def test_every_price_in_whole_paise_survives_the_way_out_and_back(paise):
    assert to_paise(Decimal(paise) / 100) == paise


@pytest.mark.parametrize("price", ["0.001", "402.355", "-0.01", "NaN", "Infinity", "1E-7"])
def test_a_price_that_is_no_whole_paise_is_not_rounded(price):
    with pytest.raises(ValueError, match="paise"):
        to_paise(Decimal(price))


@pytest.mark.parametrize(("price", "paise"), [("402.35", 40235), ("0.05", 5), ("1E+3", 100000), ("0", 0)])
def test_rupees_become_paise(price, paise):
    assert to_paise(Decimal(price)) == paise


def test_a_line_has_the_names_and_types_of_the_documents_example():
    """Document 000, example request, but for its footnote fused into a key (providers.md 2.5, 7 #32)."""
    assert Line(**LINE, disclosed_quantity=50).wire(quantity_key="orgQTY", gtd_key="ordGTD1") == {
        "ordPrice": 0,
        "ordGTD1": 0,
        "prodType": "DELIVERY",
        "orderSide": "BUY",
        "sLTriggerPrice": 0,
        "buyOrSell": "1",
        "sLOrderPrice": 0,
        "orgQTY": 500,
        "mktSegId": 1,
        "days": "0",
        "scripTkn": 12716,
        "trigPrice": 0,
        "validity": 1,
        "ordType": "RL-MKT",
        "discQty": 50,
    }


@pytest.mark.parametrize(
    ("kind", "price", "trigger"),
    [("RL", "402.35", "0"), ("RL-MKT", "0", "0"), ("SL", "402.35", "401.10"), ("SL-MKT", "0", "401.10")],
)
def test_each_kind_of_order_carries_its_own_prices(kind, price, trigger):
    line = Line(**LINE, order_type=OrderType(kind), price=Decimal(price), trigger_price=Decimal(trigger))
    wire = line.wire(quantity_key="orgQTY", gtd_key="ordGTD")
    assert (wire["ordPrice"], wire["trigPrice"]) == (int(Decimal(price) * 100), int(Decimal(trigger) * 100))
    for change in (
        {"price": Decimal(1) - min(line.price, 1)},
        {"trigger_price": Decimal(1) - min(line.trigger_price, 1)},
    ):
        with pytest.raises(ValidationError):
            Line(**{**line.model_dump(), **change})


@pytest.mark.parametrize(
    "change",
    [{"quantity": 0}, {"quantity": 1.0}, {"token": 0}, {"disclosed_quantity": 501}, {"price": Decimal("0.001")}],
)
def test_a_line_that_makes_no_sense_is_never_made(change):
    with pytest.raises(ValidationError):
        Line(**{**LINE, **change})


@pytest.mark.parametrize("reco_id", ["", "12345", "1234567", "12 456", "12345é"])
def test_a_reco_id_has_six_letters_or_digits(reco_id):
    with pytest.raises(ValidationError):
        Basket(reco_id=reco_id, client_code="connector", lines=(Line(**LINE),))


# --- the written table of refusals ---------------------------------------------------------------------------


def envelope(success: object, code: object = None, message: object = "", **more: object) -> bytes:
    return json.dumps({"success": success, "data": None, "message": message, "statusCode": code, **more}).encode()


SAID_NO_SESSION = "Invalid session. Please login with your broker and try it"


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, envelope(True, "vasprd-200-818", "Url successfully formed"), None),
        (200, b'{"Success": true, "Data": "x", "Message": "", "StatusCode": "reg-200-059"}', None),
        (200, b'{"jLastSyncedPacket": 0, "jNoOfRecords": 0, "jOrderMessage": []}', None),
        (200, b'{"jStatusCode": -1, "jLastSyncedPacket": 0, "jOrderMessage": []}', errors.Garbled),
        (200, b'{"jErrorString": "Invalid token", "jLastSyncedPacket": 0, "jOrderMessage": []}', errors.Garbled),
        (200, envelope(False, "vasprd-400-500", SAID_NO_SESSION), errors.NotAuthorised),
        (400, envelope(False, "vasprd-400-500", SAID_NO_SESSION), errors.NotAuthorised),
        (200, envelope(False, "vasuat-401-002"), errors.NotAuthorised),
        (200, envelope(False, "vasprd-400-123", "Session expired. Please login again"), errors.NotAuthorised),
        (200, envelope(False, "vasprd-400-812", "Invalid basket"), errors.Refused),
        (422, envelope(False, "vasprd-422-001", "Invalid scrip"), errors.Refused),
        (200, envelope(False, None, "Invalid scrip"), errors.Refused),
        (200, envelope(False, "vasprd-429-001"), errors.Throttled),
        (200, envelope(False, "vasprd-500-001", "Something went wrong"), errors.OutcomeUnknown),
        (200, envelope(False, "vasprd-400-001", "OMS timed out"), errors.OutcomeUnknown),
        (200, envelope(False, "vasprd-200-818"), errors.Garbled),
        (200, envelope(True, "vasprd-400-500"), errors.Garbled),
        (400, envelope(True, "vasprd-200-818"), errors.Garbled),
        (200, envelope("true", "vasprd-200-818"), errors.Garbled),
        (200, b'{"success": true, "Success": false}', errors.Garbled),
        (200, b'{"data": "http://x"}', errors.Garbled),
        (200, b"<html>", errors.Garbled),
        (200, b"", errors.Garbled),
        (302, b"", errors.Garbled),
        (418, b"", errors.Garbled),
        (401, b"", errors.NotAuthorised),
        (429, b"", errors.Throttled),
        (503, envelope(False, "vasprd-400-812"), errors.OutcomeUnknown),
    ],
)
def test_only_what_stands_in_the_table_is_a_refusal(status, body, outcome):
    found = refusals.classify(POST, Response(status, {}, body))
    assert (type(found) if found else None) is outcome


# --- what leaves and what is accepted ------------------------------------------------------------------------


@pytest.fixture
def answer(monkeypatch, db):
    """Requests as they would leave, and the body with which each is answered."""
    kept: dict[str, object] = {"requests": [], "body": b""}

    def send(_, request: Request) -> Response:
        kept["requests"].append(request)
        return Response(200, {}, kept["body"])

    monkeypatch.setattr("portal.gateway.transport.Transport.send", send)
    return kept


def press(settings):
    settings.ODIN_WEB_URL = "http://127.0.0.1:8100/odin"
    return odin.build().create_button_request(
        "XYZ", Basket(reco_id="01F5h9", client_code="connector", lines=(Line(**LINE),)), About()
    )


def test_a_basket_leaves_as_the_document_writes_it(answer, settings):
    answer["body"] = envelope(True, "vasprd-200-818", data=PAGE)
    assert press(settings).data == PAGE
    (request,) = answer["requests"]
    assert {key: type(value) for key, value in request.json.items()} == {
        "sessionId": str,
        "sRecoId": str,
        "sClientCode": str,
        "basketData": list,
    }


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/landing/redirect?sSession=XYZ",
        "http://127.0.0.1:8100@evil.example/odin/landing",
        "http://127.0.0.1:9999/odin/landing",
        "javascript:alert(1)//127.0.0.1",
        "//127.0.0.1:8100/odin",
        "http://[::1/odin/landing",
        None,
        "",
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_odins(answer, settings, address):
    answer["body"] = envelope(True, "vasprd-200-818", data=address)
    with pytest.raises(errors.Garbled):
        press(settings)


def test_a_plain_address_is_not_followed_from_a_safe_host():
    """providers.md 7 #33."""
    assert odin._same_origin("https://odin.portal.example/landing", "https://odin.portal.example")
    assert not odin._same_origin("http://odin.portal.example/landing", "https://odin.portal.example")


def test_the_login_names_the_broker_and_our_token(settings):
    query = parse_qs(urlsplit(odin.build().login_url("0AF1C1", "a token&")).query)
    assert query == {
        "sAppToken": [settings.ODIN_APP_TOKEN],
        "sTwoWayToken": ["a token&"],
        "nRequestType": ["2"],
        "sPartnerId": ["0AF1C1"],
    }


def test_a_login_without_a_token_of_ours_is_never_begun():
    with pytest.raises(ValueError, match="two-way"):
        odin.build().login_url("0AF1C1", "")


def test_a_sync_that_never_moves_on_ends(answer):
    answer["body"] = (
        b'{"jLastSyncedPacket": 5, "jNoOfRecords": 1,'
        b' "jOrderMessage": [{"MessageType": "X", "MessageSequenceNumber": 5}]}'
    )
    assert list(odin.build().sync_events(after=5)) == []
    assert len(answer["requests"]) == 1


# --- redaction -----------------------------------------------------------------------------------------------


def test_hides_what_odin_says_about_people():
    said = {
        "sessionId": "XYZ-SESSION",
        "sClientCode": "connector-7",
        "data": PAGE.replace("XYZ", "XYZ-SESSION").replace("abc", "two-way-token") + "&sTpUserId=4560A",
        "sRestSession": "rest-session",
        "jToken": "omex-token",
        "UCC": "CLIENT0042",
        "sName": "Asha Rao",
        "sEmail": "asha@portal.example",
        "note": "back at /callback/?sStatusCode=200&sSession=XYZ-SESSION&sVasUserId=VAS77",
    }
    kept = str(redaction.redact(said))
    for secret in ("XYZ-SESSION", "connector-7", "two-way-token", "4560A", "rest-session", "omex-token", "CLIENT0042"):
        assert secret not in kept
    for secret in ("Asha", "asha@", "VAS77"):
        assert secret not in kept


def test_keeps_what_ops_need_to_find_an_order():
    said = {"sRecoId": "01F5h9", "OrderNumber": "1100000000012345", "OrderStatus": 7, "traceId": "traceId-0001"}
    assert redaction.redact(said) == said
    assert messages.OrderStatus(7) is messages.OrderStatus.EXECUTED
