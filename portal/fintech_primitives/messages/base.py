"""What every FP message shares: tolerant readers, strict writers, and the types of the wire.

Readers are deaf to keys that we do not use, take null for absent, numbers written as text, and moments in every
spelling that the document shows; a word that nobody knows is UNKNOWN. Writers refuse what the document forbids before
a byte leaves. Numbers of money and units are Decimal on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from portal.clock import IST
from portal.gateway import errors, wire

# Beyond this no rupee amount and no number of units is real; it also keeps arithmetic with them safe.
LARGEST = Decimal(10) ** 15
FINEST = Decimal("0.000001")


class Message(wire.Message):
    """Base of what FP says: frozen, deaf to keys that we do not use, null meaning absent."""

    model_config = ConfigDict(coerce_numbers_to_str=True, hide_input_in_errors=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, said: Any) -> Any:
        if not isinstance(said, Mapping) or None not in said.values():
            return said
        fields = cls.model_fields
        return {
            key: value
            for key, value in said.items()
            if value is not None or (key in fields and fields[key].is_required())
        }


class Ask(BaseModel):
    """Base of what we say: frozen, without a key that the document does not have."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """The message of these values. Raises errors.Refused, naming fields as FP would, for what the document forbids.

        No byte leaves then. What was right when it was typed may be wrong when it is sent: a passport runs out.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            found = tuple(map(_complaint, error.errors(include_url=False, include_input=False)))
            raise errors.Refused("fp", "POST", "", said=NOT_SENT, fields=found) from None

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Nothing: what we say about investors is personal, and what is printed ends in logs."""
        return []

    def body(self) -> dict[str, Any]:
        """The JSON object that is sent: what we do not have is left out."""
        found: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return found

    def params(self) -> dict[str, str]:
        """The same as query parameters."""
        return {key: _parameter(value) for key, value in self.body().items() if value not in ("", [])}


NOT_SENT = "not sent: the document forbids it"
# How our own rules name the field that they are about: `proof_expiry_date: mandatory and in the future`.
_NAMED = re.compile(r"Value error, (\w+)(?: or \w+)?: (.+)", re.DOTALL)


def _complaint(problem: ErrorDetails) -> errors.FieldError:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).removeprefix(".")
    if named := _NAMED.fullmatch(problem["msg"]):
        return errors.FieldError(f"{path}.{named[1]}".removeprefix("."), named[2])
    return errors.FieldError(path, "not in the form that is asked for")


def _parameter(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


# --- words --------------------------------------------------------------------------------------------------------


class Word(StrEnum):
    """A word of FP's, read in any case; one that we do not know is UNKNOWN, which is never success and never final.

    Only case and outer blanks are forgiven: `SUCCESS!` is not `SUCCESS`.
    """

    @classmethod
    def _missing_(cls, value: object) -> Word:
        text = value.strip().casefold() if isinstance(value, str) else ""
        return next((word for word in cls if text == word.value.casefold()), cls["UNKNOWN"])


def _known(word: Word) -> Word:
    if word.name == "UNKNOWN":
        raise ValueError("no word of the document")
    return word


def one_of(*words: Word) -> AfterValidator:
    """In a writer: where the document allows only these of a word's values."""

    def check(word: Word) -> Word:
        if word not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return word

    return AfterValidator(check)


W = TypeVar("W", bound=Word)
# In a writer: one of the document's words, never UNKNOWN. `Said[Gender]`.
Said = Annotated[W, AfterValidator(_known)]


# --- identifiers, texts ---------------------------------------------------------------------------------------------


def _identifier(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value.strip()
    raise ValueError("no identifier")


def _wire_id(identifier: str) -> int | str:
    """FP's own examples send ids as numbers; an id that is no number travels as text."""
    return int(identifier) if identifier.isdigit() else identifier


def _text(value: Any) -> Any:
    """The document prints `"null"` for what is not there."""
    return None if isinstance(value, str) and value.strip() in ("", "null") else value


Identifier = Annotated[str, BeforeValidator(_identifier), Field(min_length=1, max_length=60, pattern=r"^[\w.:-]+$")]
WireId = Annotated[Identifier, PlainSerializer(_wire_id)]
MaybeText = Annotated[str | None, BeforeValidator(_text)]
# Personal: not shown when a message is printed.
Private = Annotated[str | None, BeforeValidator(_text), Field(repr=False)]
Filled = Annotated[str, Field(min_length=1, max_length=200)]
# The fourth letter says of what kind the holder is; the document asks for an individual only in KYC requests.
Pan = Annotated[str, Field(pattern=r"^[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]$")]
IndividualPan = Annotated[str, Field(pattern=r"^[A-Z]{3}P[A-Z]\d{4}[A-Z]$")]
Isin = Annotated[str, Field(pattern=r"^IN[A-Z0-9]{10}$")]
Ref = Annotated[str, Field(min_length=1, max_length=100)]
WebAddress = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2000)]


