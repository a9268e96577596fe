"""Assets under management on days of the past: the units of each folio by the ledger, at the NAV that held on that day.

    value of a holding    units of one folio and scheme up to and with the day, times the NAV, rounded to the paisa
    value of a cell       the sum of these, so that the folios behind a cell add up to it
    the NAV of a day      the newest that AMFI published for it or for a day before; none: in no sum, and counted

Whose a folio is, and which partner serves its investor, is said as of now: a transfer takes the past along. One
statement reads a table, whatever the number of folios and days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from orders.models import Scheme
from orders.queries import nav_days
from portal import money

# More days than these do not stand beside each other.
MOST_DAYS = 6
# The key of what has none: investors who came without a partner.
NONE = "0"


@dataclass(frozen=True)
class Grouping:
    """What the rows of a table are: their key and words in SQL, and how a table is narrowed to one of them."""

    label: str
    key: str
    words: str
    # Of the schemes, before anything is added up; of the folios, afterwards.
    of_schemes: str = "TRUE"
    of_folios: str = "TRUE"


GROUPINGS = {
    "house": Grouping(
        "Fund house", "s.fund_house_id::text", "h.name", of_schemes="s.fund_house_id = %(house)s::bigint"
    ),
    "scheme": Grouping("Scheme", "s.id::text", "s.name", of_schemes="s.id = %(scheme)s::bigint"),
    "class": Grouping("Asset class", "s.asset_class", "s.asset_class", of_schemes="s.asset_class = %(class)s"),
    "partner": Grouping(
        "Partner",
        f"coalesce(i.partner_id, {NONE})::text",
        "coalesce(p.name, 'No partner')",
        of_folios=f"coalesce(i.partner_id, {NONE}) = %(partner)s::bigint",
    ),
}
# Group -> key: what a table is narrowed to.
Narrowed = Mapping[str, str]


@dataclass(frozen=True)
class Cell:
    """One group on one day. A holding is one scheme in one folio."""

    value: Decimal
    holdings: int
    # Holdings of schemes of which no NAV is known for the day or before it: in no value.
    unvalued: int
    # The oldest and the newest day of the NAVs behind the value.
    nav_from: date | None
    nav_to: date | None


@dataclass(frozen=True)
class Row:
    """One group on each of the days."""

    key: str
    words: str
    cells: tuple[Cell, ...]

    @property
    def change(self) -> Decimal:
        """From the first day to the last."""
        return self.cells[-1].value - self.cells[0].value


@dataclass(frozen=True)
class Held:
    """One scheme in one folio on a day: a line behind a cell."""

    folio_id: int
    scheme_id: int
    folio: str
    scheme: str
    investor_id: int
    investor: str
    units: Decimal
    nav: Decimal | None
    nav_on: date | None
    value: Decimal | None

    @property
    def place(self) -> tuple[Decimal, int, int]:
        """Where it stands in the list: the next page begins behind it."""
        return (Decimal(-1) if self.value is None else self.value), self.folio_id, self.scheme_id


# --- The statements -----------------------------------------------------------------------------------------------

_UNITS = "coalesce(sum(t.units) FILTER (WHERE t.traded_on <= %(day{n})s), 0) AS units{n}"
_PRICED = 'price{n}.nav AS nav{n}, price{n}."on" AS on{n}'
_CELL = """
    coalesce(sum(round(held.units{n} * s.nav{n}, 2)) FILTER (WHERE held.units{n} <> 0), 0),
    count(*) FILTER (WHERE held.units{n} <> 0),
    count(*) FILTER (WHERE held.units{n} <> 0 AND s.nav{n} IS NULL),
    min(s.on{n}) FILTER (WHERE held.units{n} <> 0), max(s.on{n}) FILTER (WHERE held.units{n} <> 0)
"""
_BASE = """
    WITH held AS MATERIALIZED (
        SELECT t.folio_id, t.scheme_id, {units}
          FROM orders_transaction t
         WHERE t.traded_on <= %(last)s
           AND ({every_scheme} OR t.scheme_id IN (SELECT s.id FROM orders_scheme s WHERE {of_schemes}))
         GROUP BY t.folio_id, t.scheme_id
    ), priced AS MATERIALIZED (
        SELECT s.id, s.name, s.fund_house_id, s.asset_class, {priced}
          FROM orders_scheme s {prices}
         WHERE s.id IN (SELECT scheme_id FROM held)
    )
    SELECT {what}
      FROM held
      JOIN priced s ON s.id = held.scheme_id
      JOIN orders_folio f ON f.id = held.folio_id
      JOIN investors_investor i ON i.id = f.investor_id
"""
_TABLE = """
      JOIN orders_fundhouse h ON h.id = s.fund_house_id
      LEFT JOIN portal_partner p ON p.id = i.partner_id
     WHERE {of_folios} GROUP BY 1, 2
