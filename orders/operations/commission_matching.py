"""Whose a line of a commission statement is: fund house, folio, scheme and partner, or why it counts for nothing.

The scheme says which fund house it is; what the line itself says of the house must not contradict that. A folio is
one of that house. An AMFI code that several options share means the one that the folio has held. The partner is whoever
served the investor on the last day of the month. What a registrar refers to counts once; of lines without a reference
equal ones count once too, unless they stand in one file: the same lines come again in a file that was saved anew.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from django.db import connection

from orders.feeds.commission import Line
from orders.models import FundHouse, Scheme, Transaction
from orders.queries.commission_people import partner_on

# Lines that are looked up together.
PORTION = 2_000
# What an AMFI code can be in our tables.
_AMFI = re.compile(r"\d{1,9}", re.ASCII)
_NOISE = re.compile(r"\b(mutual fund|mf|asset management|amc|company|limited|ltd|pvt|private)\b|[^a-z0-9 ]")


class Judged(NamedTuple):
    """A line, and what it belongs to; `why_not` is empty when it counts."""

    line: Line
    house_id: int | None = None
    folio_id: int | None = None
    scheme_id: int | None = None
    partner_id: int | None = None
    why_not: str = ""


Item = TypeVar("Item")


def portions(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of so many, the last of what is left."""
    rest = iter(items)
    while portion := list(islice(rest, size)):
        yield portion


# Folio, kind, month and reference: what counts once.
Key = tuple[int | None, str, date | None, str]
# Folio, scheme, kind, month, rupees, and the statement in which a line without a reference stands.
Equal = tuple[int | None, int | None, str, date | None, Decimal | None, int]
# The code of a statement and the number of a line in it.
Place = tuple[str, int]


