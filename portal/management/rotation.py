"""Brings everything that is encrypted under the newest keys while the product runs.

    columns     every `EncryptedTextField`, those of history tables too, contents of sessions, secrets of second factors
    indexes     every blind index, made anew from the value that it is the index of
    files       everything in the vault

A batch is one short transaction. A row that somebody else holds is passed over and looked at again at the end, so that
nobody waits for us and we for nobody. Whatever is under the newest keys already is left alone: that is why a run which
was killed can simply be started again. History and "never changes" stay out of it, because what a row says stays the
same: triggers are told so in the transaction, none is switched off for anybody else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pgtrigger
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from investors.models import ACCOUNT_INDEX, PAN_INDEX
from portal import encryption
from portal.encryption import EncryptedTextField, InvalidToken
from portal.files import vault
from portal.models import Session

# (table, column of the index) -> (encrypted column it is made from, purpose of the index)
BLIND_INDEXES = {
    ("investors_investor", "pan_index"): ("pan", PAN_INDEX),
    ("investors_investorevent", "pan_index"): ("pan", PAN_INDEX),
    ("investors_investor", "guardian_pan_index"): ("guardian_pan", PAN_INDEX),
    ("investors_investorevent", "guardian_pan_index"): ("guardian_pan", PAN_INDEX),
    ("investors_bankaccount", "number_index"): ("number", ACCOUNT_INDEX),
    ("investors_bankaccountevent", "number_index"): ("number", ACCOUNT_INDEX),
}
# A KYC answer carries the index of the PAN that it is about: renewed together with its investor, whose history knows
# which PAN that was.
ELSEWHERE = {("investors_kyccheck", "pan_index")}
# What allauth keeps encrypted through our adapter (portal/accounts.py).
MFA_SECRETS = ("secret", "seed")
PAUSE_S = 0.2
# A row that is held for longer than this is a transaction that somebody forgot.
PATIENCE_S = 60.0

Progress = Callable[[str, int, int], None]


class OpensUnderNoKey(Exception):
    """Raised for a value that none of FIELD_KEYS opens. Nothing of its batch was changed."""


class Held(Exception):
    """Raised when rows stay locked by somebody else for longer than PATIENCE_S."""


@dataclass(frozen=True)
class Count:
    """Of how many rows (or files) one table has, how many were under older keys."""

    rows: int = 0
    renewed: int = 0

    def __add__(self, more: Count) -> Count:
        return Count(self.rows + more.rows, self.renewed + more.renewed)


@dataclass(frozen=True)
class Target:
    """One table with its encrypted columns, and the index columns made from them."""

    table: str
    key: str
    columns: tuple[str, ...]
    indexes: tuple[tuple[str, str, str], ...] = ()
    # What every key is greater than.
    first: Any = 0
    # May a row be under a key that is gone? A session may: nobody can open it, and it ends by itself.
    may_be_lost: bool = False

    @property
    def names(self) -> list[str]:
        """The columns that are written."""
        return [*self.columns, *(index for index, _, _ in self.indexes)]


def targets() -> Iterator[Target]:
    """Every table that has an encrypted column, the history tables included."""
    for model in apps.get_models():
        table = model._meta.db_table
        fields = model._meta.local_concrete_fields
        columns = tuple(str(field.column) for field in fields if isinstance(field, EncryptedTextField))
        if columns and model._meta.managed and not model._meta.proxy:
            indexes = tuple((name, *made) for (where, name), made in BLIND_INDEXES.items() if where == table)
            yield Target(table, str(model._meta.pk.column), columns, indexes)
    yield Target(Session._meta.db_table, "session_key", ("session_data",), first="", may_be_lost=True)


def run(*, batch: int, progress: Progress) -> dict[str, Count]:
    """Everything is under the newest keys. What -> how much of it. Raises OpensUnderNoKey, Held."""
    done = {target.table: table(target, batch=batch, progress=progress) for target in targets()}
    done["second factors"] = second_factors()
    done["files"] = files(progress)
    return done


def table(target: Target, *, batch: int, progress: Progress) -> Count:
    """Every row of one table."""
    total = _count(target)
    count, held, last = Count(), [], target.first
    while keys := _keys_after(target, last, batch):
        passed_over, renewed = renew(target, keys)
        held += passed_over
        count, last = count + Count(len(keys), renewed), keys[-1]
        progress(target.table, min(count.rows, total), total)
    return count + Count(0, _wait_for(target, held, batch))


def _wait_for(target: Target, held: list[Any], batch: int) -> int:
    """The rows that others held, until they have let go of them. Returns how many were renewed."""
    until, renewed = time.monotonic() + PATIENCE_S, 0
    while held:
        if time.monotonic() > until:
            raise Held(f"{len(held)} rows of {target.table} are held by somebody; start again later.")
        time.sleep(PAUSE_S)
        parts = [renew(target, held[place : place + batch]) for place in range(0, len(held), batch)]
        held = [key for passed_over, _ in parts for key in passed_over]
        renewed += sum(count for _, count in parts)
    return renewed


def _count(target: Target) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(target.table)))
        return int(cursor.fetchone()[0])


def _keys_after(target: Target, last: Any, size: int) -> list[Any]:
    query = sql.SQL("SELECT {key} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT %s").format(
        key=sql.Identifier(target.key), table=sql.Identifier(target.table)
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [last, size])
        return [key for (key,) in cursor.fetchall()]


def renew(target: Target, keys: list[Any]) -> tuple[list[Any], int]:
    """Bring these rows under the newest keys, in one transaction: (keys of rows that others hold, how many changed)."""
    with transaction.atomic(), connection.cursor() as cursor:
        _tell_triggers(cursor)
        rows = _lock(cursor, target, keys)
        changed = [(row[0], new) for row in rows if (new := _renewed(target, row)) != row[1:]]
        _write(cursor, target, changed)
        if target.table == "investors_investor":
            _renew_kyc_indexes(cursor, [row[0] for row in rows])
        seen = {row[0] for row in rows}
        missing = [key for key in keys if key not in seen]
        return (_still_there(cursor, target, missing) if missing else []), len(changed)


def _tell_triggers(cursor: Any) -> None:
    """For this transaction: history takes no note, and rows that never change let their keys be changed."""
    ignored = ",".join(sorted({trigger.get_pgid(model) for model, trigger in pgtrigger.registered()}))
    cursor.execute(
        "SELECT set_config('portal.rotating', 'on', true), set_config('pgtrigger.ignore', %s, true)", [f"{{{ignored}}}"]
    )


def _lock(cursor: Any, target: Target, keys: list[Any]) -> list[tuple[Any, ...]]:
    query = sql.SQL("SELECT {} FROM {} WHERE {key} = ANY(%s) ORDER BY {key} FOR UPDATE SKIP LOCKED").format(
        sql.SQL(", ").join(map(sql.Identifier, [target.key, *target.names])),
        sql.Identifier(target.table),
        key=sql.Identifier(target.key),
    )
    cursor.execute(query, [keys])
    return list(cursor.fetchall())


def _still_there(cursor: Any, target: Target, keys: list[Any]) -> list[Any]:
    """Those that are held, not gone."""
    query = sql.SQL("SELECT {key} FROM {} WHERE {key} = ANY(%s)").format(
        sql.Identifier(target.table), key=sql.Identifier(target.key)
    )
    cursor.execute(query, [keys])
    return [key for (key,) in cursor.fetchall()]


def _renewed(target: Target, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same row's columns under the newest keys."""
    tokens = dict(zip(target.columns, row[1:], strict=False))
    try:
        fresh = [encryption.rotate(token) if token else token for token in tokens.values()]
        made = [_index(tokens[column], purpose) for _, column, purpose in target.indexes]
    except InvalidToken:
        if target.may_be_lost:
            return row[1:]
        raise OpensUnderNoKey(
            f"{target.table} {row[0]} opens under none of FIELD_KEYS: is an old key missing?"
        ) from None
    # An index that was never set stays unset (a PAN is claimed by its index), and so does the mark of an erased person.
    before = row[1 + len(target.columns) :]
    return (*fresh, *(new if old and new else old for new, old in zip(made, before, strict=True)))


