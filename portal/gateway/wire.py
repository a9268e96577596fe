"""At the border: frozen messages, tolerant readers, exact numbers, and what HTTP itself says before a body is read.

A provider's `messages.py` names its fields and words; its `refusals.py` says what its answers mean.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from portal.gateway import errors
from portal.gateway.transport import Request, Response

M = TypeVar("M", bound="Message")
# A 4xx of these may be a refusal, when the provider's own envelope says so.
MAY_BE_REFUSALS = frozenset({400, 404, 405, 409, 422})
# Objects with more keys, or longer ones, are folded anew each time.
MOST_KEYS, MOST_LETTERS = 64, 2_000
# "Request timed out, check before placing": whoever says this does not know either, whatever the status.
TIMED_OUT = re.compile(r"tim(ed|e)[\s_-]*out", re.IGNORECASE)


class Message(BaseModel):
    """What crosses the border: frozen, and deaf to keys that we do not use."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def folded(name: str) -> str:
    """A key without case and underscores: `BrokerOrderID`, `BrokerOrderId` and `broker_order_id` are one."""
    return name.replace("_", "").lower()


@lru_cache(maxsize=256)
def _folded_once(keys: tuple[str, ...]) -> tuple[str, ...] | None:
    """The folded keys of an object; None when two spellings of one key are among them."""
    names = tuple(map(folded, keys))
    return names if len(set(names)) == len(names) else None


def fold(value: Any) -> Any:
    """An object with folded keys. Raises ValueError when two spellings of one key disagree."""
    if not isinstance(value, dict):
        return value
    given = tuple(map(str, value))
    # The objects of a list have the same keys, so one folding does for all; strange ones are not remembered.
    usual = _folded_once(given) if len(given) <= MOST_KEYS and sum(map(len, given)) <= MOST_LETTERS else None
    if usual is not None:
        return dict(zip(usual, value.values(), strict=True))
    keys: dict[str, Any] = {}
    for key, each in value.items():
        name = folded(str(key))
        if name in keys and keys[name] != each:
            raise ValueError(f"two values for {name}")
        keys[name] = each
    return keys


class FoldedMessage(Message):
    """A message of a provider who spells its own keys in several ways."""

    model_config = ConfigDict(alias_generator=folded)

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, value: Any) -> Any:
        return fold(value)


class Word(StrEnum):
    """A word of a provider's; one that we do not know is UNKNOWN, which is never final."""

    @classmethod
    def _missing_(cls, value: object) -> Word | None:
        wanted = _letters(value)
        same = (member for member in cls if wanted and _letters(member.value) == wanted)
        return next(same, cls.__members__.get("UNKNOWN"))


def _letters(value: object) -> str:
    return "".join(c for c in value.upper() if c.isalnum()) if isinstance(value, str) else ""


def _identifier(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a boolean is no number")
    return value.strip() if isinstance(value, str) else value


def _maybe(value: Any) -> Any:
    return None if value == "" or value is None else _number(value)


def _text(value: Any) -> Any:
    return "" if value is None else _identifier(value)


# Bounds stand before the validator: so they are part of the type itself, and checked without a call of Python.
Text = Annotated[str, Field(max_length=2_000), BeforeValidator(_text)]
Identifier = Annotated[str, Field(min_length=1, max_length=100), BeforeValidator(_identifier)]
Amount = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=18, decimal_places=6), BeforeValidator(_number)]
MaybeAmount = Annotated[
    Annotated[Decimal, Field(allow_inf_nan=False, max_digits=18, decimal_places=6)] | None, BeforeValidator(_maybe)
]
Count = Annotated[int, Field(ge=0), BeforeValidator(_number)]
MaybeCount = Annotated[int | None, BeforeValidator(_maybe)]


def read_as(kind: type[M], provider: str, request: Request, parsed: Any) -> M:
    """The typed message. Raises Garbled when the answer is not what the provider's document says."""
    try:
        return kind.model_validate(parsed)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, each["loc"])) or each["type"] for each in error.errors()[:5])
        raise errors.Garbled(provider, request.method, request.path, said=f"unreadable: {places}") from error


def number(value: Decimal) -> int | float:
    """`value` as a JSON number, digit for digit. Raises ValueError when JSON would not carry it exactly."""
    if not value.is_finite():
        raise ValueError(f"{value} is no number")
    if value == value.to_integral_value():
        return int(value)
    sent = float(value)
    if Decimal(repr(sent)) != value:
        raise ValueError(f"{value} has more digits than a JSON number keeps")
    return sent


def trouble_of_http(provider: str, request: Request, response: Response) -> errors.GatewayError | None:
    """What the status alone says; None when the body must be asked.

    401, 403 NotAuthorised; 429 Throttled; 5xx OutcomeUnknown; 3xx and unheard-of 4xx Garbled (a proxy spoke);
    another 4xx that speaks of a time-out OutcomeUnknown.
    """
    where, status = (provider, request.method, request.path), response.status
    if status in (401, 403):
        return errors.NotAuthorised(*where, status=status)
    if status == 429:
        return errors.Throttled(*where, status=status, retry_after_s=retry_after_s(response))
    if status >= 500:
        return errors.OutcomeUnknown(*where, status=status)
    if status in MAY_BE_REFUSALS and TIMED_OUT.search(response.body[:2_000].decode("utf-8", "replace")):
        return errors.OutcomeUnknown(*where, said="timed out", status=status)
    if 200 <= status < 300 or status in MAY_BE_REFUSALS:
        return None
    return errors.Garbled(*where, said="no answer of the provider's", status=status)


def retry_after_s(response: Response) -> float:
    """Seconds that `Retry-After` asks for, within reason."""
    text = str(response.headers.get("Retry-After", ""))
    return min(float(text), 600.0) if text.isdecimal() else 5.0
