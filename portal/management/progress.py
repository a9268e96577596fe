"""How a command shows long work: counts, rate and what remains, on one line that is written over."""

from __future__ import annotations

import sys
import time
from typing import TextIO

BAR = 24
EVERY_S = 0.1


class ProgressLine:
    """Call it with what is done, how many, and of how many; a new "what" begins a new line."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._in_place = self._stream.isatty()
        self._what = ""
        self._began = self._shown = 0.0

    def __call__(self, what: str, done: int, of: int) -> None:
        """Show it, at most ten times a second, and always when it is finished."""
        now = time.monotonic()
        if what != self._what:
            self._what, self._began = what, now
        finished = done >= of
        if not finished and (now - self._shown < EVERY_S or not self._in_place):
            return
        self._shown = now
        text = self._text(what, done, of, now - self._began)
        self._stream.write(f"\r{text:<100}" if self._in_place else text)
        if finished or not self._in_place:
            self._stream.write("\n")
        self._stream.flush()

    def _text(self, what: str, done: int, of: int, took_s: float) -> str:
        full = BAR * done // of if of else BAR
        line = f"[{'#' * full}{'.' * (BAR - full)}] {what}: {done:,} of {of:,}"
        if not took_s or not done:
            return line
        rate = done / took_s
        rest = f", {(of - done) / rate:.0f} s left" if done < of else ""
        return f"{line}, {rate:,.0f}/s{rest}"
