"""Addresses of private files: signed, for one person and one file, for five minutes (promise P29)."""

from __future__ import annotations

from django.core import signing

SALT = "portal.files"
LIFE_S = 300


def sign(*, user_id: int, document: str) -> str:
    """A token for the address."""
    return signing.dumps([user_id, document], salt=SALT)


def was_for(token: str, *, user_id: int) -> bool:
    """Was it made for this person, however long ago? Then a page may say that it is old; to others it is nothing."""
    try:
        return bool(signing.loads(token, salt=SALT)[0] == user_id)
    except (signing.BadSignature, ValueError, TypeError, IndexError):
        return False


def read(token: str, *, user_id: int) -> str | None:
    """The document that this person may see now; None for a token that is old, edited or somebody else's."""
    try:
        owner, document = signing.loads(token, salt=SALT, max_age=LIFE_S)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(document) if owner == user_id else None
