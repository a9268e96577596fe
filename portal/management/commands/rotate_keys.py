"""Re-encrypt every encrypted column under the newest key and write every blind index under the newest index key.

How to rotate with no downtime: put the new key in front of FIELD_KEYS (and INDEX_KEYS), restart, run this command, then
drop the old key and restart. Rows stay readable and findable throughout, because all listed keys decrypt and look up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from psycopg import sql

from investors.models import ACCOUNT_INDEX, PAN_INDEX
from portal import encryption
from portal.encryption import EncryptedTextField, InvalidToken

BATCH = 500
# (table, column of the index) -> (encrypted column it is made from, purpose of the index)
BLIND_INDEXES = {
    ("investors_investor", "pan_index"): ("pan", PAN_INDEX),
    ("investors_investorevent", "pan_index"): ("pan", PAN_INDEX),
    ("investors_bankaccount", "number_index"): ("number", ACCOUNT_INDEX),
    ("investors_bankaccountevent", "number_index"): ("number", ACCOUNT_INDEX),
}
# What allauth keeps encrypted through our adapter (portal/accounts.py).
MFA_SECRETS = ("secret", "seed")


@dataclass(frozen=True)
class Target:
    """One table with its encrypted columns, and the index columns made from them."""

    table: str
    key: str
    columns: tuple[str, ...]
    indexes: tuple[tuple[str, str, str], ...]


def targets() -> Iterator[Target]:
    """Every table that has an encrypted column, the history tables included."""
    for model in apps.get_models():
        table = model._meta.db_table
        fields = model._meta.local_concrete_fields
        columns = tuple(str(field.column) for field in fields if isinstance(field, EncryptedTextField))
        if columns and model._meta.managed and not model._meta.proxy:
            indexes = tuple((name, *made) for (where, name), made in BLIND_INDEXES.items() if where == table)
            yield Target(table, str(model._meta.pk.column), columns, indexes)


class Command(BaseCommand):
    """Works in batches, each its own transaction, so that it can be stopped and started again."""

    help = "Bring every encrypted value and blind index under the newest keys."

    def add_arguments(self, parser: CommandParser) -> None:
        """The size of a batch bounds how long rows stay locked."""
        parser.add_argument("--batch", type=int, default=BATCH)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints progress per table. Raises CommandError when a value opens under no current key."""
        for target in targets():
            done = 0
            for count in self._batches(target, options["batch"]):
                done += count
                self.stdout.write(f"\r{target.table}: {done} rows", ending="")
                self.stdout.flush()
            self.stdout.write(f"\r{target.table}: {done} rows")
        self._authenticators()

    def _batches(self, target: Target, size: int) -> Iterator[int]:
        last = 0
        while True:
            with transaction.atomic():
                rows = _read(target, last, size)
                if not rows:
                    return
                _write(target, rows, [_renewed(target, row) for row in rows])
            last = rows[-1][0]
            yield len(rows)

    def _authenticators(self) -> None:
        """Second factors keep their secrets inside JSON, under the same keys."""
        for row in Authenticator.objects.order_by("pk").iterator(BATCH):
            data = {k: encryption.rotate(v) if k in MFA_SECRETS and v else v for k, v in row.data.items()}
            Authenticator.objects.filter(pk=row.pk).update(data=data)


def _read(target: Target, last: int, size: int) -> list[tuple[Any, ...]]:
    """The next rows by key: the key, the encrypted columns, the index columns; locked."""
    names = [target.key, *target.columns, *(index for index, _, _ in target.indexes)]
    query = sql.SQL("SELECT {} FROM {} WHERE {key} > %s ORDER BY {key} LIMIT %s FOR UPDATE").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(target.table), key=sql.Identifier(target.key)
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [last, size])
        return list(cursor.fetchall())


def _renewed(target: Target, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same row under the newest keys."""
    tokens = dict(zip(target.columns, row[1:], strict=False))
    try:
        fresh = [encryption.rotate(token) if token else token for token in tokens.values()]
        made = [_index(tokens[column], purpose) for _, column, purpose in target.indexes]
    except InvalidToken:
        raise CommandError(f"{target.table} {row[0]} opens under none of FIELD_KEYS: is an old key missing?") from None
    return (row[0], *fresh, *made)


def _index(token: str | None, purpose: str) -> str | None:
    return encryption.blind_index(encryption.decrypt(token), purpose) if token else None


def _write(target: Target, before: list[tuple[Any, ...]], rows: list[tuple[Any, ...]]) -> None:
    """Without the table's triggers: what the row says stays the same, so history and "never changes" stay out of it."""
    names = [*target.columns, *(index for index, _, _ in target.indexes)]
    table = sql.Identifier(target.table)
    update = sql.SQL("UPDATE {} SET {} WHERE {} = %s").format(
        table,
        sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in names),
        sql.Identifier(target.key),
    )
    with connection.cursor() as cursor, _without_triggers(cursor, target.table):
        cursor.executemany(update, [(*row[1:], row[0]) for row in rows])
    if target.table == "investors_investor":
        _renew_kyc_indexes([(new[-1], new[0], old[-1]) for old, new in zip(before, rows, strict=True) if old[-1]])


def _renew_kyc_indexes(changes: list[tuple[str, int, str]]) -> None:
    """A KYC answer carries the index of the PAN it is about."""
    update = "UPDATE investors_kyccheck SET pan_index = %s WHERE investor_id = %s AND pan_index = %s"
    with connection.cursor() as cursor, _without_triggers(cursor, "investors_kyccheck"):
        cursor.executemany(update, changes)


@contextmanager
def _without_triggers(cursor: Any, table: str) -> Iterator[None]:
    """Rolled back with the transaction when anything fails, so the triggers cannot stay off."""
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
    yield
    cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
