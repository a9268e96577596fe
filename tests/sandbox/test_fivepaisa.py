"""5paisa: signing in, the envelope and its refusals, what real clients need, faults, and the control calls."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import re
import time
import urllib.parse
from typing import Any

import pytest

from tests.sandbox.api import Caller, hidden_fields
from tests.sandbox.broker import CLIENT, LOGIN, MONDAY, POOR, SERVICE, Broker, near

WHEN_AND_WHERE = {"VendorKey": "sandbox-app-key", "ResponseURL": "http://127.0.0.1:8000/back?from=5", "State": "a b&c"}
KEYS = {"ClientCode": CLIENT, "PIN": "111111", "TOTP": "123456"}


@pytest.fixture
def broker(caller: Caller) -> Broker:
    caller.control("POST", "/clock", {"at": MONDAY})
    return Broker(caller).sign_in()


def claims(token: str) -> dict:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def returned(location: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))


# -- signing in ----------------------------------------------------------------------------------------------------


def test_a_person_signs_in_and_is_sent_back_with_token_and_state(caller: Caller):
    page = caller.raw("GET", f"{LOGIN}?{urllib.parse.urlencode(WHEN_AND_WHERE)}")
    assert page.status == 200
    assert "<script" not in page.text
    assert "form-action 'self' http://127.0.0.1:8000" in page.headers["Content-Security-Policy"]
    assert re.findall(r'<input id="(\w+)"', page.text) == ["ClientCode", "PIN", "TOTP"]
    answer = caller.form(LOGIN, **{k: WHEN_AND_WHERE[k] for k in hidden_fields(page.text)}, **KEYS)
    assert answer.status == 302
    assert answer.headers["Location"].startswith("http://127.0.0.1:8000/back?from=5&RequestToken=")
    back = returned(answer.headers["Location"])
    assert back["state"] == "a b&c"
    body = Broker(caller).exchange(back["RequestToken"])["body"]
    assert (body["Status"], body["Message"], body["ClientCode"]) == (0, "Success", CLIENT)


@pytest.mark.parametrize(
    "wrong", [{"PIN": "111112"}, {"TOTP": "654321"}, {"ClientCode": "1"}, {"ClientCode": POOR, "PIN": ""}]
)
def test_wrong_keys_show_the_page_again_with_what_is_wrong(caller: Caller, wrong):
    answer = caller.form(LOGIN, **WHEN_AND_WHERE, **(KEYS | wrong))
    assert answer.status == 200
    assert 'role="alert"' in answer.text
    assert "111112" not in answer.text
    assert hidden_fields(answer.text)["State"] == "a b&amp;c"


@pytest.mark.parametrize("wrong", [{"VendorKey": "other"}, {"ResponseURL": "javascript:alert(1)"}, {"ResponseURL": ""}])
def test_a_link_that_leads_nowhere_is_not_answered_with_a_form(caller: Caller, wrong):
    query = urllib.parse.urlencode(WHEN_AND_WHERE | wrong)
    assert caller.raw("GET", f"{LOGIN}?{query}").status == 400
    assert caller.form(LOGIN, **(WHEN_AND_WHERE | KEYS | wrong)).status == 400


def test_there_are_as_many_clients_as_a_demonstration_needs(caller: Caller):
    other = Broker(caller, "50001234").sign_in()
    assert other.margin()["Ledgerbalance"] == 1_000_000
    assert other.ask("V4/Holding")["Message"] == "No record found."
    assert caller.form(LOGIN, **WHEN_AND_WHERE, **(KEYS | {"ClientCode": "50001234"})).status == 302
    for code in ("60000001", "5000123", "5000١٢٣٤", "50000001x"):
        assert caller.form(LOGIN, **WHEN_AND_WHERE, **(KEYS | {"ClientCode": code})).status == 200
        assert (
            caller.raw("POST", f"/_control/5paisa/request_token?client_code={urllib.parse.quote(code)}").status == 404
        )


def test_without_state_none_comes_back(caller: Caller):
    answer = caller.form(LOGIN, **(WHEN_AND_WHERE | {"State": ""}), **KEYS)
    assert "state" not in returned(answer.headers["Location"])


def test_a_request_token_is_used_once_and_lives_sixty_minutes(caller: Caller):
    mint = lambda: caller.control("POST", "/5paisa/request_token", {"client_code": CLIENT})["RequestToken"]  # noqa: E731
    broker, token, late = Broker(caller), mint(), mint()
    assert broker.exchange(token)["body"]["Status"] == 0
    again = broker.exchange(token)
    assert (again["body"]["Status"], again["body"]["Message"], again["body"]["AccessToken"]) == (
        2,
        "Token Expired.",
        "",
    )
    assert again["head"] == {"Status": 2, "StatusDescription": "Invalid Inputs"}
    caller.control("POST", "/clock", {"advance": "PT61M"})
    assert broker.exchange(late)["body"]["Message"] == "Token Expired."


@pytest.mark.parametrize("wrong", [{"EncryKey": "x"}, {"UserId": "x"}, {"RequestToken": "a.b.c"}])
def test_the_exchange_refuses_wrong_keys_and_tokens(caller: Caller, wrong):
    token = caller.control("POST", "/5paisa/request_token", {})["RequestToken"]
    body = Broker(caller).exchange(token, **wrong)["body"]
    assert (body["Status"], body["AccessToken"]) == (2, "")


def test_the_access_token_says_who_and_ends_at_2359(broker: Broker, caller: Caller):
    token = claims(broker.token)
    assert token["unique_name"] == CLIENT
    assert token["RedirectServer"] in ("A", "B", "C")
    assert time.strftime("%H:%M", time.gmtime(token["exp"] + 19_800)) == "23:59"
    caller.control("POST", "/clock", {"at": "2026-11-23T23:58:00+05:30"})
    assert broker.ask("V4/Margin")["Status"] == 0
    caller.control("POST", "/clock", {"at": "2026-11-23T23:59:01+05:30"})
    assert broker.ask("V4/Margin") == {"Status": 9, "Message": "Invalid session."}
    assert broker.place()["Message"] == "Invalid Session"


def test_a_token_of_another_kind_or_seal_is_no_session(broker: Broker, caller: Caller):
    request_token = caller.control("POST", "/5paisa/request_token", {})["RequestToken"]
    head, payload, seal = broker.token.split(".")
    for token in (request_token, f"{head}.{payload}.{seal[:-2]}xx", f"{head}.{payload}", "rubbish", ""):
        body = broker.post("V1/PlaceOrderRequest", {}, token=token).json["body"]
        assert (body["Status"], body["Message"], body["BrokerOrderID"]) == (9, "Authentication Fails", 0)


# -- the envelope --------------------------------------------------------------------------------------------------


def test_each_endpoint_turns_away_in_its_own_words(broker: Broker):
    assert broker.post("V1/ModifyOrderRequest", {}, token="x").body == b"Invalid Token"
    holding = broker.post("V4/Holding", {"ClientCode": CLIENT}, token="x").json
    assert holding["head"] == {"responseCode": "5PHoldingV4", "status": "9", "statusDescription": "Invalid session."}
    assert broker.post("V1/TradeBook", {"ClientCode": CLIENT}, token="x").json["head"]["status"] == 9
    for path in (
        "V1/PlaceOrderRequest",
        "V1/ModifyOrderRequest",
        "V1/CancelOrderRequest",
        "V4/Holding",
        "V1/TradeBook",
    ):
        answer = broker.post(path, {"ClientCode": CLIENT}, head={"key": "wrong"}).json
        assert answer["body"] is None
        assert str(answer["head"]["status"]) == "2"


def test_another_clients_code_is_refused(broker: Broker):
    for path, status in (("V4/OrderBook", 3), ("V4/Margin", 2), ("V4/Holding", 9), ("V1/PlaceOrderRequest", 9)):
        assert broker.ask(path, ClientCode=POOR)["Status"] == status
        assert broker.ask(path, ClientCode="")["Status"] == 2


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'{"head": 1, "body": []}', b'{"head": {"key": "sandbox-app-key"}}']
)
def test_what_cannot_be_read_is_refused_not_dropped(broker: Broker, raw):
    headers = {"Authorization": f"Bearer {broker.token}", "Content-Type": "application/json"}
    for path in ("V1/PlaceOrderRequest", "V2/OrderStatus", "V1/MarketFeed", "GetAccessToken", "TOTPLogin"):
        answer = broker.caller.raw("POST", SERVICE + path, raw, headers)
        assert answer.status == 200
        body = answer.json["body"] or {"Status": answer.json["head"]["status"]}
        assert int(body["Status"]) != 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"Qty": 0}, {"Qty": -1}, {"Qty": "many"}, {"Qty": 1.5}, {"Price": -1}, {"Price": "NaN"}, {"Price": 440.123},
        {"OrderType": "Hold"}, {"ScripCode": "999"}, {"ScripCode": "ITC"}, {"Exchange": "X"}, {"ExchangeType": "D"},
        {"DisQty": 2}, {"iOrderValidity": 9}, {"Qty": [1]}, {"Price": True}, {"Qty": 10**30},
    ],
)  # fmt: skip
def test_an_order_that_makes_no_sense_is_invalid_input(broker: Broker, wrong):
    answer = broker.place(**wrong)
    assert (answer["Status"], answer["Message"]) == (2, "Invalid Input Parameters.")
    assert broker.ledger()["total"] == 0


ODD = [
    None,
    "",
    0,
    -1,
    1e308,
    "²",
    "٣",
    "NaN",
    True,
    [],
    {},
    [[]],
    "x" * 5000,
    10**25,
    "1e400",
    "/Date(99999999999999)/",
]


def test_no_nonsense_in_a_field_brings_an_endpoint_down(broker: Broker):
    """Each field of a good call, replaced by each odd value: an answer in the envelope, never a server error."""
    scrip = {
        "Exchange": "N",
        "ExchangeType": "C",
        "Exch": "N",
        "ExchType": "C",
        "ScripCode": 1660,
        "ScripData": "ITC_EQ",
    }
    calls = {
        "V1/PlaceOrderRequest": ORDER | {"StopLossPrice": 0, "DisQty": 0, "iOrderValidity": 5, "ValidTillDate": ""},
        "V1/ModifyOrderRequest": {"ExchOrderID": "1", "Price": 1, "Qty": 1},
        "V1/CancelOrderRequest": {"ExchOrderID": "1"},
        "V2/OrderStatus": {"OrdStatusReqList": [{"Exch": "N", "RemoteOrderID": "1"}]},
        "V4/OrderBook": {"updatedInLastSeconds": 1}, "V3/MarketDepth": {"MarketDepthData": [scrip]},
        "V1/MarketSnapshot": {"Data": [scrip]}, "V1/MarketFeed": {"MarketFeedData": [scrip]},
        "MultiOrderMargin": {"Orders": [scrip | {"OrderType": "B", "Qty": 1, "Price": 1}]},
    }  # fmt: skip
    for path, body in calls.items():
        inner = next((value[0] for value in body.values() if isinstance(value, list)), {})
        for name, odd in itertools.product([*body, *inner], ODD):
            wrong = {k: [v[0] | {name: odd}] if isinstance(v, list) and name in inner else v for k, v in body.items()}
            answer = broker.post(path, {"ClientCode": CLIENT} | wrong | ({} if name in inner else {name: odd}))
            assert answer.status == 200, (path, name, odd, answer.body)


def test_what_real_clients_send_is_understood(broker: Broker):
    """sandbox.md, Faithfulness: unknown keys, spellings of a side, codes as text or number, Bearer in any case."""
    for more in (
        {"OrderType": "B"},
        {"OrderType": "BUY"},
        {"ScripCode": 1660},
        {"Unknown": {"a": 1}},
        {"Exchange": "NSE"},
    ):
        assert broker.place(**more)["Status"] == 0
    assert broker.place(ScripCode="", ScripData="RELIANCE_EQ")["ScripCode"] == 2885
    assert broker.place(Exchange="B", ScripCode="500875")["ScripCode"] == 500875
    for word in ("bearer", "BEARER", "Bearer"):
        headers = {"Authorization": f"{word} {broker.token}", "Content-Type": "application/json"}
        body = json.dumps({"head": {"Key": "sandbox-app-key"}, "body": {"ClientCode": CLIENT}}).encode()
        assert broker.caller.raw("POST", SERVICE + "V4/Margin", body, headers).json["body"]["Status"] == 0


def _without_price(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The market goes on between two questions."""
    return [{key: value for key, value in each.items() if key != "CurrentPrice"} for each in told["Data"]]


