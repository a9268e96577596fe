"""5paisa's four spellings of a moment (providers.md 4.8)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from portal.clock import IST

_DATE = re.compile(r"^/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
# Twelve digits are a typo of the samples (1975), negative ones .NET's year 1: both tell no time.
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)


def read(value: Any) -> datetime | None:
    """`/Date(ms+0530)/` (milliseconds of UTC; the offset is for display only), `YYYY-MM-DD HH:MM:SS`, or ISO.

    A time without a zone is Indian. What cannot be a time of an order is None: no decision hangs on it.
    """
    if not isinstance(value, str):
        return None
    try:
        found = _DATE.match(value.strip())
        moment = datetime.fromtimestamp(int(found[1]) / 1000, UTC) if found else datetime.fromisoformat(value.strip())
    except (ValueError, OverflowError, OSError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=IST)
    return moment.astimezone(IST) if moment >= _FIRST else None


def write(moment: datetime) -> str:
    """`/Date(ms)/`, in milliseconds as the document's example (the SDK sends seconds)."""
    return f"/Date({int(moment.timestamp() * 1000)})/"


Moment = Annotated[datetime | None, BeforeValidator(read)]
