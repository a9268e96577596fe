"""5paisa: the life of orders as the clock runs, and the arithmetic of money and shares behind them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from portal.sandbox.fivepaisa import life, money
from portal.sandbox.world import World
from tests.sandbox.api import Caller
from tests.sandbox.broker import CLIENT, MONDAY, POOR, WEDNESDAY, Broker, near

CLOSE, EVENING = "2026-11-23T15:30:00+05:30", "2026-11-23T20:00:00+05:30"


@pytest.fixture
def broker(caller: Caller) -> Broker:
    caller.control("POST", "/clock", {"at": MONDAY})
    return Broker(caller).sign_in()


def walk(broker: Broker, ref: str, hours: int = 5, step: str = "PT5M") -> str:
    """Lets the clock run until the order has left its state, or the hours are over."""
    first = broker.state(ref)
    for _ in range(hours * 12):
        broker.caller.control("POST", "/clock", {"advance": step})
        if broker.state(ref) != first:
            break
    return broker.state(ref)


# -- the ways of an order ------------------------------------------------------------------------------------------


def test_an_order_at_the_market_is_filled_at_the_best_offers(broker: Broker):
    depth = broker.ask("V3/MarketDepth", MarketDepthData=[{"Exchange": "N", "ExchangeType": "C", "ScripCode": 1660}])
    best = depth["MarketDepthData"][0]["Asks"][0]
    ref = broker.placed(Qty=best["Quantity"] + 10)
    trades = broker.trades()
    assert [trade["Qty"] for trade in trades] == [best["Quantity"], 10]
    assert trades[1]["Rate"] == pytest.approx(trades[0]["Rate"] + 0.05)
    value = sum(trade["Qty"] * trade["Rate"] for trade in trades)
    assert broker.status(ref)["AveragePrice"] == pytest.approx(value / (best["Quantity"] + 10), abs=0.0001)


def test_the_answer_gives_no_exchange_number_yet_and_the_status_does(broker: Broker):
    answer = broker.place()
    assert answer["ExchOrderID"] == "0"
    status = broker.status(answer["RemoteOrderID"])
    assert isinstance(status["ExchOrderID"], int)
    assert len(str(status["ExchOrderID"])) == 16


@pytest.mark.parametrize(("side", "factor"), [("B", 0.998), ("S", 1.002)])
def test_a_limit_waits_until_the_market_comes_to_it(broker: Broker, side, factor):
    limit = near(broker.last(), factor)
    ref = broker.placed(OrderType=side, Price=limit, IsIntraday=True, Qty=5)
    assert broker.state(ref) == "Pending"
    if walk(broker, ref) == "Fully Executed":
        average = broker.status(ref)["AveragePrice"]
        assert average <= limit if side == "B" else average >= limit
    else:
        quotes = broker.ask("V1/MarketSnapshot", Data=[{"Exchange": "N", "ExchangeType": "C", "ScripCode": 1660}])[
            "Data"
        ][0]
        assert quotes["Low"] > limit - 0.05 if side == "B" else quotes["High"] < limit


def test_a_limit_is_met_in_the_second_in_which_the_market_comes_to_it(broker: Broker):
    """The same order, watched in one leap of the clock and in small steps, ends the same."""
    limit = near(broker.last(), 0.999)
    one = broker.placed(Price=limit, Qty=5)
    broker.caller.control("POST", "/clock", {"advance": "PT5H"})
    (leap,) = broker.ledger(ref=one)["orders"]
    broker.caller.control("POST", "/clock", {"at": MONDAY})
    two = broker.placed(Price=limit, Qty=5)
    for _ in range(60):
        broker.caller.control("POST", "/clock", {"advance": "PT5M"})
    (steps,) = broker.ledger(ref=two)["orders"]
    assert leap["status"] == steps["status"]
    assert [(t["price"], t["at"][:18]) for t in leap["trades"]] == [(t["price"], t["at"][:18]) for t in steps["trades"]]


@pytest.mark.parametrize("price", [0, "limit"])
def test_a_stop_loss_sleeps_until_its_trigger(broker: Broker, price):
    last = broker.last()
    trigger = near(last, 0.999)
    limit = near(last, 0.99) if price else 0
    ref = broker.placed(OrderType="S", StopLossPrice=trigger, Price=limit, IsIntraday=True, Qty=5)
    assert broker.state(ref) == "Pending"
    if walk(broker, ref) == "Fully Executed":
        assert broker.status(ref)["AveragePrice"] <= trigger
        assert next(e for e in broker.ask("V3/OrderBook")["OrderBookDetail"])["SLTriggered"] == "Y"


def test_a_stop_that_is_passed_already_goes_at_once(broker: Broker):
    ref = broker.placed(StopLossPrice=near(broker.last(), 0.99), Qty=1)
    assert broker.state(ref) == "Fully Executed"


def test_immediate_or_cancel_takes_what_there_is_and_cancels_the_rest(broker: Broker):
    last = broker.last()
    none = broker.placed(Price=near(last, 0.95), iOrderValidity=3)
    assert (broker.state(none), broker.status(none)["TradedQty"]) == ("Cancelled", 0)
    kill = broker.placed(ScripCode=3499, Qty=20_000, Price=0, iOrderValidity=6, IsIntraday=True)
    assert (broker.state(kill), broker.status(kill)["TradedQty"]) == ("Cancelled", 0)
    some = broker.placed(ScripCode=3499, Qty=20_000, Price=0, iOrderValidity=3, IsIntraday=True)
    status = broker.status(some)
    assert status["Status"] == "Cancelled"
    assert 0 < status["TradedQty"] < 20_000
    assert status["TradedQty"] + status["PendingQty"] == 20_000


def test_a_large_order_is_filled_as_the_book_fills_again(broker: Broker):
    ref = broker.placed(ScripCode=3499, Qty=25_000, Price=0, IsIntraday=True)
    first = broker.status(ref)
    assert (first["Status"], 0 < first["TradedQty"] < 25_000) == ("Pending", True)
    broker.caller.control("POST", "/clock", {"advance": "PT30S"})
    assert first["TradedQty"] < broker.status(ref)["TradedQty"]
    broker.caller.control("POST", "/clock", {"advance": "PT10M"})
    assert broker.state(ref) == "Fully Executed"


def test_a_day_order_ends_with_the_day_and_one_till_a_date_later(broker: Broker):
    low = near(broker.last(), 0.92)
    day, long = (
        broker.placed(Price=low),
        broker.placed(Price=low, iOrderValidity=5, ValidTillDate="/Date(1795588200000)/"),
    )
    broker.at(CLOSE)
    assert (broker.state(day), broker.state(long)) == ("Cancelled", "Pending")
    broker.at("2026-11-25T12:00:00+05:30")
    assert broker.state(long) in ("Pending", "Fully Executed")
    broker.at("2026-11-25T15:30:01+05:30")
    assert broker.state(long) in ("Cancelled", "Fully Executed")


# -- the closed market ---------------------------------------------------------------------------------------------


def test_a_closed_market_takes_after_market_orders_only(broker: Broker):
    broker.at(EVENING)
    refused = broker.place()
    assert (refused["Status"], refused["RMSResponseCode"]) == (1, -15)
    assert broker.state(refused["RemoteOrderID"]) == "Rejected By 5P"
    ref = broker.placed(AHPlaced="Y")
    assert broker.state(ref) == "Placed"
    assert broker.modify(ref, Price=0, Qty=2)["Status"] == 0
    broker.at("2026-11-25T09:14:00+05:30")
    assert broker.state(ref) == "Placed"
    broker.at("2026-11-25T09:15:05+05:30")
    assert (broker.state(ref), broker.status(ref)["TradedQty"]) == ("Fully Executed", 2)


def test_an_after_market_order_can_be_cancelled_before_the_opening(broker: Broker):
    broker.at(EVENING)
    ref = broker.placed(AHPlaced="Y")
    assert broker.cancel(ref)["Status"] == 0
    broker.at(WEDNESDAY)
    assert broker.state(ref) == "Cancelled"


def test_a_closed_market_changes_no_order_that_waits(broker: Broker):
    """The document's own example: 'Exchange is closed. Cannot Modify your order.', -15."""
    ref = broker.placed(Price=near(broker.last(), 0.92), iOrderValidity=5, ValidTillDate="/Date(1795588200000)/")
    broker.at(EVENING)
    answer = broker.modify(ref, Qty=2)
    assert (answer["Status"], answer["RMSResponseCode"]) == (1, -15)
    assert answer["Message"] == "Exchange is closed. Cannot Modify your order."
    assert broker.cancel(ref)["RMSResponseCode"] == -15


