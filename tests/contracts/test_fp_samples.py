"""Every example that the FP document prints, replayed against the sandbox over real HTTP.

`tests/samples/fp.json` holds the examples as printed. Here stands only what they cannot know: the ids of a living
world (`Stage`), and where a body names one (`BODIES`). A printed example that breaks the document's own rules must be
refused as the document says, and works once repaired.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from tests.contracts.fp_stage import AS_PRINTED, BODIES, BY_ID, PREPARE, QUERIES, SAMPLES, Json, Stage, upload
from tests.contracts.shapes import differences
from tests.sandbox.api import Answer, Caller

# Null in a living world although every example of it prints a value: nobody said it, or it does not apply.
MAY_BE_NULL = {
    "amount",  # of an order that sells units or all
    "folio_number",  # of a purchase before its allotment
    "source_ref_id",  # the printed calls send none where their answers show one
    "valid_from",  # of a mandate that was created without
    "contact",  # of a branch
    "line_3",  # of an address; the printed call sends two lines
    "purpose",  # of a file
}
# What the sandbox says beyond the document: the newer API has these keys (providers.md 3.5, 3.7, 3.8, 3.11).
# A transaction's id is what `related_transaction_id` names.
EXTRA = {"failure_code", "late_auth", "reason", "action", ".id", ".data[].id"}


# --- replaying --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(Sandbox(tmp_path_factory.mktemp("samples") / "world.sqlite", "fast"))
    yield running
    running.close()


@pytest.fixture
def stage(served: Running) -> Iterator[Callable[..., Stage]]:
    """`stage()` or `stage("sandbox-bse")`: a fresh world with an investor of that tenant."""
    world, callers = served.sandbox.world, []
    world.reset()
    world.set_meta("pace", "fast")

    def make(tenant: str = "sandbox") -> Stage:
        callers.append(Caller(served.url, tenant))
        return Stage(callers[-1], world)

    yield make
    for caller in callers:
        caller.connection.close()


def put(body: Any, dotted: str, value: Any) -> None:
    *path, last = dotted.split(".")
    for step in path:
        body = body[int(step)] if step.isdigit() else body[step]
    assert last in body, f"the printed body has no {dotted}"
    body[last] = value


class Replay:
    """One sample in one world."""

    def __init__(self, sample: Json, stage: Stage) -> None:
        self.sample, self.stage, self.request = sample, stage, sample["request"]
        self.ids = PREPARE.get(sample["id"], lambda _: {})(stage)
        self.query = QUERIES.get(sample["id"], lambda _: {})(stage)
        self.patch = BODIES.get(sample["id"], lambda _: {})(stage)

    def path(self, query: Json) -> str:
        template = self.sample["endpoint"].split()[1]
        if self.sample["id"] in AS_PRINTED:
            path = self.request["path"]
        else:
            path = re.sub(r"\{(\w+)\}", lambda found: str(self._id(found[1])), template)
        return f"{path}?{urlencode(query)}" if query else path

    def _id(self, name: str) -> Any:
        return self.ids[name] if name in self.ids else getattr(self.stage, name)

    def live(self, body: Any) -> Any:
        body = copy.deepcopy(body)
        for dotted, value in self.patch.items():
            put(body, dotted, value)
        return body

    def send(self, body: Any, query: Json) -> Answer:
        method = self.request.get("method") or self.sample["endpoint"].split()[0]
        if "raw" in self.request:
            headers = {"Authorization": f"Bearer {self.stage.caller.token}", "Content-Type": "application/json"}
            return self.stage.caller.raw(method, f"/fp{self.path(query)}", self.request["raw"].encode(), headers)
        if "multipart" in self.request:
            return upload(self.stage.caller, **self.request["multipart"]["file"])
        return self.stage.caller.fp(method, self.path(query), body)

    def printed(self) -> Answer:
        """As the document prints it, with live ids; a query that is not printed is not sent."""
        body = self.request.get("body")
        # What is printed and wrong stays printed.
        is_wrong = "printed_is_refused" in self.sample or self.sample["response"]["status"] >= 400
        return self.send(body if is_wrong or body is None else self.live(body), {} if is_wrong else self.query)

    def repaired(self) -> Answer:
        body = self.sample.get("repaired") or self.request.get("body")
        return self.send(self.live(body) if body else None, self.query)


def check(sample: Json, answer: Answer) -> None:
    """Status, and keys and types recursively."""
    assert answer.status == sample["response"]["status"], answer.body
    live, printed = answer.json, sample["response"]["body"]
    for step in sample.get("at", []):
        live = live[step]
    assert differences(printed, live, may_be_null=MAY_BE_NULL, extra=EXTRA) == []


JSON_SAMPLES = [sample for sample in SAMPLES if "body" in sample["response"] and sample["id"] != "login"]
REFUSED = [sample for sample in SAMPLES if "printed_is_refused" in sample]
named = lambda sample: sample["id"]  # noqa: E731


@pytest.mark.parametrize("sample", JSON_SAMPLES, ids=named)
def test_the_sandbox_answers_as_the_document_prints(sample: Json, stage: Callable[..., Stage]):
    replay = Replay(sample, stage())
    if sample["response"]["status"] >= 400:
        check(sample, replay.printed())
    else:
        check(sample, replay.repaired())


@pytest.mark.parametrize("sample", REFUSED, ids=named)
def test_a_printed_example_against_the_document_s_own_rules_is_refused(sample: Json, stage: Callable[..., Stage]):
    answer, refusal = Replay(sample, stage()).printed(), sample["printed_is_refused"]
    assert answer.status == refusal["status"], refusal["because"]
    assert differences(refusal["body"], answer.json, may_be_null=set(), extra=set()) == []
    wanted = {each["field"] for each in refusal["body"]["error"]["errors"]}
    assert wanted <= set(answer.fields()), refusal["because"]


def test_the_login_with_the_printed_headers(stage: Callable[..., Stage]):
    """`Authorization: tenant_name:HMAC_TOKEN`, `MFProDate: 20150830T123600Z`: the same form, and today's date."""
    sample = BY_ID["login"]
    assert sorted(sample["request"]["headers"]) == ["Authorization", "Content-Type", "MFProDate"]
    caller = stage().caller
    check(sample, caller.login())
    assert caller.login(stamp=sample["request"]["headers"]["MFProDate"]).status == 401


