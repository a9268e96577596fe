"""Every way in which 5paisa can fail one of our writing calls, and how the share ends: as in 5paisa's own books.

The table is printed at the end (`pytest -s`) and kept with the artefacts: call, fault, before or after the effect, how
the share ended here, why, and how often 5paisa heard of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from brokers.fivepaisa.client import client
from brokers.models import BrokerAccount
from brokers.operations import changes
from orders.models import BasketOrder, StockChange, StockOrder
from orders.operations import stock_changes
from orders.operations.baskets import Line
from portal import clock, identifiers
from portal.gateway.breaker import Breaker
from tests.brokers.final_states import FinalStates
from tests.brokers.fivepaisa.test_pages import come_back, state_of
from tests.brokers.fivepaisa.test_placing import low
from tests.brokers.fivepaisa.trading import follow, journey, log_in, place, share

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("trading_hours")]
# Those after which the next share may be sent at once.
ON_ITS_WAY = (
    "reset close_half_way hang html_200 empty_200 truncated wrong_types timed_out_400 redirect status:400 status:404"
    " status:409 status:500 status:502 status:503"
).split()
# Those that keep nothing from us: the answer comes later, or the order is to be seen only later.
LATE, HIDDEN_S = ["slow", "invisible:1"], 1.1
DELAYS_S = {"hang": 3.5, "slow": 0.3}
# Those that stop the rest: the session is refused, or we are to slow down.
STOPPING = ["status:401", "status:403", "status:429"]
SYMBOLS = (
    "ITC TCS INFY RELIANCE HDFCBANK ICICIBANK SBIN LT AXISBANK KOTAKBANK BHARTIARTL HINDUNILVR ASIANPAINT TITAN"
    " SUNPHARMA"
).split()
TABLE = FinalStates("5paisa", "call", "fault", "when", "the share ended", "why", "heard of")


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Print what the tests of this file have found, and keep it with the artefacts."""
    yield
    TABLE.keep()


def fault(sandbox: Any, mode: str, call: str, when: str) -> None:
    sandbox.fault(mode, path=f"*{call}", when=when, provider="5paisa", delay_s=DELAYS_S.get(mode, 0))


def truth(sandbox: Any) -> dict[str, dict[str, Any]]:
    """5paisa's own ledger: our reference -> the order."""
    ledger = sandbox.call("GET", "/ledger/5paisa?limit=1000")
    return {each["RemoteOrderID"]: each for each in ledger["orders"]}


def note(call: str, mode: str, when: str, line: StockOrder, times: int) -> None:
    TABLE.add(call, mode, when, line.state, line.failure_code, times)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_share_ends_as_it_did_at_5paisa_whatever_became_of_the_answer(sandbox, asha, recover, when):
    log_in(sandbox, asha)
    order = journey(asha, symbols=tuple(SYMBOLS))
    for mode in ON_ITS_WAY:
        fault(sandbox, mode, "PlaceOrderRequest", when)
    place(order)
    for minutes in (1, 6, 7):
        follow(order, recover, after=timedelta(minutes=minutes))
    there = truth(sandbox)
    for mode, line in zip(ON_ITS_WAY, order.lines.order_by("id"), strict=True):
        theirs = there.get(line.client_ref)
        note("place", mode, when, line, theirs["received"] if theirs else 0)
        assert (theirs is not None) == (when == "after")
        if theirs:
            assert (line.state, line.filled, theirs["received"]) == ("FILLED", theirs["traded"], 1), mode
        else:
            assert line.state in ("CANCELLED", "REJECTED"), mode
            assert line.failure_code, mode
    order.refresh_from_db()
    assert order.state == "COMPLETE"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", STOPPING)
def test_a_refused_session_or_pace_delays_the_share_and_it_is_bought_once(sandbox, asha, recover, mode, when):
    log_in(sandbox, asha)
    order = journey(asha, symbols=("ITC", "TCS"))
    fault(sandbox, mode, "PlaceOrderRequest", when)
    place(order)
    log_in(sandbox, asha)
    follow(order, recover, after=timedelta(seconds=30))
    place(order)
    follow(order, recover)
    follow(order, recover)
    there = truth(sandbox)
    for line in order.lines.order_by("id"):
        assert (line.state, there[line.client_ref]["received"]) == ("FILLED", 1)
    note("place", mode, when, order.lines.order_by("id")[0], 1)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", [StockChange.Kind.MODIFY, StockChange.Kind.CANCEL])
