"""XIRR and freshness of NAVs, with numbers that a calculator or a spreadsheet gives too."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orders import returns
from orders.returns import NoRate
from portal.clock import IST


def flows(*pairs: tuple[str, str]) -> list[tuple[date, Decimal]]:
    return [(date.fromisoformat(on), Decimal(rupees)) for on, rupees in pairs]


@pytest.mark.parametrize(
    ("story", "percent"),
    [
        # 1,000 becomes 1,100 in 365 days.
        ([("2025-01-01", "-1000"), ("2026-01-01", "1100")], "10.00"),
        # 1,000 becomes 1,210 in 730 days: 1.1 x 1.1.
        ([("2025-01-01", "-1000"), ("2027-01-01", "1210")], "10.00"),
        # A loss: 1,000 becomes 900 in a year.
        ([("2025-01-01", "-1000"), ("2026-01-01", "900")], "-10.00"),
        # Nothing gained, nothing lost.
        ([("2025-01-01", "-1000"), ("2026-01-01", "1000")], "0.00"),
        # The example in Excel's help for XIRR, to two decimals.
        (
            [
                ("2008-01-01", "-10000"),
                ("2008-03-01", "2750"),
                ("2008-10-30", "4250"),
                ("2009-02-15", "3250"),
                ("2009-04-01", "2750"),
            ],
            "37.34",
        ),
        # Ten rupees on a thousand in 73 days (a fifth of a year): 1.01 to the power of 5.
        ([("2025-01-01", "-1000"), ("2025-03-15", "1010")], "5.10"),
    ],
)
def test_gives_the_rate_of_a_spreadsheet(story: list[tuple[str, str]], percent: str) -> None:
    assert returns.xirr(flows(*story)).percent == Decimal(percent)


@pytest.mark.parametrize(
    ("story", "why"),
    [
        ([], NoRate.NOTHING),
        ([("2025-01-01", "0")], NoRate.NOTHING),
        ([("2025-01-01", "-1000"), ("2025-01-01", "1010")], NoRate.SAME_DAY),
        ([("2025-01-01", "-1000"), ("2026-01-01", "-500")], NoRate.ONE_SIDED),
        ([("2025-01-01", "1000"), ("2026-01-01", "500")], NoRate.ONE_SIDED),
    ],
)
def test_says_why_there_is_no_rate(story: list[tuple[str, str]], why: NoRate) -> None:
    found = returns.xirr(flows(*story))
    assert (found.percent, found.why_not) == (None, why)


def test_a_purchase_taken_back_the_same_day_leaves_no_trace() -> None:
    with_it = flows(("2025-01-01", "-1000"), ("2025-06-01", "-700"), ("2025-06-01", "700"), ("2026-01-01", "1100"))
    assert returns.xirr(with_it) == returns.xirr(flows(("2025-01-01", "-1000"), ("2026-01-01", "1100")))


def test_a_rate_is_young_until_a_year_has_passed() -> None:
    assert returns.xirr(flows(("2025-01-01", "-1000"), ("2025-12-31", "1100"))).is_young
    assert not returns.xirr(flows(("2025-01-01", "-1000"), ("2026-01-01", "1100"))).is_young


@given(st.lists(st.tuples(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.integers(-(10**13), 10**13)), max_size=12))
@example([(date(2000, 1, 1), 1), (date(2000, 1, 2), -2)])
def test_never_raises_and_never_gives_something_unreadable(story: list[tuple[date, int]]) -> None:
    found = returns.xirr((on, Decimal(paise) / 100) for on, paise in story)
    assert (found.percent is None) == (found.why_not is not None)
    assert found.percent is None or found.percent.is_finite()


# Diwali week 2026 as an example: Friday 6 Nov works, Monday 9 Nov is closed, Tuesday 10 Nov works.
HOLIDAY = frozenset({date(2026, 11, 9)})


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-11-06T12:00", "2026-11-05"),  # Friday noon: Thursday's
        ("2026-11-07T12:00", "2026-11-06"),  # Saturday: Friday's
        ("2026-11-09T12:00", "2026-11-06"),  # the holiday: still Friday's
        ("2026-11-10T12:00", "2026-11-06"),  # the day after the holiday: still Friday's
        ("2026-11-11T09:59", "2026-11-06"),  # stragglers of Tuesday come until ten
        ("2026-11-11T10:00", "2026-11-10"),
    ],
)
def test_knows_which_nav_must_be_out(moment: str, due: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=IST)
    assert returns.newest_nav_due(at, HOLIDAY) == date.fromisoformat(due)


def test_a_percentage_of_nothing_is_not_known() -> None:
    assert returns.percent_of(Decimal(5), Decimal(0)) is None
    assert returns.percent_of(Decimal(1), Decimal(8)) == Decimal("12.5")
