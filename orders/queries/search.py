"""Finding a fund: by name, fund house, category, ISIN or AMFI code, also with a slip of the finger.

One statement finds the page. Only when the typed words find nothing, a second looks for their neighbours in the
vocabulary of scheme names (`SchemeWord`) and a third searches again with those. Order: what can be bought here first
(growth before IDCW), then how well the words fit, then the name; pages follow a cursor in that order.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from orders import search_words
from orders.models import Scheme

PAGE = 25
# A word with a digit in it and this long is a code, not a name.
CODE_LENGTH = 4


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for. Empty texts and None do not filter."""

    text: str = ""
    asset_class: str = ""
    category: str = ""
    fund_house: int | None = None
    option: str = ""
    # Also what cannot be bought here: direct plans, close-ended and ended schemes.
    everything: bool = False

    @property
    def words(self) -> list[str]:
        """The words typed, up to a bound."""
        return search_words.words(self.text)[: search_words.MAX_WORDS_ASKED]

    @property
    def is_code(self) -> bool:
        """An ISIN or an AMFI code names one scheme: it is shown whether or not it is for sale."""
        words = self.words
        return len(words) == 1 and len(words[0]) >= CODE_LENGTH and any(letter.isdigit() for letter in words[0])

    @property
    def sees_all(self) -> bool:
        """Whether schemes that are not for sale are shown too."""
        return self.everything or self.is_code


class Found(NamedTuple):
    """A line of the list."""

    isin: str
    name: str
    fund_house: str
    asset_class: str
    category: str
    plan: str
    option: str
    nav: Decimal | None
    nav_on: date | None
    previous_nav: Decimal | None
    previous_nav_on: date | None
    min_first: Decimal | None
    tier: int
    misfit: int
    key: str
    id: int


@dataclass(frozen=True)
class Page:
    """A page of results. `read_as` is what we searched for instead of words that nobody's name has."""

    funds: list[Found]
    before: str = ""
    after: str = ""
    read_as: str = ""


def search(wanted: Wanted, *, cursor: str = "", size: int = PAGE) -> Page:
    """The page of schemes after (or before) `cursor`. At most three statements, usually one."""
    words = wanted.words
    page = _page(wanted, [[word] for word in words], cursor, size)
    if page.funds or not words or wanted.is_code or cursor:
        return page if page.funds or not cursor else _page(wanted, [[word] for word in words], "", size)
    corrected = correct(words)
    if corrected == [[word] for word in words]:
        return page
    found = _page(wanted, corrected, "", size)
    # A later page of a corrected search searches for the corrected words, which stand in its address.
    return replace(found, read_as=" ".join(options[0] for options in corrected)) if found.funds else page


def correct(words: list[str]) -> list[list[str]]:
    """For each word what it may have meant: itself where a known word begins with it, else its nearest neighbours."""
    grams = sorted({gram for word in words for gram in search_words.trigrams(word)})
    with connection.cursor() as cursor:
        cursor.execute(_NEIGHBOURS, {"words": words, "grams": grams})
        known: list[tuple[str, int]] = cursor.fetchall()
    return [_meant(word, known) for word in words]


def _meant(word: str, known: list[tuple[str, int]]) -> list[str]:
    if any(other.startswith(word) for other, _ in known):
        return [word]
    return search_words.nearest(word, known) or [word]


_NEIGHBOURS = """
    SELECT word, schemes FROM orders_schemeword
     WHERE trigrams ?| %(grams)s::text[] OR word ^@ ANY(%(words)s::text[])
"""


# --- One page -------------------------------------------------------------------------------------------------------


def _page(wanted: Wanted, words: list[list[str]], cursor: str, size: int) -> Page:
    backwards, place = _read_cursor(cursor)
    where, values = _conditions(wanted, words)
    values |= {"size": size + 1}
    if place:
        values |= dict(zip(ORDER, place, strict=True))
    sql = _SEARCH.format(
        tier=_TIER if wanted.sees_all else _GROWTH_FIRST,
        misfit=_MISFIT if words else "0",
        where=" AND ".join(where),
        place=_PLACE.format(sign="<" if backwards else ">") if place else "",
        order=", ".join(
            f"found.{name} {'DESC' if backwards else 'ASC'}" for name in ORDER if words or name != "misfit"
        ),
    )
    with connection.cursor() as database:
        database.execute(sql, values)
        rows = [Found._make(row) for row in database.fetchall()]
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    if not rows:
        return Page([])
    return Page(
        rows,
        before=_write_cursor("b", rows[0]) if (more if backwards else place) else "",
        after=_write_cursor("a", rows[-1]) if more or backwards else "",
    )