def test_the_versions_that_sdks_call_are_served(broker: Broker):
    ref = broker.placed()
    for version in ("V2", "V3", "v3"):
        (entry,) = broker.ask(f"{version}/OrderBook")["OrderBookDetail"]
        assert entry["BrokerOrderTime"].startswith("/Date(")
        assert entry["BrokerOrderTime"].endswith("+0530)/")
    (entry,) = broker.book()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", entry["BrokerOrderTime"])
    assert entry["RemoteOrderID"] == ref
    for version in ("V1", "V2"):
        body = broker.ask(f"{version}/NetPositionNetWise")
        assert body["NetPositions"] == body["NetPositionDetail"] != []
    assert _without_price(broker.ask("V3/Holding")) == _without_price(broker.ask("V4/Holding"))
    assert broker.ask("V3/OrderStatus", OrdStatusReqList=[{"Exch": "N", "RemoteOrderID": ref}])["Status"] == 0
    assert broker.caller.raw("POST", SERVICE + "V9/OrderBook", b"{}").status == 404
    assert broker.caller.raw("GET", SERVICE + "V4/OrderBook").status == 405


def test_at_most_fifty_at_once(broker: Broker):
    item = {"Exch": "N", "Exchange": "N", "ExchType": "C", "ExchangeType": "C", "ScripCode": 1660, "RemoteOrderID": "r"}
    for path, name in (
        ("V1/MarketSnapshot", "Data"), ("V1/MarketFeed", "MarketFeedData"), ("V3/MarketDepth", "MarketDepthData"),
        ("V2/OrderStatus", "OrdStatusReqList"),
    ):  # fmt: skip
        assert broker.ask(path, **{name: [item] * 50})["Status"] == 0
        assert broker.ask(path, **{name: [item] * 51})["Status"] == 2


