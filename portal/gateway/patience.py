"""Is a person waiting for this answer in a browser? Then a provider is asked once and briefly.

Workers have time: they retry reads within a budget. A page has not: it says that it could not ask, keeps what was
typed, and offers to try again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 5.0

_somebody_waits: ContextVar[bool] = ContextVar("somebody_waits", default=False)


def somebody_waits() -> bool:
    """True while a web request is being answered."""
    return _somebody_waits.get()


class PatienceMiddleware:
    """Marks the time in which a browser waits for us."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _somebody_waits.set(True)
        try:
            return self.get_response(request)
        finally:
            _somebody_waits.reset(token)
