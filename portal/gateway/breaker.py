"""A circuit breaker per provider and process: one slow provider must not hold the others up.

    CLOSED --ten troubles in a row--> OPEN --ten seconds--> one call probes --an answer--> CLOSED
                                       ^                            |
                                       +---------- trouble ---------+

The probe is one call of all processes together: its turn stands in the shared row of the provider, with what each
breaker learns, for operations to see (`portal/gateway/shared.py`). Everybody else is refused until it is answered.
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
# A probe that is not answered for by then was lost with its process. Connecting and reading take 26 s at most where an
# answer comes in one piece, a login before the call included.
PROBE_S = 60.0
# While another process's probe is out, this one asks so often whether it was answered.
LOOKS_AGAIN_S = 1.0
# A refusal or a 401 is an answer: the provider is alive.
TROUBLE = (errors.Unreachable, errors.OutcomeUnknown, errors.Garbled)
# Good calls and troubles are many: the shared row hears of each kind once in so many seconds.
NOTED_EVERY_S = 30.0


class Breaker:
    """Opens after ten troubles in a row; while open, calls fail as Unreachable at once. Then one call tries for all."""

    # Told the provider's name when it answers again after the breaker was open.
    on_close: ClassVar[list[Callable[[str], object]]] = []

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self._lock = threading.Lock()
        self._troubles = 0
        self._open = False
        self._rests_until = 0.0
        # The thread itself, not its number: numbers of threads that ended are given to others.
        self._prober: threading.Thread | None = None
        self._noted: dict[str, float] = {}

    def check(self, provider: str, method: str, path: str) -> None:
        """Raise Unreachable while the breaker is open and this call is not its probe: nothing was sent."""
        with self._lock:
            # What the probe itself needs, as a login, is part of it.
            if not self._open or self._prober is threading.current_thread():
                return
            now = time.monotonic()
            asks = now >= self._rests_until
            if asks:
                self._prober, self._rests_until = threading.current_thread(), now + PROBE_S
        if not asks or not self._may_probe():
            raise errors.Unreachable(provider, method, path, said="breaker open")

    def heard(self, error: errors.GatewayError | None) -> None:
        """Count trouble, forget it after an answer."""
        trouble = isinstance(error, TROUBLE)
        with self._lock:
            probed = self._prober is threading.current_thread()
            closes = self._open and not trouble
            self._troubles = self._troubles + 1 if trouble else 0
            # Calls from before the pause may end during a probe: their trouble is no news.
            opens = self._troubles >= OPENS_AFTER and (probed or self._prober is None)
            if opens:
                # The count stays just below the limit: one more trouble opens it again.
                self._turn(open_=True, troubles=OPENS_AFTER - 1, rests_s=STAYS_OPEN_S)
            elif closes:
                self._turn(open_=False, troubles=0)
            tells = self._is_news("trouble_at" if trouble else "answered_at")
        if opens:
            log.warning("breaker_opened", provider=self.provider)
            shared.rest(self.provider, clock.now() + timedelta(seconds=STAYS_OPEN_S), probed=probed)
        if closes:
            tells["open_until"] = None
        if tells:
            shared.note(self.provider, **tells)
        if closes:
            log.info("breaker_closed", provider=self.provider)
            for listen in self.on_close:
                listen(self.provider)

    def release(self) -> None:
        """This call ends without having asked the provider: if it was the probe, another one may be."""
        with self._lock:
            if self._prober is not threading.current_thread():
                return
            self._prober, self._rests_until = None, time.monotonic()
        shared.note(self.provider, open_until=clock.now())

    def _may_probe(self) -> bool:
        """Is the probe of all processes ours? Closes the breaker when another process was answered meanwhile."""
        turn = shared.probe(self.provider, clock.now(), PROBE_S)
        if turn is shared.Turn.OURS:
            return True
        answered = turn is shared.Turn.ANSWERED
        with self._lock:
            # Answered elsewhere, and not to us: one more trouble here opens it again.
            self._turn(open_=not answered, troubles=OPENS_AFTER - 1, rests_s=LOOKS_AGAIN_S)
        return answered

    def _turn(self, *, open_: bool, troubles: int, rests_s: float = 0.0) -> None:
        """What holds from now on; no probe is out."""
        self._open, self._troubles, self._prober = open_, troubles, None
        self._rests_until = time.monotonic() + rests_s

    def _is_news(self, field: str) -> dict[str, object]:
        """The field with the time, unless the shared row has heard of it lately."""
        if time.monotonic() - self._noted.get(field, -NOTED_EVERY_S) < NOTED_EVERY_S:
            return {}
        self._noted[field] = time.monotonic()
        return {field: clock.now()}
