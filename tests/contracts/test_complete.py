"""Nothing documented is missing: each endpoint has a method of the client, a route of the sandbox, and an example."""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from portal.sandbox.app import Sandbox
from portal.sandbox.web import Problem
from tests.contracts.endpoints import ALL, FP, Endpoint

SAMPLES = Path(__file__).parent.parent / "samples"
# provider -> its client, its door in the sandbox, its file of examples. Each provider of `endpoints.ALL` stands here.
PARTS = {
    "fp": ("portal.fintech_primitives.client", "FintechPrimitives", "fp", "fp.json"),
    "smallcase": ("brokers.smallcase.client", "Smallcase", "smallcase", "smallcase.json"),
    "odin": ("brokers.odin.client", "Odin", "odin", "odin.json"),
    "5paisa": ("brokers.fivepaisa.client", "FivePaisa", "5paisa", "fivepaisa.json"),
}
label = lambda row: f"{row.provider} {row.section}"  # noqa: E731
each_endpoint = pytest.mark.parametrize("endpoint", ALL, ids=label)
# What only our own facts describe has no printed example.
PRINTED = [row for row in ALL if "providers.md" not in row.section]


@pytest.fixture(scope="module")
def sandbox_doors(tmp_path_factory: pytest.TempPathFactory) -> Any:
    world = Sandbox(tmp_path_factory.mktemp("routes") / "world.sqlite")
    yield world.providers
    world.close()


def samples_of(provider: str) -> list[dict[str, Any]]:
    return list(json.loads((SAMPLES / PARTS[provider][3]).read_text())["samples"])


@each_endpoint
def test_the_client_has_a_method_for_it(endpoint: Endpoint):
    module, name, *_ = PARTS[endpoint.provider]
    method = getattr(getattr(import_module(module), name), endpoint.client, None)
    assert inspect.isfunction(method), f"{name} has no {endpoint.client}"
    assert inspect.getdoc(method), f"{name}.{endpoint.client} does not say what it does"


@each_endpoint
def test_the_sandbox_has_a_route_for_it(endpoint: Endpoint, sandbox_doors: Any):
    router = sandbox_doors[PARTS[endpoint.provider][2]].routes
    path = re.sub(r"\{\w+\}", "1", endpoint.path)
    try:
        router.find(endpoint.method, path)
    except Problem as problem:
        pytest.fail(f"{endpoint.name}: {problem.status} {problem.message}")


@pytest.mark.parametrize("endpoint", PRINTED, ids=label)
def test_an_example_of_it_is_replayed(endpoint: Endpoint):
    found = [
        sample
        for sample in samples_of(endpoint.provider)
        if (sample["endpoint"], sample["section"]) == (endpoint.name, endpoint.section)
    ]
    assert found, f"{endpoint.section}: no example of {endpoint.name}"


def test_fp_has_its_65_endpoints():
    """68 sections describe a call; three lists, plans and mandates share theirs, and a KYC request has two verbs."""
    assert len({row.name for row in FP}) == 65
    assert len({row.section for row in FP}) == 68


def test_every_row_is_of_a_known_provider_and_stands_once():
    assert {row.provider for row in ALL} <= set(PARTS)
    assert len(set(ALL)) == len(ALL)


def test_every_example_names_a_documented_endpoint_and_has_its_own_name():
    for provider in {row.provider for row in ALL}:
        names = [sample["id"] for sample in samples_of(provider)]
        assert len(set(names)) == len(names)
        known = {row.name for row in ALL if row.provider == provider}
        assert {sample["endpoint"] for sample in samples_of(provider)} <= known
