"""Answers gone wrong in ways that keep some of their structure: what reaches a client on a bad day, or from a bad hand.

`spoilt` changes up to four places of a JSON answer; `scratched` does it to a text. Both draw from the `Random` that
they are given, so a seed names its answer for good.
"""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 9, -0.0, 1.5, 0.1 + 0.2, 1e308, -1e308, 2**53 + 1, 2**63, 10**30, float("nan"), float("inf"),
    float("-inf"), 1e-320,
)  # fmt: skip
TEXTS = (
    "", " ", "0", "1", "-1", "9", "x", "null", "true", "NaN", "Infinity", "1e999999", "-0", "1,000", "₹5", "9" * 400,
    "é\x00\ud800", "\u202e", "<script>", "../..", "A" * 5_000, "SUCCESS", "Success", "successful", "FAILED", "COMPLETE",
    "Fully Executed", "SUCCESS!", "UNSUCCESSFUL", "No order found", "timed out", "Invalid Token", "2026-13-45",
    "2026-02-30T25:00:00Z", "0001-01-01T00:00:00+05:30", "/Date(99999999999999999)/", "/Date()/",
)  # fmt: skip
SHAPES: tuple[Any, ...] = (None, True, False, [], {}, [[]], [{}], [None], {"status": 0}, {"error": {"status": 400}})
DEEP = 60


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value in the answer stands, objects and lists too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([at] if at else []), *(place for key, each in inner for place in places(each, (*at, key)))]


def nested(value: Any, draw: Random) -> Any:
    """The value inside many lists or objects."""
    for _ in range(draw.randrange(1, DEEP)):
        value = [value] if draw.random() < 0.5 else {"data": value}
    return value


def as_other_type(value: Any, draw: Random) -> Any:
    """A number as text and back, true as a word and as a number, one thing as a list of it, a list as its first."""
    if isinstance(value, bool):
        return draw.choice([str(value), str(value).lower(), int(value), not value])
    if isinstance(value, int | float):
        return draw.choice([str(value), f" {value} ", f"{value}.0", -value, value * 1000, bool(value), [value]])
    if isinstance(value, str):
        return draw.choice(
            [[value], {"value": value}, value.swapcase(), f" {value}", f"{value}X", value[::-1], len(value)]
        )
    if isinstance(value, list):
        return draw.choice(
            [
                value[:1],
                value * 2,
                value[:-1],
                {str(at): str(each) for at, each in enumerate(value)},
                value[0] if value else None,
            ]
        )
    return draw.choice([list(value.values()), list(value), str(value), [value]]) if isinstance(value, dict) else 0


def odd(value: Any, draw: Random) -> Any:
    """Something else in the value's place."""
    how = draw.randrange(5)
    if how == 0:
        return as_other_type(value, draw)
    if how == 1:
        return nested(copy.deepcopy(value), draw)
    return copy.deepcopy(draw.choice((NUMBERS, TEXTS, SHAPES)[how - 2]))


def _renamed(key: str, draw: Random) -> str:
    return draw.choice(
        [key.upper(), key.lower(), f"{key}_", f"_{key}", key[:-1], key.replace("_", ""), key.title(), "status"]
    )


def change(answer: Any, draw: Random) -> Any:
    """The answer with one place changed: another value, gone, twice, renamed, swapped with a neighbour, or cut."""
    found = places(answer)
    if not found or draw.random() < 0.02:
        return odd(answer, draw)
    *way, key = draw.choice(found)
    inside = answer
    for step in way:
        inside = inside[step]
    how = draw.randrange(8)
    if how == 0:
        del inside[key]
    elif how == 1 and isinstance(inside, dict):
        inside[_renamed(key, draw)] = inside.pop(key) if draw.random() < 0.5 else odd(inside[key], draw)
    elif how == 2:
        inside[key] = [copy.deepcopy(inside[key]) for _ in range(draw.choice([2, 3, 50]))]
    elif how == 3:
        other = draw.choice(list(inside) if isinstance(inside, dict) else range(len(inside)))
        inside[key], inside[other] = inside[other], inside[key]
    elif how == 4 and isinstance(inside[key], list):
        inside[key] = inside[key][: draw.randrange(len(inside[key]) + 1)]
    else:
        inside[key] = odd(inside[key], draw)
    return answer


def spoilt(answer: Any, draw: Random) -> tuple[Any, bytes]:
    """(the spoilt answer, its bytes): one to four changes, sometimes a key twice in the text, sometimes cut off."""
    answer = copy.deepcopy(answer)
    for _ in range(draw.choice([1, 1, 1, 2, 3, 4])):
        answer = change(answer, draw)
    text = json.dumps(answer, ensure_ascii=draw.random() < 0.5)
    if draw.random() < 0.05 and text.startswith("{") and len(text) > 2:
        text = text[:-1] + "," + text[1:]
    raw = text.encode("utf-8", "surrogatepass")
    return answer, raw[: draw.randrange(len(raw))] if raw and draw.random() < 0.05 else raw


def scratched(text: bytes, draw: Random) -> bytes:
    """A text with pieces missing, twice, foreign, or swapped."""
    for _ in range(draw.choice([1, 1, 2, 4])):
        start = draw.randrange(len(text) + 1)
        end = min(len(text), start + draw.choice([1, 3, 20, 200]))
        piece = draw.choice(
            [b"", text[start:end] * 2, b'"', b"\x00", b"\xff\xfe", b",", b"\n", b"\r", b"9" * 50, b"-1", b"NaN"]
        )
        text = text[:start] + piece + text[end:]
    return text
