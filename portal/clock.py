"""The one clock. Edges ask it and pass the moment inward; inner code asks no clock.

In the sandbox the clock follows the sandbox world, so that advancing the world by a day also moves cut-offs and
statements here. The offset lies in a file below VAR_DIR which every process of one machine reads; in live mode there
is no offset at all.
"""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from django.conf import settings

IST = timezone(timedelta(hours=5, minutes=30), "IST")
_CHECK_EVERY_S = 0.5
_cached: tuple[float, float] = (-1.0, 0.0)


def now() -> datetime:
    """The current moment, aware, in IST."""
    return datetime.fromtimestamp(time.time() + _offset_s(), tz=IST)


def today() -> date:
    """The current date in India."""
    return now().date()


def set_offset(seconds: float) -> None:
    """Run `seconds` ahead of real time. Raises RuntimeError in live mode: real money has real time."""
    global _cached
    if not settings.SANDBOX:
        raise RuntimeError("the clock cannot be moved in live mode")
    path = _offset_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(repr(seconds))
    temporary.replace(path)
    _cached = (-1.0, seconds)


def _offset_s() -> float:
    global _cached
    if not settings.SANDBOX:
        return 0.0
    read_at, offset = _cached
    if time.monotonic() - read_at < _CHECK_EVERY_S and read_at >= 0:
        return offset
    try:
        offset = float(_offset_file().read_text())
    except (OSError, ValueError):
        offset = 0.0
    _cached = (time.monotonic(), offset)
    return offset


def _offset_file() -> Path:
    return Path(settings.VAR_DIR) / "clock-offset"
