"""Our application as in production, which counts its SQL statements for a request that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from portal.wsgi import application as ours

COUNT = "HTTP_X_COUNT_STATEMENTS"
Start = Callable[..., Any]


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Answer as production does; with the header X-Count-Statements also say how many statements it took."""
    return _counted(environ, start_response) if COUNT in environ else ours(environ, start_response)


def _counted(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    from django.db import connection

    seen: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("X-Statements", str(len(seen)))], *rest)

    with connection.execute_wrapper(note):
        return ours(environ, start)
