"""What may be sold, at which NAV, and by when it is paid: the rules as tables."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from orders import redemption_rules as selling
from orders import rules
from orders.lots import OpenLot
from orders.redemption_rules import Asked, Bounds, InstantTerms, Lock, Payout, Stand
from portal.clock import IST
from portal.errors import InvalidInput
from tests.orders.rulebooks import BOOK

# 2026: Monday 23 Nov; Tuesday 24 Nov is Guru Nanak Jayanti.
HOLIDAYS = frozenset({date(2026, 11, 24), date(2027, 1, 26)})
NONE = Bounds(rules.AmountBounds(None, None, None), None, None)


def D(text: str) -> Decimal:
    return Decimal(text)


# --- which NAV, and when the money comes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked_at", "is_liquid", "nav_on", "days", "pay_by"),
    [
        ("2026-11-19T14:59:59", False, "2026-11-19", 2, "2026-11-23"),  # Thursday, in time
        ("2026-11-19T15:00:00", False, "2026-11-20", 2, "2026-11-25"),  # at the very second it is too late
        ("2026-11-20T10:00:00", False, "2026-11-20", 3, "2026-11-26"),  # over a weekend and a holiday
        ("2026-11-21T10:00:00", False, "2026-11-23", 2, "2026-11-26"),  # Saturday counts on Monday
        ("2026-11-22T23:00:00", False, "2026-11-23", 2, "2026-11-26"),
        ("2026-11-24T10:00:00", False, "2026-11-25", 2, "2026-11-27"),  # a holiday counts on the next day
        ("2026-11-18T10:00:00", True, "2026-11-18", 1, "2026-11-19"),  # liquid: day before the next business day
        ("2026-11-20T10:00:00", True, "2026-11-22", 1, "2026-11-23"),  # liquid on Friday: the NAV of Sunday
        ("2026-11-20T15:00:00", True, "2026-11-23", 1, "2026-11-25"),  # liquid, late: the next business day
        ("2026-11-21T16:00:00", True, "2026-11-24", 1, "2026-11-25"),  # Saturday afternoon is not late for Monday
        ("2026-11-23T10:00:00", True, "2026-11-24", 1, "2026-11-25"),  # before a holiday: the NAV of the holiday
    ],
)
def test_the_nav_is_that_of_the_day_of_the_request_and_the_money_follows(asked_at, is_liquid, nav_on, days, pay_by):
    at = datetime.fromisoformat(asked_at).replace(tzinfo=IST)
    found = selling.predict(at=at, is_liquid=is_liquid, payout=Payout(days, "-"), holidays=HOLIDAYS, cutoff=time(15))
    assert (found.nav_on, found.pay_by) == (date.fromisoformat(nav_on), date.fromisoformat(pay_by))
    assert found.is_certain
    assert len(found.rule) <= 300


def test_a_year_without_holidays_makes_the_dates_uncertain():
    at = datetime(2028, 3, 1, 10, tzinfo=IST)
    payout = Payout(5, "a rule of " + "x" * 60)
    found = selling.predict(at=at, is_liquid=False, payout=payout, holidays=HOLIDAYS, cutoff=time(15))
    assert not found.is_certain
    assert "may move" in found.rule
    assert len(selling.instantly(at=at, nav_on=None, normal=found).rule) <= 300


@pytest.mark.parametrize(
    ("category", "asset_class", "days"),
    [
        ("Liquid Fund", "DEBT", 1),
        ("Overnight Fund", "DEBT", 1),
        ("Flexi Cap Fund", "EQUITY", 2),
        ("Gilt Fund", "DEBT", 3),
        ("FoF Overseas", "OTHER", 5),
        ("", "HYBRID", 3),
    ],
)
def test_the_payout_rule_goes_by_the_kind_of_fund(category, asset_class, days):
    on = date(2026, 11, 20)
    assert selling.payout_of(category=category, asset_class=asset_class, book=BOOK, on=on).days == days


# --- free, locked, pending ----------------------------------------------------------------------------------------


def lots(*days_and_units: tuple[str, str]) -> list[OpenLot]:
    return [OpenLot(n, 1, date.fromisoformat(on), D(units), D("1")) for n, (on, units) in enumerate(days_and_units)]


def test_each_lot_is_locked_for_itself_and_pending_sales_come_off():
    there = selling.stand(
        lots=lots(("2023-11-20", "10"), ("2023-11-21", "5"), ("2024-02-29", "2")),
        pending=[Asked(units=D("1.5")), Asked(amount=D("100"))],
        nav=D("33.3333"),
        years=3,
        today=date(2026, 11, 20),
    )
    assert there.locks == (Lock(date(2026, 11, 21), D("5")), Lock(date(2027, 3, 1), D("2")))
    assert (there.held, there.locked) == (D("17"), D("7"))
    assert there.pending == D("1.5") + D("3.001")  # rupees take units rounded up
    assert there.free == D("10") - D("4.501")


@pytest.mark.parametrize("asked", [Asked(is_all=True), Asked(amount=D("1"))])
def test_a_sale_of_everything_or_at_an_unknown_price_leaves_nothing_free(asked):
    there = selling.stand(
        lots=lots(("2020-01-01", "10")), pending=[asked], nav=None, years=None, today=date(2026, 11, 20)
    )
    assert there.free == 0


# --- bounds -------------------------------------------------------------------------------------------------------

BOUNDS = Bounds(rules.AmountBounds(D("500"), D("2000"), D("100")), D("1"), D("60"))
THERE = Stand(D("100"), (Lock(date(2027, 1, 1), D("20")),), D("5"))


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        (Asked(amount=D("500")), None, ""),
        (Asked(amount=D("2000")), None, ""),
        (Asked(amount=D("499")), "amount", "least this fund pays out is ₹500"),
        (Asked(amount=D("2100")), "amount", "most this fund pays out in one order is ₹2,000"),
        (Asked(amount=D("550")), "amount", "multiples of ₹100"),
        (Asked(amount=D("500.50")), "amount", "whole rupees"),
        (Asked(units=D("1")), None, ""),
        (Asked(units=D("60")), None, ""),
        (Asked(units=D("0.999")), "units", "least you can sell is 1.000 units"),
        (Asked(units=D("60.001")), "units", "most you can sell at once is 60.000"),
        (Asked(units=D("75.001")), "units", "75.000 units are free"),
        (Asked(units=D("0")), "units", "above zero"),
        (Asked(is_all=True), None, ""),
    ],
)
def test_a_sale_stays_within_what_is_free_and_the_fund_takes(asked, field, words):
    if field is None:
        selling.check(asked=asked, bounds=BOUNDS, there=THERE, nav=D("50"))
        return
    with pytest.raises(InvalidInput) as refused:
        selling.check(asked=asked, bounds=BOUNDS, there=THERE, nav=D("50"))
    assert refused.value.field == field
    assert words in refused.value.message


def test_rupees_beyond_the_free_units_are_refused():
    with pytest.raises(InvalidInput, match="worth ₹1,500.00"):
        selling.check(asked=Asked(amount=D("1501")), bounds=NONE, there=THERE, nav=D("20"))


def test_the_rest_of_a_folio_may_be_sold_however_little_it_is():
    rest = Stand(D("0.5"), (), D("0"))
    selling.check(asked=Asked(units=D("0.5")), bounds=BOUNDS, there=rest, nav=D("50"))


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (Stand(D("0"), (), D("0")), "holds no units"),
        (Stand(D("5"), (), D("5")), "on its way"),
        (Stand(D("5"), (Lock(date(2027, 1, 1), D("5")),), D("0")), "free on 1 Jan 2027"),
    ],
)
def test_where_nothing_is_free_it_says_why(there, words):
    with pytest.raises(InvalidInput, match=words):
        selling.check(asked=Asked(is_all=True), bounds=NONE, there=there, nav=D("50"))


@pytest.mark.parametrize(
    ("asked", "terms", "field"),
    [
        (Asked(amount=D("45000")), InstantTerms(True, D("1"), D("45000"), None, ""), None),
        (Asked(amount=D("45001")), InstantTerms(True, D("1"), D("45000"), None, ""), "amount"),
        (Asked(amount=D("99")), InstantTerms(True, D("100"), D("45000"), None, ""), "amount"),
        (Asked(amount=D("150")), InstantTerms(True, D("1"), D("45000"), D("100"), ""), "amount"),
        (Asked(units=D("1")), InstantTerms(True, D("1"), D("45000"), None, ""), "mode"),
        (Asked(amount=D("100")), InstantTerms(False, None, D("0"), None, "no"), "mode"),
    ],
)
def test_an_instant_sale_stays_within_what_the_fund_house_said(asked, terms, field):
    if field is None:
        selling.check_instant(asked=asked, terms=terms)
        return
    with pytest.raises(InvalidInput) as refused:
        selling.check_instant(asked=asked, terms=terms)
    assert refused.value.field == field
