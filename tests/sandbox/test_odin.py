"""ODIN Connector: the invest button, the pages behind it, and the numbered messages about the orders."""

from __future__ import annotations

import base64
import http.client
import json
import re
import urllib.parse
from collections.abc import Iterator

import pytest

from tests.sandbox.api import Caller, hidden_fields, wait_for
from tests.sandbox.brokers_api import CALLBACK, FAULTS, ITC, LINE, TCS, Portal, Publisher, carried, press

FRIDAY_NOON, SATURDAY = "2026-11-20T12:00:00+05:30", "2026-11-21T12:00:00+05:30"
MONDAY_OPEN = "2026-11-23T09:15:05+05:30"
INVALID = "Invalid session. Please login with your broker and try it"
LOGIN = "/odin/landing/redirect?nRequestType=2&sAppToken=sandbox-app-token&sTwoWayToken=t1"


@pytest.fixture
def publisher(caller: Caller) -> Iterator[Publisher]:
    caller.control("POST", "/webhooks", {"targets": {"odin_callback": CALLBACK}})
    yield Publisher(caller)
    caller.control("POST", "/webhooks", {"targets": {"odin_callback": "", "odin_two_way": ""}})


def log_in(caller: Caller, user: str = "asha") -> dict[str, str]:
    return carried(press(caller, caller.raw("GET", f"{LOGIN}&sPartnerId=0AF1C1"), "login", user=user))


# -- the button ------------------------------------------------------------------------------------------------------


def test_a_good_request_gives_the_address_of_the_basket(publisher: Publisher):
    answer = publisher.button()
    assert answer.status == 200
    assert (answer.json["success"], answer.json["message"]) == (True, "Url successfully formed")
    assert answer.json["statusCode"] == "vasprd-200-818"
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.json["data"]).query))
    assert list(query) == [
        "sAppToken", "sTwoWayToken", "sProductCode", "sTpUserId", "sPartnerId", "nRequestType", "sSession",
    ]  # fmt: skip
    assert (query["nRequestType"], query["sSession"], query["sPartnerId"]) == ("3", "XYZ", "0AF1C1")
    assert re.fullmatch(r"BUTTON-API-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", query["sProductCode"])


@pytest.mark.parametrize("session", [("EXPIRED-SESSION", "connector"), ("XYZ", "somebody"), ("nothing", "connector")])
def test_a_bad_session_is_refused_in_the_document_s_words(caller: Caller, session):
    answer = Publisher(caller, *session).button()
    assert (answer.json["success"], answer.json["data"], answer.json["message"]) == (False, None, INVALID)
    assert answer.json["statusCode"] == "vasprd-400-500"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"sessionId": ""}, "sessionId is mandatory"),
        ({"sRecoId": None}, "sRecoId is mandatory"),
        ({"sRecoId": "1234567"}, "6 characters"),
        ({"sClientCode": 5}, "sClientCode is mandatory"),
        ({"basketData": []}, "basketData is mandatory"),
        ({"basketData": {}}, "basketData is mandatory"),
    ],
)
def test_mandatory_fields(publisher: Publisher, change, word):
    answer = publisher.button(**change)
    assert answer.json["success"] is False
    assert word in answer.json["message"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"buyOrSell": "2"}, "buyOrSell"),
        ({"orderSide": "HOLD"}, "orderSide"),
        ({"ordType": "RL-LIMIT"}, "ordType"),
        ({"ordType": "RL"}, "ordPrice"),
        ({"ordPrice": 44500}, "ordPrice"),
        ({"ordType": "RL", "ordPrice": 445.5}, "ordPrice"),
        ({"ordType": "SL-MKT"}, "trigPrice"),
        ({"orgQTY": 0}, "orgQTY"),
        ({"orgQTY": -1}, "orgQTY"),
        ({"discQty": 49}, "discQty"),
        ({"discQty": 501}, "discQty"),
        ({"mktSegId": 2}, "mktSegId"),
        ({"scripTkn": 99}, "scripTkn"),
        ({"validity": 9}, "validity"),
        ({"prodType": "GIFT"}, "prodType"),
    ],
)
def test_a_line_against_the_dictionary_is_refused_by_name(publisher: Publisher, change, word):
    answer = publisher.button("R00001", change)
    assert answer.status == 400
    assert answer.json["message"].startswith(word)
    assert publisher.caller.control("GET", "/ledger/odin")["total"] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"ordType": 2}, {"scripTkn": "1660"}, {"orgQTY": "500"}, {"mktSegId": 3, "scripTkn": 500875}, {"buyOrSell": 1},
        {"ordType": "RL", "ordPrice": 44500}, {"ordType": "SL", "ordPrice": 44500, "trigPrice": 44400},
    ],
)  # fmt: skip
def test_the_document_s_two_spellings_of_a_value_are_taken(publisher: Publisher, change):
    assert publisher.button("R00001", {"scripTkn": ITC} | change).status == 200


