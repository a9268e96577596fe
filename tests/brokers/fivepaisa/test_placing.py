"""Placing shares at 5paisa one by one: once each, resumable anywhere, and every answer believed for what it is."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from brokers.fivepaisa import requests
from brokers.fivepaisa.adapter import FivePaisaAdapter, new_order, session_of
from brokers.fivepaisa.client import FivePaisa, client
from brokers.models import BrokerAccount
from brokers.operations import journeys, placing
from orders.models import StockOrder
from orders.operations.baskets import Line
from portal import clock, gates
from portal.gateway import journal
from portal.models import Case, GatewayCall
from portal.notices.models import Notice
from portal.sandbox import market
from tests.brokers.fivepaisa.trading import SHARES, follow, fresh, journey, log_in, place, received, share, states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("trading_hours")]
PLACE = "*PlaceOrderRequest"


@pytest.fixture
def account(sandbox, asha) -> BrokerAccount:
    return log_in(sandbox, asha)


def test_every_share_is_placed_once_and_followed_to_its_price(sandbox, asha, account, recover):
    order = place(journey(asha))
    assert set(states(order).values()) == {"PLACED"}
    assert order.broker_account_ref == "50000001"
    order = follow(order, recover)
    assert (order.state, set(states(order).values())) == ("COMPLETE", {"FILLED"})
    for line in order.lines.all():
        assert line.average_price
        assert line.provider_ref
        assert line.exchange_ref
        assert received(sandbox, line) == 1


def test_a_journey_that_was_begun_twice_places_nothing_twice(sandbox, asha, account):
    order = place(journey(asha))
    placing.begin(order_id=order.pk, at=clock.now())
    placing.place_all(order_id=order.pk, now=clock.now)
    assert [received(sandbox, line) for line in order.lines.all()] == [1] * len(SHARES)


def test_a_second_worker_leaves_a_share_alone_that_the_first_one_sends(sandbox, asha, account, monkeypatch):
    order = journey(asha, symbols=("ITC", "TCS"))
    send, answers = FivePaisaAdapter.place, []

    def while_another_worker_tries(self, line, account):
        answers.append(placing.place_next(order_id=order.pk, at=clock.now()))
        return send(self, line, account)

    monkeypatch.setattr(FivePaisaAdapter, "place", while_another_worker_tries)
    place(order)
    assert answers == [False, False]
    assert [received(sandbox, line) for line in order.lines.all()] == [1, 1]


# --- A worker that dies -----------------------------------------------------------------------------------------------


def orders_there(sandbox, line: StockOrder) -> int:
    """How many orders 5paisa has under a share's reference."""
    return len(sandbox.call("GET", f"/ledger/5paisa?ref={line.client_ref}")["orders"])


class Killed(BaseException):
    """The worker is gone; nothing of ours runs any more."""


@pytest.mark.parametrize("nth", range(len(SHARES)))
@pytest.mark.parametrize("moment", ["before anything is sent", "after 5paisa has it"])
def test_a_worker_that_dies_at_any_share_is_taken_over_and_nothing_is_bought_twice(
    sandbox, asha, account, recover, monkeypatch, nth, moment
):
    order = journey(asha)
    journeys.place(order_id=order.pk, at=clock.now())
    send, sent = FivePaisaAdapter.place, []

    def die(self, line, account):
        sent.append(line.pk)
        if len(sent) == nth + 1:
            if moment == "after 5paisa has it":
                send(self, line, account)
            raise Killed
        return send(self, line, account)

    monkeypatch.setattr(FivePaisaAdapter, "place", die)
    with pytest.raises(Killed):
        placing.place_all(order_id=order.pk, now=clock.now)
    monkeypatch.setattr(FivePaisaAdapter, "place", send)
    # Nobody touches the share before its lease has run out.
    assert placing.place_next(order_id=order.pk, at=clock.now()) is False
    for _ in range(3):
        follow(order, recover, after=timedelta(minutes=1))
    assert (fresh(order).state, set(states(order).values())) == ("COMPLETE", {"FILLED"})
    assert [received(sandbox, line) for line in order.lines.all()] == [1] * len(SHARES)