class Matcher:
    """Looks lines up, a portion at a time; of one file it knows what earlier lines referred to."""

    def __init__(self, *, today: date, statement_id: int = 0) -> None:
        """`statement_id`: of the file that is being entered."""
        self.statement_id = statement_id
        self.this_month = today.replace(day=1)
        every = list(FundHouse.objects.all())
        self.houses = {house.pk: house.name for house in every}
        self._house_of = _names_of(every)
        self._seen: dict[Key, int] = {}
        self._seen_equal: dict[tuple[Any, ...], int] = {}

    def judge(self, lines: Iterable[Line]) -> Iterator[Judged]:
        """Each line with what it belongs to, in order."""
        for portion in portions(lines, PORTION):
            yield from self._portion(portion)

    def _portion(self, lines: Sequence[Line]) -> Iterator[Judged]:
        good = [line for line in lines if not line.why_not]
        schemes = _schemes({line.scheme.upper() for line in good})
        folios = _folios({(house, line.folio) for line in good for _, house in schemes[line.scheme.upper()]})
        shared = {code for code, found in schemes.items() if len(found) > 1}
        of_shared = {line.folio for line in good if line.scheme.upper() in shared}
        held = _held([pk for (_, number), (pk, _) in folios.items() if number in of_shared])
        judged = [self._of(line, schemes, folios, held) for line in lines]
        partners = _partners(judged, folios)
        fit = [each for each in judged if not each.why_not]
        counted = _counted({_key(each) for each in fit if each.line.reference})
        equal = _equal({self._equal_key(each) for each in fit if not each.line.reference})
        return (self._once(each._replace(partner_id=partners.get(n)), counted, equal) for n, each in enumerate(judged))

    def _of(self, line: Line, schemes: Schemes, folios: Folios, held: Held) -> Judged:
        """Fund house, scheme and folio of one line."""
        said = self._house_of.get(_plain(line.house))
        if line.why_not:
            return Judged(line, house_id=said, why_not=line.why_not)
        known = schemes.get(line.scheme.upper(), ())
        houses = {house for _, house in known}
        if not known:
            return Judged(line, house_id=said, why_not=f"No scheme of ours has the code {line.scheme}.")
        if said is not None and said not in houses:
            its = self.houses[next(iter(houses))]
            words = f"The scheme is of {its}, and the line says {line.house}."
            return Judged(line, house_id=said, why_not=words[:200])
        return self._in_folio(line, known, folios, held)

    def _in_folio(self, line: Line, known: Sequence[tuple[int, int]], folios: Folios, held: Held) -> Judged:
        # Options of one AMFI code are of one fund house.
        house_id, options = known[0][1], [pk for pk, _ in known]
        folio_id, _ = folios.get((house_id, line.folio), (None, None))
        if folio_id is None:
            words = f"No folio {line.folio} of {self.houses[house_id]} is known."
            return Judged(line, house_id=house_id, why_not=words[:200])
        fit = options if len(options) == 1 else [pk for pk in options if (folio_id, pk) in held]
        if len(fit) != 1:
            words = f"Several schemes have the code {line.scheme}, and the folio held none or more than one of them."
            return Judged(line, house_id=house_id, folio_id=folio_id, why_not=words[:200])
        if line.month is None or line.month >= self.this_month:
            return Judged(line, house_id, folio_id, fit[0], None, "Its month has not ended yet.")
        return Judged(line, house_id, folio_id, fit[0])

    def _once(self, judged: Judged, counted: Mapping[Key, Place], equal: Mapping[Equal, Place]) -> Judged:
        """What is referred to counts once: in this file, and over all statements that stand."""
        if judged.why_not:
            return judged
        if not judged.line.reference:
            return self._once_without(judged, equal)
        key = _key(judged)
        if key in self._seen:
            return judged._replace(
                why_not=f"Its reference stands in an earlier line already, number {self._seen[key]}."
            )
        if key in counted:
            code, number = counted[key]
            return judged._replace(why_not=f"Its reference counts in line {number} of {code} already.")
        self._seen[key] = judged.line.number
        return judged

    def _once_without(self, judged: Judged, equal: Mapping[Equal, Place]) -> Judged:
        """A line without a reference counts unless an equal one counts in another statement."""
        key = self._equal_key(judged)
        if key in equal:
            code, number = equal[key]
            words = (
                f"An equal line counts in line {number} of {code} already. With a reference of its own it would count."
            )
            return judged._replace(why_not=words)
        if self._seen_equal.setdefault(key[:-1], key[-1]) != key[-1]:
            return judged._replace(why_not="An equal line of another statement counts already.")
        return judged

    def _equal_key(self, judged: Judged) -> Equal:
        line = judged.line
        own = line.statement_id or self.statement_id
        return judged.folio_id, judged.scheme_id, line.kind, line.month, line.amount, own


Schemes = dict[str, list[tuple[int, int]]]
# Fund house and number -> the folio and its investor.
Folios = dict[tuple[int, str], tuple[int, int]]
Held = set[tuple[int, int]]


@lru_cache(maxsize=1_000)
def _plain(name: str) -> str:
    return " ".join(_NOISE.sub(" ", name.lower()).split())


def _names_of(houses: Iterable[FundHouse]) -> dict[str, int]:
    """Names and provider's numbers of fund houses, each only where it means one of them."""
    found: dict[str, set[int]] = defaultdict(set)
    for house in houses:
        for name in filter(None, (_plain(house.name), _plain(house.provider_ref or ""))):
            found[name].add(house.pk)
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}


def _schemes(codes: Collection[str]) -> Schemes:
    """ISIN or AMFI code -> the schemes of that code, each with its fund house."""
    numbers = [int(code) for code in codes if _AMFI.fullmatch(code)]
    found: Schemes = defaultdict(list)
    columns = ("pk", "fund_house_id", "isin", "amfi_code")
    of_isin = Scheme.objects.filter(isin__in=codes).values_list(*columns)
    of_amfi = Scheme.objects.filter(amfi_code__in=numbers).values_list(*columns)
    for pk, house_id, isin, _ in of_isin:
        found[isin].append((pk, house_id))
    for pk, house_id, _, amfi in of_amfi:
        found[str(amfi)].append((pk, house_id))
    return {code: found[code.lstrip("0") if _AMFI.fullmatch(code) else code] for code in codes}


