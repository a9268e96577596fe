"""A circuit breaker and a pace per provider and process: one slow provider must not hold the others up."""

from __future__ import annotations

import threading
import time

import structlog

from portal.gateway import errors

log = structlog.get_logger(__name__)
OPENS_AFTER = 10
STAYS_OPEN_S = 10.0
# A refusal or a 401 is an answer: the provider is alive.
TROUBLE = (errors.Unreachable, errors.OutcomeUnknown, errors.Garbled)


class Breaker:
    """Opens after ten troubles in a row; while open, calls fail as Unreachable at once; then one call tries."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self._lock = threading.Lock()
        self._troubles = 0
        self._open_until = 0.0

    def check(self, provider: str, method: str, path: str) -> None:
        """Raise Unreachable while the breaker is open: nothing was sent."""
        with self._lock:
            if time.monotonic() < self._open_until:
                raise errors.Unreachable(provider, method, path, said="breaker open")

    def heard(self, error: errors.GatewayError | None) -> None:
        """Count trouble, forget it after an answer."""
        with self._lock:
            self._troubles = self._troubles + 1 if isinstance(error, TROUBLE) else 0
            if self._troubles >= OPENS_AFTER:
                # One more trouble after the pause opens it again: the count stays just below the limit.
                self._troubles = OPENS_AFTER - 1
                self._open_until = time.monotonic() + STAYS_OPEN_S
                log.warning("breaker_opened", provider=self.provider)


class Pace:
    """At most so many calls a second, evenly spread."""

    def __init__(self, calls_per_second: int) -> None:
        self._gap_s = 1.0 / calls_per_second
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until this call's turn."""
        with self._lock:
            turn = max(time.monotonic(), self._next)
            self._next = turn + self._gap_s
        time.sleep(max(0.0, turn - time.monotonic()))
