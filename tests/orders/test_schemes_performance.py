"""Returns from NAVs: only where both ends are held, with numbers that a calculator gives too."""

from datetime import date, timedelta
from decimal import Decimal

from orders import performance

TO = date(2026, 11, 20)


def series(*points: tuple[date, str]) -> list[tuple[date, Decimal]]:
    return [(day, Decimal(nav)) for day, nav in sorted(points)]


def test_one_year_is_the_plain_change_and_longer_is_a_year() -> None:
    found = performance.returns(
        series((date(2021, 11, 19), "50"), (date(2023, 11, 20), "64"), (date(2025, 11, 20), "80"), (TO, "100"))
    )
    assert [(each.years, round(each.percent, 2)) for each in found] == [
        (1, Decimal("25.00")),
        (3, Decimal("16.02")),  # (100 / 64) ** (365 / 1096) - 1
        (5, Decimal("14.85")),  # (100 / 50) ** (365 / 1827) - 1
    ]
    assert (found[2].from_on, found[2].to_on) == (date(2021, 11, 19), TO)


def test_a_period_without_a_nav_at_its_beginning_is_left_out() -> None:
    year = date(2025, 11, 20)
    assert performance.returns(series((year + timedelta(days=1), "80"), (TO, "100"))) == []
    assert performance.returns(series((year - timedelta(days=8), "80"), (TO, "100"))) == []
    assert len(performance.returns(series((year - timedelta(days=7), "80"), (TO, "100")))) == 1


def test_nothing_from_nothing() -> None:
    assert performance.returns([]) == []
    assert performance.returns(series((TO, "100"))) == []
    assert performance.returns(series((date(2025, 11, 20), "0"), (TO, "100"))) == []


def test_leap_day() -> None:
    assert performance.years_before(date(2028, 2, 29), 1) == date(2027, 2, 28)
    assert performance.years_before(date(2028, 2, 29), 4) == date(2024, 2, 29)
