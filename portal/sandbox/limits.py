"""The providers' call limits, off unless asked for: over the limit a call is answered 429 and takes no effect."""

from __future__ import annotations

import threading

from .clock import real_now
from .web import Problem
from .world import World


class Limiter:
    """Counts the calls of each tenant in the current second of real time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._second = 0
        self._counts: dict[str, int] = {}

    def check(self, world: World, tenant: str) -> None:
        """Raises Problem 429 when the tenant has had its calls of this second (`POST /_control/limits`)."""
        allowed = int(world.meta("calls_per_second", "0"))
        if not allowed:
            return
        with self._lock:
            if int(real_now()) != self._second:
                self._second, self._counts = int(real_now()), {}
            self._counts[tenant] = self._counts.get(tenant, 0) + 1
            if self._counts[tenant] > allowed:
                raise Problem(429, "Too Many Requests")
