"""After a test with real transactions every table is again as migrations left it.

Django's own way makes all tables anew (TRUNCATE of two hundred, with their indexes), and then writes content types,
permissions and roles once more: most of a second. A test changes twenty tables or so: only those are emptied here, and
filled again where migrations had filled them.
"""

from __future__ import annotations

import psycopg
from django.apps import apps
from django.core import serializers
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from tests import database, world

# As a superuser with triggers off: guards let nobody delete, and rows refer to each other in circles.
HOW = "-c session_replication_role=replica -c lock_timeout=10000"
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
OURS = ("portal", "investors", "orders", "payments")
# An empty table has none.
DIGEST = "SELECT {name}, md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {table} t"


class Kept:
    """What migrations have written into a database, to be brought back: `Kept("test_portal").bring_back()`."""

    def __init__(self, name: str) -> None:
        self.address = database.as_superuser(name)
        with self._connect() as server:
            self.tables = [table for (table,) in server.execute(TABLES)]
            self.digests = self._look(server)
            self.rows = {table: self._read(server, table) for table, digest in self.digests.items() if digest}

    def bring_back(self) -> None:
        """Every table is as it was. Waits for whoever still writes, as emptying by Django does."""
        connections.close_all()
        with self._connect() as server:
            server.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(self._all()))
            now = self._look(server)
            for table in (table for table in self.tables if now[table] != self.digests[table]):
                server.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                if table in self.rows:
                    self._write(server, table)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self.address, options=HOW)

    def _all(self) -> sql.Composable:
        return sql.SQL(", ").join(map(sql.Identifier, self.tables))

    def _look(self, server: psycopg.Connection) -> dict[str, str | None]:
        one = sql.SQL(DIGEST)
        each = [one.format(name=sql.Literal(table), table=sql.Identifier(table)) for table in self.tables]
        return dict(server.execute(sql.SQL(" UNION ALL ").join(each)).fetchall())

    def _read(self, server: psycopg.Connection, table: str) -> bytes:
        with server.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as rows:
            return b"".join(rows)

    def _write(self, server: psycopg.Connection, table: str) -> None:
        with server.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as rows:
            rows.write(self.rows[table])


class Written:
    """The same on a server of somebody else's, where nobody is a superuser: Django's way, and our own rows again."""

    def __init__(self) -> None:
        ours = [model for app in OURS for model in apps.get_app_config(app).get_models() if model._meta.managed]
        self.rows = serializers.serialize("json", [row for model in ours for row in model._default_manager.all()])

    def bring_back(self) -> None:
        """Every table is as it was, except for the numbers of content types."""
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
        for row in serializers.deserialize("json", self.rows):
            row.save()


def kept() -> Kept | Written:
    """What brings the tables of the database of these tests back."""
    return Kept(str(connection.settings_dict["NAME"])) if world.has_own_server() else Written()
