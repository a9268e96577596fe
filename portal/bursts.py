"""A burst of doorbells wakes the workers once: the ids that come within a moment go to the queue in one message.

    ring ──> waiting ──(BELL_GATHER_S)──> one message ──> a worker ──> one message an event

A message costs more than storing the event that it is about, and whoever rings waits for the answer. An event is
committed before its id comes here. So a process that is killed in that moment loses time only: `inbox.work` finds the
row. The queue between the threads is the guard: an id is in it or in exactly one message, at any time.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue

from django.conf import settings

from portal import jobs

ENDS_WITHIN_S = 10.0


class Burst:
    """Ids that wait, and the thread that sends them: one per process, begun with the first id."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[int | None] = SimpleQueue()
        self._beginning = threading.Lock()
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, event_id: int) -> None:
        """To be sent soon."""
        self._waiting.put(event_id)
        if not self._is_alive():
            self._begin()

    def end(self) -> None:
        """Send what waits and let the thread go; the next id begins another."""
        self._ends.set()
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(ENDS_WITHIN_S)

    def _is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _begin(self) -> None:
        with self._beginning:
            if not self._is_alive():
                self._ends.clear()
                self._thread = threading.Thread(target=self._run, name="doorbells", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._ends.is_set():
            first = self._waiting.get()
            self._ends.wait(settings.BELL_GATHER_S)
            _send([first, *self._others()])
        _send(self._others())

    def _others(self) -> list[int | None]:
        found: list[int | None] = []
        while True:
            try:
                found.append(self._waiting.get_nowait())
            except Empty:
                return found


def _send(waiting: Sequence[int | None]) -> None:
    event_ids = [each for each in waiting if each is not None]
    if len(event_ids) == 1:
        jobs.send("portal.work_event", event_id=event_ids[0])
    elif event_ids:
        jobs.send("portal.work_events", event_ids=event_ids)


def ring(event_id: int) -> None:
    """A worker is woken for this committed event, soon, together with those that came at the same time."""
    if settings.BELL_GATHER_S > 0:
        burst.add(event_id)
    else:
        _send([event_id])


burst = Burst()
atexit.register(burst.end)
