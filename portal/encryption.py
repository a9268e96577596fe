"""Personal identifiers at rest: encrypted fields, and a keyed blind index to find them again.

`EncryptedTextField` keeps Fernet tokens (AES-128-CBC with HMAC) in the column. `FIELD_KEYS` lists base64 keys, newest
first: the first encrypts, all decrypt. `blind_index` is an HMAC-SHA256 under `INDEX_KEYS[0]`, so that a PAN can be
found by equality without being readable in the database, a backup or a log.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """A token of `text` under the newest key."""
    return _box(tuple(settings.FIELD_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str, *, lives_s: int | None = None) -> str:
    """The text of a token made under any current key. Raises InvalidToken, never returns ciphertext.

    With `lives_s`, a token that was made longer ago (in real time) is invalid.
    """
    return _box(tuple(settings.FIELD_KEYS)).decrypt(token.encode(), ttl=lives_s).decode()


def encrypt_bytes(content: bytes) -> bytes:
    """A file's content under the newest key."""
    return _box(tuple(settings.FIELD_KEYS)).encrypt(content)


def decrypt_bytes(token: bytes) -> bytes:
    """A file's content under any current key. Raises InvalidToken."""
    return _box(tuple(settings.FIELD_KEYS)).decrypt(token)


def rotate(token: str) -> str:
    """The same text under the newest key; a token that is under it already stays as it is."""
    return token if is_newest(token.encode()) else encrypt(decrypt(token))


def is_newest(token: bytes) -> bool:
    """Was this token, of a text or of a file, made under the newest key?"""
    try:
        _box((settings.FIELD_KEYS[0],)).decrypt(token)
    except InvalidToken:
        return False
    return True


def blind_index(value: str, purpose: str) -> str:
    """64 hex characters by which an encrypted value can be found. `purpose` keeps PANs and accounts apart."""
    return blind_indexes(value, purpose)[0]


def blind_indexes(value: str, purpose: str) -> list[str]:
    """The index under every current key, newest first: look-ups during a rotation ask for all of them."""
    message = f"{purpose}:{value}".encode()
    return [hmac.new(key.encode(), message, hashlib.sha256).hexdigest() for key in settings.INDEX_KEYS]


class EncryptedTextField(models.TextField):
    """Text that is encrypted in the database and plain in Python. Empty stays empty. It cannot be filtered on."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value) if value else value

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return decrypt(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name not in {"isnull"}:
            raise TypeError(f"{self.name} is encrypted: search by its blind index")
        return super().get_lookup(lookup_name)


__all__ = [
    "EncryptedTextField",
    "InvalidToken",
    "blind_index",
    "blind_indexes",
    "decrypt",
    "decrypt_bytes",
    "encrypt",
    "encrypt_bytes",
    "is_newest",
    "rotate",
]
