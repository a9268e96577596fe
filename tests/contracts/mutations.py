"""Answers gone wrong in ways that keep some of their structure: what reaches a client on a bad day, or from a bad hand.

Hypothesis draws what is done to an answer: eight edits (where, what, which variant of it), and how its text is sent.
Each edit alone is a spoilt answer, and so are the first two together, the first three, and so on: fifteen of one draw,
the simplest first.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from hypothesis import strategies as st

NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 9, -0.0, 1.5, 0.1 + 0.2, 1e308, -1e308, 2**53 + 1, 2**63, 10**30, float("nan"), float("inf"),
    float("-inf"), 1e-320,
)  # fmt: skip
WORDS = (
    "", " ", "0", "1", "-1", "9", "x", "null", "true", "NaN", "Infinity", "1e999999", "-0", "1,000", "₹5", "9" * 400,
    "é\x00\ud800", "\u202e", "<script>", "../..", "A" * 5_000, "SUCCESS", "Success", "successful", "FAILED", "COMPLETE",
    "Fully Executed", "SUCCESS!", "UNSUCCESSFUL", "No order found", "timed out", "Invalid Token", "2026-13-45",
    "2026-02-30T25:00:00Z", "0001-01-01T00:00:00+05:30", "/Date(99999999999999999)/", "/Date()/",
)  # fmt: skip
SHAPES: tuple[Any, ...] = (None, True, False, [], {}, [[]], [{}], [None], {"status": 0}, {"error": {"status": 400}})
EDITS, VARIANTS = 8, 60

T = TypeVar("T")
Place = tuple[Any, ...]
# Where; what, by its name in CHANGES; which variant of it.
Edit = tuple[Place, str, int]
# Where in a text; how many bytes; what stands there instead.
Scratch = tuple[int, int, bytes]


def places(value: Any, at: Place = ()) -> list[Place]:
    """Where every value in the answer stands, objects and lists too; the answer itself comes last."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*(place for key, each in inner for place in places(each, (*at, key))), at]


# --- what may become of one value -------------------------------------------------------------------------------------
# Each takes the object or list, the key in it, and which variant is meant. Nothing inside a value is ever changed: one
# value may stand in several places.


def _gone(inside: Any, key: Any, which: int) -> None:
    del inside[key]


def _renamed(inside: Any, key: Any, which: int) -> None:
    """Under another name; at times something odd is beside it there."""
    if not isinstance(inside, dict):
        return _as_other_type(inside, key, which)
    names = [key.upper(), key.lower(), f"{key}_", f"_{key}", key[:-1], key.replace("_", ""), key.title(), "status"]
    beside, name = divmod(which, len(names))
    inside[names[name]] = inside.pop(key) if beside < 4 else SHAPES[beside - 4]


def _many(inside: Any, key: Any, which: int) -> None:
    """What is many already is only doubled: fifty times fifty times fifty is no answer any more."""
    is_many = isinstance(inside[key], list) and len(inside[key]) >= 50
    inside[key] = [inside[key]] * (2 if is_many else (2, 3, 50)[which % 3])


def _swapped(inside: Any, key: Any, which: int) -> None:
    keys = list(inside) if isinstance(inside, dict) else range(len(inside))
    other = keys[which % len(keys)]
    inside[key], inside[other] = inside[other], inside[key]


def _cut_short(inside: Any, key: Any, which: int) -> None:
    if not isinstance(inside[key], str | list):
        return _as_other_type(inside, key, which)
    inside[key] = inside[key][: which % (len(inside[key]) + 1)]


def _as_other_type(inside: Any, key: Any, which: int) -> None:
    """A number as text and back, true as a word and as a number, one thing as a list of it, a list as its first."""
    others = _others(inside[key])
    inside[key] = others[which % len(others)]


def _others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [str(value), str(value).lower(), int(value), not value]
    if isinstance(value, int | float):
        return [str(value), f" {value} ", f"{value}.0", -value, value * 1000, bool(value), [value]]
    if isinstance(value, str):
        return [[value], {"value": value}, value.swapcase(), f" {value}", f"{value}X", value[::-1], len(value)]
    if isinstance(value, list):
        numbered = {str(at): str(each) for at, each in enumerate(value)}
        return [value[:1], value * 2, value[:-1], numbered, value[0] if value else None]
    return [list(value.values()), list(value), str(value), [value]] if isinstance(value, dict) else [0]