def _conditions(wanted: Wanted, words: list[list[str]]) -> tuple[list[str], dict[str, Any]]:
    """SQL conditions and their values; what is not asked for is not in the statement."""
    asked = {
        "asset_class": wanted.asset_class,
        "category": wanted.category,
        "fund_house_id": wanted.fund_house,
        "option": wanted.option,
    }
    values: dict[str, Any] = {name: value for name, value in asked.items() if value}
    where = [f"scheme.{name} = %({name})s" for name in values]
    if not wanted.sees_all:
        where.append(FOR_SALE)
    if words:
        # Only letters and digits get here, so the query needs no quoting.
        values["query"] = " & ".join(f"({' | '.join(f'{word}:*' for word in options)})" for options in words)
        where.append("scheme.search @@ %(query)s::tsquery")
    return where or ["true"], values


# The same words as `orders.queries.schemes.why_not_for_sale`.
FOR_SALE = "scheme.is_active AND scheme.purchase_allowed AND scheme.plan = 'REGULAR' AND NOT scheme.is_close_ended"
# Written as in the index `scheme_for_sale`, which gives the first page without sorting.
_GROWTH_FIRST = "CASE WHEN scheme.option = 'GROWTH' THEN 0 ELSE 1 END"
_TIER = f"CASE WHEN NOT ({FOR_SALE}) THEN 2 ELSE {_GROWTH_FIRST} END"
# Rank as a whole number, so that a cursor can compare it exactly; 1: long names count less.
_MISFIT = "-round(1000000 * ts_rank(scheme.search, %(query)s::tsquery, 1))::integer"
# Names by their small letters: fund houses differ in which of theirs they shout.
ORDER = ("tier", "misfit", "key", "id")
_PLACE = "WHERE (found.tier, found.misfit, found.key, found.id) {sign} (%(tier)s, %(misfit)s, %(key)s, %(id)s)"
_SEARCH = """
    SELECT found.isin, found.name, house.name, found.asset_class, found.category, found.plan, found.option, found.nav,
           found.nav_on, found.previous_nav, found.previous_nav_on, found.min_first, found.tier, found.misfit,
           found.key, found.id
      FROM (SELECT scheme.*, {tier} AS tier, {misfit} AS misfit, lower(scheme.name) AS key
              FROM orders_scheme scheme WHERE {where}) found
      JOIN orders_fundhouse house ON house.id = found.fund_house_id
     {place}
     ORDER BY {order}
     LIMIT %(size)s
"""


def _write_cursor(way: str, row: Found) -> str:
    return base64.urlsafe_b64encode(json.dumps([way, row.tier, row.misfit, row.key, row.id]).encode()).decode()


def _read_cursor(cursor: str) -> tuple[bool, tuple[int, int, str, int] | None]:
    """(backwards?, place); a cursor that nobody of us wrote is the first page."""
    try:
        way, tier, misfit, key, pk = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return way == "b", (int(tier), int(misfit), str(key).replace("\x00", ""), int(pk))
    except (ValueError, TypeError):
        return False, None


# --- What can be chosen -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choices:
    """What the filters offer: of schemes that are for sale."""

    categories: dict[str, list[str]]
    fund_houses: list[tuple[int, str]]


def choices() -> Choices:
    """Categories by asset class, and fund houses, that have something for sale. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_CHOICES)
        rows = cursor.fetchall()
    categories: dict[str, list[str]] = {}
    for asset_class, category, _ in rows:
        if asset_class and category:
            categories.setdefault(asset_class, []).append(category)
    houses = [(house, name) for asset_class, name, house in rows if not asset_class]
    return Choices(categories, houses)


_CHOICES = f"""
    WITH scheme AS (SELECT asset_class, category, fund_house_id FROM orders_scheme scheme WHERE {FOR_SALE})
    SELECT asset_class, category, 0 FROM scheme GROUP BY asset_class, category
    UNION ALL
    SELECT '', house.name, house.id FROM orders_fundhouse house
     WHERE house.id IN (SELECT fund_house_id FROM scheme)
     ORDER BY 1, 2
"""  # noqa: S608 - a fixed text
ASSET_CLASSES = dict(Scheme.AssetClass.choices)
