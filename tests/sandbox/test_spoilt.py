"""Whatever stands in a field of a body: an error of the caller's (400, 404), never one of the provider's (500)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.api import BOND, Caller, Shop, investor
from tests.sandbox.broker import CLIENT, MONDAY, Broker
from tests.sandbox.brokers_api import LINE, TCS_AND_ITC, Gateway

# "²" is a digit to Python, and no number.
ODD: list[Any] = [
    [], {}, [1], {"a": 1}, True, None, -1, 1.5, 10**30, "", "x" * 5000, "9" * 5000, "\ud800", "\x00", "²"
]  # fmt: skip
# A file that the document's examples name.
PRINTED = "2f4d93e0-b700-41b8-b78e-e130224cfb03"
ADDRESS = {
    "line_1": "1082 Harlur Road", "city": "Bengaluru", "pincode": "560102", "country": "IN", "proof_type": "passport",
    "proof_number": "P1", "proof_issue_date": "2020-01-01", "proof_expiry_date": "2036-01-01", "proof": PRINTED,
    "proof_back": PRINTED,
}  # fmt: skip
KYC = {
    "pan": "ABCPE1234F", "name": "Tony S", "email": "a@b.in", "date_of_birth": "1990-01-01",
    "mobile": {"isd": "+91", "number": "9900000000"}, "aadhaar_number": "1234", "gender": "male",
    "marital_status": "married", "residential_status": "resident_individual", "occupation_type": "business",
    "country_of_birth": "IN", "father_name": "F", "identity_proof": PRINTED, "photo": PRINTED, "signature": PRINTED,
    "ipv_video": PRINTED, "permanent_address_is_same_as_correspondence": True, "correspondence_address": ADDRESS,
}  # fmt: skip


def places(value: Any, found: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a document, itself included."""
    yield found
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from places(value[key], (*found, key))


def spoilt(body: Any, place: tuple[Any, ...], odd: Any) -> Any:
    """A copy of the document with `odd` at that place."""
    if not place:
        return odd
    copy = json.loads(json.dumps(body))
    part = copy
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = odd
    return copy


def bodies(shop: Shop) -> dict[str, Any]:
    """Address -> a body that is in order, for each kind of writing call."""
    folio = shop.read(shop.paid(5000))["folio_number"]
    line = {"isin": BOND, "folio_number": folio, "source_ref_id": "r", "user_ip": "1.2.3.4", "server_ip": "1.2.3.4"}
    sip = {**line, "amount": 1000, "frequency": "MONTHLY", "start_day": 5, "installments": 12}
    return {
        "/api/onb/investors": investor(),
        "/api/oms/investment_accounts": {"primary_investor_id": str(shop.investor["id"])},
        f"{shop.base}/orders/purchase/netbanking": {
            "bank_account_id": shop.bank, "orders": [{**line, "amount": 5000}]
        },
        f"{shop.base}/orders/sell": {"orders": [{**line, "type": "units", "units": 1}]},
        f"{shop.base}/orders/sips": {"mandate_id": 1, "sips": [sip]},
        "/api/pg/payments/netbanking": {"amc_order_ids": [1], "payment_postback_url": "https://portal.example/"},
        "/api/pg/mandates": {"bank_account_id": shop.bank, "mandate_type": "E_MANDATE", "mandate_limit": 10_000},
        "/kyc_requests": KYC,
        "/api/kyc/check": {"pan": "ABCPE1234F"},
        "/file_operations": {"type": "transaction_processing", "file": PRINTED},
    }  # fmt: skip


def test_no_spoilt_body_is_an_error_of_the_provider(shop: Shop):
    wrong = [
        f"{path}: {place} = {str(odd)[:20]!r}"
        for path, body in bodies(shop).items()
        for place in places(body)
        for odd in ODD
        if shop.caller.fp("POST", path, spoilt(body, place, odd)).status >= 500
    ]
    assert not wrong, "\n".join(wrong)


# -- the brokers -----------------------------------------------------------------------------------------------------

