"""Reading an order book of a hundred orders: what our client does with the bytes, beside a decoder that only decodes.

The limit is the fastest typed decoder among what is installed: pydantic's own, from bytes into plain typed objects
with the keys as they come: no second spelling, no refusals, no words, no moments.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from brokers.fivepaisa import client as fivepaisa
from brokers.fivepaisa import messages
from portal.gateway import wire
from portal.gateway.transport import Request, Response
from portal.management.bench import Row, row

ORDERS = 100
ROUNDS, READS = 7, 40
TARGET = 3.0


@dataclass(slots=True)
class Order:
    """One order as the wire has it."""

    Exch: str
    ExchType: str
    ScripCode: int
    ScripName: str
    ExchOrderID: str
    BrokerOrderId: str
    RemoteOrderID: str
    BrokerOrderTime: str
    ExchOrderTime: str
    BuySell: str
    Qty: int
    Rate: float
    AveragePrice: float
    TriggerRate: float
    TradedQty: int
    PendingQty: int
    OrderStatus: str
    Reason: str
    DelvIntra: str


@dataclass(slots=True)
class Body:
    """The book."""

    orderBook: list[Order]
    Status: int


@dataclass(slots=True)
class Answer:
    """The envelope."""

    head: dict[str, Any]
    body: Body


def run() -> list[Row]:
    """One row, in microseconds a book."""
    raw = json.dumps(_book()).encode()
    decoder, client = TypeAdapter(Answer), fivepaisa.build()
    request = Request("POST", "/V4/OrderBook")

    def ours() -> messages.OrderBook:
        response = Response(200, {}, raw)
        if error := client.classify(request, response):
            raise error
        said = wire.fold(client.parse(request, response)).get("body")
        return wire.read_as(messages.OrderBook, client.provider, request, said)

    if len(ours().orders) != ORDERS:
        raise RuntimeError("the order book was not read")
    rounds = [(_us(lambda: decoder.validate_json(raw)), _us(ours)) for _ in range(ROUNDS + 1)][1:]
    note = "limit: pydantic from bytes into plain typed objects"
    limits, mine = ([pair[side] for pair in rounds] for side in (0, 1))
    return [
        row(
            work="read a book of 100 orders", unit="us", limit=limits, ours=mine, target=TARGET, at_most=True, note=note
        )
    ]


def _us(read: Callable[[], Any]) -> float:
    began = time.perf_counter()
    for _ in range(READS):
        read()
    return 1e6 * (time.perf_counter() - began) / READS


def _book() -> dict[str, Any]:
    one = {
        "Exch": "N", "ExchType": "C", "ScripCode": 1660, "ScripName": "ITC", "ExchOrderID": "1100000018012644",
        "BrokerOrderTime": "2025-05-19 10:30:15.000", "ExchOrderTime": "2025-05-19 10:30:15.000", "BuySell": "B",
        "Qty": 10, "Rate": 431.05, "AveragePrice": 431.05, "TriggerRate": 0.0, "TradedQty": 10, "PendingQty": 0,
        "OrderStatus": "Fully Executed", "Reason": "", "DelvIntra": "D", "AtMarket": False, "AfterHours": "N",
        "DisClosedQty": 0, "OrderRequesterCode": "50000001", "OldOrderQty": 10, "OrderValidity": 0, "AHProcess": "N",
    }  # fmt: skip
    orders = [{**one, "BrokerOrderId": str(600_000 + n), "RemoteOrderID": f"bench{n}"} for n in range(ORDERS)]
    head = {"responseCode": "5POrdBkV4", "status": "0", "statusDescription": "Success"}
    return {"head": head, "body": {"Status": 0, "Message": "Success", "orderBook": orders}}
