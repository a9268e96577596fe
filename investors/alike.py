"""Are two names perhaps one person's? Pure."""

from __future__ import annotations

import re
from functools import lru_cache

# The same sounds in Latin letters: Lakshmi and Laxmi, Shrivastava and Srivastava, Geeta and Gita.
_SOUNDS = (("x", "ks"), ("ph", "f"), ("w", "v"), ("ee", "i"), ("oo", "u"), ("y", "i"), ("z", "j"), ("h", ""))


Word = tuple[str, str]


def names_agree(one: str, other: str) -> bool:
    """Is every word of the shorter name in the longer one: as it is, as it sounds, or as its first letter?"""
    short, long = sorted((_words(one), _words(other)), key=len)
    left = list(long)
    for word in short:
        match = next((each for alike in (_sound_the_same, _is_initial) for each in left if alike(word, each)), None)
        if match is None:
            return False
        left.remove(match)
    return bool(short)


# A search compares a name with many others.
@lru_cache(maxsize=100_000)
def _words(name: str) -> tuple[Word, ...]:
    """Each word and how it sounds, the longest first: what a letter may stand for is what is left."""
    words = sorted(re.findall(r"[^\W_]+", name.lower()), key=len, reverse=True)
    return tuple((word, _sound(word)) for word in words)


def _sound_the_same(one: Word, other: Word) -> bool:
    return one[1] == other[1]


def _is_initial(one: Word, other: Word) -> bool:
    return min(len(one[0]), len(other[0])) == 1 and one[0][0] == other[0][0]


def _sound(word: str) -> str:
    for written, heard in _SOUNDS:
        word = word.replace(written, heard)
    return re.sub(r"(.)\1+", r"\1", word)
