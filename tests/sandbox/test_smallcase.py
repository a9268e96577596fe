"""smallcase Gateway: who may call, what a transaction becomes, and what is told of it."""

from __future__ import annotations

import http.client
import json
import re
import time
from decimal import Decimal

import pytest

from portal.sandbox import application
from portal.sandbox.server import Running
from portal.sandbox.smallcase import journey, transactions
from tests.sandbox.api import Caller, wait_for
from tests.sandbox.brokers_api import FAULTS, TCS_AND_ITC, Dialog, Gateway, claims_of, jwt

FRIDAY_NOON, SATURDAY = "2026-11-20T12:00:00+05:30", "2026-11-21T12:00:00+05:30"
MONDAY_OPEN = "2026-11-23T09:15:05+05:30"


@pytest.fixture
def gateway(caller: Caller) -> Gateway:
    return Gateway(caller)


# -- who may call ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({"x-gateway-secret": "wrong"}, 401, "invalid_gateway_secret"),
        ({"x-gateway-secret": ""}, 401, "invalid_gateway_secret"),
        ({"x-gateway-authtoken": ""}, 401, "missing_authtoken"),
        ({"x-gateway-authtoken": "no.jwt.this"}, 403, "invalid_jwt"),
        ({"x-gateway-authtoken": jwt({"guest": True}, "other-secret")}, 403, "invalid_jwt"),
        ({"x-gateway-authtoken": jwt({"guest": True}, alg="none")}, 403, "invalid_jwt"),
        ({"x-gateway-authtoken": jwt({"guest": False})}, 403, "invalid_jwt"),
        ({"x-gateway-authtoken": jwt({"guest": True, "exp": 1})}, 403, "invalid_jwt"),
    ],
)
def test_refuses_a_bad_header_or_token_and_makes_nothing(gateway: Gateway, headers, status, error):
    body = {"intent": "TRANSACTION", "orderConfig": {"type": "SECURITIES", "securities": TCS_AND_ITC}}
    answer = gateway.call("POST", "/gateway/gatewaydemo/transaction", body, **headers)
    assert (answer.status, answer.json["errors"]) == (status, [error])
    assert answer.json["success"] is False
    assert gateway.caller.control("GET", "/ledger/smallcase")["total"] == 0


def test_refuses_another_gateway_s_name(gateway: Gateway):
    answer = gateway.call("POST", "/gateway/somebody/transaction", {"intent": "CONNECT"})
    assert (answer.status, answer.json["errors"]) == (403, ["invalid_gateway"])


def test_takes_a_token_that_still_lives(gateway: Gateway):
    gateway.token = jwt({"guest": True, "iat": int(time.time()), "exp": int(time.time()) + 60})
    assert gateway.create().status == 200


# -- making a transaction --------------------------------------------------------------------------------------------


