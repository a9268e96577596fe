"""A client of the sandbox's 5paisa, with nothing of the project in it."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.sandbox.api import Answer, Caller

SERVICE = "/5paisa/VendorsAPI/Service1.svc/"
LOGIN = "/5paisa/WebVendorLogin/VLogin/Index"
CLIENT, POOR = "50000001", "50000002"
REFS = itertools.count(1)
MONDAY = "2026-11-23T10:00:00+05:30"
WEDNESDAY = "2026-11-25T10:00:00+05:30"  # the next session: Tuesday is a holiday


class Broker:
    """A signed-in client; `ask` returns the body of the answer."""

    def __init__(self, caller: Caller, client: str = CLIENT) -> None:
        self.caller, self.client, self.token = caller, client, ""

    def sign_in(self) -> Broker:
        request_token = self.caller.control("POST", "/5paisa/request_token", {"client_code": self.client})[
            "RequestToken"
        ]
        answer = self.exchange(request_token)
        self.token = answer["body"]["AccessToken"]
        assert self.token, answer
        return self

    def exchange(self, request_token: str, **more: str) -> dict[str, Any]:
        keys = {"RequestToken": request_token, "EncryKey": "sandbox-encry-key", "UserId": "sandbox-user"}
        return dict(self.post("GetAccessToken", keys | more, head={"Key": "sandbox-app-key"}).json)

    def post(self, path: str, body: Any, *, head: Any = None, token: str | None = None) -> Answer:
        document = {"head": {"key": "sandbox-app-key"} if head is None else head, "body": body}
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.token if token is None else token}",
        }
        return self.caller.raw("POST", SERVICE + path, json.dumps(document).encode(), headers)

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.post(path, {"ClientCode": self.client} | body)
        assert answer.status == 200, answer.body
        return dict(answer.json["body"])

    # -- orders ----------------------------------------------------------------------------------------------------

    def place(self, **more: Any) -> dict[str, Any]:
        wish = {
            "Exchange": "N", "ExchangeType": "C", "ScripCode": "1660", "ScripData": "", "Price": 0,
            "StopLossPrice": 0, "OrderType": "Buy", "Qty": 1, "DisQty": 0, "IsIntraday": False, "iOrderValidity": 0,
            "AHPlaced": "N", "RemoteOrderID": f"r{next(REFS)}",
        }  # fmt: skip
        return self.ask("V1/PlaceOrderRequest", **(wish | more))

    def placed(self, **more: Any) -> str:
        """The reference of an order that the broker took."""
        answer = self.place(**more)
        assert (answer["Status"], answer["Message"], answer["RMSResponseCode"]) == (0, "Success", 1)
        return str(answer["RemoteOrderID"])

    def modify(self, ref: str, **more: Any) -> dict[str, Any]:
        return self.ask("V1/ModifyOrderRequest", ExchOrderID=str(self.status(ref)["ExchOrderID"]), **more)

    def cancel(self, ref: str, key: str = "ExchOrderID") -> dict[str, Any]:
        return self.ask("V1/CancelOrderRequest", **{key: str(self.status(ref)["ExchOrderID"])})

    def statuses(self, *refs: str) -> list[dict[str, Any]]:
        wanted = [{"Exch": "N", "RemoteOrderID": ref} for ref in refs]
        return list(self.ask("V2/OrderStatus", OrdStatusReqList=wanted)["OrdStatusResLst"])

    def status(self, ref: str) -> dict[str, Any]:
        (found,) = self.statuses(ref)
        return found

    def state(self, ref: str) -> str:
        return str(self.status(ref)["Status"])

    # -- the account -----------------------------------------------------------------------------------------------

    def book(self) -> list[dict[str, Any]]:
        return list(self.ask("V4/OrderBook")["orderBook"])

    def trades(self) -> list[dict[str, Any]]:
        return list(self.ask("V1/TradeBook")["TradeBookDetail"])

    def positions(self) -> list[dict[str, Any]]:
        return list(self.ask("V2/NetPositionNetWise")["NetPositions"])

    def held(self) -> dict[str, int]:
        return {one["Symbol"]: one["Quantity"] for one in self.ask("V4/Holding")["Data"]}

    def margin(self) -> dict[str, Any]:
        return dict(self.ask("V4/Margin")["EquityMargin"][0])

    def last(self, code: Any = 1660) -> float:
        wanted = [{"Exchange": "N", "ExchangeType": "C", "ScripCode": code}]
        return float(self.ask("V1/MarketSnapshot", Data=wanted)["Data"][0]["LastTradedPrice"])

    def at(self, moment: str) -> None:
        """Moves the clock; a token of another day is replaced."""
        self.caller.control("POST", "/clock", {"at": moment})
        if self.post("V4/Margin", {"ClientCode": self.client}).json["body"]["Status"] == 9:
            self.sign_in()

    def ledger(self, **query: str) -> dict[str, Any]:
        text = "&".join(f"{key}={value}" for key, value in query.items())
        return dict(self.caller.control("GET", f"/ledger/5paisa?{text}"))


def near(price: float, factor: float) -> float:
    """A price on the tick, a factor away."""
    return round(round(price * factor / 0.05) * 0.05, 2)
