"""A circuit breaker per provider and process: one slow provider must not hold the others up.

What a breaker learns stands in the shared row of the provider too, for operations to see (`portal/gateway/shared.py`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import ClassVar

import structlog

from portal import clock
from portal.gateway import errors, shared

log = structlog.get_logger(__name__)
OPENS_AFTER = 10
STAYS_OPEN_S = 10.0
# A refusal or a 401 is an answer: the provider is alive.
TROUBLE = (errors.Unreachable, errors.OutcomeUnknown, errors.Garbled)
# Good calls and troubles are many: the shared row hears of each kind once in so many seconds.
NOTED_EVERY_S = 30.0


class Breaker:
    """Opens after ten troubles in a row; while open, calls fail as Unreachable at once. Then calls try again, and one
    more trouble opens it."""

    # Told the provider's name when it answers again after the breaker was open.
    on_close: ClassVar[list[Callable[[str], object]]] = []

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self._lock = threading.Lock()
        self._troubles = 0
        self._open_until = 0.0
        self._noted: dict[str, float] = {}

    def check(self, provider: str, method: str, path: str) -> None:
        """Raise Unreachable while the breaker is open: nothing was sent."""
        with self._lock:
            if time.monotonic() < self._open_until:
                raise errors.Unreachable(provider, method, path, said="breaker open")

    def heard(self, error: errors.GatewayError | None) -> None:
        """Count trouble, forget it after an answer."""
        with self._lock:
            closes = bool(self._open_until) and not isinstance(error, TROUBLE)
            self._troubles = self._troubles + 1 if isinstance(error, TROUBLE) else 0
            opens = self._troubles >= OPENS_AFTER
            if opens:
                # One more trouble after the pause opens it again: the count stays just below the limit.
                self._troubles = OPENS_AFTER - 1
                self._open_until = time.monotonic() + STAYS_OPEN_S
            elif closes:
                self._open_until = 0.0
            tells = self._is_news("trouble_at" if isinstance(error, TROUBLE) else "answered_at")
        if opens:
            log.warning("breaker_opened", provider=self.provider)
            tells["open_until"] = clock.now() + timedelta(seconds=STAYS_OPEN_S)
        if tells:
            shared.note(self.provider, **tells)
        if closes:
            log.info("breaker_closed", provider=self.provider)
            for listen in self.on_close:
                listen(self.provider)

    def _is_news(self, field: str) -> dict[str, object]:
        """The field with the time, unless the shared row has heard of it lately."""
        if time.monotonic() - self._noted.get(field, -NOTED_EVERY_S) < NOTED_EVERY_S:
            return {}
        self._noted[field] = time.monotonic()
        return {field: clock.now()}