def test_a_new_transaction_has_an_id_and_an_end(gateway: Gateway):
    answer = gateway.create(notes="our-ref-1")
    assert answer.json["success"] is True
    assert answer.json["errors"] is None
    assert re.fullmatch(r"TRX_[0-9a-f]{32}", answer.json["data"]["transactionId"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer.json["data"]["expireAt"])
    details = gateway.details(answer.json["data"]["transactionId"])
    assert (details["status"], details["notes"], details["expired"]) == ("INITIALIZED", "our-ref-1", False)


@pytest.mark.parametrize(
    ("securities", "more", "word"),
    [
        ([], {}, "at least one"),
        ([{"ticker": "NOSUCHSTOCK"}], {}, "NSE ticker"),
        ([{"ticker": "INE467B01029"}], {}, "NSE ticker"),
        ([{"ticker": "TCS", "quantity": 0, "type": "BUY"}], {}, "quantity of TCS"),
        ([{"ticker": "TCS", "quantity": 1.5, "type": "BUY"}], {}, "quantity of TCS"),
        ([{"ticker": "TCS", "quantity": 1, "type": "HOLD"}], {}, "BUY or SELL"),
        ([{"ticker": "TCS", "quantity": 1}, {"ticker": "ITC"}], {}, "for all securities or for none"),
        ([{"ticker": "TCS", "type": "BUY"}, {"ticker": "ITC"}], {}, "for all securities or for none"),
        (None, {"notes": "x" * 257}, "256"),
        (None, {"intent": "GAMBLE"}, "intent"),
        (None, {"orderConfig": {"type": "SIP"}}, "SECURITIES"),
    ],
)
def test_refuses_what_the_document_does_not_allow(gateway: Gateway, securities, more, word):
    answer = gateway.create(securities, **more)
    assert answer.status == 400
    assert answer.json["success"] is False
    assert word in answer.json["message"]


def test_quantity_and_side_may_be_left_to_the_person(gateway: Gateway):
    key = gateway.new([{"ticker": "RELIANCE"}])
    dialog = Dialog(gateway, key).through()
    dialog.press("place", quantity0="7", side0="SELL")
    order = gateway.batch(key)["orders"][0]
    assert (order["quantity"], order["transactionType"]) == (7, "SELL")


def test_notes_of_256_characters_and_a_basket_s_name_are_taken(gateway: Gateway):
    config = {"type": "SECURITIES", "securities": TCS_AND_ITC, "name": "Smart Basket", "logo": "https://x.example/l"}
    assert gateway.create(notes="n" * 256, orderConfig=config).status == 200


# -- what becomes of it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "transaction", "batch", "states", "code"),
    [
        ("filled", "COMPLETED", "COMPLETED", ["COMPLETE", "COMPLETE"], None),
        ("partial", "COMPLETED", "PARTIALLYFILLED", ["COMPLETE", "CANCELLED"], "orderUnmatched"),
        ("unfilled", "COMPLETED", "UNFILLED", ["CANCELLED", "CANCELLED"], "orderUnmatched"),
        ("low_funds", "COMPLETED", "UNFILLED", ["REJECTED", "REJECTED"], "marginsExceeded"),
        ("cancelled", "COMPLETED", "CANCELLED", ["CANCELLED AMO", "CANCELLED AMO"], None),
        ("amo", "PROCESSING", "PLACED", ["PLACED", "PLACED"], None),
    ],
)
def test_each_outcome_of_the_orders(gateway: Gateway, outcome, transaction, batch, states, code):
    key = gateway.new(notes="ref")
    assert gateway.finish(key, outcome)["status"] == transaction
    found = gateway.batch(key)
    assert (found["status"], found["variety"]) == (batch, "amo" if outcome == "amo" else "regular")
    assert [order["status"] for order in found["orders"]] == states
    assert found["orders"][-1]["errorCode"] == code
    assert (found["quantity"], found["filled"]) == (2, states.count("COMPLETE"))
    assert (found["notes"], found["transactionId"], found["broker"]) == ("ref", key, "kite")
    assert (found["completedDate"] is None) == (outcome == "amo")


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        ("user_cancelled", {"message": "user_cancelled", "code": 1010}),
        ("user_mismatch", {"message": "user_mismatch", "code": 1001}),
        ("expired", {"message": "transaction_expired", "code": 1005}),
        ("api_error", {"message": "api_error", "code": 2000}),
        ("market_closed", {"message": "market_closed", "code": None}),
    ],
)
def test_each_outcome_without_orders(gateway: Gateway, outcome, error):
    key = gateway.new()
    assert gateway.finish(key, outcome)["error"] == error
    details = gateway.details(key)
    assert (details["status"], details["error"], details["success"]) == ("ERRORED", error, None)
    assert gateway.batch(key) == []


def test_orders_that_never_reached_the_broker_are_unplaced(gateway: Gateway):
    key = gateway.new()
    gateway.finish(key, "unplaced")
    found = gateway.batch(key)
    assert (found["status"], found["orders"]) == ("UNPLACED", [])
    assert {order["status"] for order in found["unplaced"]} == {"ERROR"}
    assert {order["exchangeOrderId"] for order in found["unplaced"]} == {None}


def test_half_of_a_single_order_is_cancelled_with_what_was_filled(gateway: Gateway):
    key = gateway.new([{"ticker": "ITC", "quantity": 9, "type": "BUY"}])
    gateway.finish(key, "partial")
    order = gateway.batch(key)["orders"][0]
    assert (order["status"], order["filledQuantity"]) == ("CANCELLED", 4)
    assert gateway.batch(key)["status"] == "PARTIALLYFILLED"


