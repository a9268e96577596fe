"""Prices of shares from a broker's feed: who asks for them, and what was answered. The call itself is the broker's app.

A page never waits for a broker. It shows the row as it stands and *wants* it fresher; the first who wants a share that
has grown old claims its refresh, in one statement, and everybody else finds it claimed. So a refresh is one call
whoever and however many look. What was claimed and never answered is free again after `LEASE_S`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from orders import market
from orders.models import Depth, Quote
from orders.operations import securities
from orders.queries import schemes as scheme_queries
from portal import hints, jobs

# Seconds for which a price counts as fresh: while the exchange trades, and while it does not.
FRESH_S = {True: 5, False: 300}
LEASE_S = 30
# Who has no session, and shares none of the house, does not make work again for so long.
RESTS_S = 30
REFRESH_TASK = "brokers.refresh_quotes"

# Locks are taken in the order of the keys, so that two pages with the same shares never wait for each other crosswise.
_CLAIM = """
    INSERT INTO {table} AS row ({columns}) SELECT {values} FROM unnest(%(ids)s::bigint[]) AS wanted(id) ORDER BY id
    ON CONFLICT (security_id) DO UPDATE SET asked_at = %(at)s
     WHERE row.asked_at IS NULL
        OR row.asked_at <= CASE WHEN row.settled_at >= row.asked_at THEN %(old)s ELSE %(lost)s END
    RETURNING security_id
"""
_CLAIMS = {
    Quote: _CLAIM.format(table=Quote._meta.db_table, columns="security_id, asked_at, trouble", values="id, %(at)s, ''"),
    Depth: _CLAIM.format(
        table=Depth._meta.db_table,
        columns="security_id, asked_at, trouble, bids, asks",
        values="id, %(at)s, '', '[]', '[]'",
    ),
}


def want(*, security_ids: Iterable[int], at: datetime, investor_id: int | None = None, depth: bool = False) -> None:
    """Somebody looks at these shares: what of them is old is asked for, once. With `depth`, the order book as well.

    `investor_id` is whose session at the broker may be used, besides that of the house.
    """
    ids = sorted(security_ids)
    if not ids or rests(investor_id):
        return
    with transaction.atomic():
        quotes = _claim(Quote, ids, at)
        depths = _claim(Depth, ids, at) if depth else []
        if quotes or depths:
            jobs.nudge(REFRESH_TASK, quotes=quotes, depths=depths, investor_id=investor_id)


def _claim(model: type[Quote] | type[Depth], ids: list[int], at: datetime) -> list[int]:
    fresh = FRESH_S[market.is_open(at, scheme_queries.holidays())]
    moments = {"at": at, "old": at - timedelta(seconds=fresh), "lost": at - timedelta(seconds=LEASE_S)}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIMS[model], {"ids": ids, **moments})
        return sorted(pk for (pk,) in cursor.fetchall())


def take_in(
    *, model: type[Quote] | type[Depth], found: Mapping[int, Mapping[str, Any]], asked: Iterable[int], at: datetime
) -> None:
    """What a broker said of the shares that it was asked about; those that it left out it does not list."""
    rows: list[Any] = [
        model(security_id=pk, quoted_at=at, asked_at=at, settled_at=at, **said) for pk, said in found.items()
    ]
    changed = [*(next(iter(found.values()), {})), "quoted_at", "settled_at", "trouble"]
    with transaction.atomic():
        model._default_manager.bulk_create(
            sorted(rows, key=lambda row: row.security_id),
            update_conflicts=True,
            unique_fields=["security_id"],
            update_fields=changed,
        )
        settle(model=model, security_ids=set(asked) - set(found), trouble=Quote.Trouble.NO_CODE, at=at)
        if model is Quote:
            securities.note_prices({pk: (said["last"], at) for pk, said in found.items()})


def settle(*, model: type[Quote] | type[Depth], security_ids: Iterable[int], trouble: str, at: datetime) -> None:
    """A refresh has ended without a price: what was there stays, with its own time."""
    ids = list(security_ids)
    if ids:
        model._default_manager.filter(security_id__in=ids).update(settled_at=at, trouble=trouble)


def nobody_reads(*, model: type[Quote] | type[Depth], security_ids: Iterable[int], investor_id: int | None) -> None:
    """There was no session to ask with: the claim is given back for somebody who has one, and the asker rests."""
    rows = model._default_manager.filter(security_id__in=list(security_ids))
    rows.update(asked_at=None, trouble=Quote.Trouble.NO_SESSION)
    hints.put(_rests(investor_id), True, RESTS_S)


def rests(investor_id: int | None) -> bool:
    """Did somebody with this viewer's rights look a moment ago, and nobody could be asked?"""
    return bool(hints.get(_rests(investor_id)))


def _rests(investor_id: int | None) -> str:
    return f"no-feed-{investor_id or 0}"
