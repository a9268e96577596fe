"""What rows look like outside, as data: from it rows are read (`values()`), written as JSON, and documented.

Ids are opaque, rupees, units and NAVs are strings, moments are ISO 8601 with the Indian offset, days are ISO dates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from django.db.models import CharField, F, Func, QuerySet

from portal.clock import IST

if TYPE_CHECKING:
    from portal.api.door import Call

Row = Mapping[str, Any]
# Kind -> how a value of the database is written.
WRITE: dict[str, Callable[[Any], Any]] = {
    "text": str,
    "id": str,
    "url": str,
    "money": lambda value: f"{value:.2f}",
    "units": lambda value: f"{value:.3f}",
    "nav": lambda value: f"{value:.4f}",
    "percent": lambda value: f"{value:.2f}",
    "date": date.isoformat,
    "moment": lambda value: value.astimezone(IST).isoformat(timespec="seconds"),
    "yes": bool,
    "count": int,
    "any": lambda value: value,
}
# Kinds that PostgreSQL writes as they are sent: to make a datetime of each takes longer than all else of a row.
_MOMENT = """to_char(%(expressions)s AT TIME ZONE INTERVAL '05:30', 'YYYY-MM-DD"T"HH24:MI:SS') || '+05:30'"""
_TEXTS: dict[str, str] = {"moment": _MOMENT}
_EXAMPLES: dict[str, Any] = {
    "text": "text", "id": "ORD-7K3F9QW2M4TX", "url": "https://portal.example/page/", "money": "5000.00",
    "units": "48.123", "nav": "103.9012", "percent": "12.50", "date": "2026-11-20",
    "moment": "2026-11-20T14:05:00+05:30", "yes": True, "count": 12, "any": {},
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One member: from a column (`source`), or made of several (`needs`, `make`)."""

    kind: str
    doc: str
    source: str = ""
    choices: tuple[str, ...] = ()
    is_nullable: bool = False
    needs: tuple[str, ...] = ()
    make: Callable[[Row], Any] | None = None
    inner: Shape | None = None
    is_many: bool = False
    example: Any = None

    @property
    def is_text(self) -> bool:
        """Does PostgreSQL write it?"""
        return bool(self.source) and self.kind in _TEXTS

    @property
    def sample(self) -> Any:
        """An example, for the document."""
        if self.example is not None:
            return self.example
        if self.inner:
            return [self.inner.sample] if self.is_many else self.inner.sample
        return self.choices[0] if self.choices else _EXAMPLES[self.kind]