def test_the_other_spellings_of_the_keys_are_taken(publisher: Publisher):
    line = {name: value for name, value in LINE.items() if name not in ("orgQTY", "ordGTD1")}
    answer = publisher.button(basketData=[line | {"orgQty": 5, "ordGTD": 0, "discQty": 0}])
    assert answer.status == 200
    assert publisher.caller.control("GET", "/ledger/odin")["orders"][0]["asked"][0]["quantity"] == 5


def test_a_basket_id_names_one_basket_for_good(publisher: Publisher):
    publisher.url("R00001", {"scripTkn": ITC})
    assert publisher.button("R00001", {"scripTkn": ITC}).status == 200
    other = publisher.button("R00001", {"scripTkn": TCS})
    assert other.json["message"] == "sRecoId is already used"
    publisher.finish("R00001", "filled")
    assert publisher.button("R00001", {"scripTkn": ITC}).json["message"] == "sRecoId is already used"
    ledger = publisher.caller.control("GET", "/ledger/odin?ref=R00001")
    assert (ledger["total"], ledger["orders"][0]["received"], len(ledger["orders"][0]["orders"])) == (1, 2, 1)


# -- logging in ------------------------------------------------------------------------------------------------------


def test_a_person_logs_in_and_the_callback_says_who(publisher: Publisher):
    choice = publisher.caller.raw("GET", LOGIN)
    assert "Choose your broker" in choice.text
    login = press(publisher.caller, choice, "broker", partner="0B52D7")
    assert "Paper Boat Securities" in login.text
    fields = carried(press(publisher.caller, login, "login", user="asha"))
    assert set(fields) == {
        "sStatusCode", "sStatusMessage", "sSession", "sVasUserId", "sTradingUserId", "sName", "sEmail", "sRestSession",
    }  # fmt: skip
    assert (fields["sTradingUserId"], fields["sStatusCode"]) == ("ASHA", "vasprd-200-803")
    answer = Publisher(publisher.caller, fields["sSession"], fields["sVasUserId"]).button()
    assert "sPartnerId=0B52D7" in answer.json["data"]


def test_the_same_login_is_the_same_user_with_a_new_session(publisher: Publisher):
    first, second, other = (log_in(publisher.caller, user) for user in ("asha", "ASHA", "bharat"))
    assert first["sVasUserId"] == second["sVasUserId"] != other["sVasUserId"]
    assert first["sSession"] != second["sSession"]
    assert Publisher(publisher.caller, first["sSession"], other["sVasUserId"]).button().json["message"] == INVALID


def test_a_session_ends_with_its_day(publisher: Publisher):
    publisher.caller.control("POST", "/clock", {"at": "2026-11-20T23:58:00+05:30"})
    fields = log_in(publisher.caller)
    user = Publisher(publisher.caller, fields["sSession"], fields["sVasUserId"])
    address = user.url("R00001", {"scripTkn": ITC})
    publisher.caller.control("POST", "/clock", {"advance": "PT3M"})
    assert user.button("R00002").json["message"] == INVALID
    assert INVALID in publisher.caller.raw("GET", address).text


