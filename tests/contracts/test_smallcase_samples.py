"""Everything that the smallcase document describes, replayed against the sandbox over real HTTP.

`tests/samples/smallcase.json` holds a request and an answer for each call, the SDK's result and the webhook's body,
with every documented key and its type. Words in braces stand for what a living world gives; `setup` is what must
have happened before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from tests.contracts.shapes import differences
from tests.sandbox.api import Answer, Caller
from tests.sandbox.brokers_api import Gateway, jwt

Json = dict[str, Any]
DOCUMENT: Json = json.loads((Path(__file__).parent.parent / "samples" / "smallcase.json").read_text(encoding="utf-8"))
SAMPLES: list[Json] = DOCUMENT["samples"]
REFUSED = [sample for sample in SAMPLES if "printed_is_refused" in sample]
USER = DOCUMENT["tokens"]["connected"]["smallcaseAuthId"]
named = lambda sample: sample["id"]  # noqa: E731


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(Sandbox(tmp_path_factory.mktemp("smallcase") / "world.sqlite", "fast"))
    yield running
    running.close()


@pytest.fixture
def caller(served: Running) -> Iterator[Caller]:
    served.sandbox.world.reset()
    one = Caller(served.url)
    one.control("POST", "/webhooks", {"targets": {"smallcase": "http://127.0.0.1:9/"}})
    yield one
    one.connection.close()


def prepare(caller: Caller, setup: Json, headers: Json) -> tuple[str, Json]:
    """The transaction that the sample speaks of, and what the SDK hands back when it is finished."""
    if "create" not in setup:
        return "", {}
    user = USER if headers.get("x-gateway-authtoken") == "{connected}" else ""
    answer = Gateway(caller, user).call("POST", "/gateway/gatewaydemo/transaction", setup["create"])
    key = str(answer.json["data"]["transactionId"])
    if "outcome" not in setup:
        return key, {}
    wish = {"transactionId": key, "outcome": setup["outcome"], "broker": setup["broker"]}
    return key, caller.control("POST", "/smallcase/complete", wish)


def filled_in(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled_in(item, words) for key, item in value.items()}
    if isinstance(value, str):
        for word, real in words.items():
            value = value.replace(word, real)
    return value


def send(caller: Caller, sample: Json, body: Any) -> Answer:
    request = sample["request"]
    transaction, _ = prepare(caller, sample.get("setup", {}), request["headers"])
    words = {
        "{gateway}": "gatewaydemo", "{api_secret}": "sandbox-api-secret", "{transaction}": transaction,
        "{guest}": jwt(DOCUMENT["tokens"]["guest"]), "{connected}": jwt(DOCUMENT["tokens"]["connected"]),
        "{foreign}": jwt(DOCUMENT["tokens"]["guest"], "some-other-secret"),
    }  # fmt: skip
    live = filled_in({key: request[key] for key in ("path", "query", "headers")}, words)
    path = f"/smallcase{live['path']}" + (f"?{urlencode(live['query'])}" if live["query"] else "")
    method = sample["endpoint"].split()[0]
    return caller.raw(method, path, None if body is None else json.dumps(body).encode(), live["headers"])


def check(answer: Answer, status: int, body: Any) -> None:
    assert answer.status == status, answer.body
    assert differences(body, answer.json, may_be_null=set(), extra=set()) == []


def same_words(printed: Any, live: Any) -> None:
    """What a status says is part of the example: not only its type."""
    for name in ("success", "errors"):
        assert live[name] == printed[name]
    data = printed["data"]
    for name in ("status", "variety", "error") if isinstance(data, dict) else ():
        if name in data:
            assert live["data"][name] == data[name]
    if isinstance(data, dict) and "orders" in data:
        for part in ("orders", "unplaced"):
            said = [(order["status"], order["errorCode"]) for order in data[part]]
            assert [(order["status"], order["errorCode"]) for order in live["data"][part]] == said


@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_the_sandbox_answers_as_the_document_says(sample: Json, caller: Caller):
    answer = send(caller, sample, sample.get("repaired", sample["request"]["body"]))
    check(answer, sample["response"]["status"], sample["response"]["body"])
    same_words(sample["response"]["body"], answer.json)


@pytest.mark.parametrize("sample", REFUSED, ids=named)
def test_what_breaks_the_document_s_rules_is_refused(sample: Json, caller: Caller):
    refusal = sample["printed_is_refused"]
    answer = send(caller, sample, sample["request"]["body"])
    check(answer, refusal["status"], refusal["body"])
    same_words(refusal["body"], answer.json)


@pytest.mark.parametrize("sample", DOCUMENT["sdk"], ids=named)
def test_the_sdk_hands_back_the_described_result(sample: Json, caller: Caller):
    _, done = prepare(caller, sample["setup"], {})
    assert differences(sample["body"], done["result"], may_be_null=set(), extra=set()) == []
    assert done["result"]["orderBatches"][0]["status"] == sample["body"]["orderBatches"][0]["status"]


@pytest.mark.parametrize("sample", DOCUMENT["notices"], ids=named)
def test_the_webhook_carries_the_described_body(sample: Json, caller: Caller):
    key, _ = prepare(caller, sample["setup"], {})
    bodies = [notice["body"] for notice in caller.control("GET", "/notices")["notices"]]
    body = next(body for body in bodies if body["status"] == sample["body"]["status"])
    assert differences(sample["body"], body, may_be_null=set(), extra=set()) == []
    assert body["transactionId"] == key