@pytest.mark.parametrize(("guard", "sent"), [(journal.about, 2), (journal.fenced, 1)], ids=["guard off", "guard on"])
def test_a_worker_that_slept_through_its_lease_sends_nothing_when_it_wakes(
    sandbox, asha, account, recover, monkeypatch, guard, sent
):
    order, send, awake = journey(asha, symbols=("ITC",)), FivePaisaAdapter.place, []
    monkeypatch.setattr("brokers.fivepaisa.adapter.fenced", guard)

    def sleep_first(self, line, account):
        awake.append(line.attempt_no)
        if len(awake) == 1:
            for _ in range(3):
                follow(order, recover, after=timedelta(minutes=1))
        return send(self, line, account)

    monkeypatch.setattr(FivePaisaAdapter, "place", sleep_first)
    place(order)
    assert awake == [1, 2], "somebody else took over meanwhile"
    assert orders_there(sandbox, order.lines.get()) == sent
    assert set(states(follow(order, recover)).values()) == {"FILLED"}


# --- Answers that are lost, refused or late ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reset", "html_200", "truncated", "timed_out_400", "status:500", "wrong_types"])
def test_a_share_whose_answer_was_lost_is_looked_up_and_the_others_go_on(sandbox, asha, account, recover, mode):
    sandbox.fault(mode, path=PLACE, when="after", provider="5paisa")
    order = place(journey(asha))
    first = order.lines.order_by("id")[0]
    assert (first.state, first.attempt) == ("PENDING", "UNKNOWN")
    assert list(states(order).values())[1:] == ["PLACED"] * 3
    order = follow(order, recover, after=timedelta(seconds=3))
    assert set(states(follow(order, recover)).values()) == {"FILLED"}
    assert received(sandbox, first) == 1


@pytest.mark.parametrize("mode", ["reset", "html_200", "status:503"])
def test_a_share_that_never_arrived_ends_as_such_and_is_not_sent_again(sandbox, asha, account, recover, mode):
    sandbox.fault(mode, path=PLACE, when="before", provider="5paisa")
    order = place(journey(asha, symbols=("ITC", "TCS")))
    first = order.lines.order_by("id")[0]
    order = follow(order, recover, after=timedelta(minutes=2))
    assert states(order) == {"ITC": "PENDING", "TCS": "FILLED"}
    order = follow(order, recover, after=timedelta(minutes=6))
    first.refresh_from_db()
    assert (order.state, first.state, first.failure_code) == ("COMPLETE", "CANCELLED", "not_received")
    assert received(sandbox, first) == 0


def test_a_share_that_shows_late_is_found_in_the_book(sandbox, asha, account, recover):
    sandbox.fault("reset+invisible:4", path=PLACE, when="after", provider="5paisa")
    order = place(journey(asha, symbols=("ITC",)))
    follow(order, recover, after=timedelta(seconds=3))
    assert states(order) == {"ITC": "PENDING"}
    time.sleep(4.5)
    follow(order, recover, after=timedelta(seconds=60))
    assert states(follow(order, recover)) == {"ITC": "FILLED"}
    assert received(sandbox, order.lines.get()) == 1


def test_the_books_of_a_later_day_do_not_prove_that_a_share_never_arrived(sandbox, asha, account, recover, monkeypatch):
    # The order status may be empty though the book has the order (py5paisa #80).
    monkeypatch.setattr(FivePaisa, "fetch_order_statuses", lambda *args, **kwargs: [])
    sandbox.fault("reset", path=PLACE, when="after", provider="5paisa")
    order = place(journey(asha, symbols=("ITC",)))
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    next_day = datetime.fromtimestamp(market.next_open(clock.now().timestamp()), clock.IST)
    sandbox.set_clock(next_day + timedelta(hours=2))
    log_in(sandbox, asha)
    order = follow(order, recover, after=timedelta(minutes=6))
    line = order.lines.get()
    assert received(sandbox, line) == 1, "5paisa had it on its day"
    assert (order.state, line.state, line.attempt) == ("HANDED_OVER", "PENDING", "UNKNOWN")
    assert Case.objects.filter(kind=StockOrder.unknown_case(), subject_id=str(line.pk)).exists()


