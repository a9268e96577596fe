"""5paisa's four spellings of a moment (providers.md 4.8)."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import PlainValidator

from portal.clock import IST

_DATE = re.compile(r"^/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/$")
# Twelve digits are a typo of the samples (1975), negative ones .NET's year 1: both tell no time.
FIRST_YEAR, LONGEST = 2000, 60


def read(value: Any) -> datetime | None:
    """`/Date(ms+0530)/` (milliseconds of UTC; the offset is for display only), `YYYY-MM-DD HH:MM:SS`, or ISO.

    A time without a zone is Indian. What cannot be a time of an order is None: no decision hangs on it.
    """
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    return _read(value)


# A book is asked for again and again, and its orders keep their times.
@lru_cache(maxsize=4_096)
def _read(value: str) -> datetime | None:
    value = value.strip()
    try:
        if value.startswith("/"):
            moment = datetime.fromtimestamp(int(_DATE.match(value)[1]) / 1000, IST)  # type: ignore[index]
        else:
            moment = datetime.fromisoformat(value)
            moment = moment.astimezone(IST) if moment.tzinfo else moment.replace(tzinfo=IST)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return moment if moment.year >= FIRST_YEAR else None


def write(moment: datetime) -> str:
    """`/Date(ms)/`, in milliseconds as the document's example (the SDK sends seconds)."""
    return f"/Date({int(moment.timestamp() * 1000)})/"


Moment = Annotated[datetime | None, PlainValidator(read)]