# -- changes -------------------------------------------------------------------------------------------------------


def test_only_what_a_modification_names_changes(broker: Broker):
    low = near(broker.last(), 0.95)
    ref = broker.placed(Price=low, Qty=10, DisQty=4)
    assert broker.modify(ref, Qty=6)["Status"] == 0
    (entry,) = broker.book()
    assert (entry["OrderStatus"], entry["Qty"], entry["OldOrderQty"]) == ("Modified", 6, 10)
    assert (entry["Rate"], entry["DisClosedQty"]) == (low, 4)
    assert broker.modify(ref, Price=0)["Status"] == 0
    assert broker.state(ref) == "Fully Executed"


def test_a_modification_that_makes_no_sense_changes_nothing(broker: Broker):
    ref = broker.placed(Price=near(broker.last(), 0.95), Qty=10)
    assert broker.modify(ref, Qty=5, DisQty=6)["Status"] == 2
    assert broker.modify(ref, Price=near(broker.last(), 0.5))["Status"] == 1
    assert broker.modify(ref, Qty=10_000_000)["RMSResponseCode"] == -3
    assert (broker.state(ref), broker.status(ref)["OrderQty"]) == ("Pending", 10)


def test_an_order_that_is_through_cannot_be_changed(broker: Broker):
    ref = broker.placed()
    for answer in (broker.modify(ref, Qty=2), broker.cancel(ref)):
        assert answer["Status"] == 1
        assert "Fully Executed" in answer["Message"]