"""
_FOLIOS = """
     CROSS JOIN LATERAL (SELECT coalesce(round(held.units0 * s.nav0, 2), -1) AS value) rank
     WHERE {of_folios} AND held.units0 <> 0
       AND (%(from_start)s OR (rank.value, f.id, s.id) < (%(value)s, %(folio)s, %(scheme_id)s))
     ORDER BY rank.value DESC, f.id DESC, s.id DESC LIMIT %(size)s
"""
_HELD = """
    f.id, s.id, f.number, s.name, i.id, i.code, held.units0, s.nav0, s.on0, round(held.units0 * s.nav0, 2)
"""


def _base(what: str, days: int, narrowed: Narrowed) -> str:
    each = range(days)
    of_schemes = [GROUPINGS[group].of_schemes for group in narrowed]
    return _BASE.format(
        units=", ".join(_UNITS.format(n=n) for n in each),
        priced=", ".join(_PRICED.format(n=n) for n in each),
        prices="".join(f" LEFT JOIN LATERAL {nav_days.nav_on(f'%(day{n})s')} price{n} ON TRUE" for n in each),
        every_scheme=str(set(of_schemes) <= {"TRUE"}).upper(),
        of_schemes=" AND ".join(of_schemes) or "TRUE",
        what=what,
    )


def _of_folios(narrowed: Narrowed) -> str:
    return " AND ".join(GROUPINGS[group].of_folios for group in narrowed) or "TRUE"


def _values(days: Sequence[date], narrowed: Narrowed) -> dict[str, Any]:
    return {**{f"day{n}": day for n, day in enumerate(days)}, "last": max(days), **narrowed}


def read_whole(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement over whole tables. Behind row-level policies the planner expects one investor, and would
    walk through all holdings once for each of many."""
    with connection.cursor() as cursor:
        cursor.execute("SET enable_nestloop = off")
        try:
            cursor.execute(sql, values)
            return cursor.fetchall()
        finally:
            cursor.execute("RESET enable_nestloop")


def table(*, by: str, days: Sequence[date], narrowed: Narrowed) -> list[Row]:
    """A row for each group that held something on one of the days; on the last day the largest first."""
    group = GROUPINGS[by]
    cells = ", ".join(_CELL.format(n=n) for n in range(len(days)))
    sql = _base(f"{group.key}, {group.words}, {cells}", len(days), narrowed)
    read = read_whole(sql + _TABLE.format(of_folios=_of_folios(narrowed)), _values(days, narrowed))
    found = [_row(by, *each) for each in read]
    rows = [row for row in found if any(cell.holdings for cell in row.cells)]
    return sorted(rows, key=lambda row: (-row.cells[-1].value, row.words))


_ASSET_CLASSES = dict(Scheme.AssetClass.choices)


def _row(by: str, key: str, words: str, *figures: Any) -> Row:
    cells = tuple(Cell(*figures[start : start + 5]) for start in range(0, len(figures), 5))
    return Row(key, _ASSET_CLASSES[words] if by == "class" else words, cells)


def total(rows: Sequence[Row], days: int) -> Row:
    """All rows together."""
    return Row("", "Together", tuple(_together([row.cells[n] for row in rows]) for n in range(days)))


def _together(cells: Sequence[Cell]) -> Cell:
    return Cell(
        value=sum((cell.value for cell in cells), money.ZERO),
        holdings=sum(cell.holdings for cell in cells),
        unvalued=sum(cell.unvalued for cell in cells),
        nav_from=min((cell.nav_from for cell in cells if cell.nav_from), default=None),
        nav_to=max((cell.nav_to for cell in cells if cell.nav_to), default=None),
    )


def folios(*, on: date, narrowed: Narrowed, size: int, after: tuple[Decimal, int, int] | None = None) -> list[Held]:
    """The lines behind a cell, the largest first, those without a NAV last; `after` is the place of the last seen."""
    value, folio, scheme = after or (money.ZERO, 0, 0)
    more: dict[str, Any] = {
        "from_start": after is None,
        "value": value,
        "folio": folio,
        "scheme_id": scheme,
        "size": size,
    }
    sql = _base(_HELD, 1, narrowed) + _FOLIOS.format(of_folios=_of_folios(narrowed))
    with connection.cursor() as cursor:
        cursor.execute(sql, {**_values([on], narrowed), **more})
        return [Held(*each) for each in cursor.fetchall()]


def words_of(narrowed: Narrowed) -> dict[str, str]:
    """What each narrowing is called; a key that names nothing is left out."""
    found = {group: _named(group, key) for group, key in narrowed.items()}
    return {group: words for group, words in found.items() if words}


_NAMES = {
    "house": "SELECT name FROM orders_fundhouse WHERE id = %s",
    "scheme": "SELECT name FROM orders_scheme WHERE id = %s",
    "partner": "SELECT name FROM portal_partner WHERE id = %s",
}


def _named(group: str, key: str) -> str:
    if group == "class":
        return _ASSET_CLASSES.get(key, "")
    if group == "partner" and key == NONE:
        return "No partner"
    if not key.isascii() or not key.isdigit() or len(key) > 18:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES[group], [int(key)])
        row = cursor.fetchone()
    return row[0] if row else ""
