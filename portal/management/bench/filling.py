"""Many orders at once, for benches of lists and comparisons: copies of one order, each with a consent of its own."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from orders.models import MfOrder

_TABLES = ("investors_consent", "orders_mforder")
# The numbers of the copies come from a list of their own, so that each parameter stands once, with its type.
_CONSENTS = """
    INSERT INTO investors_consent
    SELECT (jsonb_populate_record(c, jsonb_build_object('id', n, 'code', 'CB' || n, 'form_ref', 'b' || n))).*
      FROM investors_consent c, generate_series(%(first)s::bigint + 1, %(first)s::bigint + %(count)s) n
     WHERE c.id = %(consent)s
"""
_ORDERS = """
    INSERT INTO orders_mforder
    SELECT (jsonb_populate_record(o, jsonb_build_object(
               'id', n, 'code', 'OB' || n, 'client_ref', 'R' || n, 'provider_ref', n::text, 'consent_id', n,
               'state', %(state)s::text, 'placed_at', o.placed_at - make_interval(secs => n - %(first)s::bigint),
               'due_at', NULL, 'attempt_no', 1))).*
      FROM orders_mforder o, generate_series(%(first)s::bigint + 1, %(first)s::bigint + %(count)s) n
     WHERE o.id = %(order)s
"""
FIRST = 10_000_000


def orders(like: MfOrder, count: int, *, state: str, first: int = FIRST) -> None:
    """`count` more orders like this one, with ids from `first` on. Guards of single rows rest meanwhile."""
    values: dict[str, Any] = {
        "first": first,
        "count": count,
        "state": state,
        "order": like.pk,
        "consent": like.consent_id,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        # A million rows take longer than a page may.
        cursor.execute("SET LOCAL statement_timeout = 0")
        # A table that waits for checks at the commit cannot be altered: they are made now.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(_CONSENTS, values)
        cursor.execute(_ORDERS, values)
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            cursor.execute(f"ANALYZE {table}")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def forget(first: int = FIRST) -> None:
    """The orders that were filled in are gone again."""
    with connection.cursor() as cursor:
        for table in reversed(_TABLES):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"DELETE FROM {table} WHERE id > %s", [first])  # noqa: S608 - our own names
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
