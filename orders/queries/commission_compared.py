"""What should have come and what came: months of trail beside lines of statements, down to the folio.

    expected      the trail of the month, as a worker computed it (`orders/operations/commission_months.py`)
    received      trail by the lines that count; other kinds are never expected, and stand beside it
    difference    received less expected, of trail only: an incentive does not make up for trail that is missing

Whose a month and a line are was said when they were computed and read: who served the investor on the month's last day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from orders.models import CommissionLine, Scheme
from orders.queries import assets
from portal import money

# More months than these do not stand beside each other.
MOST_MONTHS = 6
NONE = assets.NONE
_KINDS = dict(CommissionLine.Kind.choices)


@dataclass(frozen=True)
class Grouping:
    """What the rows of a table are: their key and words in SQL, and how a table is narrowed to one of them.

    In each statement `b` is what is expected or came, with its partner, and `s` its scheme.
    """

    label: str
    key: str
    words: str
    condition: str


GROUPINGS = {
    "house": Grouping("Fund house", "s.fund_house_id::text", "h.name", "s.fund_house_id = %(house)s::bigint"),
    "scheme": Grouping("Scheme", "s.id::text", "s.name", "s.id = %(scheme)s::bigint"),
    "category": Grouping(
        "Category",
        f"coalesce(nullif(s.category, ''), '{NONE}')",
        "coalesce(nullif(s.category, ''), 'No category')",
        f"coalesce(nullif(s.category, ''), '{NONE}') = %(category)s",
    ),
    "partner": Grouping(
        "Partner",
        f"coalesce(b.partner_id, {NONE})::text",
        "coalesce(p.name, 'No partner')",
        f"coalesce(b.partner_id, {NONE}) = %(partner)s::bigint",
    ),
    "kind": Grouping("Kind", "b.kind", "b.kind", "b.kind = %(kind)s"),
}
Narrowed = Mapping[str, str]


@dataclass(frozen=True)
class Cell:
    """One group in one month. A holding is one scheme in one folio."""

    expected: Decimal
    # What came as trail, and as any other kind.
    trail: Decimal
    others: Decimal
    holdings: int
    lines: int
    # Holdings with days that have no rate, and with days that have no NAV: these days bring nothing.
    unrated: int
    unpriced: int

    @property
    def difference(self) -> Decimal:
        """Below zero: trail is missing."""
        return self.trail - self.expected

    @property
    def is_empty(self) -> bool:
        """Was nothing held, and did nothing come?"""
        return not self.holdings and not self.lines


NOTHING = Cell(money.ZERO, money.ZERO, money.ZERO, 0, 0, 0, 0)


@dataclass(frozen=True)
class Row:
    """One group in each of the months."""

    key: str
    words: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Folio:
    """One scheme in one folio in a month: a line behind a cell."""

    folio_id: int
    scheme_id: int
    partner_id: int
    folio: str
    scheme: str
    investor_id: int
    investor: str
    expected: Decimal
    trail: Decimal
    others: Decimal
    lines: int
    days: int
    unrated: int
    unpriced: int

    @property
    def difference(self) -> Decimal:
        """Below zero: trail is missing."""
        return self.trail - self.expected

    @property
    def place(self) -> tuple[Decimal, int, int, int]:
        """Where it stands in the list: the next page begins behind it."""
        return self.difference, self.folio_id, self.scheme_id, self.partner_id


# --- The statements -----------------------------------------------------------------------------------------------

_TABLE = """
    WITH b AS MATERIALIZED (
        SELECT m.month, m.scheme_id, m.partner_id, 'TRAIL' AS kind, sum(m.expected) AS expected, 0 AS received,
               count(*) AS holdings, 0 AS lines, count(*) FILTER (WHERE m.unrated > 0) AS unrated,
               count(*) FILTER (WHERE m.unpriced > 0) AS unpriced
          FROM orders_commissionmonth m WHERE m.month = ANY(%(months)s) GROUP BY 1, 2, 3
        UNION ALL
        SELECT l.month, l.scheme_id, l.partner_id, l.kind, 0, sum(l.amount), 0, count(*), 0, 0
          FROM orders_commissionline l WHERE l.why_not = '' AND l.month = ANY(%(months)s) GROUP BY 1, 2, 3, 4
    )
    SELECT {key}, {words}, b.month, sum(b.expected), coalesce(sum(b.received) FILTER (WHERE b.kind = 'TRAIL'), 0),
           coalesce(sum(b.received) FILTER (WHERE b.kind <> 'TRAIL'), 0), sum(b.holdings)::bigint,
           sum(b.lines)::bigint, sum(b.unrated)::bigint, sum(b.unpriced)::bigint
      FROM b
      JOIN orders_scheme s ON s.id = b.scheme_id
      JOIN orders_fundhouse h ON h.id = s.fund_house_id
      LEFT JOIN portal_partner p ON p.id = b.partner_id
     WHERE {narrowed} GROUP BY 1, 2, 3
