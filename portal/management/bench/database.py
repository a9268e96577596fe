"""A database for the benchmarks alone: created, migrated, and dropped again. The user's own is never touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from portal.gateway.gathered import gathered


@contextmanager
def throw_away() -> Iterator[str]:
    """Inside the block this process works in a fresh database `bench_<process id>`, whose name it yields."""
    before = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"bench_{os.getpid()}"
    name: str = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield name
    finally:
        gathered.end()
        connection.close()
        _disconnect_all(name)
        connection.creation.destroy_test_db(before, verbosity=0)


def _disconnect_all(name: str) -> None:
    """A bench that failed leaves the connections of its threads; they must not hide its own words."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
