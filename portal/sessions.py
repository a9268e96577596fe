"""Sessions are rows of the database, and the row is opened together with the person whom it names and their scope.

Every signed-in page begins with these three questions; `portal_open` (migration `0006_open_session`) answers them in
one statement. What it answers about the person is a hint: Django still checks the signature of the session, the
password behind it, and that it is this person's. Ending a session deletes its row, so it ends at the next request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import get_user
from django.contrib.sessions.backends import db
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest
from django.utils import timezone

from portal.models import Session, User
from portal.rows import Columns, first

_PERSON = Columns(User, "(person)")
_OPEN = f"SELECT session_data, scope, {_PERSON.sql} FROM portal_open(%s, %s)"  # noqa: S608 - our own column names
NONE = "none"
_at_hand: ContextVar[User | None] = ContextVar("person_at_hand", default=None)


class SessionStore(db.SessionStore):
    """Django's, which can also be opened for a request. Other sessions are loaded without touching the scope."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Our table, which knows whose a session is."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row of these contents."""
        row = cast(Session, super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY)
        return row

    def open(self) -> tuple[str | None, User | None]:
        """Read the session; the scope that the connection has now (None: unchanged), and the person whom it names."""
        if not self.session_key:
            return None, None
        row = _first(_OPEN, [self.session_key, timezone.now()])
        if row is None:
            self._session_key, self._session_cache = None, {}
            return NONE, None
        self._session_cache = self.decode(next(row))
        scope = next(row)
        return scope, _PERSON.take(row) if scope != NONE else None


def open_for(request: HttpRequest) -> str | None:
    """Know who asks: sets `request.user`. The scope that the connection has now; None when it was not changed."""
    scope, person = request.session.open()  # type: ignore[attr-defined]
    token = _at_hand.set(person)
    try:
        request.user = get_user(request)
    finally:
        _at_hand.reset(token)
    return scope


def at_hand(user_id: int) -> User | None:
    """The person of the session that is being opened now, when it is this one."""
    person = _at_hand.get()
    return person if person is not None and person.pk == user_id else None


def _first(sql: str, values: list[Any]) -> Iterator[Any] | None:
    """The first statement of a request: it finds out by itself whether the connection still lives."""
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return first(sql, values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or connection.is_usable():
            raise
    connection.close()
    return first(sql, values)
