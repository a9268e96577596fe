"""At the border: frozen messages, tolerant readers, exact numbers, and what HTTP itself says before a body is read.

A provider's `messages.py` names its fields and words; its `refusals.py` says what its answers mean.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    Strict,
    TypeAdapter,
    ValidationError,
    model_validator,
)

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


# The keys of objects, as they come -> folded. The objects of a list have the same keys: one folding does for all.
_usual: dict[tuple[str, ...], tuple[str, ...]] = {}
MOST_USUAL = 512


def fold(value: Any) -> Any:
    """An object with folded keys. Raises ValueError when two spellings of one key disagree."""
    if not isinstance(value, dict):
        return value
    given = tuple(value)
    names = _usual.get(given)
    return dict(zip(names, value.values(), strict=True)) if names else _folded_anew(given, value)


def _folded_anew(given: tuple[Any, ...], value: dict[Any, Any]) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for key, each in value.items():
        name = folded(str(key))
        if name in keys and keys[name] != each:
            raise ValueError(f"two values for {name}")
        keys[name] = each
    # Strange objects, and those with two spellings of one key, are folded anew each time.
    if len(keys) == len(given) and len(_usual) < MOST_USUAL and _is_short(given):
        _usual[given] = tuple(keys)
    return keys


def _is_short(given: tuple[Any, ...]) -> bool:
    texts = all(isinstance(key, str) for key in given)
    return texts and len(given) <= MOST_KEYS and sum(map(len, given)) <= MOST_LETTERS


class FoldedMessage(Message):
    """A message of a provider who spells its own keys in several ways."""

    model_config = ConfigDict(alias_generator=folded)

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, value: Any) -> Any:
        return fold(value)


# Words that are written in capitals within a key.
_CAPITALS = frozenset({"dp", "id", "isin", "poa"})


def spelled(name: str) -> AliasChoices:
    """How the key of a field usually comes: `BrokerOrderID`, `BrokerOrderId`, and folded."""
    words = name.split("_")
    loud = "".join(word.upper() if word in _CAPITALS else word.capitalize() for word in words)
    return AliasChoices(*dict.fromkeys([loud, "".join(word.capitalize() for word in words), folded(name)]))


def either(*names: str) -> AliasChoices:
    """Several keys for one field of a `RowMessage`, the first one first, each as it is spelled or folded."""
    return AliasChoices(*dict.fromkeys(each for name in names for each in (name, folded(name))))


class RowMessage(FoldedMessage):
    """One of a hundred in a list: keys that are spelled as usual are read as they come, and only others are folded.

    Folding a book of a hundred orders costs a third of decoding it.
    """

    model_config = ConfigDict(alias_generator=AliasGenerator(validation_alias=spelled))
    _names: ClassVar[frozenset[str]] = frozenset()
    # Keys of whole objects, of which each is spelled as a field wants it, or is no field's at all.
    _usual: ClassVar[set[tuple[str, ...]]] = set()

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        choices = [field.validation_alias for field in cls.model_fields.values()]
        cls._names = frozenset(str(name) for each in choices if isinstance(each, AliasChoices) for name in each.choices)
        cls._usual = set()

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, value: Any) -> Any:
        if value.__class__ is dict and tuple(value) in cls._usual:
            return value
        found = fold(value)
        if isinstance(value, dict) and len(found) == len(value):
            cls._remember(tuple(value))
        return found

    @classmethod
    def _remember(cls, given: tuple[str, ...]) -> None:
        fits = all(name in cls._names or folded(str(name)) not in cls._names for name in given)
        if fits and len(cls._usual) < MOST_USUAL and _is_short(given):
            cls._usual.add(given)


class Word(StrEnum):
    """A word of a provider's; one that we do not know is UNKNOWN, which is never final."""

    @classmethod
    def read(cls, value: Any) -> Any:
        """The word; UNKNOWN for what is none. Spellings that occur are remembered."""
        return _READ.get((cls, value)) or _read_anew(cls, value) if isinstance(value, str) else cls("")

    @classmethod
    def _missing_(cls, value: object) -> Word | None:
        wanted = _letters(value)
        same = (member for member in cls if wanted and _letters(member.value) == wanted)
        return next(same, cls.__members__.get("UNKNOWN"))


_READ: dict[tuple[type[Word], str], Word] = {}
MOST_READ = 1_024


def _read_anew(kind: type[Word], value: str) -> Word:
    found = kind(value)
    if len(_READ) < MOST_READ and len(value) <= 60:
        _READ[kind, value] = found
    return found


def _letters(value: object) -> str:
    return "".join(c for c in value.upper() if c.isalnum()) if isinstance(value, str) else ""


# The first line of each is what a value is as a rule: a book of a hundred orders asks two thousand times. The class of
# True is no int, so it gets no further.


def _identifier(value: Any) -> Any:
    if value.__class__ is str:
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _number(value: Any) -> Any:
    if value.__class__ is Decimal or value.__class__ is int:
        return value
    if isinstance(value, bool):
        raise ValueError("a boolean is no number")
    return value.strip() if isinstance(value, str) else value


def _maybe(value: Any) -> Any:
    if value.__class__ is Decimal or value.__class__ is int:
        return value
    return None if value == "" or value is None else _number(value)


def _text(value: Any) -> Any:
    if value.__class__ is str:
        return value
    return "" if value is None else _identifier(value)


# No rupee amount and no number of units is beyond the first, or finer than the second.
LARGEST, SMALLEST, FINEST = Decimal(10) ** 15, -(Decimal(10) ** 15), Decimal("0.000001")
_any_decimal = TypeAdapter(Annotated[Decimal, Field(allow_inf_nan=False)]).validate_python


def _amount(value: Any) -> Decimal:
    """A bounded number, without the tail that an average or floating-point arithmetic leaves (`431.0533333333333`)."""
    found = value if value.__class__ is Decimal and value.is_finite() else _any_decimal(_number(value))
    if not SMALLEST < found < LARGEST:
        raise ValueError("no real amount")
    return found.quantize(FINEST, ROUND_HALF_EVEN) if found % FINEST else found


def _maybe_amount(value: Any) -> Decimal | None:
    # A decimal is not compared with a text: to say no, it asks whether the text is a fraction.
    return None if value is None or (value.__class__ is str and not value) else _amount(value)


# What a function of ours decides alone (amounts, words, moments) is not asked about again inside pydantic.
Amount = Annotated[Decimal, PlainValidator(_amount)]
MaybeAmount = Annotated[Decimal | None, PlainValidator(_maybe_amount)]
# Bounds stand before the validator: so they are part of the type itself, and checked without a call of Python.
# What a value is as a rule is tried first, without Python: a book of a hundred orders asks two thousand times.
FIRST = Field(union_mode="left_to_right")
_TEXT, _IDENTIFIER = Field(max_length=2_000), Field(min_length=1, max_length=100)
Text = Annotated[Annotated[str, Strict(), _TEXT] | Annotated[str, _TEXT, BeforeValidator(_text)], FIRST]
Identifier = Annotated[
    Annotated[str, Strict(), _IDENTIFIER] | Annotated[str, _IDENTIFIER, BeforeValidator(_identifier)], FIRST
]
# A code that is a number in most answers and text in the others.
Code = Annotated[Annotated[int, Strict(), Field(ge=0, lt=10**12), AfterValidator(str)] | Text, FIRST]
Count = Annotated[Annotated[int, Strict(), Field(ge=0)] | Annotated[int, Field(ge=0), BeforeValidator(_number)], FIRST]
MaybeCount = Annotated[Annotated[int, Strict()] | Annotated[int | None, BeforeValidator(_maybe)], FIRST]


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