def test_market_data_of_scrips_that_are_not_there(broker: Broker):
    unknown = {"Exchange": "N", "ExchangeType": "C", "Exch": "N", "ExchType": "C", "ScripCode": 999}
    assert broker.ask("V1/MarketSnapshot", Data=[unknown])["Status"] == 1
    (depth,) = broker.ask("V3/MarketDepth", MarketDepthData=[unknown])["MarketDepthData"]
    assert depth["Bids"] == depth["Asks"] == [{"Price": 0, "Quantity": 0, "NumberOfOrders": 0}] * 5
    assert (
        broker.ask("V3/MarketDepth", MarketDepthData=[unknown | {"ScripCode": "", "ScripData": "a b;"}])["Status"] == 1
    )


@pytest.mark.parametrize(("segment", "more_than"), [("All", 1670), ("nse_eq", 1660), ("bse_eq", 10), ("nse_fo", 0)])
def test_the_scrip_master(caller: Caller, segment, more_than):
    lines = caller.raw("GET", f"{SERVICE}ScripMaster/segment/{segment}").text.splitlines()
    assert lines[0].startswith("Exch,ExchType,ScripCode,Name,Expiry,ScripType,StrikeRate,FullName,TickSize,LotSize,")
    assert len(lines) > more_than
    assert ("N,C,1660,ITC,,EQ,0,ITC LIMITED,0.05,1,0,1,ITC,Y,INE154A01025,ITC_EQ,EQ" in lines) is (
        "ll" in segment or segment == "nse_eq"
    )
    packed = caller.raw("GET", f"{SERVICE}ScripMaster/segment/{segment}", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    wrong = caller.raw("GET", f"{SERVICE}ScripMaster/segment/moon")
    assert wrong.text.startswith("Invalid segment")


# -- faults --------------------------------------------------------------------------------------------------------


def fault(broker: Broker, mode: str, when: str, path: str = "/V1/PlaceOrderRequest", **more) -> None:
    wish = {"provider": "5paisa", "match": {"method": "POST", "path": path}, "when": when, "mode": mode}
    broker.caller.control("POST", "/faults", wish | more)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "mode",
    ["hang", "reset", "close_half_way", "html_200", "empty_200", "truncated", "wrong_types", "status:500", "status:502",
     "status:503", "status:504", "status:429", "status:401", "timed_out_400", "redirect", "slow"],
)  # fmt: skip
def test_every_fault_hits_before_or_after_the_order_is_taken(broker: Broker, mode, when):
    fault(broker, mode, when, delay_s=0.05)
    try:
        answer = broker.post("V1/PlaceOrderRequest", ORDER)
        good = answer.status == 200 and answer.body[:1] == b"{" and json.loads(answer.body)["body"].get("Status") == 0
    except (OSError, http.client.HTTPException, ValueError, AttributeError, LookupError):
        good = False
    assert good is (mode == "slow")
    assert broker.ledger(ref="fault")["total"] == (1 if when == "after" or mode == "slow" else 0)