def _key(judged: Judged) -> Key:
    return judged.folio_id, judged.line.kind, judged.line.month, judged.line.reference


# By pairs, as the unique index has them: a list of numbers alone would be compared with every folio there is.
_FOLIOS = """
    SELECT f.fund_house_id, f.number, f.id, f.investor_id FROM unnest(%s::bigint[], %s::text[]) AS a (house, number)
      JOIN orders_folio f ON f.fund_house_id = a.house AND f.number = a.number
"""


def _folios(wanted: Collection[tuple[int, str]]) -> Folios:
    return {(house_id, number): (pk, investor_id) for house_id, number, pk, investor_id in _asked(_FOLIOS, wanted)}


def _asked(statement: str, wanted: Collection[tuple[Any, ...]]) -> list[Any]:
    """The rows of a statement that is given columns of keys; none where there is no key."""
    if not wanted:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(column) for column in zip(*wanted, strict=True)])
        return cursor.fetchall()


def _held(folio_ids: Collection[int]) -> Held:
    """Which schemes these folios ever held."""
    if not folio_ids:
        return set()
    rows = Transaction.objects.filter(folio_id__in=folio_ids).order_by()
    return set(rows.values_list("folio_id", "scheme_id").distinct())


_SERVED = f"""
    SELECT a.n, {partner_on("a.investor_id", "(a.month + interval '1 month' - interval '1 day')::date")}
      FROM unnest(%s::int[], %s::bigint[], %s::date[]) AS a (n, investor_id, month)
"""  # noqa: S608 - our own names


def _partners(judged: Sequence[Judged], folios: Folios) -> dict[int, int | None]:
    """Place of a line -> who served its investor on the last day of its month."""
    investors = dict(folios.values())
    return dict(
        _asked(
            _SERVED,
            [
                (n, investors[each.folio_id], each.line.month)
                for n, each in enumerate(judged)
                if each.folio_id and not each.why_not
            ],
        )
    )


# Key by key: before PostgreSQL has counted a table that was just filled, it would walk through all of it for each.
_COUNTED = """
    SELECT a.folio, a.kind, a.month, a.reference, s.code, l.number
      FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::text[]) AS a (folio, kind, month, reference)
     CROSS JOIN LATERAL (
           SELECT c.statement_id, c.number FROM orders_commissionline c
            WHERE c.folio_id = a.folio AND c.kind = a.kind AND c.month = a.month AND c.reference = a.reference
              AND c.why_not = '' AND c.reference <> '' LIMIT 1) l
      JOIN orders_commissionstatement s ON s.id = l.statement_id
"""
_EQUAL = """
    SELECT a.folio, a.scheme, a.kind, a.month, a.amount, a.own, s.code, l.number
      FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::date[], %s::numeric[], %s::bigint[])
           AS a (folio, scheme, kind, month, amount, own)
     CROSS JOIN LATERAL (
           SELECT c.statement_id, c.number FROM orders_commissionline c
            WHERE c.month = a.month AND c.folio_id = a.folio AND c.scheme_id = a.scheme AND c.why_not = ''
              AND c.kind = a.kind AND c.amount = a.amount AND c.reference = '' AND c.statement_id <> a.own LIMIT 1) l
      JOIN orders_commissionstatement s ON s.id = l.statement_id
"""


def _counted(keys: Collection[Key]) -> dict[Key, Place]:
    """What of these counts already."""
    return {tuple(row[:4]): (row[4], row[5]) for row in _asked(_COUNTED, keys)}


def _equal(keys: Collection[Equal]) -> dict[Equal, Place]:
    """Of which of these an equal line, without a reference too, counts in another statement."""
    return {tuple(row[:6]): (row[6], row[7]) for row in _asked(_EQUAL, keys)}
