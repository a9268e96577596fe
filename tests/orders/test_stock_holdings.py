"""Shares as brokers report them, per account and with their time; and the reminder when they should have arrived."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from brokers.fivepaisa.auth import Session
from brokers.fivepaisa.client import client as fivepaisa
from brokers.operations import holdings
from orders.models import StockHolding
from orders.operations import stock_arrivals, stock_reports
from orders.operations.stock_reports import Held
from portal import clock
from portal.notices.models import Notice
from tests import factories

pytestmark = pytest.mark.django_db
FRIDAY = datetime(2026, 11, 20, 11, 0, tzinfo=clock.IST)


@pytest.fixture
def itc():
    return factories.SecurityFactory(
        symbol="ITC", name="ITC Limited", isin="INE154A01025", last_price=Decimal(440), priced_at=FRIDAY
    )


def report(investor, *lines, at=FRIDAY, account="A1"):
    return stock_reports.take(investor=investor, broker="5paisa", account_ref=account, held=lines, at=at)


def shares(investor):
    mine = StockHolding.objects.filter(investor=investor)
    return set(mine.values_list("account_ref", "security__symbol", "quantity"))


def test_a_report_is_the_whole_truth_of_its_account_and_of_no_other(asha, itc):
    tcs = factories.SecurityFactory(symbol="TCS")
    report(asha, Held(itc.isin, "ITC", 10, average_price=Decimal(400)), Held("", "TCS", 5))
    report(asha, Held(itc.isin, "ITC", 7), account="A2")
    assert shares(asha) == {("A1", "ITC", 10), ("A1", "TCS", 5), ("A2", "ITC", 7)}
    report(asha, Held(tcs.isin, "TCS", 6), at=FRIDAY + timedelta(hours=1))
    assert shares(asha) == {("A1", "TCS", 6), ("A2", "ITC", 7)}


def test_a_share_that_is_reported_in_two_places_counts_with_both(asha, itc):
    report(asha, Held(itc.isin, "ITC LTD", 10, average_price=Decimal(400)), Held("", "ITC", 0, unsettled=3))
    assert (StockHolding.objects.get().quantity, StockHolding.objects.get().unsettled) == (10, 3)


def test_an_older_report_that_comes_late_changes_nothing(asha, itc):
    report(asha, Held(itc.isin, "ITC", 10))
    report(asha, at=FRIDAY - timedelta(hours=1))
    assert shares(asha) == {("A1", "ITC", 10)}


def test_what_nse_does_not_list_is_counted_and_left_out(asha, itc):
    assert report(asha, Held("INE999Z01010", "FOREIGN", 3), Held(itc.isin, "ITC", 1)) == 1


def test_the_shares_of_a_5paisa_account_are_those_that_the_broker_reports(sandbox, asha, at, client_for):
    at(FRIDAY)
    token = sandbox.call("POST", "/5paisa/request_token", {"client_code": "50000001"})["RequestToken"]
    found = fivepaisa().create_access_token(token)
    account = factories.BrokerAccountFactory(
        investor=asha, account_ref=found.client_code, session=found.access_token, linked_at=clock.now()
    )
    said = fivepaisa().fetch_holdings(Session(found.client_code, found.access_token))
    assert said, "the sandbox's client holds something"
    for each in said:
        factories.SecurityFactory(symbol=each.symbol, isin=each.isin)
    holdings.refresh(investor_id=asha.pk, at=clock.now())
    assert shares(asha) == {(account.account_ref, each.symbol, each.quantity) for each in said}
    page = client_for(asha).get("/portfolio/shares/").content.decode()
    assert "Reported by 5paisa, 20 Nov 2026" in page


def test_a_session_that_has_ended_keeps_the_last_report(sandbox, asha, itc):
    factories.BrokerAccountFactory(investor=asha, account_ref="A1", session="not-a-token", linked_at=clock.now())
    report(asha, Held(itc.isin, "ITC", 10))
    holdings.refresh(investor_id=asha.pk, at=clock.now())
    assert shares(asha) == {("A1", "ITC", 10)}


def bought(investor, share, on=FRIDAY, side="BUY"):
    order = factories.BasketOrderFactory(investor=investor, state="COMPLETE", created_at=on)
    factories.StockOrderFactory(
        basket_order=order, security=share, side=side, filled=10, average_price=Decimal(440), state="FILLED"
    )
    return order


def test_bought_shares_are_shown_until_their_day_with_the_day(asha, itc, client_for, at):
    bought(asha, itc)
    at(FRIDAY + timedelta(days=2))
    page = client_for(asha).get("/portfolio/shares/").content.decode()
    assert "in your demat account by Monday 23 Nov 2026 (T+1)" in page
    at(FRIDAY + timedelta(days=4))
    assert "on their way" not in client_for(asha).get("/portfolio/shares/").content.decode()


def test_the_reminder_comes_once_in_the_afternoon_of_t_plus_1(asha, itc):
    bought(asha, itc)
    monday = FRIDAY + timedelta(days=3)
    assert stock_arrivals.remind(at=monday.replace(hour=15)) == 0
    assert stock_arrivals.remind(at=monday.replace(hour=16)) == 1
    assert stock_arrivals.remind(at=monday.replace(hour=17)) == 0
    notice = Notice.objects.get(event=stock_arrivals.ARRIVED)
    assert (notice.user, notice.title) == (asha.user, "Your shares should have arrived: ITC Limited")


def test_who_sold_or_got_nothing_is_not_reminded(asha, itc):
    bought(asha, itc, side="SELL")
    none = factories.BasketOrderFactory(investor=asha, state="COMPLETE", created_at=FRIDAY)
    factories.StockOrderFactory(basket_order=none, security=itc, state="REJECTED")
    assert stock_arrivals.remind(at=FRIDAY + timedelta(days=5)) == 0


def test_the_portfolio_fetches_the_part_and_the_part_shows_own_rows_only(asha, chitra, itc, client_for):
    report(asha, Held(itc.isin, "ITC", 731, average_price=Decimal("431.50")))
    report(chitra, Held(itc.isin, "ITC", 555), account="B1")
    browser = client_for(asha)
    assert 'hx-get="/portfolio/shares/"' in browser.get("/portfolio/").content.decode()
    part = browser.get("/portfolio/shares/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="held-shares"')
    for words in ("731", "₹431.50", "₹3,21,640.00"):
        assert words in part, words
    assert "555" not in part


def test_a_day_without_a_time_is_its_end_and_never_later_than_now():
    yesterday = datetime(2026, 11, 19)
    assert holdings._seen_at(yesterday, FRIDAY) == FRIDAY.replace(day=19, hour=23, minute=59)
    assert holdings._seen_at(datetime(2026, 11, 20), FRIDAY) == FRIDAY
    assert holdings._seen_at(None, FRIDAY) == FRIDAY