def test_being_asked_to_slow_down_delays_a_share_and_loses_none(sandbox, asha, account, recover):
    sandbox.fault("status:429", path=PLACE, when="before", provider="5paisa")
    order = place(journey(asha, symbols=("ITC", "TCS")))
    assert set(states(order).values()) == {"PENDING"}
    follow(order, recover, after=timedelta(seconds=30))
    assert set(states(follow(order, recover)).values()) == {"FILLED"}
    assert [received(sandbox, line) for line in order.lines.all()] == [1, 1]


def test_low_funds_are_known_before_anything_is_sent(sandbox, asha):
    log_in(sandbox, asha, "50000002")
    order = journey(asha, Line(share("TCS").pk, StockOrder.Side.BUY, 100))
    with pytest.raises(Exception, match="free. Nothing was ordered"):
        place(order)
    assert fresh(order).state == "CREATED"
    assert not GatewayCall.objects.filter(path__contains="PlaceOrder").exists()


def test_a_closed_market_ends_the_journey_without_asking_for_every_share(sandbox, asha, evening, recover):
    log_in(sandbox, asha)
    order = journey(asha)
    journeys.place(order_id=order.pk, at=clock.now())
    placing.place_all(order_id=order.pk, now=clock.now)
    assert fresh(order).state == "COMPLETE"
    assert set(order.lines.values_list("failure_code", flat=True)) == {"market_closed"}
    assert GatewayCall.objects.filter(path__contains="PlaceOrder").count() == 1


def test_an_order_that_is_no_longer_for_the_next_session_is_sent_as_one_for_now(sandbox, asha, account):
    order = journey(asha, symbols=("ITC", "TCS"))
    journeys.place(order_id=order.pk, at=clock.now(), after_market=True)
    placing.place_next(order_id=order.pk, at=clock.now())
    journeys.place(order_id=order.pk, at=clock.now(), after_market=False)
    assert list(order.lines.order_by("id").values_list("is_after_market", flat=True)) == [True, False]


def test_a_ticket_keeps_its_own_choice_of_the_session(sandbox, asha, account):
    order = journey(asha, Line(share("ITC").pk, StockOrder.Side.BUY, 1, is_after_market=True))
    journeys.place(order_id=order.pk, at=clock.now())
    assert order.lines.get().is_after_market


def test_two_orders_under_one_reference_are_a_case_wherever_they_are_seen(sandbox, asha, account, recover):
    order = place(journey(asha, symbols=("ITC",)))
    line = order.lines.get()
    client().create_order(session_of(account), new_order(line), journal.about(line, our_ref=line.client_ref))
    assert orders_there(sandbox, line) == 2
    follow(order, recover)
    assert states(order) == {"ITC": "FILLED"}
    assert "2 orders under one reference" in Case.objects.get(kind=placing.TWICE_CASE).title


def test_a_closed_gate_holds_the_shares_back(sandbox, asha, account):
    order = journey(asha, symbols=("ITC",))
    journeys.place(order_id=order.pk, at=clock.now())
    gates.turn(name=gates.of("5paisa"), closed=True, reason="drill", actor="test", at=clock.now())
    with pytest.raises(gates.GateClosed):
        placing.place_all(order_id=order.pk, now=clock.now)
    assert states(order) == {"ITC": "PENDING"}


# --- The session ------------------------------------------------------------------------------------------------------


