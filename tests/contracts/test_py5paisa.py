"""The official SDK of 5paisa, as it comes from the package index, against the sandbox. Only its base address differs.

`py5paisa` holds its addresses as constants made at import, so these are what is changed. It never raises: it prints and
returns None, so every test looks at what came back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from tests.sandbox.api import Caller

sdk = pytest.importorskip("py5paisa.py5paisa")

REAL_BASE = "https://Openapi.5paisa.com/VendorsAPI/Service1.svc/"
CREDENTIALS = {
    "APP_NAME": "sandbox", "APP_SOURCE": "1", "USER_ID": "sandbox-user", "PASSWORD": "unused",
    "USER_KEY": "sandbox-app-key", "ENCRYPTION_KEY": "sandbox-encry-key",
}  # fmt: skip
ITC = {"Exchange": "N", "ExchangeType": "C", "ScripCode": 1660}
MONDAY = "2026-11-23T10:00:00+05:30"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(Sandbox(tmp_path_factory.mktemp("py5paisa") / "world.sqlite", "fast"))
    yield running
    running.close()


@pytest.fixture
def caller(served: Running) -> Iterator[Caller]:
    served.sandbox.world.reset()
    one = Caller(served.url)
    one.control("POST", "/clock", {"at": MONDAY})
    yield one
    one.connection.close()


@pytest.fixture
def fresh(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK pointed at the sandbox, not signed in; what it remembers between clients is forgotten."""
    base = f"{caller.url}/5paisa/VendorsAPI/Service1.svc/"
    for name, value in list(vars(sdk).items()):
        if isinstance(value, str) and value.startswith(REAL_BASE):
            monkeypatch.setattr(sdk, name, value.replace(REAL_BASE, base))
    monkeypatch.setattr(sdk, "GENERIC_PAYLOAD", {"head": {}, "body": {}})
    monkeypatch.setattr(sdk, "HEADERS", {"Content-Type": "application/json"})
    return sdk.FivePaisaClient(cred=CREDENTIALS)


@pytest.fixture
def client(fresh: Any, caller: Caller) -> Any:
    token = caller.control("POST", "/5paisa/request_token", {"client_code": "50000001"})["RequestToken"]
    assert fresh.get_oauth_session(token)
    return fresh


def place(client: Any, **more: Any) -> dict[str, Any]:
    wish = {"OrderType": "B", **ITC, "Qty": 1, "Price": 0, "IsIntraday": False, "RemoteOrderID": "sdk-1", **more}
    answer = client.place_order(**wish)
    assert answer is not None
    return dict(answer)


def status(client: Any, ref: str = "sdk-1") -> dict[str, Any]:
    found = client.fetch_order_status([{"Exch": "N", "RemoteOrderID": ref}])["OrdStatusResLst"]
    assert len(found) == 1
    return dict(found[0])


def far_limit(client: Any, factor: float = 0.95) -> float:
    """A price inside the circuit limits that the market does not reach at once."""
    last = client.fetch_market_snapshot([ITC])["Data"][0]["LastTradedPrice"]
    return round(round(float(last) * factor / 0.05) * 0.05, 2)


def test_every_address_of_the_sdk_was_found(client):
    assert client.ORDER_PLACEMENT_ROUTE.startswith("http://127.0.0.1:")
    assert sdk.ACCESS_TOKEN_ROUTE.startswith("http://127.0.0.1:")


def test_sign_in_with_the_request_token_of_the_login_page(fresh, caller):
    fields = {
        "VendorKey": "sandbox-app-key", "ResponseURL": "http://127.0.0.1/back", "State": "s", "ClientCode": "50000001",
        "PIN": "111111", "TOTP": "123456",
    }  # fmt: skip
    back = caller.form("/5paisa/WebVendorLogin/VLogin/Index", **fields).headers["Location"]
    token = back.partition("RequestToken=")[2].partition("&")[0]
    assert fresh.get_access_token(token) == fresh.access_token
    assert fresh.client_code == "50000001"
    assert fresh.decode_token(fresh.access_token).startswith("wss://openfeed.5paisa.com/")


def test_sign_in_with_totp(fresh):
    assert fresh.get_totp_session("50000001", "123456", "111111")
    assert fresh.client_code == "50000001"
    assert fresh.margin()[0]["Ledgerbalance"] == 1_000_000


def test_a_request_token_works_once(client, caller):
    token = caller.control("POST", "/5paisa/request_token", {})["RequestToken"]
    assert client.get_oauth_session(token)
    assert client.get_oauth_session(token) is None


def test_place_and_status(client):
    answer = place(client)
    assert (answer["Status"], answer["Message"], answer["RMSResponseCode"]) == (0, "Success", 1)
    assert answer["RemoteOrderID"] == "sdk-1"
    done = status(client)
    assert (done["Status"], done["TradedQty"], done["PendingQty"]) == ("Fully Executed", 1, 0)
    assert done["AveragePrice"] > 0


@pytest.mark.parametrize("word", ["B", "BUY", "Buy"])
def test_every_spelling_of_a_side(client, word):
    assert place(client, OrderType=word)["Status"] == 0


def test_scrip_data_instead_of_a_code(client):
    answer = client.place_order(
        OrderType="S", Exchange="N", ExchangeType="C", ScripData="ITC_EQ", Qty=5, Price=0, IsIntraday=True
    )
    assert (answer["Status"], answer["ScripCode"]) == (0, 1660)