ORDER = {
    "Exchange": "N",
    "ExchangeType": "C",
    "ScripCode": 1660,
    "Price": 0,
    "OrderType": "B",
    "Qty": 1,
    "RemoteOrderID": "fault",
}


def test_an_invisible_order_is_listed_nowhere_for_a_while(broker: Broker):
    fault(broker, "timed_out_400+invisible:0.8", "after")
    assert broker.post("V1/PlaceOrderRequest", ORDER).status == 400
    assert broker.ledger(ref="fault")["total"] == 1
    assert broker.statuses("fault") == broker.book() == broker.trades() == []
    time.sleep(0.9)
    assert len(broker.statuses("fault")) == len(broker.book()) == 1
    assert broker.trades()


# -- control -------------------------------------------------------------------------------------------------------


def test_the_ledger_counts_what_was_received(broker: Broker):
    broker.place(RemoteOrderID="twice")
    broker.place(RemoteOrderID="twice")
    broker.place(RemoteOrderID="never", Qty=0)
    ledger = broker.ledger()
    assert [(one["RemoteOrderID"], one["received"]) for one in ledger["orders"]] == [("twice", 2)] * 2
    assert ledger["refused_only"] == [{"client": CLIENT, "RemoteOrderID": "never", "received": 1}]
    assert len(broker.statuses("twice")) == 2
    assert broker.ledger(ref="twice", state="Fully%20Executed")["total"] == 2
    assert broker.caller.raw("GET", "/_control/ledger/5paisa?limit=x").status == 400


