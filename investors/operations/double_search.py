"""Every pair of investors who are perhaps one person, found each hour by what they have in common.

A statement a sign groups everybody by equal keys, and nobody is ever set beside everybody. A PAN is encrypted: those
that were typed and are not claimed, because somebody else has them, are looked for by their blind index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db import connection, transaction

from investors.alike import names_agree
from investors.models import PAN_INDEX, Investor, Merge, PossibleDouble
from investors.operations import doubles
from investors.operations.doubles import Pair, Sign, State
from portal.encryption import blind_indexes

One = TypeVar("One")
# Of people with one key (a number that an office gives for all its clients), each is set beside the first few only:
# pairs grow with the people, and not with their square. Words of names are common, so more are compared by name.
FIRST, FIRST_BY_WORD = 3, 50
# What makes two alike: rows of an investor and a key.
_KEYS: dict[str, str] = {
    Sign.MOBILE: """
       SELECT p.id, p.is_unclaimed, p.name, p.isd_code || p.mobile AS key FROM people p
        WHERE p.mobile <> '' AND p.mobile_is_of IN ('', 'SELF') AND p.kind <> 'MINOR'""",
    Sign.ACCOUNT: """
       SELECT DISTINCT p.id, p.is_unclaimed, p.name, b.number_index AS key
         FROM people p JOIN investors_bankaccount b ON b.investor_id = p.id AND b.closed_at IS NULL
        WHERE p.kind <> 'MINOR'""",
    # Dots and what follows a plus make no other mailbox at the biggest hosts, and capitals make none anywhere.
    Sign.EMAIL: """
       SELECT p.id, p.is_unclaimed, p.name,
              replace(split_part(split_part(lower(u.email), '@', 1), '+', 1), '.', '') || '@' ||
              replace(split_part(lower(u.email), '@', 2), 'googlemail.com', 'gmail.com') AS key
         FROM people p JOIN portal_user u ON u.id = p.user_id
        WHERE p.email_is_of IN ('', 'SELF') AND p.kind <> 'MINOR'""",
    Sign.BORN: """
       SELECT p.id, p.is_unclaimed, p.name, p.date_of_birth || w.word AS key
         FROM people p JOIN investors_nameword w ON w.investor_id = p.id
        WHERE p.date_of_birth IS NOT NULL AND length(w.word) > 2""",
}
_GROUPS = """
  WITH people AS (
       SELECT i.id, i.user_id, i.kind, i.isd_code, i.mobile, i.mobile_is_of, i.email_is_of, i.name, i.date_of_birth,
              i.pan_index IS NULL AS is_unclaimed
         FROM investors_investor i
        WHERE NOT EXISTS (SELECT FROM investors_merge m WHERE m.gone_id = i.id AND m.state = 'APPLIED')),
       keyed AS ({keys})
SELECT array_agg(k.id ORDER BY k.id), array_agg(k.is_unclaimed ORDER BY k.id), array_agg(k.name ORDER BY k.id)
  FROM keyed k GROUP BY k.key HAVING count(*) > 1 AND bool_or(k.is_unclaimed)
"""
# A statement reads everybody, for which the limit of pages is not made.
_LONGEST = "SET LOCAL statement_timeout = '300s'"
_AT_ONCE = 500


def find_all(*, at: datetime) -> int:
    """The queue holds every pair that has something in common now, and no other. Returns how many have."""
    found: dict[Pair, set[str]] = {}
    for sign in Sign.values:
        for pair in _by_pan() if sign == Sign.PAN else _pairs(sign):
            found.setdefault(pair, set()).add(sign)
    known = _known()
    for pair in sorted(found.keys() | known.keys()):
        signs = [sign for sign in Sign.values if sign in found.get(pair, ())]
        if signs != known.get(pair):
            doubles.settle(pair, signs, at=at)
    return len(found)


def _known() -> dict[Pair, list[str]]:
    """What the pairs that are looked at, or were told apart, have in common as far as we know."""
    rows = PossibleDouble.objects.exclude(state=State.GONE).values_list("one", "other", "signs")
    return {(one, other): signs for one, other, signs in rows.iterator()}


def _pairs(sign: str) -> Iterator[Pair]:
    with transaction.atomic(), connection.cursor() as setting, connection.chunked_cursor() as cursor:
        setting.execute(_LONGEST)
        cursor.execute(_GROUPS.format(keys=_KEYS[sign]))
        for keys, are_unclaimed, names in cursor:
            people = list(zip(keys, are_unclaimed, names, strict=True))
            for one, other in _beside_the_first(people, FIRST_BY_WORD if sign == Sign.BORN else FIRST):
                if (one[1] or other[1]) and (sign != Sign.BORN or names_agree(one[2], other[2])):
                    yield one[0], other[0]


def _beside_the_first(group: Sequence[One], first: int) -> Iterator[tuple[One, One]]:
    """Each of a group with those of the first few who stand before them."""
    for place, one in enumerate(group[:first]):
        for other in group[place + 1 :]:
            yield one, other


def _by_pan() -> Iterator[Pair]:
    who: dict[str, list[int]] = {}
    merged = Merge.objects.filter(state=Merge.State.APPLIED)
    typed = Investor.objects.filter(pan_index=None).exclude(pk__in=merged.values("gone"))
    for pk, pan in typed.order_by("pk").values_list("pk", "pan").iterator():
        if pan:
            who.setdefault(pan, []).append(pk)
    for pan, claimed in _claimed(who):
        who[pan].insert(0, claimed)
    for keys in who.values():
        yield from ((min(pair), max(pair)) for pair in _beside_the_first(keys, FIRST))


def _claimed(pans: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Which of these PANs somebody has, and who."""
    left = iter(pans)
    while some := {index: pan for pan in islice(left, _AT_ONCE) for index in blind_indexes(pan, PAN_INDEX)}:
        for has in Investor.objects.filter(pan_index__in=list(some)).only("pan_index"):
            yield some[has.pan_index or ""], has.pk
