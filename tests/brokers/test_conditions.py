"""What may happen to a basket on each route besides a broken call, and how it ends: never wrong, never twice.

Notices that come twice, in another order, late or never; a closed market; fills over two days; too little money; a
session that ends in the middle. The table is printed at the end (`pytest -s`) and kept with the artefacts. 5paisa sends
no notices: there the book is read, whatever anybody says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from brokers.models import BrokerAccount
from brokers.operations import journeys, placing
from orders.models import BasketOrder
from portal import clock, inbox
from portal.sandbox import market
from tests.brokers.final_states import FinalStates
from tests.brokers.fivepaisa import trading
from tests.brokers.fivepaisa.conftest import IN_THE_EVENING, IN_THE_MORNING, opening
from tests.brokers.odin_trading import basket, browser, confirm, go, invest, logged_in, look, truth
from tests.brokers.test_final_states import ROUTES, ours

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["basket", "browser"]
TABLE = FinalStates("conditions", "what happens", "broker", "on the way", "at the end", "executed")
LOW_ON_MONEY = "50000002"


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Print what the tests of this file have found, and keep it with the artefacts."""
    yield
    TABLE.keep()


@pytest.fixture(autouse=True)
def morning(sandbox: Any, basket: Any) -> datetime:
    """In the middle of a session of the exchange."""
    return sandbox.set_clock(opening() + IN_THE_MORNING)


class Story:
    """One basket on one route: its order, what stood there on the way, and how it ends."""

    def __init__(self, broker: str, sandbox: Any, investor: Any, browser: Client, recover: Callable[..., Any]) -> None:
        self.broker, self.sandbox, self.investor, self.browser = broker, sandbox, investor, browser
        self.recover = recover
        self.way: list[str] = []

    def begins(self) -> BasketOrder:
        """Logged in where that is asked for, chosen, and at the broker's page or ready to be placed."""
        self.log_in()
        self.order = invest(self.browser, broker=self.broker)
        if self.broker != "5paisa":
            go(self.browser, self.order)
        return self.order

    def log_in(self) -> None:
        """The person is logged in for the day."""
        if self.broker == "odin":
            logged_in(self.sandbox, self.investor)
        elif self.broker == "5paisa":
            trading.log_in(self.sandbox, self.investor)

    def confirms(self, outcome: str = "filled") -> None:
        """What the person does there, and how the exchange takes it."""
        if self.broker == "odin":
            confirm(self.sandbox, self.order, outcome)
        elif self.broker == "smallcase":
            given = {"transactionId": self.order.provider_ref, "outcome": outcome, "user": "ASHA1"}
            self.sandbox.call("POST", "/smallcase/complete", given)
        else:
            self.places(after_market=outcome == "placed")

    def places(self, *, after_market: bool) -> None:
        """The press on our own page, and the worker."""
        journeys.place(order_id=self.order.pk, at=clock.now(), after_market=after_market)
        placing.place_all(order_id=self.order.pk, now=clock.now)

    def looks(self) -> str:
        """We ask the broker; what stands there now."""
        for _ in range(2):
            look(self.order, self.recover)
        self.way.append(self.order.state)
        return self.order.state

    def ends(self, what: str, state: str, executed: str = "once") -> None:
        """The row of the table; it ended so, and what we hold executed is what the world traded."""
        self.looks()
        here, there = ours(), self.traded()
        nothing = not +here and not +there
        found = "nothing" if nothing else "once" if +here == +there else f"WRONG: {here} here, {there} there"
        way = ", ".join(dict.fromkeys(self.way[:-1])) or "-"
        TABLE.add(what, self.broker, way, self.order.state, found)
        assert (self.order.state, found) == (state, executed)

    def sleeps(self) -> None:
        """The exchange's next session has begun, and the person has logged in again."""
        then = datetime.fromtimestamp(market.next_open(clock.now().timestamp()), clock.IST)
        self.sandbox.set_clock(then + IN_THE_MORNING)
        self.log_in()

    def traded(self) -> Counter[str]:
        """Shares by symbol that the world traded in all."""
        if self.broker in ROUTES:
            return ROUTES[self.broker].traded(self.sandbox)
        found: Counter[str] = Counter()
        for each in self.sandbox.call("GET", "/ledger/5paisa?limit=1000")["orders"]:
            found[each["symbol"]] += each["traded"]
        return found

    def told(self) -> list[dict[str, Any]]:
        """The notices that the broker has sent, oldest first."""
        sent = self.sandbox.call("GET", "/notices")["notices"][::-1]
        return [each["body"] for each in sent if each["provider"] == self.broker]

    def rings(self, bodies: list[dict[str, Any]]) -> None:
        """They arrive, and are worked."""
        for body in bodies:
            answer = Client().post(f"/webhooks/{self.broker}/", json.dumps(body), content_type="application/json")
            assert answer.status_code == 204
        inbox.work(clock.now())
        self.order.refresh_from_db()
        self.way.append(self.order.state)


@pytest.fixture
def story(sandbox, asha, browser, recover) -> Callable[[str], Story]:
    return lambda broker: Story(broker, sandbox, asha, browser, recover)


