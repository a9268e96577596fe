"""The OpenAPI document: current, whole, and true: whatever is sent, the answer is one that it names."""

from __future__ import annotations

import json
import os
import re
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as some

from portal import urls  # noqa: F401 - reading the addresses declares the endpoints
from portal.api import schema
from portal.api.endpoints import REGISTRY, Endpoint
from portal.models import Partner
from tests import factories
from tests.undoing import undone

pytestmark = pytest.mark.django_db
COMMITTED = Path(settings.BASE_DIR) / "docs" / "openapi.json"
# In every run so many requests to each operation, by somebody of each role in turn; API_EXAMPLES=200 for the full walk.
EXAMPLES = int(os.environ.get("API_EXAMPLES", "30"))
_KINDS: dict[str, Any] = {
    "string": str, "boolean": bool, "integer": int, "array": list, "object": dict, "null": type(None),
}  # fmt: skip


@cache
def document() -> dict[str, Any]:
    """Made once: the endpoints are declared when addresses are read, and stay."""
    return schema.document()


def test_the_committed_document_is_what_the_code_says():
    assert json.loads(COMMITTED.read_text()) == document(), "run: ./run openapi"


def test_it_is_served(client):
    served = client.get("/api/v1/openapi.json").json()
    assert served["openapi"] == "3.1.0"
    assert served == json.loads(COMMITTED.read_text())


