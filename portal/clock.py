"""The one clock. Edges ask it and pass the moment inward; inner code asks no clock.

In the sandbox the clock follows the sandbox world, so that advancing the world by a day also moves cut-offs and
statements here. The offset lies in a file below VAR_DIR which every process of one machine reads; in live mode there
is no offset at all.
"""

from __future__ import annotations

import os
import time
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from django.conf import settings

IST = timezone(timedelta(hours=5, minutes=30), "IST")
_FILE = "clock-offset"
_Version = tuple[int, int]
# Which version of the file was read, and what it said.
_read: tuple[_Version | None, float] = (None, 0.0)


def now() -> datetime:
    """The current moment, aware, in IST."""
    return datetime.fromtimestamp(time.time() + _offset_s(), tz=IST)


def today() -> date:
    """The current date in India."""
    return now().date()


def set_offset(seconds: float) -> None:
    """Run `seconds` ahead of real time. Raises RuntimeError in live mode: real money has real time."""
    if not settings.SANDBOX:
        raise RuntimeError("the clock cannot be moved in live mode")
    path = _offset_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(repr(seconds))
    temporary.replace(path)


def _offset_s() -> float:
    """Asked of the file each time: a process that ran behind another, even for a moment, would see its leases end."""
    global _read
    if not settings.SANDBOX:
        return 0.0
    try:
        found = os.stat(f"{settings.VAR_DIR}/{_FILE}")
        version = found.st_ino, found.st_mtime_ns
        if version != _read[0]:
            _read = version, float(_offset_file().read_text())
    except (OSError, ValueError):
        return 0.0
    return _read[1]


def _offset_file() -> Path:
    return Path(settings.VAR_DIR) / _FILE
