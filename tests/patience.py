"""How long tests wait for real processes: in seconds that the machine had, not in those of the wall.

A host may take most of a virtual machine's time away ("steal"). A promise of two minutes is about a machine that runs:
what the host took is not counted, up to `MOST` times as long. Playwright counts for itself: its waits are `FACTOR`
times as long where nobody watches. Waiting costs time only where something is broken.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

CI = os.environ.get("CI") == "true"
MOST = 5
FACTOR = MOST if CI else 1
READ_TIMEOUT_S = 20 * FACTOR
# Seconds of the epoch by which a run must have ended (.ci/run says when), and what its last test may take.
END_AT = float(os.environ.get("TESTS_END_AT", "inf"))
ONE_TAKES_S = 5 * 60
_STAT = Path("/proc/stat")


class Stopwatch:
    """Started when made."""

    def __init__(self) -> None:
        self._began, self._before = time.monotonic(), _worked_and_stolen()

    def seconds(self) -> float:
        """Seconds since the start, less the share that the host took."""
        worked, stolen = (now - then for now, then in zip(_worked_and_stolen(), self._before, strict=True))
        share = worked / (worked + stolen) if worked + stolen else 1.0
        return (time.monotonic() - self._began) * max(share, 1 / MOST)


def _worked_and_stolen() -> tuple[int, int]:
    """Ticks in which a processor ran something, and in which it would have and the host did not let it."""
    try:
        user, nice, system, _, _, irq, soft, stolen = map(int, _STAT.read_text().split(maxsplit=9)[1:9])
    except (OSError, ValueError):
        return 0, 0  # no Linux: nobody says
    return user + nice + system + irq + soft, stolen


def milliseconds(seconds: float) -> float:
    """What Playwright is to wait."""
    return seconds * FACTOR * 1000
