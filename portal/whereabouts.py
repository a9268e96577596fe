"""In which part of the portal a reader was last: notices and the account lie in neither, and keep that part's menu."""

from __future__ import annotations

from django.http import HttpRequest

IN_CONSOLE = "in_console"


def enters(request: HttpRequest, *, console: bool) -> None:
    """The reader is in the console of partners now, or on pages of their own. Written only when it changes."""
    if is_in_console(request) != console:
        request.session[IN_CONSOLE] = console


def is_in_console(request: HttpRequest | None) -> bool:
    """Was the console the part that this reader opened last?"""
    return bool(getattr(request, "session", {}).get(IN_CONSOLE))
