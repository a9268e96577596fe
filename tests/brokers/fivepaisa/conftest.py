"""When the tests of the 5paisa route happen: sessions there end at 23:59 and books belong to a day."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from portal import clock
from portal.sandbox import market

IN_THE_MORNING, IN_THE_EVENING = timedelta(hours=2), timedelta(hours=9)


def opening() -> datetime:
    """The opening of the exchange's next session."""
    return datetime.fromtimestamp(market.next_open(time.time()), clock.IST)


@pytest.fixture
def trading_hours(sandbox: Any) -> datetime:
    """The world and the portal are in the middle of a session, far from midnight."""
    return sandbox.set_clock(opening() + IN_THE_MORNING)


@pytest.fixture
def evening(sandbox: Any) -> datetime:
    """The exchange has closed and the day at the broker is not over."""
    return sandbox.set_clock(opening() + IN_THE_EVENING)