def _nested(inside: Any, key: Any, which: int) -> None:
    """Inside up to sixty lists, objects, or both by turns."""
    for depth in range(which + 1):
        as_list = (True, False, depth % 2 == 0)[which % 3]
        inside[key] = [inside[key]] if as_list else {"data": inside[key]}


def _one_of(values: tuple[Any, ...], inside: Any, key: Any, which: int) -> None:
    inside[key] = values[which % len(values)]


CHANGES: dict[str, Callable[[Any, Any, int], None]] = {
    "gone": _gone,
    "a shape": partial(_one_of, SHAPES),
    "a number": partial(_one_of, NUMBERS),
    "a word": partial(_one_of, WORDS),
    "another type": _as_other_type,
    "cut short": _cut_short,
    "many": _many,
    "swapped": _swapped,
    "renamed": _renamed,
    "nested": _nested,
}


# --- how the answer is sent -------------------------------------------------------------------------------------------


def _plain(answer: Any) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _escaped(answer: Any) -> bytes:
    return json.dumps(answer).encode()


def _keys_twice(answer: Any) -> bytes:
    raw = _plain(answer)
    return raw[:-1] + b"," + raw[1:] if isinstance(answer, dict) and answer else raw


def _cut_off(percent: int, answer: Any) -> bytes:
    raw = _plain(answer)
    return raw[: len(raw) * percent // 100]


SENDINGS: dict[str, Callable[[Any], bytes]] = {
    "plain": _plain,
    "escaped": _escaped,
    "keys twice": _keys_twice,
    **{f"cut off at {percent}%": partial(_cut_off, percent) for percent in range(0, 100, 5)},
}
_OFTEN = ["plain"] * 180 + ["escaped"] * 180 + ["keys twice"] * 20 + [each for each in SENDINGS if "cut" in each]


# --- drawn by hypothesis, done by us ----------------------------------------------------------------------------------


def edits(answer: Any) -> list[st.SearchStrategy[Edit]]:
    """Eight things to do to an answer of JSON. One number stands for each: it is drawn fast, and shrinks to "gone"."""
    where, changes = places(answer), list(CHANGES)

    def edit(number: int) -> Edit:
        variant, place = divmod(number, len(where))
        change, which = divmod(variant, VARIANTS)
        return where[place], changes[change], which

    return [st.integers(0, len(changes) * VARIANTS * len(where) - 1).map(edit)] * EDITS


def sendings() -> st.SearchStrategy[str]:
    """How the answer is sent: mostly as it should be, at times with its keys twice or cut off."""
    return st.sampled_from(_OFTEN)


def selections(edits: Sequence[T]) -> Iterator[Sequence[T]]:
    """Each edit alone; then the first two together, the first three, and so on."""
    yield from ([each] for each in edits)
    yield from (edits[:most] for most in range(2, len(edits) + 1))


ANSWERS = sum(1 for _ in selections(range(EDITS)))


def spoilt(answer: Any, edits: Sequence[Edit], sending: str) -> tuple[Any, bytes]:
    """(the spoilt answer, its bytes). The answer that was given stays whole; a place that is no more is left out."""
    box = [answer]
    for place, change, which in edits:
        if found := _reached(box, place):
            CHANGES[change](*found, which)
    return (box[0], SENDINGS[sending](box[0])) if box else (None, b"")


def _reached(box: list[Any], place: Place) -> tuple[Any, Any] | None:
    """The object or list, and the key in it; all on the way there is copied."""
    inside: Any = box
    key: Any = 0
    for step in place if box else ():
        if not _leads_on(inside[key], step):
            return None
        inside[key] = copy.copy(inside[key])
        inside, key = inside[key], step
    return (inside, key) if box else None


def _leads_on(value: Any, step: Any) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


PIECES = (b"", b'"', b"\x00", b"\xff\xfe", b",", b"\n", b"\r", b"9" * 50, b"-1", b"NaN", b"twice")


def scratches(text: bytes) -> list[st.SearchStrategy[Scratch]]:
    """What is done to an answer that is no JSON."""
    one = st.tuples(st.integers(0, len(text)), st.sampled_from([1, 3, 20, 200]), st.sampled_from(PIECES))
    return [one] * EDITS


def scratched(text: bytes, scratches: Sequence[Scratch]) -> bytes:
    """The text with pieces missing, twice, foreign, or swapped."""
    for start, length, piece in scratches:
        there = text[start : start + length]
        text = text[:start] + (there * 2 if piece == b"twice" else piece) + text[start + length :]
    return text
