"""Model instances from statements that are written out: for the few reads that every page makes.

Django builds and compiles a query set anew for every request, which takes several times as long as PostgreSQL needs to
answer it. Here the columns are known when the module loads. What is left out is read when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, models

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


@dataclass(frozen=True)
class Statement:
    """The words of a query set of `values()`, compiled once: for a question that is asked again and again."""

    sql: str
    values: tuple[Any, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, found: models.QuerySet[Any]) -> Statement:
        """Raises TypeError for columns that Django would have to convert: encrypted ones, or JSON."""
        compiler = found.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, values = compiler.as_sql()
        if compiler.get_converters([column for column, *_ in compiler.select]):
            raise TypeError("a column of this query set has to be converted")
        return cls(sql, tuple(values), tuple(found.query.selected or ()))

    def rows(self) -> list[Mapping[str, Any]]:
        """What the database answers now."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.values)
            return [dict(zip(self.names, row, strict=True)) for row in cursor.fetchall()]


def first(sql: str, values: list[Any] | dict[str, Any]) -> Iterator[Any] | None:
    """The values of the first row that a statement answers; None for no row."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return None if row is None else iter(row)


def opening(sql: str, values: list[Any]) -> Iterator[Any] | None:
    """`first` for the first statement of a request: it finds out by itself whether the connection still lives.

    So nothing is asked before it. It may run a second time, on a new connection, and must bear that.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return first(sql, values)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block or connection.is_usable():
            raise
    connection.close()
    return first(sql, values)