def test_an_order_nobody_knows(broker: Broker):
    for path in ("V1/ModifyOrderRequest", "V1/CancelOrderRequest"):
        answer = broker.ask(path, ExchOrderID="1100000018012644")
        assert (answer["Status"], answer["Message"], answer["BrokerOrderID"]) == (1, "Order does not exist", 0)
    assert broker.ask("V1/CancelOrderRequest")["Status"] == 2


@pytest.mark.parametrize("key", ["ExchOrderID", "ExchangeOrderID"])
def test_cancel_by_either_name_of_the_number(broker: Broker, key):
    ref = broker.placed(Price=near(broker.last(), 0.95))
    assert broker.cancel(ref, key)["Status"] == 0
    assert broker.state(ref) == "Cancelled"


def test_another_clients_order_is_out_of_reach(broker: Broker, caller: Caller):
    ref = broker.placed(Price=near(broker.last(), 0.95))
    number = str(broker.status(ref)["ExchOrderID"])
    other = Broker(caller, POOR).sign_in()
    assert other.statuses(ref) == other.book() == []
    assert other.ask("V1/CancelOrderRequest", ExchOrderID=number)["Message"] == "Order does not exist"
    assert broker.state(ref) == "Pending"


# -- refusals ------------------------------------------------------------------------------------------------------