def test_amounts_are_the_sums_of_what_was_filled(gateway: Gateway):
    key = gateway.new()
    gateway.finish(key, "filled")
    found = json.loads(gateway.read("orders/sst", key).body, parse_float=Decimal)["data"]
    tcs, itc = found["orders"]
    assert found["buyAmount"] == tcs["averagePrice"] * 5
    assert found["sellAmount"] == itc["averagePrice"] * 2
    assert tcs["exchangeOrderId"] != itc["exchangeOrderId"]


def test_an_id_serves_once(gateway: Gateway):
    key = gateway.new()
    gateway.finish(key, "filled")
    assert gateway.finish(key, "filled")["error"] == {"message": "transaction_expired", "code": 3001}
    assert gateway.details(key)["status"] == "COMPLETED"
    assert gateway.caller.control("GET", f"/ledger/smallcase?id={key}")["orders"][0]["batch"]["filled"] == 2


def test_an_id_ends_after_fifteen_minutes(gateway: Gateway):
    late, soon = gateway.new(), gateway.new()
    gateway.caller.control("POST", "/clock", {"advance": "PT14M"})
    assert gateway.finish(soon, "filled")["status"] == "COMPLETED"
    gateway.caller.control("POST", "/clock", {"advance": "PT2M"})
    assert gateway.details(late)["expired"] is True
    assert gateway.finish(late, "filled")["error"] == {"message": "transaction_expired", "code": 3001}


def test_orders_placed_while_the_market_is_closed_wait_for_its_opening(gateway: Gateway):
    gateway.caller.control("POST", "/clock", {"at": SATURDAY})
    key = gateway.new()
    assert gateway.finish(key, "placed")["status"] == "PROCESSING"
    assert (gateway.batch(key)["variety"], gateway.batch(key)["status"]) == ("amo", "PLACED")
    assert gateway.batch(key)["orders"][0]["exchangeOrderId"] is None
    gateway.caller.control("POST", "/clock", {"at": MONDAY_OPEN})
    assert (gateway.batch(key)["variety"], gateway.batch(key)["status"]) == ("amo", "COMPLETED")
    assert gateway.details(key)["status"] == "COMPLETED"


def test_orders_placed_while_it_is_open_fill_by_themselves(gateway: Gateway):
    gateway.caller.control("POST", "/clock", {"at": FRIDAY_NOON})
    key = gateway.new()
    assert gateway.finish(key, "placed")["status"] == "PROCESSING"
    assert gateway.batch(key)["status"] == "PLACED"
    gateway.caller.control("POST", "/clock", {"advance": "PT5S"})
    assert gateway.batch(key)["status"] == "COMPLETED"


# -- connected users -------------------------------------------------------------------------------------------------


def test_the_result_links_the_account_for_next_time(gateway: Gateway):
    result = gateway.finish(gateway.new(), "filled", broker="groww", user="ab1234")["result"]
    linked = claims_of(result["smallcaseAuthToken"])["smallcaseAuthId"]
    assert result["broker"] == "groww"
    again = Gateway(gateway.caller, linked)
    second = again.finish(again.new(), "filled", broker="kite")["result"]
    assert (second["broker"], claims_of(second["smallcaseAuthToken"])["smallcaseAuthId"]) == ("groww", linked)


def test_a_connected_user_sees_only_its_own_transactions(gateway: Gateway):
    owner, other = Gateway(gateway.caller, "a" * 24), Gateway(gateway.caller, "b" * 24)
    key = owner.new()
    owner.finish(key, "filled")
    assert owner.details(key)["smallcaseAuthId"] == "a" * 24
    assert other.read("transactiondetails", key).status == 404
    assert other.batch(key) == []


def test_holdings_are_what_was_bought_less_what_was_sold(gateway: Gateway):
    assert gateway.holdings().json["errors"] == ["guest_not_allowed"]
    user = Gateway(gateway.caller, "c" * 24)
    for side, quantity in (("BUY", 10), ("BUY", 5), ("SELL", 4)):
        user.finish(user.new([{"ticker": "INFY", "quantity": quantity, "type": side}]), "filled")
    data = user.holdings().json["data"]
    assert [(line["ticker"], line["quantity"]) for line in data["securities"]] == [("INFY", 11)]
    assert data["smallcaseAuthId"] == "c" * 24
    assert set(data) >= {"securities", "smallcases", "snapshotDate", "broker"}


