"""5paisa's other public SDKs, JavaScript and old Python: what they call, how they sign in, what they look for.

Their requests are written out here as they send them; no code of theirs is.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.sandbox.api import Answer, Caller
from tests.sandbox.broker import CLIENT, MONDAY, SERVICE, Broker, near

KEY = "sandbox-encry-key"
HEAD = {
    "appName": "sandbox", "appVer": "1.0", "key": "sandbox-app-key", "osName": "WEB", "requestCode": "5PLoginV3",
    "userId": "sandbox-user", "password": "any",
}  # fmt: skip
LOGIN = "LoginRequestMobileNewbyEmail"


def encrypted(text: str, key: str = KEY) -> str:
    made = hashlib.pbkdf2_hmac("sha1", key.encode(), bytes([83, 71, 26, 58, 54, 35, 22, 11] * 2), 1000, 48)
    fill = 16 - len(text) % 16
    sealer = Cipher(algorithms.AES(made[16:]), modes.CBC(made[:16])).encryptor()
    return base64.b64encode(sealer.update((text + chr(fill) * fill).encode()) + sealer.finalize()).decode()


class OldSdk:
    """Signs in by e-mail, PIN and date of birth; keeps cookies, and sends no Authorization."""

    def __init__(self, caller: Caller, version: str = "V3") -> None:
        self.caller, self.version, self.cookie = caller, version, ""

    def post(self, path: str, body: Any, head: Any = None) -> Answer:
        headers = {"Content-Type": "application/json"} | ({"Cookie": self.cookie} if self.cookie else {})
        document = json.dumps({"head": HEAD if head is None else head, "body": body}).encode()
        return self.caller.raw("POST", SERVICE + path, document, headers)

    def login(self, name: str = CLIENT, pin: str = "111111", born: str = "19900101", **more: Any) -> Answer:
        words = {"Email_id": encrypted(name), "Password": encrypted(pin), "My2PIN": encrypted(born), "LocalIP": "1"}
        answer = self.post(f"{self.version}/{LOGIN}", words | more.pop("body", {}), **more)
        self.cookie = (answer.headers.get("Set-Cookie") or "").partition(";")[0]
        return answer

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        return dict(self.post(path, {"ClientCode": CLIENT} | body).json["body"])

    def order(self, what: str, **more: Any) -> dict[str, Any]:
        wish = {
            "OrderFor": what, "Exchange": "N", "ExchangeType": "C", "Price": 0.0, "OrderID": 0, "OrderType": "BUY",
            "Qty": 1, "OrderDateTime": "/Date(1763958600000)/", "ScripCode": 1660, "AtMarket": True,
            "RemoteOrderID": "1", "ExchOrderID": 0, "DisQty": 1, "IsStopLossOrder": False, "StopLossPrice": 0,
            "IsVTD": False, "IOCOrder": False, "IsIntraday": False, "PublicIP": "192.168.1.1", "AHPlaced": "N",
            "iOrderValidity": 0, "TradedQty": 0, "OrderRequesterCode": CLIENT, "AppSource": 1,
        }  # fmt: skip
        return self.ask("V1/OrderRequest", **(wish | more))


@pytest.fixture
def old(caller: Caller) -> OldSdk:
    caller.control("POST", "/clock", {"at": MONDAY})
    sdk = OldSdk(caller)
    assert sdk.login().json["body"]["Message"] == ""
    return sdk


# -- signing in as before the one-time codes -----------------------------------------------------------------------


@pytest.mark.parametrize("version", ["V2", "V3", "V4"])
@pytest.mark.parametrize("name", [CLIENT, f"{CLIENT}@sandbox.example"])
def test_signs_in_with_what_is_encrypted_under_the_apps_key(caller: Caller, version: str, name: str):
    sdk = OldSdk(caller, version)
    whole = sdk.login(name).json
    body = whole["body"]
    assert (body["Message"], body["Status"], body["ClientCode"]) == ("", 0, CLIENT)
    assert whole["head"] == {"responseCode": "5PLoginV3", "status": "0", "statusDescription": "Success"}
    assert Broker(caller).post("V4/Margin", {"ClientCode": CLIENT}, token=body["JWTToken"]).json["body"]["Status"] == 0
    assert sdk.ask("V3/Margin")["Status"] == 0, "by the cookie alone"


@pytest.mark.parametrize(
    "wrong",
    [
        {"pin": "222222"},
        {"born": "19900102"},
        {"name": "70000001"},
        {"body": {"Password": encrypted("111111", "another-key")}},
        {"body": {"Email_id": "no base64"}},
        {"body": {"My2PIN": None}},
        {"head": HEAD | {"key": "x"}},
        {"head": HEAD | {"userId": "x"}},
    ],
)
def test_refuses_whoever_is_not_right_in_everything(caller: Caller, wrong: dict[str, Any]):
    sdk = OldSdk(caller)
    answer = sdk.login(**wrong)
    assert (answer.status, answer.json["body"]["Status"], answer.json["body"]["JWTToken"]) == (200, 2, "")
    assert answer.json["body"]["Message"]
    assert sdk.cookie == ""


def test_the_journal_keeps_nothing_of_an_older_login(caller: Caller):
    old = OldSdk(caller)
    token = old.login().json["body"]["JWTToken"]
    old.post(f"V3/Margin?note={token}", {"ClientCode": CLIENT, "Remark": token})
    text = json.dumps(caller.control("GET", "/requests"))
    assert LOGIN in text
    for secret in (token, token.split(".")[0], encrypted("111111"), encrypted("19900101"), old.cookie.split("=")[1]):
        assert secret not in text


def test_a_token_that_is_sent_goes_before_the_cookie(old: OldSdk):
    headers = {"Cookie": old.cookie, "Authorization": "Bearer wrong", "Content-Type": "application/json"}
    document = json.dumps({"head": HEAD, "body": {"ClientCode": CLIENT}}).encode()
    answer = old.caller.raw("POST", SERVICE + "V4/Margin", document, headers)
    assert answer.json["body"]["Status"] == 9
    old.cookie = "5paisacookie=kmfrozkfxvest"
    assert old.ask("V4/Margin")["Status"] == 9


# -- one call for all orders ---------------------------------------------------------------------------------------


def test_places_changes_and_cancels_by_one_call(old: OldSdk):
    last = float(
        old.ask("MarketSnapshot", Data=[{"Exchange": "N", "ExchangeType": "C", "ScripCode": 1660}])["Data"][0][
            "LastTradedPrice"
        ]
    )
    taken = old.order("P", Price=near(last, 0.95), Qty=5, DisQty=5)
    assert (taken["Status"], taken["Message"], taken["ExchOrderID"]) == (0, "Success", "0")
    (row,) = old.ask("V2/OrderBook")["OrderBookDetail"]
    assert (row["Qty"], row["OrderStatus"]) == (5, "Pending")
    changed = old.order("M", Price=near(last, 0.96), Qty=3, DisQty=3, ExchOrderID=row["ExchOrderID"])
    assert changed["Message"] == "Success"
    (row,) = old.ask("V2/OrderBook")["OrderBookDetail"]
    assert (row["Qty"], row["DisClosedQty"], row["OrderStatus"]) == (3, 3, "Modified")
    assert old.order("C", ExchOrderID=row["ExchOrderID"])["Message"] == "Success"
    assert old.ask("V2/OrderBook")["OrderBookDetail"][0]["OrderStatus"] == "Cancelled"


@pytest.mark.parametrize("what", ["", "X"])
def test_refuses_to_do_nobody_knows_what(old: OldSdk, what: str):
    answer = old.order(what)
    assert (answer["Status"], answer["Message"]) == (2, "Invalid Input Parameters.")


def test_refuses_an_order_without_a_session(caller: Caller):
    assert OldSdk(caller).order("P")["Status"] == 9


# -- what the newer JavaScript SDK sends ---------------------------------------------------------------------------


@pytest.fixture
def broker(caller: Caller) -> Broker:
    caller.control("POST", "/clock", {"at": MONDAY})
    return Broker(caller).sign_in()


def js_order(**more: Any) -> dict[str, Any]:
    """Its own names for after hours and immediate-or-cancel; and all that it ever sends."""
    return {
        "OrderID": 0, "OrderType": "BUY", "UniqueOrderID": "1", "DisQty": 1, "IsStopLossOrder": False,
        "IsIOCOrder": False, "IsAHOrder": "N", "ValidTillDate": "/Date(1795400000000)/", "AppSource": 1,
    } | more  # fmt: skip


def test_an_order_after_hours_by_the_flag_of_the_javascript_sdk(broker: Broker):
    broker.at("2026-11-23T20:00:00+05:30")
    assert broker.place(**js_order(IsAHOrder="N"))["RMSResponseCode"] == -15
    ref = broker.placed(**js_order(IsAHOrder="Y"))
    assert broker.state(ref) == "Placed"


@pytest.mark.parametrize("flag", ["IsIOCOrder", "IOCOrder"])
def test_an_immediate_or_cancel_order_by_a_flag(broker: Broker, flag: str):
    ref = broker.placed(**js_order(Price=near(broker.last(), 0.95)) | {flag: True})
    assert broker.state(ref) == "Cancelled"


def test_trades_are_asked_for_by_number_or_by_our_reference(broker: Broker):
    ref = broker.placed(**js_order())
    by_number = {"Exch": "N", "ExchType": "C", "ScripCode": 1660, "ExchOrderID": str(broker.status(ref)["ExchOrderID"])}
    by_ref = {"Exch": "N", "ExchType": "C", "ScripCode": 1660, "RemoteOrderID": ref}
    for path in ("TradeInformation", "V1/TradeInformation"):
        first = broker.ask(path, TradeDetailList=[by_number])["TradeDetail"]
        assert first
        assert broker.ask(path, TradeDetailList=[by_ref])["TradeDetail"] == first
    assert broker.ask("V1/TradeInformation", TradeDetailList=[{"RemoteOrderID": ""}])["TradeDetail"] == []


def test_depth_without_a_version_is_found_under_data(broker: Broker):
    wanted = [{"Exchange": "N", "ExchangeType": "C", "ScripCode": "1660"}]
    answer = broker.ask("MarketDepth", Count="1", Data=wanted)
    assert answer["Data"] == answer["MarketDepthData"]
    assert len(answer["Data"][0]["Bids"]) == 5


def test_the_exchange_of_a_request_token_leaves_a_cookie(broker: Broker):
    token = broker.caller.control("POST", "/5paisa/request_token", {"client_code": CLIENT})["RequestToken"]
    keys = {"RequestToken": token, "EncryKey": KEY, "UserId": "sandbox-user"}
    answer = broker.post("GetAccessToken", keys, head={"Key": "sandbox-app-key"})
    assert answer.headers["Set-Cookie"].startswith(f"5paisacookie={answer.json['body']['AccessToken']};")
    refused = broker.post("GetAccessToken", keys, head={"Key": "sandbox-app-key"})
    assert refused.headers["Set-Cookie"] is None


@pytest.mark.parametrize(
    "path", ["PlaceOrderRequest", "ModifyOrderRequest", "CancelOrderRequest", "V1/OrderStatus", "V4/NetPosition"]
)
def test_versions_that_older_sdks_call_are_answered(broker: Broker, path: str):
    assert broker.post(path, {"ClientCode": CLIENT}).status == 200


def test_many_orders_in_one_call(broker: Broker):
    lines = [
        {"Exchange": "N", "ExchangeType": "C", "ScripCode": 0, "ScripData": name, "Price": "0", "OrderType": "Buy",
         "Qty": 1, "DisQty": "0", "StopLossPrice": "0", "iOrderValidity": "0", "RemoteOrderID": name}
        for name in ("ITC_EQ", "NOBODY_EQ")
    ]  # fmt: skip
    answers = broker.ask("PlaceOrderBulk", OrderList=lines)["BulkOrderResponse"]
    assert [answer["Status"] for answer in answers] == [0, 2]
