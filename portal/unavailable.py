"""While the database cannot be reached: a calm answer that asks it nothing, and says no more than is certain.

    somebody reads         nothing changes by reading; the page asks again by itself
    sent, never begun      the session could not be opened, so nothing was done: it may be sent again as it is
    sent and begun         nobody knows whether it was kept: what reached us is brought to its end, so look first

Every request meets the database before its view does (`portal/scope.py`), so most of what is sent meanwhile is of the
second kind. A refused connection and a server that stops, starts, or has no room are meant here; a statement that took
too long or a lock that was not to be had is trouble of its own.
"""

from __future__ import annotations

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

RETRY_AFTER_S = 30
HEADERS = {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"}
# PostgreSQL's appendix A: connection exceptions, insufficient resources, and a server that stops or starts.
_CLASSES = ("08", "53")
_STATES = ("57P01", "57P02", "57P03")
_READ_ONLY = ("GET", "HEAD", "OPTIONS")


def is_away(error: BaseException | None) -> bool:
    """Did this happen, or what it came from, because the database could not be reached?"""
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError) and _is_lost(error.__cause__):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_lost(cause: BaseException | None) -> bool:
    """A server that was not reached gives no code of its own."""
    state = getattr(cause, "sqlstate", None)
    return state is None or state[:2] in _CLASSES or state in _STATES


def page(request: HttpRequest) -> HttpResponse:
    """The answer for people."""
    words = "read" if request.method in _READ_ONLY else "unclear" if hasattr(request, "is_open") else "not_begun"
    html = render_to_string("503.html", {"words": words, "retry_after_s": RETRY_AFTER_S})
    return HttpResponse(html, status=503, headers=HEADERS)
