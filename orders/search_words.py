"""Words as the fund search knows them: how a name becomes words, and how near two spellings are. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

_WORD = re.compile(r"[a-z0-9]+")
MAX_WORD = 40
MAX_WORDS_ASKED = 8
MEASURED = 40
# What people type -> words that stand in the official names. Indexed beside them.
ALIASES = (
    ("aditya birla sun life", "absl"),
    ("icici prudential", "ipru"),
    ("nippon india", "reliance"),
    ("elss", "tax saver saving 80c"),
    ("income distribution", "idcw dividend"),
    ("idcw", "dividend"),
    ("dividend", "idcw"),
)
# Weight letters of PostgreSQL's text search, best first.
NAME, HOUSE, KIND, CODE = "A", "B", "C", "D"


def words(text: str) -> list[str]:
    """`Parag Parikh Flexi-Cap` as `parag`, `parikh`, `flexi`, `cap`."""
    return [word[:MAX_WORD] for word in _WORD.findall(text.lower().replace("'", "").replace("\u2019", ""))]


def joined(parts: list[str]) -> Iterable[str]:
    """Neighbours written as one word, so that `flexicap` and `bluechip` find `Flexi Cap` and `Blue Chip`."""
    return (a + b for a, b in itertools.pairwise(parts) if a.isalpha() and b.isalpha())


def document(*, name: str, house: str, kinds: str, codes: str) -> str:
    """The text form of a scheme's tsvector: each word with its place and the weight of where it stands."""
    in_name = words(name)
    lower = " ".join(in_name)
    aliases = " ".join(alias for phrase, alias in ALIASES if phrase in lower or phrase in kinds.lower())
    weighed = [
        *((word, NAME) for word in in_name),
        *((word, HOUSE) for word in words(house)),
        *((word, KIND) for word in words(f"{kinds} {aliases}")),
        *((word, CODE) for word in joined(in_name)),
        *((word, CODE) for word in words(codes)),
    ]
    return " ".join(f"{word}:{place}{weight}" for place, (word, weight) in enumerate(weighed, 1))


def trigrams(word: str) -> list[str]:
    """The runs of three letters of ` word `, sorted, each once."""
    padded = f" {word} "
    return sorted({padded[i : i + 3] for i in range(len(padded) - 2)})


def likeness(a: list[str], b: list[str]) -> float:
    """Shared trigrams as a part of all: 1 for the same word, 0 for nothing in common."""
    one, other = set(a), set(b)
    return len(one & other) / len(one | other)


def distance(a: str, b: str) -> int:
    """Letters to insert, drop, replace or swap with their neighbour to make `a` into `b` (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def slips_allowed(word: str) -> int:
    """How many slips a typed word may have: none in codes and very short words, one below six letters, else two."""
    if len(word) < 3 or not word.isalpha():
        return 0
    return 1 if len(word) < 6 else 2


def nearest(word: str, known: Iterable[tuple[str, int]], most: int = 3) -> list[str]:
    """The known words that `word` was probably meant to be, best first. `known` pairs each with how often it occurs.

    The beginning of a known word counts too: somebody may still be typing.
    """
    allowed, grams = slips_allowed(word), trigrams(word)
    # Measuring letter by letter is dear: only for the words that share most with what was typed.
    near = sorted(known, key=lambda each: -likeness(grams, trigrams(each[0])))[:MEASURED]
    scored = []
    for other, count in near:
        slips = min(distance(word, other), distance(word, other[: len(word)]) if len(other) > len(word) else 99)
        if slips <= allowed:
            scored.append((slips, other[0] != word[0], -likeness(grams, trigrams(other)), -count, other))
    scored.sort()
    return [other for slips, *_, other in scored[:most] if slips == scored[0][0]]
