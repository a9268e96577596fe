"""Encrypted files under the media root. A name is random and says nothing; without FIELD_KEYS a file is noise."""

from __future__ import annotations

import secrets

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from portal import encryption


def _storage() -> Storage:
    return storages["private"]


def put(content: bytes) -> str:
    """Keep a file; the answer is its name in the vault. Written before the row that points at it."""
    name = secrets.token_hex(20)
    return _storage().save(f"{name[:2]}/{name}", ContentFile(encryption.encrypt_bytes(content)))


def get(name: str) -> bytes:
    """The file. Raises FileNotFoundError, or InvalidToken when it was tampered with."""
    with _storage().open(name) as file:
        return encryption.decrypt_bytes(file.read())


def remove(name: str) -> None:
    """Forget a file; one that is gone already is no trouble."""
    _storage().delete(name)


def rotate(name: str) -> str:
    """The same file under the newest key and a new name; the caller commits the name, then removes the old one."""
    return put(get(name))
