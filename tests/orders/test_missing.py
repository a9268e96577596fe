"""What was not executed: its investor is reminded once on the next day, and may leave it as it is with a reason."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from orders import stock_words
from orders.models import BasketOrder, StockOrder
from orders.operations import baskets, missing, stock_notices
from orders.queries.missing import to_repair
from portal import clock
from portal.errors import InvalidInput
from portal.models import AuditEntry
from portal.notices.models import Notice
from tests import factories

pytestmark = pytest.mark.django_db
# A Tuesday, after the exchange has closed.
TUESDAY = datetime(2026, 11, 17, 16, 0, tzinfo=clock.IST)


@pytest.fixture
def order(asha) -> BasketOrder:
    """Of ten shares six were executed on Tuesday."""
    made = factories.BasketOrderFactory(investor=asha, state="COMPLETE", state_since=TUESDAY, created_at=TUESDAY)
    factories.StockOrderFactory(
        basket_order=made, security__symbol="ITC", state="CANCELLED", filled=6, average_price=Decimal(440)
    )
    return made


def moment(day: int, hour: int) -> datetime:
    return TUESDAY.replace(day=day, hour=hour)


def test_who_lacks_shares_is_reminded_once_when_the_exchange_opens_on_the_next_day(asha, order):
    assert missing.remind(at=moment(17, 20)) == 0
    assert missing.remind(at=moment(18, 9)) == 0
    assert [missing.remind(at=moment(18, 10)) for _ in range(2)] == [1, 0]
    notice = Notice.objects.get(event=missing.MISSING)
    assert (notice.user, notice.url) == (asha.user, f"/stock-orders/{order.code}/")
    assert notice.facts == [["ITC", "buy 4 more"]]


def test_who_left_it_as_it_is_is_not_reminded_and_not_offered_it_again(asha, order, client_for, at):
    at("2026-11-18T10:00")
    browser = client_for(asha)
    assert "Order what is missing" in browser.get(f"/stock-orders/{order.code}/").content.decode()
    page = browser.post(f"/stock-orders/{order.code}/leave-it/", {"why": "PRICE"}, follow=True).content.decode()
    assert "You left what is missing as it is" in page
    assert "Order what is missing" not in page
    assert missing.remind(at=moment(18, 10)) == 0
    assert not to_repair(moment(18, 10)).exists()
    assert AuditEntry.objects.filter(action="basket.left_as_it_is").exists()


@pytest.mark.parametrize(
    ("kind", "state", "told"), [("CANCEL", "DONE", 0), ("CANCEL", "FAILED", 1), ("MODIFY", "DONE", 1)]
)
def test_what_the_investor_cancelled_is_not_missing(asha, order, client_for, at, kind, state, told):
    at("2026-11-18T10:00")
    instructed(order.lines.get(), kind, state)
    page = client_for(asha).get(f"/stock-orders/{order.code}/").content.decode()
    assert ("Order what is missing" in page) == ("can be ordered again below" in page) == bool(told)
    assert to_repair(clock.now()).count() == len(baskets.lines_to_repair(order)) == told
    assert missing.remind(at=clock.now()) == told


def test_beside_what_the_investor_cancelled_only_the_rest_is_missing(asha, order):
    cancelled = factories.StockOrderFactory(basket_order=order, security__symbol="TCS", state="CANCELLED")
    instructed(cancelled, "CANCEL", "DONE")
    assert missing.remind(at=moment(18, 10)) == 1
    assert Notice.objects.get(event=missing.MISSING).facts == [["ITC", "buy 4 more"]]
    assert [line.quantity for line in baskets.lines_to_repair(order)] == [4]


def test_the_news_of_an_order_that_the_investor_cancelled_offers_no_rest(asha, order):
    instructed(order.lines.get(), "CANCEL", "DONE")
    stock_notices.tell_done(order, list(order.lines.all()), at=TUESDAY)
    assert "write a new order" in Notice.objects.get(event=stock_notices.DONE).text


def instructed(line: StockOrder, kind: str, state: str) -> None:
    numbers = {"quantity": 10} if kind == "MODIFY" else {}
    factories.StockChangeFactory(stock_order=line, kind=kind, state=state, **numbers)


@pytest.mark.parametrize(("filled", "words"), [(10, "Executed"), (6, "Partly executed"), (0, "Not executed")])
def test_the_list_of_orders_says_how_each_ended(asha, client_for, filled, words):
    made = factories.BasketOrderFactory(investor=asha, state="COMPLETE")
    price = {"average_price": Decimal(440)} if filled else {}
    factories.StockOrderFactory(
        basket_order=made, filled=filled, state="FILLED" if filled == 10 else "CANCELLED", **price
    )
    [row] = client_for(asha).get("/stock-orders/").context["rows"]
    assert row["words"].badge == words


def test_a_reason_is_needed_and_said_so(asha, order, client_for):
    with pytest.raises(InvalidInput):
        missing.leave(investor=asha, code=order.code, why="", at=clock.now())
    page = client_for(asha).post(f"/stock-orders/{order.code}/leave-it/", follow=True).content.decode()
    assert "Choose one of these reasons." in page
    order.refresh_from_db()
    assert order.left_at is None


@pytest.mark.parametrize("kind", ["LIMIT", "repaired", "open"])
def test_only_what_can_be_repaired_is_left(asha, order, kind):
    if kind == "LIMIT":
        order.lines.update(kind="LIMIT", price=Decimal(400))
    elif kind == "repaired":
        factories.BasketOrderFactory(investor=asha, intent="REPAIR", repairs=order)
    else:
        BasketOrder.objects.update(state="PLACED")
    with pytest.raises(missing.NothingMissing):
        missing.leave(investor=asha, code=order.code, why="PRICE", at=moment(18, 10))
    assert missing.remind(at=moment(18, 10)) == 0


@pytest.mark.parametrize(
    "code",
    "invalid_transactionId transaction_in_process invalid_gateway invalid_jwt transaction_expired user_cancelled"
    " user_mismatch api_error init_sdk no_order no_broker market_closed order_pending order_in_queue internal_error"
    " consent_denied insufficient_holdings no_compatible_browser".split(),
)
def test_every_error_of_the_brokers_window_has_words_of_its_own(code):
    """The names of providers.md 1.6."""
    assert stock_words.ending(code) != stock_words.OTHER_ENDING