def test_a_hand_moves_orders(broker: Broker):
    ref = broker.placed(Price=near(broker.last(), 0.93), Qty=10)
    move = lambda **how: broker.caller.raw("POST", f"/_control/5paisa/orders/{ref}", json.dumps(how).encode())  # noqa: E731
    assert move(status="Fully Executed", qty=4, price="440").json["traded"] == 4
    assert (broker.state(ref), broker.status(ref)["AveragePrice"]) == ("Pending", 440)
    assert move(status="xmitted").json["status"] == "Xmitted"
    assert broker.cancel(ref)["Status"] == 1
    assert move(status="rejected_by_exch").json["status"] == "Rejected by Exch"
    assert move(status="Pending").status == 400
    assert move(status="moon").status == 400
    assert broker.caller.raw("POST", "/_control/5paisa/orders/none", b"{}").status == 404


def test_the_control_room_shows_and_moves_orders(broker: Broker):
    ref = broker.placed(Price=near(broker.last(), 0.93))
    page = broker.caller.raw("GET", "/_control/").text
    assert ref in page
    assert "Client 50000001: ₹10,00,000 in the ledger" in page
    (entry,) = broker.ledger(ref=ref)["orders"]
    broker.caller.form("/_control/act", act="fivepaisa", id=entry["id"], to="Cancelled")
    assert broker.state(ref) == "Cancelled"
    broker.caller.form("/_control/act", act="market", hours="exchange")


def test_the_journal_keeps_no_key_of_the_broker(broker: Broker, caller: Caller):
    caller.form(LOGIN, **WHEN_AND_WHERE, **KEYS)
    broker.post("TOTPLogin", {"Email_ID": CLIENT, "PIN": "111111", "TOTP": "123456"}, head={"Key": "sandbox-app-key"})
    text = json.dumps(caller.control("GET", "/requests"))
    for secret in (broker.token, "sandbox-encry-key", "111111", "123456"):
        assert secret not in text
