"""Every fault of the sandbox on the writing call of the routes on which the person confirms at the broker.

A row is one order. The fault meets the call that takes it to the broker; then the person tries again and confirms, and
the broker's news are read. Each row must end executed, once: what the world traded is what we hold, no share twice.
5paisa, where we place the shares ourselves, has a table of its own (`tests/brokers/fivepaisa/`).
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Protocol

import pytest

from brokers.models import BrokerAccount
from brokers.odin.client import client as odin
from brokers.smallcase.client import client as smallcase
from orders.models import BasketOrder, StockOrder
from portal.gateway.breaker import Breaker
from portal.sandbox.faults import BODY_MODES, WIRE_MODES
from tests.brokers.final_states import FinalStates
from tests.brokers.odin_trading import basket, browser, confirm, go, invest, logged_in, look

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["basket", "browser"]
STATUSES = tuple(f"status:{code}" for code in (400, 401, 403, 404, 409, 429, 500, 502, 503))
FAULTS = (*WIRE_MODES, *BODY_MODES, *STATUSES, "invisible:1")
READ_TIMEOUT_S, HIDDEN_S, TRIES = 1, 1.1, 12
DELAYS_S = {"hang": 1.5, "slow": 0.3}
# Where an order stands right after the fault. Nothing was executed yet in any of them, and none is called failed.
AFTER = {"slow": "HANDED_OVER", "invisible:1": "HANDED_OVER"}
ELSE = "CREATED"


class Route(Protocol):
    """How one broker is driven. `path` is that of its writing call."""

    path: str

    def get_ready(self, sandbox: Any, investor: Any) -> None:
        """The investor may order: logged in where that is asked for, and earlier troubles are forgotten."""

    def confirm(self, sandbox: Any, order: BasketOrder) -> None:
        """The person confirms, and the exchange executes all of it."""

    def traded(self, sandbox: Any) -> Counter[str]:
        """Shares by symbol that the world traded in all."""


class OdinRoute:
    """A basket's page, asked for by the button."""

    path = "*apiButtonRequest*"

    def get_ready(self, sandbox: Any, investor: Any) -> None:
        odin().breaker = Breaker("odin")
        if not BrokerAccount.objects.filter(investor=investor, session__isnull=False).exists():
            logged_in(sandbox, investor)

    def confirm(self, sandbox: Any, order: BasketOrder) -> None:
        confirm(sandbox, order, "filled")

    def traded(self, sandbox: Any) -> Counter[str]:
        found: Counter[str] = Counter()
        for each in sandbox.call("GET", "/ledger/odin?limit=1000")["orders"]:
            found.update({one["symbol"]: one["traded"] for one in each["orders"]})
        return found


class SmallcaseRoute:
    """A transaction, whose id opens the window."""

    path = "*/transaction"

    def get_ready(self, sandbox: Any, investor: Any) -> None:
        smallcase().breaker = Breaker("smallcase")

    def confirm(self, sandbox: Any, order: BasketOrder) -> None:
        given = {"transactionId": order.provider_ref, "outcome": "filled", "user": "ASHA1"}
        sandbox.call("POST", "/smallcase/complete", given)

    def traded(self, sandbox: Any) -> Counter[str]:
        found: Counter[str] = Counter()
        for each in sandbox.call("GET", "/ledger/smallcase?limit=1000")["orders"]:
            found.update(
                {one["tradingsymbol"]: one["filledQuantity"] for one in (each["batch"] or {}).get("orders", [])}
            )
        return found


ROUTES: dict[str, Route] = {"odin": OdinRoute(), "smallcase": SmallcaseRoute()}


def ours() -> Counter[str]:
    """Shares by symbol that we say were executed."""
    found: Counter[str] = Counter()
    for line in StockOrder.objects.select_related("security"):
        found[line.security.symbol] += line.filled
    return found


def try_again(browser: Any, order: BasketOrder) -> None:
    """The person presses once more; after "slow down" that may take a moment."""
    for _ in range(TRIES):
        go(browser, order)
        if order.state != "CREATED":
            return
        time.sleep(0.5)


@pytest.mark.parametrize("broker", ROUTES)
def test_every_fault_of_the_writing_call_ends_in_the_right_state(
    sandbox, basket, browser, asha, recover, settings, broker
):
    settings.PROVIDER_READ_TIMEOUT_S = READ_TIMEOUT_S
    route, wrong = ROUTES[broker], []
    table = FinalStates(broker, "fault", "when", "right after it", "at the end", "executed")
    for mode, when in ((mode, when) for mode in FAULTS for when in ("before", "after")):
        route.get_ready(sandbox, asha)
        order = invest(browser, broker=broker)
        sandbox.fault(mode, path=route.path, when=when, provider=broker, delay_s=DELAYS_S.get(mode, 0))
        go(browser, order)
        then = order.state
        sandbox.no_faults()
        route.get_ready(sandbox, asha)
        try_again(browser, order)
        route.confirm(sandbox, order)
        if mode.startswith("invisible"):
            time.sleep(HIDDEN_S)
        look(order, recover)
        executed = "once" if ours() == route.traded(sandbox) else "WRONG"
        table.add(mode, when, then, order.state, executed)
        if (then, order.state, executed) != (AFTER.get(mode, ELSE), "COMPLETE", "once"):
            wrong.append(table.rows[-1])
        if order.state != "COMPLETE":
            break  # no other order begins beside it
    table.keep()
    assert not wrong, "\n".join(map(str, wrong))
