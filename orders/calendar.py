"""Business days of the market: pure, the list of holidays is passed in.

A day is a business day when it is neither Saturday nor Sunday nor in the list. The list is the editable table
`orders.Holiday`; a year of which it holds no day at all is a year that nobody has entered yet, and answers that touch
such a year say so (`knows`).
"""

from __future__ import annotations

from datetime import date, timedelta

SATURDAY = 5
ONE_DAY = timedelta(days=1)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def is_business_day(day: date, holidays: frozenset[date]) -> bool:
    """Whether the market works on `day`."""
    return day.weekday() < SATURDAY and day not in holidays


def on_or_after(day: date, holidays: frozenset[date]) -> date:
    """`day` if it is a business day, else the next one."""
    while not is_business_day(day, holidays):
        day += ONE_DAY
    return day


def next_business_day(day: date, holidays: frozenset[date]) -> date:
    """The first business day after `day`."""
    return on_or_after(day + ONE_DAY, holidays)


def after(day: date, business_days: int, holidays: frozenset[date]) -> date:
    """`day` itself for 0, else the so-manieth business day after it."""
    for _ in range(business_days):
        day = next_business_day(day, holidays)
    return day


def previous_business_day(day: date, holidays: frozenset[date]) -> date:
    """The last business day before `day`."""
    day -= ONE_DAY
    while not is_business_day(day, holidays):
        day -= ONE_DAY
    return day


def knows(year: int, holidays: frozenset[date]) -> bool:
    """Whether the list of holidays covers `year`: every year in India has some."""
    return any(holiday.year == year for holiday in holidays)


def in_words(day: date) -> str:
    """`Friday 20 Nov 2026`."""
    return f"{_WEEKDAYS[day.weekday()]} {short(day)}"


def short(day: date) -> str:
    """`20 Nov 2026`."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