every_route = pytest.mark.parametrize("broker", ["smallcase", "odin", "5paisa"])
ARRIVALS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "notices twice": lambda sent: [each for each in sent for _ in range(2)],
    "notices backwards": lambda sent: sent[::-1],
    "only the last notice": lambda sent: sent[-1:],
    "notices after the end was seen": lambda sent: sent,
}


@pytest.mark.parametrize("broker", ["smallcase", "odin"])
@pytest.mark.parametrize("what", ARRIVALS)
def test_notices_lead_to_the_same_end_however_they_come(story, broker, what):
    one = story(broker)
    one.begins()
    one.confirms()
    sent = one.told()
    assert sent
    if "after" in what:
        one.looks()
    one.rings(ARRIVALS[what](sent))
    assert one.order.state == "COMPLETE", "before anybody looked by the clock"
    one.ends(what, "COMPLETE")


@every_route
def test_without_any_notice_the_clock_asks(story, broker):
    one = story(broker)
    one.begins()
    one.confirms()
    one.ends("no notice at all", "COMPLETE")


@every_route
def test_a_closed_market_lets_the_order_wait_for_the_next_session(story, sandbox, broker):
    sandbox.set_clock(opening() + IN_THE_EVENING)
    one = story(broker)
    one.begins()
    one.confirms("placed")
    assert one.looks() == "PLACED"
    one.sleeps()
    one.ends("market closed, after-market order", "COMPLETE")


@every_route
def test_fills_over_two_days_are_followed_to_the_last_share(story, sandbox, broker):
    sandbox.set_clock(opening() + IN_THE_EVENING)
    one = story(broker)
    one.begins()
    one.confirms("amo" if broker != "5paisa" else "placed")
    HALF[broker](one)
    assert one.looks() == "PLACED"
    assert "PARTLY_FILLED" in set(one.order.lines.values_list("state", flat=True))
    one.sleeps()
    REST[broker](one)
    one.ends("half on one day, the rest on the next", "COMPLETE")


def _half_at_odin(one: Story) -> None:
    for each in truth(one.sandbox, one.order)["orders"]:
        one.sandbox.call("POST", "/odin/event", {"order": each["UniqueCode"], "status": "opened"})
        one.sandbox.call("POST", "/odin/event", {"order": each["UniqueCode"], "status": "partial"})


def _rest_at_odin(one: Story) -> None:
    for each in truth(one.sandbox, one.order)["orders"]:
        if each["state"] == "PENDING":
            one.sandbox.call("POST", "/odin/event", {"order": each["UniqueCode"], "status": "executed"})


def _half_at_5paisa(one: Story) -> None:
    for line in one.order.lines.all():
        given = {"status": "Fully Executed", "qty": max(line.quantity // 2, 1)}
        one.sandbox.call("POST", f"/5paisa/orders/{line.client_ref}", given)


def _nothing_more(one: Story) -> None:
    """The exchange goes on by itself."""


HALF = {"odin": _half_at_odin, "smallcase": lambda one: one.confirms("half"), "5paisa": _half_at_5paisa}
REST = {"odin": _rest_at_odin, "smallcase": _nothing_more, "5paisa": _nothing_more}


@pytest.mark.parametrize("broker", ["smallcase", "odin"])
def test_too_little_money_at_the_broker_ends_in_reasons_and_no_shares(story, broker):
    one = story(broker)
    one.begins()
    one.confirms("low_funds")
    one.ends("low funds", "COMPLETE", "nothing")
    assert set(one.order.lines.values_list("failure_code", flat=True)) == {"marginsExceeded"}


def test_too_little_money_at_5paisa_is_known_before_anything_is_sent(story, sandbox, asha, browser):
    one = story("5paisa")
    trading.log_in(sandbox, asha, LOW_ON_MONEY)
    one.order = invest(browser, amount=900_000, broker="5paisa")
    page = browser.post(f"/stock-orders/{one.order.code}/go/", follow=True).content.decode()
    assert "Nothing was ordered. Add money at your broker, or order less." in page
    one.ends("low funds", "CREATED", "nothing")


@pytest.mark.parametrize("broker", ["smallcase", "odin"])
def test_a_session_that_ends_while_the_person_is_at_the_broker_costs_no_news(story, broker):
    """smallcase keeps its own session; ODIN's news are read with our credentials."""
    one = story(broker)
    one.begins()
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    one.looks()
    one.confirms()
    one.ends("session ends in the middle", "COMPLETE")


def test_a_session_that_ends_between_two_shares_stops_the_rest_until_the_next_login(story):
    one = story("5paisa")
    one.begins()
    journeys.place(order_id=one.order.pk, at=clock.now())
    assert placing.place_next(order_id=one.order.pk, at=clock.now())
    BrokerAccount.objects.update(session="not.a.token")
    assert placing.place_next(order_id=one.order.pk, at=clock.now()) is False
    one.looks()
    one.recover(clock.now() + timedelta(minutes=1))
    one.log_in()
    one.confirms()
    one.ends("session ends in the middle", "COMPLETE")