def test_the_exchange_refuses_prices_off_the_tick_and_outside_the_circuit(broker: Broker):
    last = broker.last()
    for price in (int(last) + 0.01, near(last, 0.7), near(last, 1.3)):
        ref = broker.placed(Price=price, Qty=1)
        assert broker.state(ref) == "Rejected by Exch"
        (entry,) = broker.ledger(ref=ref)["orders"]
        assert "tick" in entry["reason"] or "circuit" in entry["reason"]


def test_the_broker_refuses_what_money_and_shares_do_not_cover(broker: Broker, caller: Caller):
    poor = Broker(caller, POOR).sign_in()
    assert poor.place(Qty=100)["RMSResponseCode"] == -3
    assert poor.place(Qty=30, IsIntraday=True)["Status"] == 0
    assert poor.place(OrderType="S", Qty=1)["RMSResponseCode"] == -4
    assert broker.place(OrderType="S", Qty=101)["RMSResponseCode"] == -4
    assert broker.place(OrderType="S", Qty=100, Price=near(broker.last(), 1.05))["Status"] == 0
    assert broker.place(OrderType="S", Qty=1)["RMSResponseCode"] == -4, "the hundred are offered already"
    assert broker.place(OrderType="S", ScripCode=14366, Qty=45)["RMSResponseCode"] == -4, "eight are pledged"
    assert broker.place(OrderType="S", ScripCode=14366, Qty=44)["Status"] == 0


def test_intraday_orders_stop_at_1520_and_open_positions_are_closed(broker: Broker):
    broker.placed(Qty=20, IsIntraday=True)
    waiting = broker.placed(Price=near(broker.last(), 0.93), IsIntraday=True)
    broker.at("2026-11-23T15:20:30+05:30")
    (position,) = broker.positions()
    assert (position["NetQty"], position["BuyQty"], position["SellQty"]) == (0, 20, 20)
    assert broker.state(waiting) == "Cancelled"
    assert [one["OrderRequesterCode"] for one in broker.book()][-1] == "RMS"
    assert broker.place(IsIntraday=True)["RMSResponseCode"] == -16


# -- the arithmetic ------------------------------------------------------------------------------------------------


def account(broker: Broker) -> dict[str, float]:
    margin = broker.margin()
    used = margin["MarginBlockedforOpenPostion_Cash"] + margin["MarginBlockedforPendingOrder_Cash"]
    assert margin["MarginUtilized"] == pytest.approx(used)
    free = margin["Ledgerbalance"] - used - margin["TodaysLoss"]
    assert margin["NetAvailableMargin"] == pytest.approx(free, abs=0.02)
    return margin


def test_pending_orders_block_money_and_give_it_back(broker: Broker):
    low = near(broker.last(), 0.95)
    full = account(broker)["NetAvailableMargin"]
    delivery, intraday = broker.placed(Price=low, Qty=10), broker.placed(Price=low, Qty=10, IsIntraday=True)
    assert full - account(broker)["NetAvailableMargin"] == pytest.approx(low * 10 + low * 2, abs=0.11)
    broker.modify(delivery, Qty=4)
    assert account(broker)["MarginBlockedForPendingOrders"] == pytest.approx(low * 4 + low * 2, abs=0.11)
    broker.cancel(delivery)
    broker.cancel(intraday)
    assert account(broker)["NetAvailableMargin"] == full