SCRIP = {"Exchange": "N", "ExchangeType": "C", "ScripCode": 1660, "ScripData": ""}
SHORT = {"Exch": "N", "ExchType": "C", "ScripCode": 1660, "RemoteOrderID": "r", "ExchOrderID": "1"}
ORDER = SCRIP | {
    "OrderFor": "P", "Price": 400, "StopLossPrice": 0, "OrderType": "B", "Qty": 2, "DisQty": 1, "IsIntraday": False,
    "iOrderValidity": 0, "AHPlaced": "N", "RemoteOrderID": "r", "ValidTillDate": "/Date(1795400000000)/",
}  # fmt: skip
MARGIN = SHORT | {"PlaceModifyCancel": "P", "OrderType": "B", "Price": 400, "Qty": 2, "IsIntraday": False}
FIVEPAISA = {
    "V1/PlaceOrderRequest": ORDER,
    "V1/OrderRequest": ORDER,
    "PlaceOrderBulk": {"OrderList": [ORDER]},
    "V1/ModifyOrderRequest": {"ExchOrderID": "1", "Price": 400, "Qty": 2, "DisQty": 1, "StopLossPrice": 0},
    "V1/CancelOrderRequest": {"ExchOrderID": "1"},
    "CancelOrderBulk": {"ExchOrderIDs": [{"ExchOrderID": "1"}]},
    "V2/OrderStatus": {"OrdStatusReqList": [SHORT]},
    "V4/OrderBook": {"updatedInLastSeconds": 60},
    "V1/TradeInformation": {"TradeInformationList": [SHORT]},
    "MultiOrderMargin": {"CoverPositions": "N", "Orders": [MARGIN]},
    "MarketSnapshot": {"Data": [SCRIP]},
    "V1/MarketFeed": {"MarketFeedData": [SHORT], "LastRequestTime": "/Date(0)/"},
    "V3/MarketDepth": {"MarketDepthData": [SCRIP]},
    "V2/MarketDepth": SCRIP,
    "V3/LoginRequestMobileNewbyEmail": {"Email_id": "QQ==", "Password": "QQ==", "My2PIN": "QQ=="},
    "GetAccessToken": {"RequestToken": "a.b.c", "EncryKey": "sandbox-encry-key", "UserId": "sandbox-user"},
    "TOTPLogin": {"Email_ID": CLIENT, "TOTP": "1", "PIN": "1"},
}


@pytest.mark.parametrize("path", FIVEPAISA)
def test_no_spoilt_body_is_an_error_of_5paisa(caller: Caller, path: str):
    caller.control("POST", "/clock", {"at": MONDAY})
    broker = Broker(caller).sign_in()
    whole = {
        "head": {"key": "sandbox-app-key", "userId": "sandbox-user"},
        "body": {"ClientCode": CLIENT} | FIVEPAISA[path],
    }

    def send(document: Any) -> int:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {broker.token}"}
        raw = json.dumps(document).encode()
        return caller.raw("POST", f"/5paisa/VendorsAPI/Service1.svc/{path}", raw, headers).status

    assert send(whole) == 200
    assert not [(place, odd) for place in places(whole) for odd in ODD if send(spoilt(whole, place, odd)) >= 500]


def test_no_spoilt_body_is_an_error_of_smallcase(caller: Caller):
    config = {"type": "SECURITIES", "securities": TCS_AND_ITC, "name": "Basket"}
    body = {"intent": "TRANSACTION", "orderConfig": config, "notes": "n"}
    partner = Gateway(caller)
    send = lambda document: partner.call("POST", "/gateway/gatewaydemo/transaction", document).status  # noqa: E731
    assert send(body) == 200
    assert not [(place, odd) for place in places(body) for odd in ODD if send(spoilt(body, place, odd)) >= 500]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/productmgmtservice/apiButtonRequest",
            {"sessionId": "XYZ", "sRecoId": "01F5h9", "sClientCode": "connector", "basketData": [LINE]},
        ),
        ("/loginservice/apiKeys", {"sApplicationToken": "x", "sPartnerAppId": "y", "sTwoWayToken": "z"}),
        (
            "/omexorderandtraderesponse/sync",
            {"jMessageType": "SYNC_ORDER_REQ", "jToken": "sandbox-omex-token", "jEntrySequenceNumber": 0},
        ),
    ],
)
def test_no_spoilt_body_is_an_error_of_odin(caller: Caller, path: str, body: dict[str, Any]):
    def send(document: Any) -> int:
        raw = json.dumps(document).encode()
        return caller.raw("POST", f"/odin{path}", raw, {"Content-Type": "application/json"}).status

    assert send(body) in (200, 401)
    assert not [(place, odd) for place in places(body) for odd in ODD if send(spoilt(body, place, odd)) >= 500]
