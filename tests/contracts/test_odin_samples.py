"""Every example of the ODIN document, and of the calls around it, replayed against the sandbox over real HTTP.

`tests/samples/odin.json` holds the examples; `printed` marks those of the document itself. Words in braces stand for
what a living world gives; `setup` is what must have happened before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from tests.contracts.shapes import differences
from tests.sandbox.api import Answer, Caller

Json = dict[str, Any]
DOCUMENT: Json = json.loads((Path(__file__).parent.parent / "samples" / "odin.json").read_text(encoding="utf-8"))
SAMPLES: list[Json] = DOCUMENT["samples"]
JSON_SAMPLES = [sample for sample in SAMPLES if "body" in sample["response"]]
PAGES = [sample for sample in SAMPLES if "content_type" in sample["response"]]
REFUSED = [sample for sample in SAMPLES if "printed_is_refused" in sample]
WORDS = {"{app_token}": "sandbox-app-token", "{omex_token}": "sandbox-omex-token"}
BUTTON = "/odin/productmgmtservice/apiButtonRequest"
named = lambda sample: sample["id"]  # noqa: E731


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(Sandbox(tmp_path_factory.mktemp("odin") / "world.sqlite", "fast"))
    yield running
    running.close()


@pytest.fixture
def caller(served: Running) -> Iterator[Caller]:
    served.sandbox.world.reset()
    one = Caller(served.url)
    yield one
    one.connection.close()


def prepare(caller: Caller, setup: Json) -> Json:
    """The basket that the sample speaks of, executed; what its execution gave."""
    if not setup:
        return {}
    headers = {"Content-Type": "application/json"}
    assert caller.raw("POST", BUTTON, json.dumps(setup["button"]).encode(), headers).status == 200
    wish = {"sRecoId": setup["button"]["sRecoId"], "outcome": setup["outcome"]}
    return dict(caller.control("POST", "/odin/complete", wish))


def send(caller: Caller, sample: Json, body: Any) -> Answer:
    prepare(caller, sample.get("setup", {}))
    request = sample["request"]
    text = json.dumps({"query": request["query"], "body": body})
    for word, real in WORDS.items():
        text = text.replace(word, real)
    live = json.loads(text)
    path = f"/odin{request['path']}" + (f"?{urlencode(live['query'])}" if live["query"] else "")
    data = None if live["body"] is None else json.dumps(live["body"]).encode()
    return caller.raw(sample["endpoint"].split()[0], path, data, request["headers"])


def check(answer: Answer, status: int, body: Json) -> None:
    assert answer.status == status, answer.body
    assert differences(body, answer.json, may_be_null=set(), extra=set()) == []
    for name in ("success", "message", "statusCode", "jStatusCode", "jErrorString", "jNoOfRecords"):
        assert answer.json.get(name) == body.get(name)


@pytest.mark.parametrize("sample", JSON_SAMPLES, ids=named)
def test_the_sandbox_answers_as_the_document_prints(sample: Json, caller: Caller):
    answer = send(caller, sample, sample.get("repaired", sample["request"]["body"]))
    check(answer, sample["response"]["status"], sample["response"]["body"])


@pytest.mark.parametrize("sample", REFUSED, ids=named)
def test_what_breaks_the_rules_is_refused(sample: Json, caller: Caller):
    refusal = sample["printed_is_refused"]
    check(send(caller, sample, sample["request"]["body"]), refusal["status"], refusal["body"])


@pytest.mark.parametrize("sample", PAGES, ids=named)
def test_an_address_that_answers_a_page(sample: Json, caller: Caller):
    answer = send(caller, sample, None)
    assert answer.status == sample["response"]["status"]
    assert answer.headers["Content-Type"].startswith(sample["response"]["content_type"])


def test_the_printed_address_has_the_live_one_s_parameters_in_their_order(caller: Caller):
    sample = next(sample for sample in SAMPLES if sample["id"] == "button")
    printed, live = (
        urlsplit(sample["response"]["body"]["data"]),
        urlsplit(send(caller, sample, sample["request"]["body"]).json["data"]),
    )
    assert [name for name, _ in parse_qsl(live.query)] == [name for name, _ in parse_qsl(printed.query)]
    assert live.path.endswith(printed.path)
    for name in ("sAppToken", "sPartnerId", "nRequestType", "sSession"):
        assert dict(parse_qsl(live.query))[name] == dict(parse_qsl(printed.query))[name]


@pytest.mark.parametrize("sample", DOCUMENT["callbacks"], ids=named)
def test_the_callback_has_the_document_s_spellings(sample: Json, caller: Caller):
    if sample["what"] == "login":
        carried = caller.control("POST", "/odin/session", {"user": "DEMO02"})
    else:
        carried = prepare(caller, DOCUMENT["notices"][0]["setup"])["callback"]
    assert list(carried) == sample["query"]
    assert all(isinstance(value, str) and value for value in carried.values())


@pytest.mark.parametrize("sample", DOCUMENT["notices"], ids=named)
def test_the_messages_hold_every_documented_key(sample: Json, caller: Caller):
    prepare(caller, sample["setup"])
    notices = caller.control("GET", "/notices")["notices"][::-1]
    body = notices[sample["at"]]["body"]
    assert differences(sample["body"], body, may_be_null=set(), extra=set()) == []
    assert body["MessageType"] == sample["body"]["MessageType"]