def test_leaving_the_login_says_so(publisher: Publisher):
    fields = carried(press(publisher.caller, publisher.caller.raw("GET", LOGIN), "leave"))
    assert fields == {"sStatusCode": "vasprd-400-804", "sStatusMessage": "Login cancelled by user"}


@pytest.mark.parametrize("query", ["sAppToken=other&sTwoWayToken=t", "sAppToken=sandbox-app-token", "sTwoWayToken=t"])
def test_an_unknown_application_sees_no_login(publisher: Publisher, query):
    page = publisher.caller.raw("GET", f"/odin/landing/redirect?nRequestType=2&{query}")
    assert page.status == 400
    assert "<form" not in page.text


@pytest.mark.parametrize(
    ("status", "answer", "shown"), [(200, True, "Log in"), (200, False, "Sorry"), (500, True, "Sorry")]
)
def test_the_publisher_is_asked_whether_the_token_is_its_own(publisher: Publisher, status, answer, shown):
    portal = Portal()
    portal.status, portal.answer = status, {"success": answer}
    publisher.caller.control("POST", "/webhooks", {"targets": {"odin_two_way": f"{portal.url}/TwoWayAuth"}})
    page = publisher.caller.raw("GET", f"{LOGIN}&sPartnerId=0AF1C1")
    assert f"<title>{shown}" in page.text
    path, body = portal.heard[0]
    assert (path, body["sTwoWayToken"], body["sAppToken"]) == ("/TwoWayAuth", "t1", "sandbox-app-token")
    portal.shutdown()
    portal.server_close()


# -- the basket page -------------------------------------------------------------------------------------------------


def test_the_address_opens_the_basket_once(publisher: Publisher):
    address = publisher.url("R00001", {"scripTkn": ITC})
    assert publisher.caller.raw("HEAD", address).status == 200
    page = publisher.caller.raw("GET", address)
    assert "ITC" in page.text
    assert "Buy 500 at the market" in page.text
    again = publisher.caller.raw("GET", address)
    assert again.status == 400
    assert "has been used" in again.text


def test_a_person_executes_the_basket_and_comes_back(publisher: Publisher):
    page = publisher.caller.raw("GET", publisher.url("R00001", {"scripTkn": ITC}, {"scripTkn": TCS, "discQty": 0}))
    fields = carried(press(publisher.caller, page, "place", outcome="placed"))
    assert set(fields) == {"sStatusCode", "sStatusMessage", "oEcoBackObject"}
    shared = json.loads(base64.b64decode(fields["oEcoBackObject"]))
    assert [scrip["scripName"] for scrip in shared["scrips"]] == ["ITC", "TCS"]
    wait_for(lambda: {order["state"] for order in publisher.orders()} == {"EXECUTED"})
    assert "has been executed" in press(publisher.caller, page, "place", outcome="placed").text
    assert len(publisher.orders()) == 2


def test_the_way_back_can_be_a_posted_form(publisher: Publisher):
    publisher.caller.control("POST", "/odin/settings", {"callback_method": "post"})
    page = publisher.caller.raw("GET", publisher.url("R00001", {"scripTkn": ITC}))
    back = press(publisher.caller, page, "leave")
    assert f'<form method="post" action="{CALLBACK}"' in back.text
    assert hidden_fields(back.text)["sStatusMessage"] == "Basket execution cancelled by user"
    assert "form-action 'self' http://127.0.0.1:9" in back.headers["Content-Security-Policy"]
    assert publisher.orders() == []


def test_a_form_for_another_basket_is_not_obeyed(publisher: Publisher):
    pages = [publisher.caller.raw("GET", publisher.url(reco, {"scripTkn": ITC})) for reco in ("R00001", "R00002")]
    mine, theirs = (hidden_fields(page.text.split("<form")[1]) for page in pages)
    answer = publisher.caller.form("/odin/landing/place", product=theirs["product"], seal=mine["seal"])
    assert answer.status == 400
    assert publisher.orders("R00002") == []


