"""What rows look like outside, as data: from it rows are read (`values()`), written as JSON, and documented.

Ids are opaque, rupees, units and NAVs are strings, moments are ISO 8601 with the Indian offset, days are ISO dates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from django.db.models import QuerySet

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

    @property
    def columns(self) -> list[str]:
        """The columns that must be read."""
        found = [name for each in self.fields.values() for name in (each.needs or (each.source,)) if name]
        return list(dict.fromkeys(found))

    @cached_property
    def _writing(self) -> list[tuple[str, Callable[[Row], Any], Callable[[Any], Any]]]:
        """Of each field: its name, what takes the value out of a row, and what makes JSON of it."""
        return [(name, each.make or itemgetter(each.source), WRITE[each.kind]) for name, each in self.fields.items()]

    def write(self, row: Row) -> dict[str, Any]:
        """A row as JSON has it."""
        return {name: None if (value := take(row)) is None else write(value) for name, take, write in self._writing}

    @property
    def sample(self) -> dict[str, Any]:
        """An example."""
        return {name: each.sample for name, each in self.fields.items()}


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
        columns = dict.fromkeys([*self.shape.columns, self.match])
        theirs: dict[Any, list[dict[str, Any]]] = {}
        read = self.rows(call).filter(**{f"{self.match}__in": keys}).values(*columns) if keys else ()
        for row in cast(Iterable[dict[str, Any]], read):
            theirs.setdefault(row[self.match], []).append(self.shape.write(row))
        for parent, content in zip(found, into, strict=True):
            mine = theirs.get(parent[self.on], [])
            content[name] = mine if self.is_many else (mine[0] if mine else None)


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