@pytest.mark.parametrize("intent", ["CONNECT", "HOLDINGS_IMPORT"])
def test_linking_an_account_without_an_order(gateway: Gateway, intent):
    key = gateway.call("POST", "/gateway/gatewaydemo/transaction", {"intent": intent}).json["data"]["transactionId"]
    done = gateway.finish(key, "filled", broker="upstox")
    assert (done["status"], done["result"]["broker"]) == ("COMPLETED", "upstox")
    assert "orderBatches" not in done["result"]
    assert ("holdings" in done["result"]) == (intent == "HOLDINGS_IMPORT")


# -- the dialog ------------------------------------------------------------------------------------------------------


def test_a_person_goes_through_the_dialog(gateway: Gateway):
    key = gateway.new(notes="n1")
    dialog = Dialog(gateway, key, brokers="kite,groww")
    assert re.findall(r'name="broker" value="(\w+)"', dialog.page.text) == ["kite", "groww"]
    dialog.through("ab1234").press("place", ending="")
    wait_for(lambda: gateway.batch(key)["status"] == "COMPLETED")
    dialog.press("done")
    kind, value = dialog.outcome()
    assert kind == "resolve"
    assert (value["transactionId"], value["broker"], value["notes"]) == (key, "kite", "n1")
    assert value["orderBatches"][0]["status"] == "COMPLETED"
    assert claims_of(value["smallcaseAuthToken"])["smallcaseAuthId"] == gateway.details(key)["smallcaseAuthId"]


def test_two_presses_that_both_saw_it_open_place_the_orders_once(served: Running, gateway: Gateway):
    key, world = gateway.new(), served.sandbox.world
    Dialog(gateway, key).through()
    seen_by_both = transactions.known(world, key)
    for _ in range(2):
        journey.confirm(world, seen_by_both, TCS_AND_ITC)
    assert world.scalar("SELECT count(*) FROM sc_orders") == 2


def test_closing_the_dialog_says_how_far_it_got(gateway: Gateway):
    first = Dialog(gateway, gateway.new())
    first.press("cancel")
    second = Dialog(gateway, gateway.new())
    second.press("broker", broker="kite")
    second.press("cancel")
    codes = [dialog.outcome()[1]["code"] for dialog in (first, second)]
    assert codes == [1010, 1011]


def test_a_connected_user_must_take_the_linked_account(gateway: Gateway):
    linked = claims_of(gateway.finish(gateway.new(), "filled", user="ab1234")["result"]["smallcaseAuthToken"])
    user = Gateway(gateway.caller, linked["smallcaseAuthId"])
    wrong = Dialog(user, user.new())
    assert "AB1234" in wrong.page.text
    wrong.press("login", user="zz9999")
    assert wrong.outcome() == (
        "reject",
        {"message": "user_mismatch", "code": 1001, "transactionId": wrong.outcome()[1]["transactionId"]},
    )
    right = Dialog(user, user.new())
    right.press("login", user="ab1234")
    assert "Confirm your order" in right.page.text


def test_without_amo_a_closed_market_ends_the_journey(gateway: Gateway):
    gateway.caller.control("POST", "/clock", {"at": SATURDAY})
    closed = Dialog(gateway, gateway.new(), amo=False).through()
    assert closed.outcome()[1]["message"] == "market_closed"
    assert "after-market" in Dialog(gateway, gateway.new(), amo=True).through().page.text


def test_a_session_that_takes_too_long_expires(gateway: Gateway):
    dialog = Dialog(gateway, gateway.new()).through()
    gateway.caller.control("POST", "/clock", {"advance": "PT16M"})
    dialog.press("place", ending="")
    assert (dialog.outcome()[1]["message"], dialog.outcome()[1]["code"]) == ("transaction_expired", 1005)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gateway": "other"}, "invalid_gateway"),
        ({"token": "nonsense"}, "invalid_jwt"),
        ({"transactionId": "TRX_0"}, "invalid_transactionId"),
    ],
)
def test_the_dialog_names_what_is_wrong_at_its_start(gateway: Gateway, change, message):
    kind, value = Dialog(gateway, gateway.new(), **change).outcome()
    assert (kind, value["message"], value["code"]) == ("reject", message, None)


