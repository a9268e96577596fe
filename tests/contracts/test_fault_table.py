"""Sixteen ways to go wrong, before and after taking effect, for every writing call of every provider.

Each cell of the table is two facts: what the caller is told, and how often the world shows the effect: not at all when
the fault came before it, once when it came after. The table is printed (`pytest -s`) and kept with the artefacts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from portal.gateway import errors
from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from tests import world as run
from tests.contracts import endpoints
from tests.contracts.writes import WRITES, Made, World

pytestmark = pytest.mark.django_db
ANSWER, TRADING = "answer", "2026-11-20T11:00:00+05:30"
# What the caller is told, whether the call took effect or not: nobody can know from such an answer.
FAULTS = {
    "hang": "OutcomeUnknown",
    "reset": "OutcomeUnknown",
    "close_half_way": "OutcomeUnknown",
    "html_200": "Garbled",
    "empty_200": "Garbled",
    "truncated": "Garbled",
    "wrong_types": "Garbled",
    "status:401": "NotAuthorised",
    "status:429": "Throttled",
    "status:500": "OutcomeUnknown",
    "status:502": "OutcomeUnknown",
    "status:503": "OutcomeUnknown",
    "timed_out_400": "OutcomeUnknown",
    "redirect": "Garbled",
    "slow": ANSWER,
    "invisible:30": ANSWER,
}
# FP's client signs in anew after a 401 and sends once more; the fault meets both, so that the answer stays a 401.
TIMES = {"status:401": 2}
# What could have a second effect is not sent once more after a 401 (portal/fintech_primitives/repeats.py): one looks.
LOOKED_UP_AFTER_401 = {
    "create_investor", "update_investor", "create_investment_account", "place_instant_order", "cancel_next_instalment",
    "create_nach_mandate", "create_e_mandate", "authorise_e_mandate", "create_payment", "create_bse_payment",
    "create_kyc_request", "create_file", "create_file_operation", "simulate_next_instalment",
}  # fmt: skip
READ_TIMEOUT_S, PATIENT_S, HANGS_S = 0.2, 10.0, 0.5


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(Sandbox(tmp_path_factory.mktemp("faults") / "world.sqlite", "fast"))
    yield found
    found.close()


@pytest.fixture
def there(running: Running, settings: Any) -> World:
    """A fresh world on a day on which the exchanges are open."""
    settings.PROVIDER_READ_TIMEOUT_S = PATIENT_S
    world = World(running, settings)
    world.control.call("POST", "/clock", {"at": TRADING})
    return world


def told(made: Made) -> str:
    """What the caller of the call hears."""
    try:
        made[0]()
    except errors.GatewayError as error:
        return type(error).__name__
    return ANSWER


def cell(world: World, key: tuple[str, str], mode: str, when: str) -> tuple[str, int]:
    """(what the caller was told, how often the effect is there)."""
    path, make = WRITES[key]
    made = make(world)
    before = made[1]()
    delay = {"slow": 0.02, "hang": HANGS_S}.get(mode, 0)
    world.control.fault(
        mode, method="", path=path, when=when, provider=key[0], delay_s=delay, times=TIMES.get(mode, 1)
    )  # fmt: skip
    with override_settings(PROVIDER_READ_TIMEOUT_S=READ_TIMEOUT_S if mode == "hang" else PATIENT_S):
        word = told(made)
    world.control.no_faults()
    world.forget_troubles()
    if mode == "hang":
        settled(made, before, expected(key[1], mode, when)[1])
    return word, made[1]() - before


def settled(made: Made, before: int, effects: int) -> None:
    """The caller gave up waiting; the world may still be at it."""
    for _ in range(100):
        if made[1]() - before >= effects:
            return
        time.sleep(0.02)


def expected(method: str, mode: str, when: str) -> tuple[str, int]:
    word = "OutcomeUnknown" if mode == "status:401" and method in LOOKED_UP_AFTER_401 else FAULTS[mode]
    return word, 0 if when == "before" and word != ANSWER else 1


@pytest.mark.parametrize("provider", ["smallcase", "odin", "5paisa", "fp"])
def test_every_fault_of_a_write_is_the_right_error_and_its_effect_is_there_once(there, provider):
    table, wrong = [f"{'':28}{'fault':18}{'before':24}after"], []
    for key in (each for each in WRITES if each[0] == provider):
        for mode in FAULTS:
            cells = {when: cell(there, key, mode, when) for when in ("before", "after")}
            shown = [f"{word}, {count} there" for word, count in cells.values()]
            table.append(f"{key[1]:28}{mode:18}{shown[0]:24}{shown[1]}")
            wanted = {when: expected(key[1], mode, when) for when in cells}
            wrong += [] if cells == wanted else [f"{table[-1]}   wanted {wanted}"]
    publish(provider, table)
    assert not wrong, "\n" + "\n".join(wrong)


def publish(provider: str, table: list[str]) -> None:
    print(f"\n{provider}\n" + "\n".join(table))
    run.ARTIFACTS.mkdir(parents=True, exist_ok=True)
    (run.ARTIFACTS / f"faults-{provider}.txt").write_text("\n".join(table) + "\n")


def test_no_writing_call_is_missing():
    """What is neither a read nor in the table changes nothing at the provider."""
    harmless = {"login", "check_kyc", "refetch_kyc_check", "login_url"}
    reads = ("fetch_", "list_", "search_", "sync_")
    writes = {(row.provider, row.client) for row in endpoints.ALL if not row.client.startswith(reads)}
    assert {each for each in writes if each[1] not in harmless} == set(WRITES)
