"""Every example that the two 5paisa documents print, replayed against the sandbox over real HTTP.

`tests/samples/fivepaisa.json` holds the examples. Words in braces stand for what a living world gives (keys, tokens,
an order's number); `placeholders` maps the documents' own to them. A printed example that breaks the rules must be
refused, and works once repaired. `setup` is what must have happened before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from tests.contracts.shapes import differences
from tests.sandbox.api import Answer, Caller, hidden_fields
from tests.sandbox.broker import CLIENT, MONDAY, Broker, near

Json = dict[str, Any]
DOCUMENT: Json = json.loads((Path(__file__).parent.parent / "samples" / "fivepaisa.json").read_text(encoding="utf-8"))
SAMPLES: list[Json] = DOCUMENT["samples"]
PREFIX = "/5paisa"
# What the sandbox says beyond an example. The documents print some answers with an ellipsis or cut short, and call
# others "a representative sample"; refusals carry the keys of the endpoint's success.
EXTRA_OF = {
    "GetAccessToken": set(next(s for s in SAMPLES if s["id"] == "token-003")["response"]["body"]["body"]) | {"head"},
    "PlaceOrderRequest": {
        "head", "body", "Exch", "ExchType", "ExchOrderID", "LocalOrderID", "RMSResponseCode", "RemoteOrderID",
        "ScripCode", "Time", "BrokerOrderID",
    },
    "OrderBook": {
        "ScripCode", "ScripName", "RemoteOrderID", "ExchOrderTime", "Qty", "Rate", "Reason", "OrderValidity",
    },
    "NetPositionNetWise": {
        "NetPositionDetail", "BodQty", "BuyAvgRate", "BuyValue", "SellAvgRate", "SellValue", "LTP", "PreviousClose",
        "BookedPL", "MTOM", "OrderFor",
    },
    "Margin": {"FundsPayIn"},
    "MultiOrderMargin": {"status", "statusDescription"},
    "MarketSnapshot": {"responseCode", "Open"},
    "MarketFeed": {"Token", "LastRate", "TotalQty", "Chg", "ChgPcnt", "TickDt", "Symbol", "ScripCode", "LTP", "Time"},
}  # fmt: skip
WORDS = (("head", "responseCode"), ("head", "status"), ("head", "Status"), ("body", "Status"), ("body", "Message"))
named = lambda sample: sample["id"]  # noqa: E731
JSON_SAMPLES = [sample for sample in SAMPLES if "body" in sample["response"]]
REFUSED = [sample for sample in SAMPLES if "printed_is_refused" in sample]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(Sandbox(tmp_path_factory.mktemp("fivepaisa") / "world.sqlite", "fast"))
    yield running
    running.close()


@pytest.fixture
def caller(served: Running) -> Iterator[Caller]:
    served.sandbox.world.reset()
    one = Caller(served.url)
    one.control("POST", "/clock", {"at": MONDAY})
    yield one
    one.connection.close()


class Replay:
    """One sample in a fresh world."""

    def __init__(self, sample: Json, caller: Caller) -> None:
        self.sample, self.caller = sample, caller
        self.broker = Broker(caller, sample.get("client", CLIENT)).sign_in()
        self.words: Json = {
            "{app_key}": "sandbox-app-key", "{encryption_key}": "sandbox-encry-key", "{user_id}": "sandbox-user",
            "{client_code}": self.broker.client, "{access_token}": self.broker.token,
            "{request_token}": self._request_token(), "{used_request_token}": self._request_token(),
            "{low}": near(self.broker.last(), 0.95),
        }  # fmt: skip
        self.broker.exchange(self.words["{used_request_token}"])
        for step in sample.get("setup", []):
            for act, how in step.items():
                getattr(self, f"_{act}")(how)

    def _request_token(self) -> str:
        return str(self.caller.control("POST", "/5paisa/request_token", {})["RequestToken"])

    def _clock(self, moment: str) -> None:
        self.caller.control("POST", "/clock", {"at": moment})

    def _place(self, how: Json) -> None:
        ref = self.broker.placed(**self.live(how))
        self.words["{exch_order_id}"] = str(self.broker.status(ref)["ExchOrderID"])

    def _modify(self, how: Json) -> None:
        ref = how.pop("RemoteOrderID") if "RemoteOrderID" in (how := dict(how)) else ""
        assert self.broker.modify(ref, **self.live(how))["Status"] == 0

    def live(self, value: Any) -> Any:
        """The same with everything in braces, and every placeholder of the documents, replaced."""
        if isinstance(value, dict):
            return {key: self.live(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.live(item) for item in value]
        if not isinstance(value, str):
            return value
        for printed, word in DOCUMENT["placeholders"].items():
            value = value.replace(printed, word)
        if value in self.words:
            return self.words[value]
        return re.sub(r"\{\w+\}", lambda hit: str(self.words.get(hit[0], hit[0])), value)

    def send(self, *, repaired: bool = False) -> Answer:
        request = self.sample["request"]
        method, path = self.sample["endpoint"].split()[0], PREFIX + request["path"]
        if query := self.live(request.get("query", {})):
            path += "?" + urlencode(query)
        body = json.dumps(self.live(self.sample["repaired"] if repaired else request.get("body"))).encode()
        if "raw" in request and not repaired:
            body = self.live(request["raw"]).encode()
        headers = {key: str(self.live(value)) for key, value in request["headers"].items()}
        return self.caller.raw(method, path, body if method == "POST" else None, headers)


def extra(sample: Json) -> set[str]:
    return EXTRA_OF.get(sample["request"]["path"].rsplit("/", 1)[-1], set())


def check(sample: Json, answer: Answer) -> None:
    """Status; keys and types recursively; and the words and codes that say how it went, to the letter."""
    printed, live = sample["response"]["body"], answer.json
    assert answer.status == sample["response"]["status"]
    assert differences(printed, live, may_be_null={"body"}, extra=extra(sample)) == []
    assert ("body" in printed and printed["body"] is None) <= (live["body"] is None)
    if not sample.get("shape_only"):
        assert said(live, printed) == said(printed, printed)


def said(answer: Json, printed: Json) -> Json:
    """The words of an answer that the example prints, with their types."""
    found = {}
    for part, key in WORDS:
        if key in (printed.get(part) or {}):
            value = answer[part][key]
            found[f"{part}.{key}"] = (type(value), value)
    return found


@pytest.mark.parametrize("sample", JSON_SAMPLES, ids=named)
def test_the_sandbox_answers_as_the_documents_print(sample: Json, caller: Caller):
    check(sample, Replay(sample, caller).send(repaired="repaired" in sample))


@pytest.mark.parametrize("sample", REFUSED, ids=named)
def test_a_printed_example_that_breaks_the_rules_is_refused(sample: Json, caller: Caller):
    answer, expected = Replay(sample, caller).send(), sample["printed_is_refused"]
    assert answer.status == expected["status"]
    printed, live = expected["body"], answer.json
    assert (printed["body"] is None) == (live["body"] is None)
    codes = {f"{part}.{key}": (printed[part] or {}).get(key) for part, key in WORDS if part in printed}
    told = {name: value for name, value in codes.items() if value is not None}
    assert {name: comparable(live, name) for name in told} == {name: str(value) for name, value in told.items()}
    assert any(comparable(live, name) not in ("0", "None") for name in ("head.status", "body.Status"))


def comparable(answer: Json, name: str) -> str:
    part, _, key = name.partition(".")
    return str((answer[part] or {}).get(key))


def test_the_plain_text_refusal(caller: Caller):
    sample = next(sample for sample in SAMPLES if sample["id"] == "modify-wrong-token")
    answer = Replay(sample, caller).send()
    assert answer.text == sample["response"]["text"]


def test_the_login_page_sends_back_as_printed(caller: Caller):
    sample = next(sample for sample in SAMPLES if sample["id"] == "oauth-login")
    page = Replay(sample, caller).send()
    assert page.status == sample["response"]["status"]
    keys = {"ClientCode": CLIENT, "PIN": "111111", "TOTP": "123456"}
    answer = caller.form(PREFIX + sample["request"]["path"], **hidden_fields(page.text), **keys)
    printed, live = urlsplit(sample["redirect"]), urlsplit(answer.headers["Location"])
    assert (live.scheme, live.netloc, live.path) == (printed.scheme, printed.netloc, printed.path)
    assert parse_qs(live.query).keys() == parse_qs(printed.query).keys()
    assert parse_qs(live.query)["state"] == parse_qs(printed.query)["state"]


def test_the_scrip_master_has_the_columns_and_kinds_that_are_printed(caller: Caller):
    sample = next(sample for sample in SAMPLES if sample["id"] == "scrip-master")
    head, row = sample["response"]["text"].splitlines()
    live = Replay(sample, caller).send().text.splitlines()
    assert live[0] == head
    same = next(line for line in live if line.startswith("N,C,1660,"))
    named_once = {"FullName"}  # the registered name may be written out
    told = [(n, a, b) for n, a, b in zip(head.split(","), row.split(","), same.split(","), strict=True) if a != b]
    assert {name for name, _, _ in told} <= named_once


def test_every_example_was_replayed():
    """No sample stands in the file without a test that reads it."""
    others = {"modify-wrong-token", "oauth-login", "scrip-master"}
    assert {sample["id"] for sample in SAMPLES} == {sample["id"] for sample in JSON_SAMPLES} | others
    assert all("repaired" in sample for sample in REFUSED)
