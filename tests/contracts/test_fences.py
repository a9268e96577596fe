"""Every write to FP is sent by the holder of an attempt only (`portal/gateway/journal.py`), or it is said why not.

A method that takes a `Fenced` is called with one: mypy sees to it. What two workers would do without the fence is shown
in the tests that sleep (`tests/sleeping.py`).
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import get_type_hints

import pytest

from portal.fintech_primitives.client import FintechPrimitives
from portal.gateway.journal import Fenced
from tests import world
from tests.contracts.writes import WRITES

NOT_CALLED = "nothing of ours calls it"
# A write that may be sent without an attempt of its own, and why.
UNFENCED = {
    "cancel_mandate": "the wish cannot be taken back, and the second time finds a cancelled mandate",
    "place_instant_order": NOT_CALLED,
    "create_file_operation": NOT_CALLED,
    "simulate_order": NOT_CALLED,
    "simulate_payment": NOT_CALLED,
    "simulate_mandate": NOT_CALLED,
    "simulate_next_instalment": NOT_CALLED,
    "simulate_kyc_request": NOT_CALLED,
}
_WRITING = re.compile(r"self\.(_post|_place|write)\(")
FP_WRITES = sorted(
    name
    for name, method in inspect.getmembers(FintechPrimitives, inspect.isfunction)
    if not name.startswith("_") and _WRITING.search(inspect.getsource(method)) and name != "write"
)
OURS = ("investors", "orders", "payments", "brokers", "portal")
# The client itself, the provider that we made up, and benchmarks against it.
NOT_THE_PRODUCT = ("portal/fintech_primitives/", "portal/sandbox/", "portal/management/bench/")


@pytest.mark.parametrize("name", FP_WRITES)
def test_a_write_to_fp_is_fenced_or_it_is_said_why_not(name: str) -> None:
    is_fenced = get_type_hints(getattr(FintechPrimitives, name))["about"] is Fenced
    assert is_fenced == (name not in UNFENCED)


def test_every_write_was_looked_at() -> None:
    assert {name for provider, name in WRITES if provider == "fp"} <= set(FP_WRITES)
    assert set(UNFENCED) <= set(FP_WRITES)


def sources() -> dict[str, str]:
    """Path -> text of what runs in production and may call FP."""
    found = (path for app in OURS for path in (world.ROOT / app).rglob("*.py"))
    named = {str(path.relative_to(world.ROOT)): path for path in found}
    return {name: Path(path).read_text() for name, path in named.items() if not name.startswith(NOT_THE_PRODUCT)}


def test_what_is_said_to_be_called_by_nobody_is_called_by_nobody() -> None:
    named = [name for name, why in UNFENCED.items() if why == NOT_CALLED]
    calls = re.compile(rf"\.({'|'.join(named)})\b")
    assert {name: calls.findall(text) for name, text in sources().items() if calls.search(text)} == {}


def test_the_search_finds_a_call() -> None:
    """The harness bites."""
    assert any(".cancel_mandate(" in text for text in sources().values())
