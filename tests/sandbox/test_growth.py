"""A world with a history answers like a young one: what a call costs is counted, in steps of the database, not timed.

`./run bench providers` times the same with a hundred thousand orders.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from portal.sandbox.world import World
from tests.sandbox.api import Caller, Shop
from tests.sandbox.broker import MONDAY, Broker

FEW, MANY = 1_000, 20_000
# SQLite says so often that it is at work.
STEP = 20
CALLS_5PAISA = ("V4/OrderBook", "V1/TradeBook", "V2/NetPositionNetWise", "V4/Holding", "V4/Margin")


class Steps:
    """How many steps the databases of a world have taken, whoever asked them.

    A connection is counted from the first time on and for good. SQLite takes the lock of a connection to change what it
    calls, and Python keeps its own lock meanwhile: while another thread's query is about to be counted, each of the two
    would wait for the other.
    """

    def __init__(self) -> None:
        self.taken = 0
        self._counted: list[sqlite3.Connection] = []

    def of(self, world: World) -> None:
        """From now on those of this world's connections are counted, too."""
        for _, connection in world._connections:
            if not any(connection is each for each in self._counted):
                self._counted.append(connection)
                connection.set_progress_handler(self._tick, STEP)

    def _tick(self) -> int:
        self.taken += 1
        return 0


@contextmanager
def counting(world: World) -> Iterator[list[int]]:
    """How many steps the database takes inside the block, whoever asks it."""
    found = [0]
    steps = world.__dict__.setdefault("steps", Steps())
    steps.of(world)
    before = steps.taken
    try:
        yield found
    finally:
        found[0] = steps.taken - before


def cost(world: World, call: Callable[[], object]) -> int:
    """The dearest of three: a thread of the server's that joins in does not make a call look cheap."""
    found = []
    for _ in range(3):
        with counting(world) as steps:
            call()
        found.append(steps[0])
    assert any(found), "a call that takes no step was not counted"
    return max(found)


def copies(world: World, table: str, number: int, **changes: str) -> None:
    """`number` rows like the newest of a table; `changes` are SQL over the counter `n`."""
    columns = [row["name"] for row in world.all(f"PRAGMA table_info({table})")]
    taken = ", ".join(changes.get(name, name) for name in columns)
    world.run(
        f"WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < ?) "
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {taken} FROM counter, (SELECT * FROM {table} ORDER BY rowid DESC LIMIT 1)",
        number,
    )


FP_PATHS = (
    "/api/oms/orders?state=pending,successful&size=20", "/api/oms/orders?state=pending&type=purchase",
    "{base}/orders?state=pending&size=20", "{base}/orders/purchase?size=20", "{base}/orders/{key}", "{base}/holdings",
)  # fmt: skip


def more_orders(world: World, number: int, shop: Shop) -> None:
    """Orders like one that is there, of this account."""
    first = world.scalar("SELECT max(id) FROM fp_orders")
    copies(
        world, "fp_orders", number, id=f"{first} + n", source_ref_id="NULL", seq="seq + n", account_id=str(shop.account)
    )


@pytest.mark.parametrize("path", FP_PATHS)
def test_a_world_full_of_orders_does_not_make_the_lists_of_fp_dearer(caller: Caller, served, path):
    shop, world = Shop(caller), served.sandbox.world
    key = shop.buy(5_005)
    busy = Shop(caller, **{"kyc_identity_detail.pan_number": "BFZPN3001P"})
    busy.buy(5_005)
    ask = lambda: caller.fp("GET", path.format(base=shop.base, key=key)).json  # noqa: E731
    more_orders(world, FEW, busy)
    before = cost(world, ask)
    more_orders(world, MANY - FEW, busy)
    assert ask()
    assert cost(world, ask) <= 2 * before


def test_the_number_in_a_list_is_the_number_there_is(caller: Caller, served):
    """Counted as orders come, change and go, the totals stay those of the orders themselves."""
    shop, world = Shop(caller), served.sandbox.world
    keys = [shop.buy(5_005) for _ in range(4)]
    shop.paid()
    caller.control("POST", f"/fp/orders/{keys[0]}", {"status": "CANCELLED"})
    world.run("DELETE FROM fp_orders WHERE id = ?", keys[1])
    for states in ("pending", "cancelled", "successful", "pending,cancelled,successful,failed"):
        listed = caller.fp("GET", f"/api/oms/orders?state={states}").json
        assert listed["total_elements"] == len(listed["amc_orders"]), states
    assert caller.fp("GET", "/api/oms/orders?state=pending").json["total_elements"] == 2


@pytest.mark.parametrize("path", CALLS_5PAISA)
def test_a_year_of_orders_of_a_client_does_not_make_5paisa_dearer(caller: Caller, served, path):
    caller.control("POST", "/clock", {"at": MONDAY})
    broker, world = Broker(caller).sign_in(), served.sandbox.world
    broker.placed()
    change = {"id": "NULL", "remote_id": "'old' || n", "day": "'2025-' || printf('%02d', n % 12 + 1) || '-01'"}
    change |= {"updated_at": "updated_at - 900000", "live": "0", "status": "'Cancelled'"}
    broker.placed()
    copies(world, "fivepaisa_orders", FEW, **change)
    before = cost(world, lambda: broker.ask(path))
    copies(world, "fivepaisa_orders", MANY - FEW, **change)
    assert world.scalar("SELECT count(*) FROM fivepaisa_orders") == MANY + 2
    assert cost(world, lambda: broker.ask(path)) <= 2 * before


def test_the_counting_sees_a_call_that_reads_everything(caller: Caller, served):
    """The guard itself: a call that must walk through all rows is found."""
    shop, world = Shop(caller), served.sandbox.world
    shop.buy(5_005)
    walk = lambda: world.scalar("SELECT sum(length(extra)) FROM fp_orders")  # noqa: E731
    more_orders(world, FEW, shop)
    before = cost(world, walk)
    more_orders(world, MANY - FEW, shop)
    assert cost(world, walk) > 5 * before
