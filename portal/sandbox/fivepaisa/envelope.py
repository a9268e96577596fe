"""The envelope of every call: `{"head", "body"}` in and out, with the document's own mix of strings and integers.

A `Door` is one endpoint. It reads the call, checks token, app key and client code, and refuses in the words that the
document prints for that endpoint; what it lets through is answered by `run`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from ..clock import ist
from ..web import Problem, Request, Response, json_response
from ..world import World
from . import auth

INVALID_INPUT = "Invalid Input Parameters."
TEXT_TYPE = "text/plain;charset=UTF-8"


class Refusal(Exception):
    """Ends a call with `body.Status` and `body.Message`; `more` are further keys of the body."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.more = status, message, more


class Fields:
    """An object of the request, read whatever the case of its keys (the document writes `Key` and `key`)."""

    def __init__(self, given: Any) -> None:
        self._given = {str(k).lower(): v for k, v in given.items()} if isinstance(given, dict) else {}

    def get(self, *names: str) -> Any:
        """The first of these keys that is there and not null."""
        return next((v for n in names if (v := self._given.get(n.lower())) is not None), None)

    def text(self, *names: str) -> str:
        value = self.get(*names)
        return "" if value is None or isinstance(value, dict | list) else str(value).strip()

    def number(self, *names: str) -> Decimal | None:
        """A finite number given as a number or as text; None when absent; raises Refusal 2 when it is none."""
        value = self.get(*names)
        if value is None or value == "":
            return None
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise Refusal(2, INVALID_INPUT) from None
        if isinstance(value, bool) or not number.is_finite() or abs(number) > 10**12:
            raise Refusal(2, INVALID_INPUT)
        return number

    def whole(self, *names: str) -> int | None:
        number = self.number(*names)
        if number is not None and number != number.to_integral_value():
            raise Refusal(2, INVALID_INPUT)
        return None if number is None else int(number)

    def flag(self, *names: str) -> bool:
        return self.text(*names).lower() in ("true", "y", "yes", "1")

    def rows(self, *names: str) -> list[Fields]:
        """A list of objects; raises Refusal 2 when it is something else."""
        value = self.get(*names)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Refusal(2, INVALID_INPUT)
        return [Fields(item) for item in value]


def date(moment: float | None) -> str:
    """`/Date(1658255400000+0530)/`: milliseconds since the epoch; the zone is for show (providers.md 4.8)."""
    return f"/Date({round((moment or 0) * 1000)}+0530)/"


def written(moment: float) -> str:
    """`2025-05-19 10:30:15.000`, Indian time."""
    return ist(moment).isoformat(" ", "milliseconds")[:23]


def rupees(paise: int) -> Decimal:
    return Decimal(paise) / 100


@dataclass(frozen=True)
class Visit:
    """A call that may go on: who calls, and what it says."""

    client: str
    body: Fields
    request: Request


Run = Callable[[World, Visit], dict[str, Any]]


@dataclass(frozen=True)
class Door:
    """One endpoint. `status` is the type of head.status; `blank` what a refusal's body holds beside the refusal.

    `no_session`: how a call without a valid token is turned away: `body` (place, cancel), `text` (modify), `head`.
    `client`: whether the body must name the client; `wrong_client` is the refusal when it is another's.
    """

    code: str
    run: Run
    status: type[int] | type[str] = int
    blank: dict[str, Any] = field(default_factory=dict)
    no_session: Literal["body", "text", "head"] = "head"
    session_words: str = "Invalid session."
    key: bool = True
    client: bool = True
    wrong_client: tuple[int, str] = (9, "Invalid session.")

    def __call__(self, world: World, request: Request) -> Response:
        try:
            return self.answer(self.run(world, self._visit(world, request)))
        except Refusal as refusal:
            body = self.blank | {"Message": refusal.message, "Status": refusal.status} | refusal.more
            stamped = {"Time": date(world.now())} if "Time" in self.blank else {}
            return self.answer(body | stamped)
        except TurnedAway as away:
            return away.response

    def answer(self, body: dict[str, Any] | None, status: int = 0, words: str = "Success") -> Response:
        head = {"responseCode": self.code, "status": self.status(status), "statusDescription": words}
        return json_response({"head": head, "body": body})

    def _visit(self, world: World, request: Request) -> Visit:
        head, body = self._read(request)
        client = self._session(world, request)
        if (self.key or head.get("key")) and head.text("key") != auth.APP_KEY:
            raise TurnedAway(self.answer(None, 2, "Invalid head parameters."))
        named = body.text("ClientCode")
        if self.client and not named:
            raise Refusal(2, INVALID_INPUT)
        if named and named != client:
            raise Refusal(*self.wrong_client)
        return Visit(client, body, request)

    def _read(self, request: Request) -> tuple[Fields, Fields]:
        try:
            document = request.json
        except Problem:
            document = None
        if not isinstance(document, dict):
            raise TurnedAway(self.answer({"Status": 2, "Message": INVALID_INPUT}, 1, "Invalid input parameters."))
        whole = Fields(document)
        return Fields(whole.get("head")), Fields(whole.get("body"))

    def _session(self, world: World, request: Request) -> str:
        client, why = auth.session(world, request)
        if client:
            return client
        if self.no_session == "text":
            raise TurnedAway(Response(200, b"Invalid Token", TEXT_TYPE))
        if self.no_session == "body":
            raise Refusal(9, why)
        body = {"Status": 9, "Message": self.session_words}
        raise TurnedAway(self.answer(body, 9, self.session_words))


class TurnedAway(Exception):
    """Ends a call before its endpoint was asked."""

    def __init__(self, response: Response) -> None:
        super().__init__("turned away")
        self.response = response
