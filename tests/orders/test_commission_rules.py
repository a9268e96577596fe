"""Trail commission by hand: what a day brings, what a month comes to, which rate holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

import pytest

from orders import commission_rules as rules

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


@dataclass(frozen=True)
class Rate:
    percent: str
    valid_from: date
    scheme_id: int | None = None
    category: str = ""


def percent_on(day, *rates):
    found = rules.rate_on(day, rates)
    return found.percent if found else None


def test_a_day_brings_its_value_times_the_rate_over_the_days_of_a_year():
    # 1,000 x ₹36.50 x 1 % / 365 = ₹36,500 / 36,500
    assert rules.trail(units=Decimal("1000"), nav=Decimal("36.5"), percent=Decimal("1")) == 1


def test_a_leap_year_is_divided_by_365_too():
    day = rules.trail(units=Decimal("1000"), nav=Decimal("36.5"), percent=Decimal("1"))
    assert rules.together([day] * len(rules.days_of(date(2028, 2, 1)))) == Decimal("29.00")
    assert rules.together([day] * len(rules.days_of(date(2027, 2, 1)))) == Decimal("28.00")


@pytest.mark.parametrize(
    ("value", "days", "rupees"),
    [
        ("182.5", 1, "0.01"),  # half a paisa goes up
        ("182.4999", 1, "0.00"),
        ("91.25", 2, "0.01"),
        ("60.8333", 3, "0.00"),
        ("5.887", 31, "0.00"),  # 182.497
        ("5.8871", 31, "0.01"),  # 182.5001
    ],
)
def test_a_month_is_rounded_once_and_half_goes_up(value, days, rupees):
    day = rules.trail(units=Decimal(1), nav=Decimal(value), percent=Decimal(1))
    assert rules.together([day] * days) == Decimal(rupees)


def test_days_without_end_that_make_half_a_paisa_together_go_up():
    each = [rules.trail(units=Decimal(1), nav=Decimal(value), percent=Decimal(1)) for value in ("1", "39", "142.5")]
    with localcontext(prec=60):
        assert sum(each) < Decimal("0.005"), "the three have no end, so they miss it by a hair"
    assert rules.together(each) == Decimal("0.01")


def test_days_without_an_amount_bring_nothing():
    assert rules.together([None, Decimal("0.02"), None]) == Decimal("0.02")
    assert rules.together([]) == 0


def test_the_scheme_goes_before_its_category_and_this_before_the_house():
    house, category, scheme = Rate("0.5", JULY), Rate("0.6", JUNE, category="Liquid Fund"), Rate("0.7", JUNE, 7)
    assert percent_on(JULY, house) == "0.5"
    assert percent_on(JULY, house, category) == "0.6"
    assert percent_on(JULY, house, scheme, category) == "0.7"


def test_of_the_same_sort_the_newest_that_has_begun_holds():
    old, new = Rate("0.5", JUNE), Rate("0.4", JULY)
    assert percent_on(date(2026, 6, 30), old, new) == "0.5"
    assert percent_on(JULY, new, old) == "0.4"


def test_what_has_not_begun_leaves_the_day_to_what_is_less_particular():
    assert percent_on(date(2026, 6, 30), Rate("0.5", JUNE), Rate("0.7", JULY, 7)) == "0.5"
    assert percent_on(date(2026, 5, 31), Rate("0.5", JUNE)) is None


def test_a_rate_of_zero_is_a_rate():
    assert percent_on(JULY, Rate("0.5", JUNE), Rate("0", JULY, 7)) == "0"


def test_the_days_of_a_month():
    assert rules.last_day(date(2028, 2, 1)) == date(2028, 2, 29)
    assert rules.last_day(date(2026, 11, 1), upto=date(2026, 11, 22)) == date(2026, 11, 22)
    assert rules.last_day(date(2026, 10, 1), upto=date(2026, 11, 22)) == date(2026, 10, 31)
    assert len(rules.days_of(date(2026, 11, 1), upto=date(2026, 11, 22))) == 22