def _index(token: str | None, purpose: str) -> str | None:
    return encryption.blind_index(encryption.decrypt(token), purpose) if token else None


def _write(cursor: Any, target: Target, rows: list[tuple[Any, tuple[Any, ...]]]) -> None:
    """One statement for the batch."""
    if not rows:
        return
    places = [sql.Identifier(f"c{number}") for number in range(len(target.names))]
    pairs = zip(target.names, places, strict=True)
    query = sql.SQL("UPDATE {table} t SET {sets} FROM unnest({arrays}) AS new (key, {places}) WHERE t.{key} = new.key")
    key_type = "text[]" if isinstance(target.first, str) else "bigint[]"
    cursor.execute(
        query.format(
            table=sql.Identifier(target.table),
            sets=sql.SQL(", ").join(
                sql.SQL("{} = new.{}").format(sql.Identifier(name), place) for name, place in pairs
            ),
            arrays=sql.SQL(", ").join([sql.SQL(f"%s::{key_type}"), *[sql.SQL("%s::text[]")] * len(places)]),
            places=sql.SQL(", ").join(places),
            key=sql.Identifier(target.key),
        ),
        [[key for key, _ in rows], *map(list, zip(*(values for _, values in rows), strict=True))],
    )


_KYC_OF = """
    SELECT k.id, k.pan_index, array_agg(DISTINCT p.pan) FILTER (WHERE p.pan <> '') FROM investors_kyccheck k
      JOIN (SELECT id, pan FROM investors_investor WHERE id = ANY(%(who)s)
             UNION ALL SELECT id, guardian_pan FROM investors_investor WHERE id = ANY(%(who)s)
             UNION ALL SELECT pgh_obj_id, pan FROM investors_investorevent WHERE pgh_obj_id = ANY(%(who)s)
             UNION ALL SELECT pgh_obj_id, guardian_pan FROM investors_investorevent WHERE pgh_obj_id = ANY(%(who)s)) p
        ON p.id = k.investor_id
     WHERE k.investor_id = ANY(%(who)s) GROUP BY k.id, k.pan_index
"""


