"""Who may open a route, written on the view itself: `manage.py show_routes` prints it, and a test fails without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

ANYONE = "anyone"
OWN_ROWS = "the signed-in investor, own rows only"
STAFF = "staff, by permission"
DOORBELL = "anyone; believes nothing and only schedules a fetch"


def access(rule: str) -> Callable[[View], View]:
    """Stamp the owner rule on a view."""

    def stamp(view: View) -> View:
        view.access = rule  # type: ignore[attr-defined]
        return view

    return stamp
