"""Shares as NSE lists them, with their prices: synced from the sandbox's files, and never half."""

from __future__ import annotations

from datetime import datetime

import pytest

from orders import nse
from orders.models import Security, SecurityCode
from orders.operations import securities
from orders.operations.securities import Coded
from portal import clock
from tests import factories

pytestmark = pytest.mark.django_db
HEAD = "SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE"


@pytest.fixture
def listed(monkeypatch):
    """What NSE's list says from now on."""

    def says(*lines: str) -> None:
        raw = "\n".join([HEAD, *lines]).encode()
        monkeypatch.setattr(nse.Nse, "fetch_list", lambda self: raw)

    return says


def line(symbol: str, isin: str, name: str = "Some Limited") -> str:
    return f"{symbol},{name},EQ,01-JAN-2000,10,1,{isin},10"


def test_the_whole_list_and_its_prices_come_from_the_sandbox_once(sandbox):
    at = clock.now()
    done = securities.sync(at=at)
    assert (done.listed, done.changed, done.ended, done.unreadable) == (1665, 1665, 0, 0)
    day = securities.refresh_prices(at=at)
    itc = Security.objects.get(symbol="ITC")
    assert (itc.isin, itc.is_active) == ("INE154A01025", True)
    assert itc.last_price > 100
    assert itc.priced_at == datetime.combine(day, securities.CLOSES_AT, tzinfo=clock.IST)
    assert securities.sync(at=at).changed == 0
    assert securities.refresh_prices(at=at) is None, "what we have is not fetched again"


def test_a_renamed_share_stays_the_same_row(listed):
    share = factories.SecurityFactory(symbol="OLDNAME", isin="INE000A01010")
    listed(line("NEWNAME", "INE000A01010"))
    securities.sync(at=clock.now())
    share.refresh_from_db()
    assert share.symbol == "NEWNAME"


def test_a_split_share_keeps_its_row_with_the_new_isin(listed):
    share = factories.SecurityFactory(symbol="SPLIT", isin="INE000A01010")
    listed(line("SPLIT", "INE000A01028"))
    securities.sync(at=clock.now())
    share.refresh_from_db()
    assert share.isin == "INE000A01028"


def test_what_is_no_longer_listed_becomes_inactive_and_a_shrunken_list_is_refused(listed):
    gone = factories.SecurityFactory(symbol="GONE", isin="INE000A01010")
    factories.SecurityFactory(symbol="STAYS", isin="INE000B01018")
    listed(line("STAYS", "INE000B01018"), line("COMES", "INE000C01016"))
    assert securities.sync(at=clock.now()).ended == 1
    gone.refresh_from_db()
    assert not gone.is_active
    factories.SecurityFactory.create_batch(5)
    with pytest.raises(securities.ListRefused):
        securities.sync(at=clock.now())
    assert Security.objects.filter(is_active=True).count() == 7


def test_codes_of_a_broker_are_matched_by_isin_then_symbol_and_the_rest_is_reported():
    first, second = factories.SecurityFactory(), factories.SecurityFactory()
    third = factories.SecurityFactory()
    codes = [
        Coded("N", "11", first.isin, "anything"),
        Coded("N", "12", "", second.symbol),
        Coded("N", "13", "INE999Z01010", "FOREIGN"),
    ]
    done = securities.take_codes(broker="5paisa", segments=["N"], codes=codes, at=clock.now())
    assert (done.known, done.foreign, done.missing) == (2, 1, 1)
    assert set(SecurityCode.objects.values_list("security", "code")) == {(first.pk, "11"), (second.pk, "12")}
    assert not third.codes.exists()
    with pytest.raises(securities.ListRefused):
        securities.take_codes(broker="5paisa", segments=["N"], codes=[], at=clock.now())