# -- orders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state", "traded"),
    [
        ("filled", "EXECUTED", 500), ("partial", "CANCELLED", 250), ("unfilled", "CANCELLED", 0), ("amo", "AMO", 0),
        ("pending", "PENDING", 0), ("rejected", "REJECTED", 0), ("low_funds", "REJECTED", 0),
    ],
)  # fmt: skip
def test_each_outcome(publisher: Publisher, outcome, state, traded):
    done = publisher.executed(outcome, {"scripTkn": ITC})
    order = done["orders"][0]
    assert (order["state"], order["traded"]) == (state, traded)
    assert done["callback"]["sStatusCode"] == "vasprd-200-820"
    if traded:
        assert order["traded_value_paise"] == order["average_price_paise"] * traded


def test_a_basket_is_executed_or_left_once(publisher: Publisher):
    publisher.executed("user_cancelled", {"scripTkn": ITC})
    again = publisher.caller.raw("POST", "/_control/odin/complete?sRecoId=R00001&outcome=filled")
    assert again.status == 409
    assert publisher.orders() == []


def test_a_price_in_rupees_is_outside_the_limits_in_paise(publisher: Publisher):
    publisher.executed("placed", {"scripTkn": ITC, "ordType": "RL", "ordPrice": 445})
    order = publisher.orders()[0]
    assert order["state"] == "REJECTED"
    assert "445 is outside the circuit limits" in order["reason"]


def test_a_limit_that_the_day_does_not_reach_ends_with_the_day(publisher: Publisher):
    publisher.caller.control("POST", "/clock", {"at": FRIDAY_NOON})
    publisher.executed("placed", {"scripTkn": ITC, "ordType": "RL", "ordPrice": 41000})
    assert publisher.orders()[0]["state"] == "PENDING"
    publisher.caller.control("POST", "/clock", {"at": "2026-11-20T15:30:05+05:30"})
    assert (publisher.orders()[0]["state"], publisher.orders()[0]["reason"]) == ("CANCELLED", "End of the day")


def test_a_trade_is_never_worse_than_its_limit(publisher: Publisher):
    publisher.executed("placed", {"scripTkn": ITC, "ordType": "RL", "ordPrice": 47000})
    wait_for(lambda: publisher.orders()[0]["state"] == "EXECUTED")
    assert publisher.orders()[0]["average_price_paise"] <= 47000


def test_an_after_market_order_opens_with_the_market(publisher: Publisher):
    publisher.caller.control("POST", "/clock", {"at": SATURDAY})
    publisher.executed("placed", {"scripTkn": ITC})
    assert publisher.orders()[0]["state"] == "AMO"
    publisher.caller.control("POST", "/clock", {"at": MONDAY_OPEN})
    assert publisher.orders()[0]["state"] == "EXECUTED"
    statuses = [m["OrderStatus"] for m in publisher.sync().json["jOrderMessage"] if m["MessageType"] == "ORD_NRML"]
    assert statuses == [18, 5, 7]


def test_an_after_market_order_is_cancelled_with_its_own_status(publisher: Publisher):
    code = publisher.executed("amo", {"scripTkn": ITC})["orders"][0]["UniqueCode"]
    order = publisher.caller.control("POST", "/odin/event", {"order": code, "status": "cancelled"})
    assert (order["state"], order["status"]) == ("CANCELLED", 19)
    publisher.caller.control("POST", "/clock", {"advance": "P4D"})
    assert publisher.orders()[0]["status"] == 19


def test_the_control_room_moves_an_order(publisher: Publisher):
    code = publisher.executed("pending", {"scripTkn": ITC})["orders"][0]["UniqueCode"]
    move = lambda **wish: publisher.caller.control("POST", "/odin/event", {"order": code, **wish})  # noqa: E731
    assert move(status="partial", quantity=120, price=44400)["traded_value_paise"] == 120 * 44400
    assert move(status="executed")["state"] == "EXECUTED"
    late = publisher.caller.raw("POST", f"/_control/odin/event?order={code}&status=cancelled")
    assert late.status == 400
    answer = publisher.caller.form("/_control/act", act="odin_order", order=code, status="cancelled")
    assert "EXECUTED" in answer.headers["Location"]


# -- messages --------------------------------------------------------------------------------------------------------


