"""What the parts share: pages, times, checks that collect field errors, and numbers as the document writes them."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from ..clock import ist
from ..web import Problem, Request

PAN = re.compile(r"[A-Z]{3}P[A-Z]\d{4}[A-Z]")
MAX_SIZE = 100
DEFAULT_SIZE = 20
# Rupees or units: more than all that there is.
MOST = Decimal(10) ** 15


class Errors:
    """Field errors of one call; `stop()` ends the call with all of them."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []

    def add(self, field: str, message: str) -> None:
        self.found.append({"field": field, "message": message})

    def check(self, good: object, field: str, message: str) -> bool:
        if not good:
            self.add(field, message)
        return bool(good)

    def stop(self) -> None:
        if self.found:
            first = self.found[0]
            raise Problem(400, f"{first['field']}: {first['message']}", self.found)


def refuse(field: str, message: str) -> Problem:
    return Problem(400, f"{field}: {message}", [{"field": field, "message": message}])


def body_object(request: Request) -> dict[str, Any]:
    """The call's body; raises Problem 400 unless it is a JSON object."""
    if not isinstance(request.json, dict):
        raise Problem(400, "JSON parse error")
    return request.json


# -- pages -------------------------------------------------------------------------------------------------------


def paging(request: Request) -> tuple[int, int]:
    """`page` from 0 and `size` to 100; raises Problem 400."""
    errors, values = Errors(), []
    for name, default in (("page", 0), ("size", DEFAULT_SIZE)):
        text = request.query.get(name, str(default))
        values.append(int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1)
        errors.check(values[-1] >= 0, name, "must be a whole number, not negative")
    errors.check(values[1] != 0, "size", "must be at least 1")
    errors.check(values[1] <= MAX_SIZE, "size", f"should not be greater than {MAX_SIZE}")
    errors.stop()
    return values[0], values[1]


def envelope(name: str, items: list[Any], total: int, page: int, size: int) -> dict[str, Any]:
    pages = -(-total // size)
    return {
        name: items, "last": page >= pages - 1, "total_pages": pages, "total_elements": total, "size": size,
        "number": page, "first": page == 0, "number_of_elements": len(items),
    }  # fmt: skip


def onboarding_envelope(name: str, items: list[Any], total: int, page: int, size: int) -> dict[str, Any]:
    """The onboarding service's pages: its own order of keys, and no `number_of_elements`."""
    found = envelope(name, items, total, page, size)
    keys = ("last", "first", "total_pages", "number", "size", "total_elements", name)
    return {key: found[key] for key in keys}


def self_link(request: Request) -> dict[str, Any]:
    query = f"?{request.query_string}" if request.query_string else ""
    return {"self": {"href": f"{request.base_url}{request.full_path}{query}"}}


def one_of(request: Request, name: str, allowed: tuple[str, ...], default: str) -> str:
    value = request.query.get(name, default).lower()
    if value not in allowed:
        raise refuse(name, f"should be one of {', '.join(allowed)}")
    return value


def words(request: Request, name: str, allowed: tuple[str, ...]) -> list[str]:
    """A comma-separated filter, upper-cased; raises Problem 400 for a word that is not allowed."""
    found = [word.strip().upper() for word in request.query.get(name, "").split(",") if word.strip()]
    if wrong := [word for word in found if word not in allowed]:
        raise refuse(name, f"{', '.join(wrong).lower()} is not one of {', '.join(allowed).lower()}")
    return found


def whole_numbers(request: Request, name: str) -> list[int]:
    parts = [part.strip() for part in request.query.get(name, "").split(",") if part.strip()]
    if not all(re.fullmatch(r"\d{1,19}", part) for part in parts):
        raise refuse(name, "should be whole numbers separated by commas")
    return [int(part) for part in parts]


def query_date(request: Request, name: str) -> dt.date | None:
    text = request.query.get(name, "")
    if not text:
        return None
    value = as_date(text)
    if value is None:
        raise refuse(name, "should be a date as yyyy-MM-dd")
    return value


# -- values ------------------------------------------------------------------------------------------------------


def as_date(value: Any) -> dt.date | None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None


def as_int(value: Any) -> int | None:
    """An integer given as a number or as digits (the document does both)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,19}", value) else None


def as_key(value: Any) -> str | int | None:
    """What may name a row; anything else finds none."""
    return value if isinstance(value, str | int) else None


def as_decimal(value: Any) -> Decimal | None:
    """A finite number, however it is written; more than MOST is none."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) <= MOST else None


def number(text: str | None) -> Decimal | None:
    """Stored exact text as a number for JSON."""
    return None if text is None else Decimal(text)


def stamp(moment: float | None) -> str | None:
    """`2019-04-03T14:10:00+05:30`."""
    return None if moment is None else ist(moment).isoformat(timespec="seconds")


def utc_stamp(moment: float) -> str:
    """`2018-05-22T10:14:19.072Z`."""
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age_on(born: dt.date, day: dt.date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