def test_an_instruction_ends_as_it_did_at_5paisa(sandbox, asha, recover, kind, when):
    account = log_in(sandbox, asha)
    lines = [
        Line(share(symbol).pk, StockOrder.Side.BUY, 1, kind="LIMIT", price=low(account, symbol)) for symbol in SYMBOLS
    ]
    order = place(journey(asha, *lines))
    follow(order, recover)
    call = "ModifyOrderRequest" if kind == StockChange.Kind.MODIFY else "CancelOrderRequest"
    asked = []
    for mode, line in zip(ON_ITS_WAY, order.lines.order_by("id"), strict=True):
        fault(sandbox, mode, call, when)
        numbers = {"quantity": 2, "price": line.price} if kind == StockChange.Kind.MODIFY else {}
        change = stock_changes.ask(
            investor=asha,
            line_code=line.code,
            kind=kind,
            form_ref=identifiers.new_client_ref(),
            at=clock.now(),
            **numbers,
        )
        changes.submit(change_id=change.pk, at=clock.now())
        asked.append(change)
    for seconds in (3, 60, 90, 700):
        recover(clock.now() + timedelta(seconds=seconds))
        follow(order, recover)
    there = truth(sandbox)
    for mode, change in zip(ON_ITS_WAY, asked, strict=True):
        change.refresh_from_db()
        line = StockOrder.objects.get(pk=change.stock_order_id)
        theirs = there[line.client_ref]
        note(kind.lower(), mode, when, line, theirs["received"])
        assert (line.quantity, line.state == "CANCELLED") == (theirs["quantity"], theirs["status"] == "Cancelled"), mode
        assert change.state == ("DONE" if theirs["quantity"] == 2 or theirs["status"] == "Cancelled" else "FAILED")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", LATE)
def test_what_comes_late_happens_once(sandbox, asha, recover, mode, when):
    """One share: placed, then changed, then cancelled, each call slow or hidden for a second."""
    account = log_in(sandbox, asha)
    price = low(account, "ITC")
    fault(sandbox, mode, "PlaceOrderRequest", when)
    order = place(journey(asha, Line(share("ITC").pk, StockOrder.Side.BUY, 1, kind="LIMIT", price=price)))
    line = order.lines.get()
    for kind, call, numbers in (
        (StockChange.Kind.MODIFY, "ModifyOrderRequest", {"quantity": 2, "price": price}),
        (StockChange.Kind.CANCEL, "CancelOrderRequest", {}),
    ):
        time.sleep(HIDDEN_S)
        follow(order, recover)
        fault(sandbox, mode, call, when)
        asked = {"investor": asha, "line_code": line.code, "kind": kind, "form_ref": identifiers.new_client_ref()}
        changes.submit(change_id=stock_changes.ask(**asked, **numbers, at=clock.now()).pk, at=clock.now())
    time.sleep(HIDDEN_S)
    recover(clock.now() + timedelta(seconds=60))
    follow(order, recover)
    line.refresh_from_db()
    theirs = truth(sandbox)[line.client_ref]
    for call in ("place", "modify", "cancel"):
        note(call, mode, when, line, theirs["received"])
    assert (line.state, line.quantity) == ("CANCELLED", 2)
    assert (theirs["status"], theirs["quantity"], theirs["received"]) == ("Cancelled", 2, 1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_login_whose_answer_fails_links_nothing_and_the_next_one_does(sandbox, asha, client_for, settings, when):
    settings.PROVIDER_READ_TIMEOUT_S = 1
    browser = client_for(asha)
    for mode in (*ON_ITS_WAY, *STOPPING):
        client().breaker = Breaker("5paisa")
        began = browser.post("/broker-accounts/log-in/", {"broker": "5paisa", "house": ""})
        sandbox.fault(mode, path="*GetAccessToken", when=when, provider="5paisa", delay_s=DELAYS_S.get(mode, 0))
        page = come_back(sandbox, browser, state_of(began))
        TABLE.add("login", mode, when, "not linked", "log in again", "-")
        assert "You were not logged in at your broker. Nothing was changed." in page, mode
        assert not BrokerAccount.objects.exists(), mode
        sandbox.no_faults()
    client().breaker = Breaker("5paisa")
    began = browser.post("/broker-accounts/log-in/", {"broker": "5paisa", "house": ""})
    come_back(sandbox, browser, state_of(began))
    assert BrokerAccount.objects.get().session


def test_no_journey_is_left_open_by_any_of_it(sandbox, asha, recover):
    """A journey that nobody could place, because nobody logged in again, ends with its day."""
    log_in(sandbox, asha)
    order = journey(asha, symbols=("ITC",))
    fault(sandbox, "status:401", "PlaceOrderRequest", "before")
    place(order)
    follow(order, recover, after=timedelta(days=1))
    line = BasketOrder.objects.get(pk=order.pk).lines.get()
    note("place", "status:401", "before", line, 0)
    assert (line.state, line.failure_code) == ("CANCELLED", "not_sent")
