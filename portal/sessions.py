"""Sessions are rows of the database, and the row is opened together with the person whom it names and their scope.

Every signed-in page begins with these three questions; `portal_open` (migration `0006_open_session`) answers them in
one statement. What it answers about the person is a hint: Django still checks the contents of the session, the
password behind it, and that it is this person's. Ending a session deletes its row, so it ends at the next request.

Whoever reads the database finds nothing to sign in with. A row is named by a digest of the key that the browser has
(`name_of`), and its contents, which hold one-time codes for a while, are encrypted with the field keys.
"""

from __future__ import annotations

import hashlib
import json
from contextvars import ContextVar
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import get_user
from django.contrib.sessions.backends import db
from django.http import HttpRequest
from django.utils import timezone

from portal import encryption
from portal.models import Session, User
from portal.rows import Columns, opening

_PERSON = Columns(User, "(person)")
_OPEN = f"SELECT session_data, scope, unread, {_PERSON.sql} FROM portal_open(%s, %s)"  # noqa: S608 - our own column names
NONE = "none"
# Names are longer than keys (32), so that one is never taken for the other.
NAME_LENGTH = 40
_at_hand: ContextVar[User | None] = ContextVar("person_at_hand", default=None)


def name_of(key: str) -> str:
    """The name of the row of a session: 40 hex characters from which its key cannot be found."""
    return hashlib.blake2b(key.encode(), digest_size=NAME_LENGTH // 2).hexdigest()


def name_or_key(text: str) -> str:
    """The name of a row, for a session that is given by its key or, as on the page of devices, by its name."""
    return text if len(text) == NAME_LENGTH else name_of(text)


class SessionStore(db.SessionStore):
    """Django's, which can also be opened for a request. Other sessions are loaded without touching the scope."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Our table, which knows whose a session is."""
        return Session

    def encode(self, session_dict: dict[str, Any]) -> str:
        """The contents, encrypted."""
        return encryption.encrypt(json.dumps(session_dict, separators=(",", ":")))

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """The contents; nothing when they were edited, or written under a key that is retired."""
        try:
            found: dict[str, Any] = json.loads(encryption.decrypt(str(session_data)))
        except (encryption.InvalidToken, ValueError):
            return {}
        return found

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row of these contents."""
        row = cast(Session, super().create_model_instance(data))
        row.session_key = name_of(row.session_key)
        row.user_id = data.get(SESSION_KEY)
        return row

    def exists(self, session_key: str) -> bool:
        """Is there a session with this key or name?"""
        return bool(super().exists(name_or_key(session_key)))

    def delete(self, session_key: str | None = None) -> None:
        """End this session, or the one with a key or name."""
        ended = session_key or self.session_key
        if ended:
            super().delete(name_or_key(ended))

    def load(self) -> dict[str, Any]:
        """The contents of a session that is looked into. A request never comes here: it is `open`ed, by its key."""
        found = Session.objects.filter(pk=name_or_key(self.session_key or ""), expire_date__gt=timezone.now()).first()
        if found is None:
            self._session_key = None
            return {}
        return self.decode(found.session_data)

    def open(self) -> tuple[str | None, User | None]:
        """Read the session; the scope that the connection has now (None: unchanged), and the person whom it names."""
        if not self.session_key:
            return None, None
        row = opening(_OPEN, [name_of(self.session_key), timezone.now()])
        if row is None:
            self._session_key, self._session_cache = None, {}
            return NONE, None
        self._session_cache = self.decode(next(row))
        scope, unread = next(row), next(row)
        if scope == NONE:
            return scope, None
        person = _PERSON.take(row)
        person.unread = unread
        return scope, person


def keep_names_only() -> None:
    """Allauth's page of devices keeps the names of sessions too, never a key. Called once, when apps are ready."""
    from allauth.core import context
    from allauth.usersessions.models import UserSession

    field = UserSession._meta.get_field("session_key")
    stored = field.get_prep_value

    def name(value: Any) -> Any:
        text = stored(value)
        return name_or_key(text) if text else text

    def is_current(self: UserSession) -> bool:
        return name_or_key(self.session_key) == name_or_key(context.request.session.session_key or "")

    field.get_prep_value = name
    UserSession.is_current = is_current


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