def test_books_trades_positions_holdings_and_money_agree_over_days(broker: Broker):
    """A busy morning, settled on the next business day: every rupee and every share is where the trades say."""
    start, held = account(broker)["Ledgerbalance"], Counter(broker.held())
    for code, side, qty, intraday in (
        (1660, "B", 30, False), (1660, "S", 50, False), (2885, "B", 7, False), (2885, "B", 3, False),
        (11536, "B", 5, True), (11536, "S", 5, True), (3045, "S", 12, True), (14366, "S", 20, False),
    ):  # fmt: skip
        broker.placed(ScripCode=code, OrderType=side, Qty=qty, IsIntraday=intraday)
        account(broker)
    trades, book, positions = broker.trades(), broker.book(), broker.positions()
    for order in book:
        own = [trade for trade in trades if trade["ExchOrderID"] == order["ExchOrderID"]]
        assert sum(trade["Qty"] for trade in own) == order["TradedQty"] == order["Qty"] - order["PendingQty"]
        value = sum(trade["Qty"] * trade["Rate"] for trade in own)
        assert order["AveragePrice"] == pytest.approx(value / order["TradedQty"], abs=0.0001)
    for one in positions:
        of = [t for t in trades if (t["ScripCode"], t["DelvIntra"]) == (one["ScripCode"], one["Product"])]
        for word, side in (("Buy", "B"), ("Sell", "S")):
            assert one[f"{word}Qty"] == sum(t["Qty"] for t in of if t["BuySell"] == side)
            assert one[f"{word}Value"] == pytest.approx(sum(t["Qty"] * t["Rate"] for t in of if t["BuySell"] == side))
        assert one["NetQty"] == one["BuyQty"] - one["SellQty"]
    assert broker.held() == {"ITC": 80, "RELIANCE": 10, "IDEA": 32}, "sold today is gone, bought today is still to come"
    cost = {one["Symbol"]: one["AvgRate"] * one["Quantity"] for one in broker.ask("V4/Holding")["Data"]}
    broker.at(WEDNESDAY)
    everything = [o for o in broker.ledger(client_code=CLIENT)["orders"] if o["traded"]]
    flow = sum(o["amount"] * (1 if o["side"] == "S" else -1) for o in everything)
    assert account(broker)["Ledgerbalance"] == pytest.approx(start + flow)
    moved = Counter({"ITC": -20, "RELIANCE": 10, "IDEA": -20})
    held.update(moved)
    assert broker.held() == {symbol: qty for symbol, qty in held.items() if qty}
    bought = sum(o["amount"] for o in everything if o["symbol"] == "RELIANCE")
    after = {one["Symbol"]: one["AvgRate"] * one["Quantity"] for one in broker.ask("V4/Holding")["Data"]}
    assert after["RELIANCE"] == pytest.approx(cost["RELIANCE"] + bought, abs=0.01)
    assert broker.ask("V2/NetPositionNetWise")["Status"] == 1
    assert broker.ask("V1/TradeBook")["Message"] == "No record found."
    assert broker.ask("V4/OrderBook")["Message"] == "No Order found for this Client."


def test_a_sale_of_all_shares_empties_the_holding(broker: Broker):
    broker.placed(OrderType="S", Qty=100)
    assert "ITC" not in broker.held()
    assert account(broker)["Unsettled_Credits"] > 0
    broker.at(WEDNESDAY)
    assert "ITC" not in broker.held()
    assert account(broker)["Unsettled_Credits"] == 0
    assert broker.place(OrderType="S", Qty=1)["RMSResponseCode"] == -4


def test_shares_bought_today_may_be_sold_today(broker: Broker):
    broker.placed(ScripCode=11536, Qty=5)
    assert broker.place(ScripCode=11536, OrderType="S", Qty=6)["RMSResponseCode"] == -4
    broker.placed(ScripCode=11536, OrderType="S", Qty=5)
    (position,) = broker.positions()
    assert position["NetQty"] == 0
    assert account(broker)["MarginBlockedforOpenPostion_Cash"] == 0


def test_the_margin_of_several_orders(broker: Broker):
    line = {"Exch": "N", "ExchType": "C", "ScripCode": 1660, "OrderType": "B", "Price": 400, "Qty": 10}
    ask = lambda cover, *lines: broker.ask("MultiOrderMargin", CoverPositions=cover, Orders=list(lines))  # noqa: E731
    place, back = line | {"PlaceModifyCancel": "P"}, line | {"PlaceModifyCancel": "C", "Qty": 4}
    assert ask("N", place, back)["TotalMarginRequired"] == 2400
    assert ask("N", place | {"IsIntraday": True})["TotalMarginRequired"] == 800
    assert ask("N", place | {"OrderType": "S"})["TotalMarginRequired"] == 0
    broker.placed(Qty=10, IsIntraday=True)
    closing = place | {"OrderType": "S", "IsIntraday": True}
    assert (ask("N", closing)["TotalMarginRequired"], ask("Y", closing)["TotalMarginRequired"]) == (800, 0)
    assert ask("N", place)["AvailableMargin"] == account(broker)["NetAvailableMargin"]
    assert broker.ask("MultiOrderMargin", Orders=[])["Status"] == 2


