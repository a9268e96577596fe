"""The hours of NSE's cash market, by the list of holidays: pure. (providers.md 6.3: 09:15 to 15:30 Indian time.)"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from orders import calendar
from portal.clock import IST

PRE_OPENS_AT, OPENS_AT, CLOSES_AT = time(9, 0), time(9, 15), time(15, 30)


@dataclass(frozen=True)
class Hours:
    """Whether the market trades now, in words."""

    is_open: bool
    title: str
    text: str


def is_open(at: datetime, holidays: frozenset[date]) -> bool:
    """Does the exchange trade at this moment?"""
    now = at.astimezone(IST)
    return calendar.is_business_day(now.date(), holidays) and OPENS_AT <= now.time() < CLOSES_AT


def hours(at: datetime, holidays: frozenset[date]) -> Hours:
    """The market's state for people. Special sessions (muhurat) are not in the calendar and are not announced."""
    now = at.astimezone(IST)
    if is_open(at, holidays):
        return Hours(True, "Market open", "NSE trades until 15:30 IST.")
    today = calendar.is_business_day(now.date(), holidays)
    if today and PRE_OPENS_AT <= now.time() < OPENS_AT:
        return Hours(False, "Pre-open session", "NSE begins to trade at 09:15 IST.")
    if today and now.time() < PRE_OPENS_AT:
        return Hours(False, "Market closed", "NSE opens today at 09:15 IST.")
    opens_on = calendar.next_business_day(now.date(), holidays)
    return Hours(False, "Market closed", f"NSE opens on {calendar.in_words(opens_on)} at 09:15 IST.")