"""
_FOLIOS = """
    WITH expected AS MATERIALIZED (
        SELECT m.folio_id, m.scheme_id, coalesce(m.partner_id, 0) AS partner, m.expected, m.days, m.unrated, m.unpriced
          FROM orders_commissionmonth m
         WHERE m.month = %(month)s AND %(kind)s IN ('', 'TRAIL')
           AND ({every_scheme} OR m.scheme_id IN (SELECT s.id FROM orders_scheme s WHERE {of_schemes}))
    ), came AS MATERIALIZED (
        SELECT l.folio_id, l.scheme_id, coalesce(l.partner_id, 0) AS partner, count(*) AS lines,
               coalesce(sum(l.amount) FILTER (WHERE l.kind = 'TRAIL'), 0) AS trail,
               coalesce(sum(l.amount) FILTER (WHERE l.kind <> 'TRAIL'), 0) AS others
          FROM orders_commissionline l
         WHERE l.why_not = '' AND l.month = %(month)s AND %(kind)s IN ('', l.kind)
           AND ({every_scheme} OR l.scheme_id IN (SELECT s.id FROM orders_scheme s WHERE {of_schemes}))
         GROUP BY 1, 2, 3
    ), b AS MATERIALIZED (
        SELECT folio_id, scheme_id, partner, coalesce(expected, 0) AS expected, coalesce(trail, 0) AS trail,
               coalesce(others, 0) AS others, coalesce(lines, 0) AS lines, coalesce(days, 0) AS days,
               coalesce(unrated, 0) AS unrated, coalesce(unpriced, 0) AS unpriced,
               coalesce(trail, 0) - coalesce(expected, 0) AS difference
          FROM expected FULL JOIN came USING (folio_id, scheme_id, partner)
         WHERE %(partner)s = '' OR partner = nullif(%(partner)s, '')::bigint
    ), page AS MATERIALIZED (
        SELECT * FROM b
         WHERE %(from_start)s
            OR (difference, folio_id, scheme_id, partner) > (%(difference)s, %(folio)s, %(scheme_id)s, %(partner_id)s)
         ORDER BY difference, folio_id, scheme_id, partner LIMIT %(size)s
    )
    SELECT b.folio_id, b.scheme_id, b.partner, f.number, s.name, i.id, i.code, b.expected, b.trail, b.others, b.lines,
           b.days, b.unrated, b.unpriced
      FROM page b
      JOIN orders_scheme s ON s.id = b.scheme_id
      JOIN orders_folio f ON f.id = b.folio_id
      JOIN investors_investor i ON i.id = f.investor_id
     ORDER BY b.difference, b.folio_id, b.scheme_id, b.partner
"""


def _where(narrowed: Narrowed, groups: Sequence[str] = tuple(GROUPINGS)) -> str:
    return " AND ".join(GROUPINGS[group].condition for group in groups if group in narrowed) or "TRUE"


def table(*, by: str, months: Sequence[date], narrowed: Narrowed) -> list[Row]:
    """A row for each group of which something was expected or came; first where most is missing in the last month."""
    group = GROUPINGS[by]
    sql = _TABLE.format(key=group.key, words=group.words, narrowed=_where(narrowed))
    found: dict[tuple[str, str], dict[date, Cell]] = {}
    for key, words, month, *figures in assets.read_whole(sql, {"months": list(months), **narrowed}):
        found.setdefault((key, words), {})[month] = Cell(*figures)
    rows = [
        Row(key, _KINDS[words] if by == "kind" else words, tuple(cells.get(month, NOTHING) for month in months))
        for (key, words), cells in found.items()
    ]
    return sorted(rows, key=lambda row: (row.cells[-1].difference, -row.cells[-1].expected, row.words))


def total(rows: Sequence[Row], months: int) -> Row:
    """All rows together."""
    return Row("", "Together", tuple(_together([row.cells[n] for row in rows]) for n in range(months)))


def _together(cells: Sequence[Cell]) -> Cell:
    return Cell(
        expected=sum((cell.expected for cell in cells), money.ZERO),
        trail=sum((cell.trail for cell in cells), money.ZERO),
        others=sum((cell.others for cell in cells), money.ZERO),
        holdings=sum(cell.holdings for cell in cells),
        lines=sum(cell.lines for cell in cells),
        unrated=sum(cell.unrated for cell in cells),
        unpriced=sum(cell.unpriced for cell in cells),
    )


def folios(
    *, month: date, narrowed: Narrowed, size: int, after: tuple[Decimal, int, int, int] | None = None
) -> list[Folio]:
    """The lines behind a cell, first where most is missing; `after` is the place of the last seen."""
    difference, folio, scheme, partner = after or (money.ZERO, 0, 0, 0)
    of_schemes = _where(narrowed, ("house", "scheme", "category"))
    values: dict[str, Any] = {
        "kind": "",
        "partner": "",
        **narrowed,
        "month": month,
        "from_start": after is None,
        "difference": difference,
        "folio": folio,
        "scheme_id": scheme,
        "partner_id": partner,
        "size": size,
    }
    sql = _FOLIOS.format(of_schemes=of_schemes, every_scheme=str(of_schemes == "TRUE").upper())
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [Folio(*each) for each in cursor.fetchall()]


def words_of(narrowed: Narrowed) -> dict[str, str]:
    """What each narrowing is called; a key that names nothing is left out."""
    named = assets.words_of({group: narrowed[group] for group in narrowed if group not in ("category", "kind")})
    own = {"kind": _KINDS.get(narrowed.get("kind", ""), ""), "category": _category(narrowed.get("category", ""))}
    return {**named, **{group: words for group, words in own.items() if words}}


def _category(key: str) -> str:
    if key == NONE:
        return "No category"
    return key if key and Scheme.objects.filter(category=key).exists() else ""