def _renew_kyc_indexes(cursor: Any, investors: list[int]) -> None:
    """A KYC answer carries the index of the PAN it is about: the investor's or guardian's, now or once."""
    cursor.execute(_KYC_OF, {"who": investors})
    changes = []
    for check, index, tokens in cursor.fetchall():
        newest = {old: all_of[0] for all_of in map(_pan_indexes, tokens or []) for old in all_of[1:]}
        if index in newest:
            changes.append((newest[index], check))
    cursor.executemany("UPDATE investors_kyccheck SET pan_index = %s WHERE id = %s", changes)


def _pan_indexes(token: str) -> list[str]:
    return encryption.blind_indexes(encryption.decrypt(token), PAN_INDEX)


def second_factors() -> Count:
    """Second factors keep their secrets inside JSON, under the same keys."""
    count = Count()
    for key in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=key).first()
            if row is None:
                continue
            data = {k: encryption.rotate(v) if k in MFA_SECRETS and v else v for k, v in row.data.items()}
            changed = data != row.data
            if changed:
                Authenticator.objects.filter(pk=key).update(data=data)
        count += Count(1, int(changed))
    return count


def files(progress: Progress) -> Count:
    """Every file of the vault that is still kept. A reader who has the old name looks the new one up."""
    rows = [(model, key) for model in keepers() for key in model._default_manager.values_list("pk", flat=True)]
    count = Count()
    for model, key in rows:
        count += Count(1, int(_renew_file(model, key)))
        progress("files", count.rows, len(rows))
    return count


def keepers() -> list[type[models.Model]]:
    """Every table whose rows name files of the vault."""
    return [model for model in apps.get_models() if any(f.name == "vault_name" for f in model._meta.local_fields)]


def _renew_file(model: type[models.Model], key: int) -> bool:
    with transaction.atomic():
        row: Any = model._default_manager.select_for_update().filter(pk=key).exclude(vault_name="").first()
        try:
            old, name = (row.vault_name, vault.rotate(row.vault_name)) if row else ("", "")
        except FileNotFoundError:  # replaced before it was sent anywhere, or erased
            return False
        if name == old:
            return False
        model._default_manager.filter(pk=key).update(vault_name=name)
        transaction.on_commit(lambda: vault.remove(old))
    return True