def test_modify_and_cancel(client):
    low = far_limit(client)
    place(client, Price=low, Qty=10, StopLossPrice=0)
    pending = status(client)
    assert (pending["Status"], pending["OrderRate"]) == ("Pending", low)
    number = str(pending["ExchOrderID"])
    assert client.modify_order(ExchOrderID=number, Price=low, Qty=7)["Status"] == 0
    assert (status(client)["Status"], status(client)["OrderQty"]) == ("Modified", 7)
    assert client.cancel_order(exch_order_id=number)["Status"] == 0
    assert status(client)["Status"] == "Cancelled"


def test_cancel_in_bulk(client):
    low = far_limit(client)
    for ref in ("b1", "b2"):
        place(client, Price=low, RemoteOrderID=ref)
    numbers = [{"ExchOrderID": str(status(client, ref)["ExchOrderID"])} for ref in ("b1", "b2")]
    answers = client.cancel_bulk_order([*numbers, {"ExchOrderID": "1"}])["BulkOrderResponse"]
    assert [one["Status"] for one in answers] == [0, 0, 1]
    assert {status(client, ref)["Status"] for ref in ("b1", "b2")} == {"Cancelled"}


def test_books(client):
    place(client, Qty=3)
    (order,) = client.order_book()
    assert (order["OrderStatus"], order["RemoteOrderID"], order["AtMarket"]) == ("Fully Executed", "sdk-1", "Y")
    book = client.get_tradebook()
    assert book["Status"] == 0
    assert sum(trade["Qty"] for trade in book["TradeBookDetail"]) == 3
    asked = [{"Exch": "N", "ExchType": "C", "ScripCode": 1660, "ExchOrderID": order["ExchOrderID"]}]
    assert client.fetch_trade_info(asked)["TradeDetail"] == book["TradeBookDetail"]
    history = client.get_trade_history(order["ExchOrderID"])
    assert [trade["Qty"] for trade in history["TradeHistoryData"]] == [
        trade["Qty"] for trade in book["TradeBookDetail"]
    ]


def test_positions_holdings_and_margin(client, caller):
    before = client.margin()[0]["NetAvailableMargin"]
    held = {one["Symbol"]: one for one in client.holdings()}
    place(client, Qty=3)
    (position,) = client.positions()
    assert (position["NetQty"], position["BuyQty"], position["ScripCode"]) == (3, 3, 1660)
    assert client.margin()[0]["NetAvailableMargin"] == pytest.approx(before - position["BuyValue"])
    caller.control("POST", "/clock", {"at": "2026-11-25T10:00:00+05:30"})
    assert client.positions() is None  # the token ended at 23:59
    token = caller.control("POST", "/5paisa/request_token", {})["RequestToken"]
    client.get_oauth_session(token)
    assert client.positions() == []
    assert {one["Symbol"]: one["Quantity"] for one in client.holdings()}["ITC"] == held["ITC"]["Quantity"] + 3


def test_multi_order_margin(client):
    line = {
        "Exch": "N", "ExchType": "C", "ScripCode": "1660", "ScripData": "", "PlaceModifyCancel": "P",
        "OrderType": "B", "Price": 400, "Qty": 10, "IsIntraday": False,
    }  # fmt: skip
    answer = client.multi_order_Margin(CoverPositions="N", Orders=[line, line | {"IsIntraday": True}])
    assert answer["Status"] == 0
    assert answer["TotalMarginRequired"] == 4000 + 800
    assert answer["AvailableMargin"] == 1_000_000


def test_market_snapshot_feed_and_depth(client):
    wanted = [ITC, {"Exchange": "B", "ExchangeType": "C", "ScripData": "RELIANCE_EQ"}]
    first, second = client.fetch_market_snapshot(wanted)["Data"]
    assert float(first["LastTradedPrice"]) > 0
    assert second["ScripCode"] == 500325
    feed = client.fetch_market_feed_scrip([{"Exch": "N", "ExchType": "C", "ScripCode": 1660}])
    assert feed["Data"][0]["LastRate"] > 0
    by_name = {"Exch": "N", "ExchType": "C", "Symbol": "ITC", "Expiry": "", "StrikePrice": "0", "OptionType": ""}
    assert client.fetch_market_feed([by_name])["Data"][0]["Token"] == 1660
    (depth,) = client.fetch_market_depth([ITC])["MarketDepthData"]
    assert len(depth["Bids"]) == len(depth["Asks"]) == 5
    assert client.fetch_market_depth_by_symbol([{"Exchange": "N", "ExchangeType": "C", "Symbol": "ITC"}])["Status"] == 0
    one = client.fetch_market_depth_by_scrip(Exchange="N", ExchangeType="C", ScripCode="1660")
    assert [line["BbBuySellFlag"] for line in one["MarketDepthData"]] == [66] * 5 + [83] * 5


def test_market_status(client, caller):
    assert {one["MarketStatus"] for one in client.get_market_status()} == {"Open"}
    caller.control("POST", "/clock", {"at": "2026-11-23T20:00:00+05:30"})
    assert {one["MarketStatus"] for one in client.get_market_status()} == {"Closed"}


def test_scrip_master(client):
    frame = client.get_scrips()
    found = client.query_scrips("N", "C", "ITC", "0", "EQ", "")
    assert len(frame) > 1600
    assert found.iloc[0]["ScripCode"] == "1660"
    assert found.iloc[0]["ISIN"] == "INE154A01025"


def test_a_refusal_reaches_the_caller(client, caller):
    caller.control("POST", "/clock", {"at": "2026-11-23T20:00:00+05:30"})
    answer = place(client)
    assert (answer["Status"], answer["RMSResponseCode"]) == (1, -15)
    assert status(client)["Status"] == "Rejected By 5P"
    assert place(client, AHPlaced="Y", RemoteOrderID="amo")["Status"] == 0
    assert status(client, "amo")["Status"] == "Placed"
