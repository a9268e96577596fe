"""Words of catalogues as dated data: what the code brings holds until somebody writes otherwise, from a moment on.

A catalogue is registered with its entries (frozen dataclasses of texts). `spoken` gives an entry in the words that hold
at a moment, with one statement; it is asked for where an entry is shown or told, never in a loop over many.
"""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection

Entry = TypeVar("Entry")
# Catalogue -> (its name for people, its entries now).
_catalogues: dict[str, tuple[str, Callable[[], Mapping[str, Any]]]] = {}


def register(catalogue: str, label: str, entries: Callable[[], Mapping[str, Any]]) -> None:
    """From now on the texts of these entries can be written anew."""
    _catalogues[catalogue] = (label, entries)


def choices() -> list[tuple[str, str]]:
    """Every text that can be written anew: `catalogue/key/part` and words for people."""
    return [
        (f"{name}/{key}/{part}", f"{label}: {key}, {part.replace('_', ' ')}")
        for name, (label, entries) in sorted(_catalogues.items())
        for key, entry in sorted(entries().items())
        for part in parts_of(entry)
    ]


def parts_of(entry: Any) -> list[str]:
    """The texts of an entry; keys and switches are the program's."""
    return [
        field.name
        for field in dataclasses.fields(entry)
        if isinstance(getattr(entry, field.name), str) and field.name not in ("key", "group", "money", "link")
    ]


def original(catalogue: str, key: str, part: str) -> str:
    """The text that the code brings. Raises KeyError."""
    return str(getattr(_catalogues[catalogue][1]()[key], part))


def blanks(text: str) -> set[str]:
    """The names that a text has filled in: `{scheme}`. Raises ValueError for braces that do not close."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def spoken(catalogue: str, key: str, entry: Entry, *, at: datetime) -> Entry:
    """The entry in the words that hold at `at`."""
    with connection.cursor() as cursor:
        cursor.execute(_SAID, [catalogue, key, at])
        said = {part: text for part, text in cursor.fetchall() if part in parts_of(entry)}
    return dataclasses.replace(entry, **said) if said else entry  # type: ignore[type-var]


# Written out: whoever is told anything asks this first.
_SAID = """
    SELECT part, text FROM portal_wording WHERE catalogue = %s AND key = %s AND valid_from <= %s ORDER BY valid_from
"""
