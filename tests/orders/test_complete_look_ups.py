"""P5: a look-up by our reference finds the order in every state, on every page, while others come in between.

The sandbox lists twelve pages of one account; the order that is looked for stands on each of them in each of FP's seven
states, and three new orders arrive before every page, so that everything moves down. CI looks 14 times; the promise's
500: `LOOK_UPS=500 ./run test tests/orders/test_complete_look_ups.py`.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from orders import gateway
from orders.models import MfOrder
from portal.fintech_primitives import client as fp
from portal.fintech_primitives import orders as listing
from portal.fintech_primitives.messages import OrderQuery, OrderStatus
from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from tests import factories
from tests.contracts.writes import World

pytestmark = pytest.mark.django_db
LOOK_UPS = int(os.environ.get("LOOK_UPS", "14"))
PAGES, PAGE = 12, 100
STATES = ("PENDING", "PAYMENT_CONFIRMED", "SUBMITTED", "SUCCESSFUL", "FAILED", "CANCELLED", "REVERSED")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = Running(Sandbox(tmp_path_factory.mktemp("look-ups") / "world.sqlite", "fast"))
    yield found
    found.close()


class Book:
    """An account at FP with twelve full pages of orders; one of them is ours."""

    def __init__(self, world: World) -> None:
        self.world, self.client, self.numbers = world, world.fp.client, itertools.count(10**12)
        self.first = int(world.fp.buy())
        columns = [row["name"] for row in world.db.all("PRAGMA table_info(fp_orders)")]
        changed = {"id": "?", "seq": "?", "status": "?", "source_ref_id": "?", "pay_by": "NULL"}
        picked = ", ".join(changed.get(name, name) for name in columns)
        self.copy = f"INSERT INTO fp_orders SELECT {picked} FROM fp_orders WHERE id = {self.first}"
        for number in range(PAGES * PAGE - 1):
            self.arrive(STATES[number % len(STATES)])
        rows = world.db.all("SELECT id, seq FROM fp_orders ORDER BY seq DESC")
        # Ids are text, and do not follow each other as numbers do.
        self.ids, self.newest = [row["id"] for row in rows], rows[0]["seq"]
        self.order = factories.OrderFactory(state="SUBMITTING", attempt="UNKNOWN", attempt_no=1)
        self.order.investment_account.provider_ref = world.fp.account

    def arrive(self, state: str) -> None:
        """A new order stands at the top of the first page."""
        number = next(self.numbers)
        with self.world.db.transaction() as db:
            db.execute(self.copy, (number, number, state, f"other-{number}"))

    def ours_is(self, place: int, state: str) -> str:
        """The order at that place carries our reference and is in that state; returns its id."""
        with self.world.db.transaction() as db:
            db.execute("UPDATE fp_orders SET source_ref_id = NULL WHERE source_ref_id = ?", (self.order.client_ref,))
            values = (self.order.client_ref, state, self.ids[place])
            db.execute("UPDATE fp_orders SET source_ref_id = ?, status = ? WHERE id = ?", values)
        return str(self.ids[place])

    def size(self) -> int:
        """How many orders the account has."""
        return len(self.world.db.all("SELECT id FROM fp_orders"))

    def newcomers_leave(self) -> None:
        """Twelve pages again."""
        with self.world.db.transaction() as db:
            db.execute("DELETE FROM fp_orders WHERE seq > ?", (self.newest,))


@pytest.fixture
def book(running, settings, monkeypatch) -> Book:
    world = World(running, settings)
    monkeypatch.setattr(fp, "client", lambda: world.fp.client)
    book = Book(world)
    send = world.fp.client.transport.send

    def while_others_buy(request: Any) -> Any:
        for state in STATES[:3]:
            book.arrive(state)
        return send(request)

    monkeypatch.setattr(world.fp.client.transport, "send", while_others_buy)
    return book


def cases() -> list[tuple[int, str]]:
    """(page, state): each page and each state in turn; after 84 every pair was there, for 12 and 7 share no factor."""
    return list(itertools.islice(zip(itertools.cycle(range(PAGES)), itertools.cycle(STATES), strict=False), LOOK_UPS))


def missed(book: Book, which: list[tuple[int, str]]) -> list[str]:
    """What a look-up did not find, or found as another order."""
    dice, found = random.Random(5), []
    for page, state in which:
        wanted = book.ours_is(page * PAGE + dice.randrange(PAGE), state)
        snapshot = gateway.find(book.order)
        if snapshot is None or snapshot.provider_ref != wanted:
            found.append(f"page {page + 1}, {state}: {snapshot and snapshot.provider_ref}")
        book.newcomers_leave()
        assert book.size() == PAGES * PAGE
    return found


def test_finds_the_order_in_every_state_on_every_page_while_others_arrive(book):
    assert missed(book, cases()) == []
    assert MfOrder.objects.count() == 1


def test_a_look_up_that_names_no_states_misses_what_is_not_successful(book, monkeypatch):
    """The harness bites: FP's list is of successful orders unless states are named."""
    monkeypatch.setattr(listing, "every_order", lambda *_: OrderQuery(state=[OrderStatus.SUCCESSFUL]))
    assert len(missed(book, [(0, state) for state in STATES])) == len(STATES) - 1