# -- at the same time ----------------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(act) for act in acts]]


def sell_all(caller: Caller, token: str) -> dict[str, Any]:
    other = Broker(Caller(caller.url))
    other.token = token
    return other.place(OrderType="S", Qty=100)


@pytest.mark.parametrize(("guarded", "taken"), [(False, 2), (True, 1)])
def test_the_same_shares_are_not_sold_twice_at_once(broker: Broker, monkeypatch, guarded, taken):
    """Both calls see a hundred shares unless looking and selling are one act; without the guard both sell them."""
    sellable = money.sellable

    def slowly(*args: Any) -> int:
        found = sellable(*args)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(money, "sellable", slowly)
    if not guarded:
        monkeypatch.setattr(World, "transaction", contextmanager(lambda self: iter([self.db])))
    answers = at_once(*[lambda: sell_all(broker.caller, broker.token)] * 2)
    monkeypatch.undo()
    assert sum(answer["Status"] == 0 for answer in answers) == taken
    assert sum(one["SellQty"] for one in broker.positions()) == 100 * taken


def test_a_request_token_used_at_once_by_many_makes_one_session(broker: Broker):
    token = broker.caller.control("POST", "/5paisa/request_token", {})["RequestToken"]
    answers = at_once(*[lambda: Broker(Caller(broker.caller.url)).exchange(token)["body"]["Status"]] * 8)
    assert sorted(answers) == [0] + [2] * 7


# -- what changed lately -------------------------------------------------------------------------------------------


def test_the_order_book_of_the_last_seconds(broker: Broker):
    old = broker.placed(Price=near(broker.last(), 0.95))
    broker.caller.control("POST", "/clock", {"advance": "PT2M"})
    new = broker.placed(Price=near(broker.last(), 0.95))

    def changed(seconds: int) -> list[str]:
        book = broker.ask("V4/OrderBook", updatedInLastSeconds=seconds)["orderBook"]
        return [entry["RemoteOrderID"] for entry in book]

    assert (changed(60), changed(600), changed(0)) == ([new], [old, new], [old, new])
    broker.cancel(old)
    assert changed(60) == [old, new]
    for wrong in (601, -1):
        answer = broker.ask("V4/OrderBook", updatedInLastSeconds=wrong)
        assert (answer["Status"], answer["Message"]) == (1, "updatedInLastSeconds should be in range from 0 to 600")
    broker.caller.control("POST", "/clock", {"advance": "PT20M"})
    answer = broker.ask("V4/OrderBook", updatedInLastSeconds=60)
    assert (answer["orderBook"], answer["Message"]) == ([], "No Order found for this Client.")


# -- a hundred thousand orders -------------------------------------------------------------------------------------


def test_nothing_moves_twice_when_the_list_is_asked_again(broker: Broker, served):
    ref = broker.placed(Price=near(broker.last(), 0.999), Qty=5)
    world = served.sandbox.world
    key = world.scalar("SELECT id FROM fivepaisa_orders WHERE remote_id = ?", ref)
    broker.caller.control("POST", "/clock", {"advance": "PT5H"})
    before = broker.ledger(ref=ref)["orders"][0]["trades"]
    for kind in life.DUE:
        if kind in ("fivepaisa.look", "fivepaisa.expire"):
            world.schedule(world.now(), kind, key, version=1)
    world.settle()
    assert broker.ledger(ref=ref)["orders"][0]["trades"] == before
