"""Encrypted files under the media root. A name is random and says nothing; without FIELD_KEYS a file is noise."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any

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


def content_of(row: Any) -> bytes:
    """The file that a row names. Its keys may have been changed since the row was read: then it lies elsewhere.

    Raises FileNotFoundError when there is none.
    """
    try:
        return get(row.vault_name)
    except FileNotFoundError:
        row.refresh_from_db(fields=["vault_name"])
    return get(row.vault_name)


def remove(name: str) -> None:
    """Forget a file; one that is gone already is no trouble."""
    _storage().delete(name)


def rotate(name: str) -> str:
    """The same file under the newest key and a new name, or as it is when it was under it already.

    The caller commits a new name, then removes the old file.
    """
    with _storage().open(name) as file:
        held = file.read()
    return name if encryption.is_newest(held) else put(encryption.decrypt_bytes(held))


def names(*, before: datetime) -> Iterator[str]:
    """Every file that was last written before this moment."""
    folders, _ = _storage().listdir("") if _storage().exists("") else ([], [])
    for folder in folders:
        for file in _storage().listdir(folder)[1]:
            name = f"{folder}/{file}"
            if _written_before(name, before):
                yield name


def _written_before(name: str, moment: datetime) -> bool:
    try:
        return _storage().get_modified_time(name) < moment
    except FileNotFoundError:  # forgotten while we looked
        return False


def has(name: str) -> bool:
    """Is there such a file?"""
    return _storage().exists(name)