# --- moments and days -----------------------------------------------------------------------------------------------

# FP prints `...:23:345+05:30` beside plain ISO, `+0530` and `Z` (providers.md 7 #12).
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[:.](\d{1,6})\d*)?\s*(Z|[+-]\d\d:?\d\d)?$")
_DAY = re.compile(r"\d{4}-\d\d-\d\d$")


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    found = _MOMENT.match(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError("no moment in any spelling FP uses")
    seconds, fraction, zone = found.groups()
    zone = (zone or "+05:30").replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{seconds}.{(fraction or '0').ljust(6, '0')}{zone}").astimezone(IST)
    except OverflowError as error:
        raise ValueError("no moment of this calendar") from error


def _day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DAY.match(value.strip()):
        raise ValueError("no day as yyyy-MM-dd")
    return date.fromisoformat(value.strip())


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]


# --- numbers --------------------------------------------------------------------------------------------------------


def _number(value: Any) -> Any:
    """True is no rupee; a float never gets here from JSON, which is read with Decimal."""
    if isinstance(value, bool | float):
        raise ValueError("no number")
    return value.strip() if isinstance(value, str) else value


def _in_reason(value: Decimal) -> Decimal:
    """Bounded, and without the tail that FP's floating-point arithmetic leaves (`2368.4000000000001`)."""
    if abs(value) >= LARGEST:
        raise ValueError("no real amount")
    exponent = value.as_tuple().exponent
    return value.quantize(FINEST, ROUND_HALF_EVEN) if isinstance(exponent, int) and exponent < -6 else value


def _flag(value: Any) -> Any:
    """Only true is true: `yes`, `on` and 1 are not FP's words."""
    words = {"true": True, "false": False}
    found = words.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueError("neither true nor false")
    return found


Amount = Annotated[Decimal, BeforeValidator(_number), Field(allow_inf_nan=False), AfterValidator(_in_reason)]
Count = Annotated[int, BeforeValidator(_number), Field(ge=0, lt=2**63)]
Whole = Annotated[int, BeforeValidator(_number)]
Flag = Annotated[bool, BeforeValidator(_flag)]


def _whole(value: Decimal) -> Decimal:
    if value != value.to_integral_value():
        raise ValueError("FP takes whole rupees here")
    return value


# In writers. Rupees are whole, because the document's orders take integers; units have three decimals at most.
Rupees = Annotated[Decimal, BeforeValidator(_number), Field(gt=0, lt=LARGEST), AfterValidator(_whole),
                   PlainSerializer(wire.number)]  # fmt: skip
Units = Annotated[Decimal, BeforeValidator(_number), Field(gt=0, lt=10**11, decimal_places=3),
                  PlainSerializer(wire.number)]  # fmt: skip
Money2 = Annotated[Decimal, BeforeValidator(_number), Field(gt=0, lt=10**12, decimal_places=2),
                   PlainSerializer(wire.number)]  # fmt: skip


# --- pages ----------------------------------------------------------------------------------------------------------


class Page(Message):
    """A page of a list. `is_last` trusts `last`, else reckons; a page that says nothing about it is not the last."""

    last: Flag | None = None
    number: Count | None = None
    total_pages: Count | None = None
    total_elements: Count = 0

    @property
    def is_last(self) -> bool:
        """Nothing follows this page."""
        if self.last is not None:
            return self.last
        return self.number is not None and self.total_pages is not None and self.number + 1 >= self.total_pages


class Direction(StrEnum):
    """How a list is sorted."""

    ASC = "asc"
    DESC = "desc"


class Paging(Ask):
    """`page` from 0 and `size` to 100 (document, every list)."""

    page: int = Field(0, ge=0)
    size: int = Field(100, ge=1, le=100)


class Done(Message):
    """An answer that only says something; one that says nothing is none."""

    message: str = Field(min_length=1)


class Created(Message):
    """An answer that only names what was made."""

    id: Identifier


class User(Message):
    """Whom FP logged in."""

    id: Identifier | None = None
    name: str = ""


class Login(Message):
    """The answer to the tenant login."""

    token: str = Field(min_length=20, repr=False)
    user: User | None = None
