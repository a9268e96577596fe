"""When the exchange's day is over for orders in shares. Indian time; moments in, moments out; no database.

5paisa's books are those of the day and its logins end at 23:59, so by 23:30 every order of the day is settled or in a
person's queue.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from portal.clock import IST

SETTLED_BY = time(23, 30)


def ends_at(at: datetime) -> datetime:
    """The next 23:30 after a moment."""
    today = settled_by(at.astimezone(IST).date())
    return today if at < today else today + timedelta(days=1)


def settled_by(day: date) -> datetime:
    """When nothing of a day is open any more without a reason."""
    return datetime.combine(day, SETTLED_BY, IST)


def is_over(began: datetime, at: datetime) -> bool:
    """Is the day on which something began over?"""
    return at >= ends_at(began)
