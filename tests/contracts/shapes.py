"""What a printed example promises: which keys, and of which kind each value is. A live answer must keep all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# How a text is written is part of its kind: a day stays a day, and a moment keeps its way of naming the zone.
KINDS = (
    ("day", re.compile(r"\d{4}-\d\d-\d\d")),
    ("moment Z", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")),
    # The document prints `:345+05:30` here and there, which is no moment (providers.md 7 #12).
    ("moment +05:30", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.:]\d+)?\+05:30")),
    ("moment +0530", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+0530")),
)


def kind_of(value: Any) -> str:
    """`null`, `flag`, `whole`, `number`, `object`, `list`, `text`, or one of KINDS."""
    if isinstance(value, str):
        return next((name for name, pattern in KINDS if pattern.fullmatch(value)), "text")
    names = {bool: "flag", int: "whole", float: "number", dict: "object", list: "list", type(None): "null"}
    return names[type(value)]


def differences(printed: Any, live: Any, *, may_be_null: set[str], extra: set[str]) -> list[str]:
    """Where a live answer breaks its printed example; an empty list when it keeps it.

    `may_be_null` names keys that may be null although the example prints a value; `extra` names keys, or whole
    paths (`.data[].id`), that may come although the example has none.
    """
    return list(_compare([printed], live, "", may_be_null, extra))


def _compare(printed: list[Any], live: Any, where: str, nullable: set[str], extra: set[str]) -> Iterator[str]:
    """`printed` are all examples of one place: the items of a list are examples of each other."""
    kinds = {kind_of(each) for each in printed} - {"null"}
    key = where.rsplit(".", 1)[-1].removesuffix("[]")
    if not kinds:
        return
    if live is None:
        if not (any(each is None for each in printed) or key in nullable):
            yield f"{where} is null"
    elif "object" in kinds and isinstance(live, dict):
        yield from _objects([each for each in printed if isinstance(each, dict)], live, where, nullable, extra)
    elif "list" in kinds and isinstance(live, list):
        yield from _lists([each for each in printed if isinstance(each, list)], live, where, nullable, extra)
    elif not _same_kind(kinds, live, key):
        yield f"{where} is {live!r}, not {' or '.join(sorted(kinds))}"


def _objects(
    printed: list[dict[str, Any]], live: dict[str, Any], where: str, nullable: set[str], extra: set[str]
) -> Iterator[str]:
    always = set.intersection(*(set(each) for each in printed))
    ever = set().union(*printed)
    yield from (f"{where}.{key} is missing" for key in sorted(always - set(live)))
    if ever:
        unheard = (f"{where}.{key}" for key in sorted(set(live) - ever - extra))
        yield from (f"{path} is not in the example" for path in unheard if path not in extra)
    for key in sorted(ever & set(live)):
        yield from _compare(
            [each[key] for each in printed if key in each], live[key], f"{where}.{key}", nullable, extra
        )


def _lists(printed: list[list[Any]], live: list[Any], where: str, nullable: set[str], extra: set[str]) -> Iterator[str]:
    examples = [item for each in printed for item in each]
    if not examples:
        return
    if not live and all(printed):
        yield f"{where} is empty"
    for item in live:
        yield from _compare(examples, item, f"{where}[]", nullable, extra)


def _same_kind(kinds: set[str], live: Any, key: str) -> bool:
    """Rupees may have paise where the example has none; an id is never anything but whole."""
    kind = kind_of(live)
    is_id = key == "id" or key.endswith(("_id", "_ids"))
    numbers = {"whole", "number"}
    return kind in kinds or (kind in numbers and bool(kinds & numbers) and not is_id)
