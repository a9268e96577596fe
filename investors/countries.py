"""Names of countries in English. The data of a language is large, so it is read when somebody asks for a name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

# Codes that CLDR names and nobody lives in or pays taxes to.
_NO_LAND = frozenset(["EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "AC", "CP", "DG", "EA", "IC", "TA", "CQ"])


def name_of(code: str) -> str:
    """The name of a country by its ISO 3166 code; the code itself where nobody has it."""
    return _names().get(code, code)


@cache
def of_the_world() -> tuple[tuple[str, str], ...]:
    """(ISO 3166 code, name) of every country, by name."""
    found = _names().items()
    real = [(code, name) for code, name in found if len(code) == 2 and code.isalpha() and code not in _NO_LAND]
    return tuple(sorted(real, key=lambda pair: pair[1]))


@cache
def _names() -> Mapping[str, str]:
    from babel import Locale

    names: Mapping[str, str] = Locale("en").territories
    return names
