"""Model instances from statements that are written out: for the few reads that every page makes.

Django builds and compiles a query set anew for every request, which takes several times as long as PostgreSQL needs to
answer it. Here the columns are known when the module loads. What is left out is read when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models

Row = TypeVar("Row", bound=models.Model)


class Columns(Generic[Row]):
    """Columns of a model's table in a SELECT: those named, or all that PostgreSQL answers as Python needs them."""

    def __init__(self, model: type[Row], table: str, *names: str) -> None:
        # An encrypted or JSON column would have to be converted first, so it is left out.
        fields = [
            field
            for field in model._meta.concrete_fields
            if (field.name in names if names else not hasattr(field, "from_db_value"))
        ]
        self.model = model
        self.names = [field.attname for field in fields]
        self.sql = ", ".join(f"{table}.{field.column}" for field in fields)

    def take(self, values: Iterator[Any]) -> Row:
        """An instance of the next values of a row."""
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, list(islice(values, len(self.names))))


def first(sql: str, values: list[Any] | dict[str, Any]) -> Iterator[Any] | None:
    """The values of the first row that a statement answers; None for no row."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return None if row is None else iter(row)
