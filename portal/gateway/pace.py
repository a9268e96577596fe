"""A pace per provider that holds for all processes of a deployment together.

The provider's line is a moment in the shared row: whoever calls moves it forward. A process takes some slots at a time
(about a tenth of a second of them while it is busy, one when it was idle), so that most calls ask nobody.
"""

from __future__ import annotations

import threading
import time

from portal.gateway import shared

# So much of the line is taken at once at most: what is taken and not used is lost to the others.
LEASE_S = 0.1


class Pace:
    """At most so many calls a second, evenly spread."""

    def __init__(self, provider: str, calls_per_second: int) -> None:
        self._provider = provider
        self._gap_s = 1.0 / calls_per_second
        self._most = max(1, int(calls_per_second * LEASE_S))
        self._slots = 1
        self._next = self._end = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until this call's turn."""
        with self._lock:
            # Half a gap, because a sum of gaps ends a hair before the lease does, and would be one call more.
            if max(time.monotonic(), self._next) > self._end - self._gap_s / 2:
                self._lease()
            turn = max(time.monotonic(), self._next)
            self._next = turn + self._gap_s
        # Also a sleep of nothing would give the processor away.
        if (early_s := turn - time.monotonic()) > 0:
            time.sleep(early_s)

    def _lease(self) -> None:
        """The next slots are ours alone: from the shared line, or from our own where that cannot be asked."""
        busy = time.monotonic() - self._end < LEASE_S
        self._slots = min(self._most, self._slots * 2) if busy else 1
        length = self._slots * self._gap_s
        begins_in = shared.take(self._provider, length)
        now = time.monotonic()
        self._next = max(now, self._next) if begins_in is None else now + max(0.0, begins_in)
        self._end = self._next + length