def test_a_session_that_ends_on_the_way_stops_the_rest_and_a_new_login_goes_on(sandbox, asha, account, recover):
    order = journey(asha)
    journeys.place(order_id=order.pk, at=clock.now())
    assert placing.place_next(order_id=order.pk, at=clock.now())
    BrokerAccount.objects.update(session="not.a.token")
    assert placing.place_next(order_id=order.pk, at=clock.now()) is False
    account.refresh_from_db()
    assert account.session is None
    follow(order, recover, after=timedelta(minutes=5))
    assert list(states(order).values()) == ["PLACED", "PENDING", "PENDING", "PENDING"]
    assert "1 of 4 shares were sent" in Notice.objects.get(event="basket.waits").text
    log_in(sandbox, asha)
    place(order)
    assert set(states(follow(order, recover)).values()) == {"FILLED"}
    assert [received(sandbox, line) for line in order.lines.all()] == [1] * 4


def test_another_account_of_the_same_investor_gets_none_of_a_journey(sandbox, asha, account, recover):
    order = journey(asha)
    journeys.place(order_id=order.pk, at=clock.now())
    placing.place_next(order_id=order.pk, at=clock.now())
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    log_in(sandbox, asha, "50000009")
    with pytest.raises(Exception, match="Log in there again"):
        journeys.place(order_id=order.pk, at=clock.now())
    placing.place_all(order_id=order.pk, now=clock.now)
    assert [order["client"] for order in sandbox.call("GET", "/ledger/5paisa")["orders"]] == ["50000001"]


def test_what_was_never_sent_ends_with_the_day_and_what_cannot_be_asked_is_a_case(sandbox, asha, account, recover):
    order = journey(asha, symbols=("ITC", "TCS"))
    journeys.place(order_id=order.pk, at=clock.now())
    placing.place_next(order_id=order.pk, at=clock.now())
    BrokerAccount.objects.update(session=None, session_expires_at=None)
    follow(order, recover, after=timedelta(days=1))
    lines = {line.security.symbol: (line.state, line.failure_code) for line in order.lines.select_related("security")}
    assert lines == {"ITC": ("PLACED", ""), "TCS": ("CANCELLED", "not_sent")}
    assert Case.objects.get(kind="stock_order_open_after_the_day").subject_id == str(order.lines.order_by("id")[0].pk)


# --- Kinds of orders --------------------------------------------------------------------------------------------------


def by_hand(sandbox, line: StockOrder, status: str, **more: object) -> None:
    sandbox.call("POST", f"/5paisa/orders/{line.client_ref}", {"status": status, **more})


def low(account: BrokerAccount, symbol: str) -> Decimal:
    """The lowest price that the exchange takes: nobody sells at it."""
    scrip = requests.Scrip(exchange=requests.Exchange.NSE, symbol=f"{symbol}_EQ")
    [found] = client().fetch_snapshots(session_of(account), [scrip])
    assert found.lower_circuit_limit
    return found.lower_circuit_limit


def test_partial_fills_over_two_days_end_as_what_they_are(sandbox, asha, evening, recover):
    account = log_in(sandbox, asha)
    price = low(account, "ITC")
    order = journey(asha, Line(share("ITC").pk, "BUY", 10, kind="LIMIT", price=price, is_after_market=True))
    place(order)
    follow(order, recover)
    assert states(order) == {"ITC": "PLACED"}
    line = order.lines.get()
    by_hand(sandbox, line, "Fully Executed", qty=4)
    follow(order, recover)
    assert states(order) == {"ITC": "PARTLY_FILLED"}
    sandbox.advance("PT16H")
    log_in(sandbox, asha)
    by_hand(sandbox, line, "Fully Executed", qty=5)
    follow(order, recover)
    by_hand(sandbox, line, "Cancelled")
    order = follow(order, recover)
    line.refresh_from_db()
    assert (order.state, line.state, line.filled) == ("COMPLETE", "CANCELLED", 9)