def test_the_page_that_the_bse_gateway_answers(stage: Callable[..., Stage]):
    """The same form as printed: a page that posts two hidden fields to the bank by itself."""
    sample = BY_ID["payment-bse"]
    answer = Replay(sample, stage("sandbox-bse")).printed()
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith(sample["response"]["content_type"])
    for page in (sample["response"]["html"], answer.text):
        assert re.search(r"<title>Redirecting to Bank</title>", page)
        assert re.search(r"""<form name="Bankfrm" method="post"\s+action='https?://[^']+'>""", page)
        assert re.findall(r'name ?= ?"(qs|RU)"', page) == ["qs", "RU"]
        assert "document.Bankfrm.submit();" in page


def test_the_comparison_sees_what_is_wrong():
    """Of the tests above: one that cannot fail shows nothing."""
    printed = {
        "id": 1,
        "on": "2018-12-12",
        "rows": [{"at": "2018-12-12T10:00:00+05:30", "units": 83.597, "note": None}],
    }
    see = lambda live: differences(printed, live, may_be_null=set(), extra=set())  # noqa: E731
    row = {"at": "2026-01-01T10:00:00+05:30", "units": 5, "note": None}
    good = {"id": 7, "on": "2026-01-01", "rows": [row, row]}
    assert see(good) == []
    assert see(good | {"id": "7"}) == [".id is '7', not whole"]
    assert see(good | {"id": 7.5}) == [".id is 7.5, not whole"]
    assert see(good | {"on": "2026-01-01T00:00:00Z"}) == [".on is '2026-01-01T00:00:00Z', not day"]
    assert see(good | {"rows": []}) == [".rows is empty"]
    assert see(good | {"rows": [row, row | {"units": "5"}]}) == [".rows[].units is '5', not number"]
    assert see(good | {"rows": [row | {"units": None}]}) == [".rows[].units is null"]
    assert see({"on": "2026-01-01", "rows": [row]}) == [".id is missing"]
    assert see(good | {"more": 1}) == [".more is not in the example"]