def test_every_operation_has_a_name_of_its_own_an_example_and_words():
    names = [operation["operationId"] for path in document()["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    for endpoint in REGISTRY.values():
        assert endpoint.summary.endswith((".", ":")) or endpoint.summary, endpoint.path
        assert endpoint.body is None or endpoint.example, endpoint.path


@pytest.mark.parametrize("endpoint", REGISTRY.values(), ids=lambda each: each.name)
def test_examples_fit_their_own_schema(endpoint):
    operation = document()["paths"]["/" + endpoint.path.replace("<id>", "{id}")][endpoint.method.lower()]
    content = operation["responses"][str(endpoint.status)]["content"]["application/json"]
    assert not list(wrong(content["schema"], content["example"]))
    if endpoint.body:
        body = operation["requestBody"]["content"]["application/json"]
        assert not list(wrong(body["schema"], body["example"]))


def test_the_docs_page_shows_every_operation(client):
    page = client.get("/api/v1/docs/").content.decode()
    for endpoint in REGISTRY.values():
        assert endpoint.path.replace("<id>", "{id}") in page
    assert 'id="error-throttled"' in page


# --- whatever is sent ---------------------------------------------------------------------------------------------

TEXT = some.text(max_size=20)
ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | TEXT,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ROLES = ("partner", "another partner", "no scope", "nobody")


def fitting(said: dict[str, Any]) -> Any:
    """Values that fit a schema of ours, and now and then one that does not."""
    if "enum" in said:
        return some.sampled_from(said["enum"]) | TEXT
    if "pattern" in said and "cursor" not in said:
        return some.from_regex(said["pattern"]) | TEXT
    kind = said.get("type")
    if kind == "integer":
        return some.integers(said.get("minimum", -5), said.get("maximum", 200)) | ANYTHING
    if kind == "array":
        return some.lists(fitting(said["items"]), max_size=3) | ANYTHING
    if kind == "object":
        known = {name: fitting(inner) for name, inner in said["properties"].items()}
        return some.fixed_dictionaries({}, optional=known)
    return some.booleans() if kind == "boolean" else some.dates().map(str) | some.datetimes().map(str) | TEXT


def requests_of(endpoint: Endpoint, ids: dict[str, str]) -> Any:
    operation = document()["paths"]["/" + endpoint.path.replace("<id>", "{id}")][endpoint.method.lower()]
    query = {each["name"]: fitting(each["schema"]) for each in operation["parameters"] if each["in"] == "query"}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return some.fixed_dictionaries(
        {
            "role": some.sampled_from(ROLES),
            "id": some.sampled_from([ids.get(endpoint.app, "none"), "none", "0", "x" * 90]),
            "query": some.fixed_dictionaries({}, optional=query),
            "body": (fitting(body) | ANYTHING) if body else some.sampled_from([{}, None]) | ANYTHING,
        }
    )


@pytest.fixture
def callers(north: Any, south: Any) -> dict[str, str]:
    """The token of each role."""
    from tests.api.conftest import caller_of

    Partner.objects.update(calls_per_minute=1_000_000, calls_per_day=1_000_000)
    bare = caller_of(factories.PartnerFactory(), ["events:read"])
    tokens = (north.token, south.token, bare.token, "")
    return dict(zip(ROLES, tokens, strict=True))


def _by_place() -> dict[str, list[Endpoint]]:
    """The operations by the first word of their path: those share a world, and a failure names its own."""
    found: dict[str, list[Endpoint]] = {}
    for endpoint in REGISTRY.values():
        found.setdefault(endpoint.path.partition("/")[0], []).append(endpoint)
    return found


@pytest.mark.parametrize("place", _by_place())
def test_whatever_is_sent_the_answer_is_one_that_the_document_names(place, callers, asha):
    order = factories.OrderFactory(investor=asha)
    ids = {"orders": order.code, "investors": asha.code, "bank-accounts": asha.bankaccounts.get().code}
    for endpoint in _by_place()[place]:
        with undone(endpoint.name):
            _send_whatever(endpoint, callers, ids)


def _send_whatever(endpoint: Endpoint, callers: dict[str, str], ids: dict[str, str]) -> None:
    components = document()
    operation = components["paths"]["/" + endpoint.path.replace("<id>", "{id}")][endpoint.method.lower()]

    @how(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
         suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(requests_of(endpoint, ids))
    def ask(sent: dict[str, Any]) -> None:
        answer = _send(endpoint, sent, callers[sent["role"]])
        assert str(answer.status_code) in operation["responses"], (sent, answer.content)
        if answer.status_code != 304:
            content = operation["responses"][str(answer.status_code)]["content"]
            [(media, its)] = content.items()
            assert answer["Content-Type"] == media
            assert not list(wrong(its["schema"], answer.json())), answer.content

    ask()


def _send(endpoint: Endpoint, sent: dict[str, Any], token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    path = "/api/v1/" + endpoint.path.replace("<id>", sent["id"])
    if endpoint.method == "GET":
        query = {name: str(value) for name, value in sent["query"].items()}
        return Client().get(path, _sendable(query), headers=headers)
    body = json.dumps(sent["body"])
    headers["Idempotency-Key"] = uuid.uuid4().hex
    return Client().post(path, body, content_type="application/json", headers=headers)


def _sendable(query: dict[str, str]) -> dict[str, str]:
    """Lone surrogates cannot be put into an address at all."""
    return {name: text.encode("utf-8", "replace").decode() for name, text in query.items()}


# --- a small reader of schemas ------------------------------------------------------------------------------------


def wrong(said: dict[str, Any], value: Any, place: str = "$") -> Any:
    """Where a value does not fit: the part of JSON Schema that our document uses."""
    if "$ref" in said:
        said = document()["components"]["schemas"][said["$ref"].rpartition("/")[2]]
    for each in said.get("allOf", []):
        yield from wrong(each, value, place)
    if "oneOf" in said and sum(not list(wrong(each, value)) for each in said["oneOf"]) != 1:
        yield f"{place} fits not exactly one"
    kinds = said.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, _KINDS[kind]) for kind in kinds):
        yield f"{place} is no {kinds}"
        return
    if "enum" in said and value not in said["enum"]:
        yield f"{place} is none of {said['enum']}"
    if isinstance(value, str) and "pattern" in said and not re.search(said["pattern"], value):
        yield f"{place} does not match"
    if isinstance(value, dict):
        yield from (f"{place}.{name} is missing" for name in said.get("required", []) if name not in value)
        for name, inner in said.get("properties", {}).items():
            if name in value:
                yield from wrong(inner, value[name], f"{place}.{name}")
    if isinstance(value, list) and "items" in said:
        for number, each in enumerate(value):
            yield from wrong(said["items"], each, f"{place}[{number}]")