def test_a_form_that_was_changed_is_not_obeyed(gateway: Gateway):
    mine, theirs = gateway.new(), gateway.new()
    Dialog(gateway, theirs).through()
    dialog = Dialog(gateway, mine)
    dialog.page.body = dialog.page.body.replace(mine.encode(), theirs.encode())
    dialog.press("cancel")
    assert dialog.outcome()[1]["message"] == "internal_error"
    assert gateway.details(theirs)["status"] == "USED"


def test_the_script_and_its_pages_hold_to_a_strict_policy(gateway: Gateway):
    script = gateway.caller.raw("GET", "/smallcase/scdk/2.0.0/scdk.js")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "window.scDK = scDK" in script.text
    for word in ("innerHTML", "eval(", ".style.cssText", 'setAttribute("style"'):
        assert word not in script.text
    policy = gateway.caller.raw("GET", "/smallcase/sdk/frame").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors http://127.0.0.1:* http://localhost:*" in policy


# -- trouble ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", FAULTS)
def test_every_fault_works_and_takes_effect_or_not(gateway: Gateway, mode, when):
    wish = {"provider": "smallcase", "match": {"method": "POST", "path": "/transaction"}, "when": when, "mode": mode}
    gateway.caller.control("POST", "/faults", wish | {"delay_s": 0.05})
    try:
        answer = gateway.create()
    except (OSError, http.client.HTTPException):
        answer = None
    made = gateway.caller.control("GET", "/ledger/smallcase")["total"]
    takes_effect = when == "after" or mode in ("slow", "invisible:30")
    assert made == (1 if takes_effect else 0)
    if mode.startswith("status:"):
        assert answer is not None
        assert answer.status == int(mode[7:])
    assert gateway.create().status == 200


def test_what_is_invisible_is_not_read_for_a_while(gateway: Gateway):
    wish = {"provider": "smallcase", "match": {"method": "POST"}, "when": "after", "mode": "invisible:0.5"}
    gateway.caller.control("POST", "/faults", wish)
    key = gateway.new()
    assert gateway.read("transactiondetails", key).status == 404
    time.sleep(0.6)
    assert gateway.details(key)["status"] == "INITIALIZED"


def test_the_ledger_counts_how_often_our_reference_came(gateway: Gateway):
    for _ in range(3):
        gateway.create(notes="same-ref")
    found = gateway.caller.control("GET", "/ledger/smallcase?ref=same-ref")
    assert (found["total"], {entry["received"] for entry in found["orders"]}) == (3, {3})


def test_the_journal_keeps_no_token(gateway: Gateway):
    key = gateway.new()
    Dialog(gateway, key)
    gateway.finish(key, "filled")
    gateway.details(key)
    text = json.dumps(gateway.caller.control("GET", "/requests"))
    assert key in text
    assert gateway.token not in text
    assert "sandbox-api-secret" not in text
    # The beginning of any token. Without the dot, three letters of a made-up id pass for one.
    assert not re.search(r"eyJ[\w-]*\.", text)
    assert re.search(r"eyJ[\w-]*\.", gateway.token)


def test_the_control_room_finishes_a_transaction(gateway: Gateway):
    key = gateway.new()
    assert key in gateway.caller.raw("GET", "/_control/").text
    answer = gateway.caller.form("/_control/act", act="smallcase", id=key, outcome="partial")
    assert "COMPLETED" in answer.headers["Location"]
    assert gateway.batch(key)["status"] == "PARTIALLYFILLED"


def test_a_restart_loses_no_transaction(tmp_path):
    first = application(tmp_path / "world.sqlite")
    row = {"id": "TRX_1", "intent": "TRANSACTION", "config": "{}", "status": "INITIALIZED"}
    first.world.insert("sc_transactions", **row, created_at=1.0, expires_at=2.0)
    first.close()
    second = application(tmp_path / "world.sqlite")
    assert second.world.scalar("SELECT status FROM sc_transactions WHERE id = 'TRX_1'") == "INITIALIZED"
    second.close()