def test_messages_are_numbered_priced_in_paise_and_joined_by_our_id(publisher: Publisher):
    publisher.executed("filled", {"scripTkn": ITC})
    pending, trade, done = publisher.sync().json["jOrderMessage"]
    assert [m["MessageSequenceNumber"] for m in (pending, trade, done)] == [1, 2, 3]
    assert [m["MessageType"] for m in (pending, trade, done)] == ["ORD_NRML", "TRD_MSG", "ORD_NRML"]
    assert {m["sThirdpartyRecoId"] for m in (pending, trade, done)} == {"R00001"}
    assert (pending["OrderStatus"], pending["PendingQty"], pending["TradedQTY"]) == (5, 500, 0)
    assert (done["OrderStatus"], done["PendingQty"], done["TradedQTY"]) == (7, 0, 500)
    assert trade["TradeQty"] * trade["TradedPrice"] == publisher.orders()[0]["traded_value_paise"]
    assert 40_000 < trade["TradedPrice"] < 50_000
    assert re.fullmatch(r"\d\d[A-Z][a-z]{2}20\d\d \d\d\.\d\d\.\d\d", pending["OrderEntryTime"])


def test_sync_goes_on_where_one_stopped(publisher: Publisher):
    publisher.executed("filled", {"scripTkn": ITC}, {"scripTkn": TCS, "discQty": 0})
    everything = publisher.sync().json
    assert (everything["jNoOfRecords"], everything["jLastSyncedPacket"]) == (6, 6)
    rest = publisher.sync(after=4).json
    assert [m["MessageSequenceNumber"] for m in rest["jOrderMessage"]] == [5, 6]
    none = publisher.sync(after=6).json
    assert (none["jNoOfRecords"], none["jLastSyncedPacket"], none["jOrderMessage"]) == (0, 6, [])


def test_sync_needs_the_token(publisher: Publisher):
    publisher.executed("filled", {"scripTkn": ITC})
    answer = publisher.sync(token="wrong")
    assert (answer.status, answer.json["jStatusCode"], answer.json["jOrderMessage"]) == (401, -1, [])


def test_brokers_and_keys(publisher: Publisher):
    answer = publisher.caller.raw("GET", "/odin/vasprodmgmt/odinConnectorBrokerList")
    assert answer.json["success"] is True
    assert "0AF1C1" in {broker["sPartnerId"] for broker in answer.json["data"]}
    headers, path = {"Content-Type": "application/json"}, "/odin/loginservice/apiKeys"
    good = publisher.caller.raw("POST", path, b'{"sApplicationToken": "sandbox-app-token"}', headers)
    assert good.json["data"]["omex"]["secretKey"] == "sandbox-omex-token"
    assert publisher.caller.raw("POST", path, b'{"sApplicationToken": "other"}', headers).status == 401


# -- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", FAULTS)
def test_every_fault_works_and_takes_effect_or_not(publisher: Publisher, mode, when):
    wish = {"provider": "odin", "match": {"method": "POST", "path": "apiButtonRequest"}, "when": when, "mode": mode}
    publisher.caller.control("POST", "/faults", wish | {"delay_s": 0.05})
    try:
        answer = publisher.button()
    except (OSError, http.client.HTTPException):
        answer = None
    made = publisher.caller.control("GET", "/ledger/odin")["total"]
    assert made == (1 if when == "after" or mode in ("slow", "invisible:30") else 0)
    if mode.startswith("status:"):
        assert answer is not None
        assert answer.status == int(mode[7:])
    assert publisher.button().status == 200


def test_the_journal_keeps_no_session(publisher: Publisher):
    fields = log_in(publisher.caller)
    user = Publisher(publisher.caller, fields["sSession"], fields["sVasUserId"])
    publisher.caller.raw("GET", user.url("R00001", {"scripTkn": ITC}))
    user.sync()
    text = json.dumps(publisher.caller.control("GET", "/requests"))
    assert "apiButtonRequest" in text
    for secret in (fields["sSession"], fields["sRestSession"], "sandbox-omex-token", "sandbox-app-token"):
        assert secret not in text