@dataclass(frozen=True)
class Shape:
    """A named kind of object with its fields."""

    name: str
    doc: str
    fields: Mapping[str, Field]

    @cached_property
    def columns(self) -> list[str]:
        """The columns that must be read."""
        fields = [each for each in self.fields.values() if not each.is_text]
        return list(dict.fromkeys(name for each in fields for name in (each.needs or (each.source,)) if name))

    @cached_property
    def texts(self) -> dict[str, Func]:
        """What PostgreSQL writes, by the name under which it answers it."""
        return {
            _text_of(name): Func(F(each.source), template=_TEXTS[each.kind], output_field=CharField())
            for name, each in self.fields.items()
            if each.is_text
        }

    @cached_property
    def _writing(self) -> list[tuple[Callable[[Row], Any], Callable[[Any], Any]]]:
        """Of each field: what takes the value out of a row, and what makes JSON of it."""
        return [
            (itemgetter(_text_of(name)), str)
            if each.is_text
            else (each.make or itemgetter(each.source), WRITE[each.kind])
            for name, each in self.fields.items()
        ]

    def read(self, found: QuerySet[Any], *further: str) -> QuerySet[Any]:
        """Of these rows what is written, and further columns."""
        return found.values(*dict.fromkeys([*self.columns, *further]), **self.texts)

    def write_all(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Rows that were read, as JSON has them: field by field, which takes half as long as row by row."""
        names = list(self.fields)
        columns = [
            [None if (value := take(row)) is None else write(value) for row in rows] for take, write in self._writing
        ]
        return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]

    def write(self, row: Row) -> dict[str, Any]:
        """What was put together in Python, as JSON has it."""
        return {
            name: None if (value := (each.make or itemgetter(each.source))(row)) is None else WRITE[each.kind](value)
            for name, each in self.fields.items()
        }

    @property
    def sample(self) -> dict[str, Any]:
        """An example."""
        return {name: each.sample for name, each in self.fields.items()}


def _text_of(name: str) -> str:
    """No column is called so."""
    return f"{name}__as_text"


@dataclass(frozen=True)
class Expand:
    """What `expand=` puts into each object, in one statement for all of them."""

    shape: Shape
    rows: Callable[[Call], QuerySet[Any]]
    # The column of the object, and the column of the other that it equals.
    on: str
    match: str
    is_many: bool = False

    def put(self, name: str, found: list[Row], into: list[dict[str, Any]], call: Call) -> None:
        """Each object has its own under `name`: an object or null, or a list."""
        keys = {row[self.on] for row in found if row[self.on] is not None}
        theirs: dict[Any, list[dict[str, Any]]] = {}
        mine = self.rows(call).filter(**{f"{self.match}__in": keys}) if keys else None
        rows = [] if mine is None else cast(list[Row], list(self.shape.read(mine, self.match)))
        for row, written in zip(rows, self.shape.write_all(rows), strict=True):
            theirs.setdefault(row[self.match], []).append(written)
        for parent, content in zip(found, into, strict=True):
            its = theirs.get(parent[self.on], [])
            content[name] = its if self.is_many else (its[0] if its else None)


@dataclass(frozen=True)
class Filter:
    """A parameter that narrows a list: the lookup it stands for, and what may be given."""

    lookup: str
    doc: str
    kind: str = "id"
    choices: tuple[str, ...] = ()

    def clean(self, text: str) -> Any:
        """The value to look for. Raises ValueError in words."""
        if self.choices and text not in self.choices:
            raise ValueError(f"One of: {', '.join(self.choices)}.")
        return _CLEAN[self.kind](text)


def _id(text: str) -> str:
    if not text.isascii() or not text.isprintable() or len(text) > 100:
        raise ValueError("This is no id.")
    return text


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text) if len(text) == 10 else _refuse()
    except ValueError:
        raise ValueError("A date like 2026-11-20.") from None


def _refuse() -> date:
    raise ValueError


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("A moment with its offset, like 2026-11-20T14:05:00+05:30.") from None
    if moment.tzinfo is None or not 1 < moment.year < 9999:
        raise ValueError("A moment with its offset, like 2026-11-20T14:05:00+05:30.")
    return moment


def _yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("true or false.")
    return text == "true"


_CLEAN: dict[str, Callable[[str], Any]] = {"id": _id, "date": _date, "moment": _moment, "yes": _yes, "text": _id}


# --- writing shapes short ------------------------------------------------------------------------------------------


def col(
    kind: str, source: str, doc: str, *, null: bool = False, choices: Iterable[str] = (), example: Any = None
) -> Field:
    """A field that is a column."""
    return Field(kind, doc, source, tuple(choices), null, example=example)


def made(
    kind: str,
    doc: str,
    needs: Iterable[str],
    make: Callable[[Row], Any],
    *,
    null: bool = False,
    choices: Iterable[str] = (),
    example: Any = None,
) -> Field:
    """A field that is made of columns."""
    return Field(kind, doc, "", tuple(choices), null, tuple(needs), make, example=example)


def rupees(value: Decimal | None) -> str | None:
    """An amount inside of a made value."""
    return None if value is None else f"{value:.2f}"


__all__ = ["Expand", "Field", "Filter", "Row", "Shape", "col", "made", "rupees"]
