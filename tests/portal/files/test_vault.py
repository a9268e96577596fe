"""Files at rest are noise; a link opens one file for one person for five minutes."""

from __future__ import annotations

from pathlib import Path

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.conf import LazySettings, settings
from django.core.files.storage import storages

from portal.encryption import InvalidToken
from portal.files import links, vault

CANARY = b"canary: ABCPK1234L on a card"


def _on_disk(name: str) -> Path:
    return Path(storages["private"].path(name))


def test_a_file_comes_back_and_lies_on_the_disk_as_noise_for_us_alone() -> None:
    name = vault.put(CANARY)
    assert vault.get(name) == CANARY
    assert b"canary" not in _on_disk(name).read_bytes()
    assert oct(_on_disk(name).stat().st_mode)[-3:] == "600"
    assert _on_disk(name).is_relative_to(settings.MEDIA_ROOT)


def test_a_file_that_was_tampered_with_is_not_opened() -> None:
    name = vault.put(CANARY)
    noise = bytearray(_on_disk(name).read_bytes())
    noise[60] ^= 1
    _on_disk(name).write_bytes(noise)
    with pytest.raises(InvalidToken):
        vault.get(name)


def test_a_forgotten_file_is_gone_and_forgetting_twice_is_no_trouble() -> None:
    name = vault.put(CANARY)
    vault.remove(name)
    vault.remove(name)
    with pytest.raises(FileNotFoundError):
        vault.get(name)


def test_after_a_rotation_the_old_key_is_useless(settings: LazySettings) -> None:
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    name = vault.put(CANARY)
    settings.FIELD_KEYS = [new, old]
    renewed = vault.rotate(name)
    settings.FIELD_KEYS = [new]
    assert vault.get(renewed) == CANARY
    with pytest.raises(InvalidToken):
        vault.get(name)


def test_a_link_is_for_one_person_and_five_minutes() -> None:
    with time_machine.travel("2026-11-20T10:00:00+05:30", tick=False) as clock:
        token = links.sign(user_id=7, document="DOC-1")
        assert links.read(token, user_id=7) == "DOC-1"
        assert links.read(token, user_id=8) is None
        assert links.read(token[:-2] + "xx", user_id=7) is None
        assert links.read("nonsense", user_id=7) is None
        clock.shift(301)
        assert links.read(token, user_id=7) is None
