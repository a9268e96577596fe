"""The base of every provider's client: journal, breaker, pace, retries for reads only, one classifier each."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from portal import clock
from portal.gateway import errors, journal, patience
from portal.gateway.breaker import Breaker
from portal.gateway.pace import Pace
from portal.gateway.transport import Request, Response, Transport, read_whole
from portal.models import GatewayCall

T = TypeVar("T")
# A write that is written down and has not left after so long does not leave any more: by then others look whether it
# arrived, and may send it again after minutes of finding nothing (`portal/attempts.py`).
LEAVES_WITHIN = timedelta(seconds=45)
READ_TRIES = 3
READ_BUDGET_S = 20.0
RETRIED_READS = (errors.Unreachable, errors.OutcomeUnknown, errors.Throttled)


class ProviderClient:
    """Calls one provider. Subclasses give `provider`, `headers` and `classify`."""

    provider = ""

    def __init__(self, transport: Transport, *, calls_per_second: int) -> None:
        self.transport = transport
        self.breaker = Breaker(self.provider)
        self.pace = Pace(self.provider, calls_per_second)

    def headers(self) -> dict[str, str]:
        """Headers that authenticate a call."""
        return {}

    def classify(self, request: Request, response: Response) -> errors.GatewayError | None:
        """The named failure that an answer stands for, or None when it is a usable answer."""
        raise NotImplementedError

    def renew(self) -> bool:
        """Renew our credentials after a 401; False when there is nothing to renew."""
        return False

    def may_repeat(self, request: Request) -> bool:
        """May this write be sent once more with fresh credentials, because it cannot have a second effect?"""
        return False

    def read(self, request: Request, subject: journal.About = journal.About()) -> Any:
        """A call without effect. Returns the parsed answer.

        A worker tries up to three times within a budget; while a browser waits, there is one short try.
        """
        deadline = time.monotonic() + READ_BUDGET_S
        tries = 1 if patience.somebody_waits() else READ_TRIES
        for attempt in range(1, tries + 1):
            try:
                return self._call(request, subject, effect=False)
            except RETRIED_READS as error:
                wait = _wait_s(error, attempt)
                if attempt == tries or time.monotonic() + wait > deadline:
                    raise
                time.sleep(wait)
        raise AssertionError("unreachable: the loop returns or raises")

    def write(self, request: Request, subject: journal.About) -> Any:
        """A call with effect: sent once. The journal's row is committed before the first byte leaves."""
        return self._call(request, subject, effect=True)

    def stream(self, request: Request, subject: journal.About = journal.About()) -> Iterator[bytes]:
        """A read whose answer is too long to hold: its chunks as they come, tried once. Raises like `read`."""
        started, call = self._begun(request, subject, effect=False)
        response: Response | None = None
        error: errors.GatewayError | None = None
        try:
            with self.transport.open(self._signed(request)) as answer:
                whole = answer.status == 200
                response = Response(answer.status, answer.headers, b"" if whole else read_whole(answer))
                if error := self.classify(request, response):
                    raise error
                yield from answer.chunks()
        except errors.GatewayError as trouble:
            error = trouble
            raise
        finally:
            self._ended(response, error)
            journal.end(call, response, error, started, keep_body=False)

    def _call(self, request: Request, subject: journal.About, *, effect: bool) -> Any:
        renewed = False
        while True:
            try:
                return self._once(request, subject, effect=effect)
            except errors.NotAuthorised as error:
                if renewed or error.status != 401 or not self.renew():
                    raise
                if effect and not self.may_repeat(request):
                    raise _in_doubt(error) from error
                renewed = True

    def _once(self, request: Request, subject: journal.About, *, effect: bool, signed: bool = True) -> Any:
        started, call = self._begun(request, subject, effect=effect)
        response: Response | None = None
        error: errors.GatewayError | None = None
        try:
            signed_request = self._signed(request) if signed else request
            if effect and clock.now() - started > LEAVES_WITHIN:
                why = "slept too long before sending"
                raise errors.Unreachable(self.provider, request.method, request.path, said=why)
            response = self.transport.send(signed_request)
            error = self.classify(request, response)
            parsed = None if error else self.parse(request, response)
        except errors.GatewayError as trouble:
            error = trouble
        finally:
            self._ended(response, error)
            journal.end(call, response, error, started, keep_body=subject.keep_body)
        if error:
            raise error
        return parsed

    def _begun(self, request: Request, subject: journal.About, *, effect: bool) -> tuple[datetime, GatewayCall]:
        """Past the breaker, at its turn, and written down where that must come first."""
        self.breaker.check(self.provider, request.method, request.path)
        try:
            self.pace.wait()
            return clock.now(), journal.begin(self.provider, request, subject, effect=effect)
        except BaseException:
            self.breaker.release()
            raise

    def _ended(self, response: Response | None, error: errors.GatewayError | None) -> None:
        """Tell the breaker what the provider did. A login that failed before the call has told it itself."""
        of_another_call = error is not None and isinstance(error.__cause__, errors.GatewayError)
        if of_another_call or (response is None and error is None):
            self.breaker.release()
        else:
            self.breaker.heard(error)

    def _signed(self, request: Request) -> Request:
        """The request with our credentials. Trouble in getting them means that nothing of the request was sent."""
        try:
            headers = self.headers()
        except errors.NotAuthorised:
            raise
        except errors.GatewayError as trouble:
            why = f"could not sign in: {type(trouble).__name__}"
            raise errors.Unreachable(self.provider, request.method, request.path, said=why) from trouble
        return replace(request, headers={**request.headers, **headers})

    def parse(self, request: Request, response: Response) -> Any:
        """The answer as JSON with Decimal numbers. Raises Garbled."""
        return parse_json(self.provider, request, response)


def _in_doubt(error: errors.NotAuthorised) -> errors.OutcomeUnknown:
    """The token is renewed, but nobody promises that a 401 came before the effect."""
    said = f"401 to a write, the token is renewed: look first. {error.said}".strip()
    return errors.OutcomeUnknown(error.provider, error.method, error.path, said=said, status=error.status)


def parse_json(provider: str, request: Request, response: Response) -> Any:
    """Strict JSON: no NaN, no infinities, numbers with a fraction as Decimal. Raises Garbled."""
    try:
        return response.json()
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise errors.Garbled(
            provider, request.method, request.path, said=type(error).__name__, status=response.status
        ) from error


def _wait_s(error: errors.GatewayError, attempt: int) -> float:
    if isinstance(error, errors.Throttled):
        return min(error.retry_after_s, READ_BUDGET_S)
    return (0.2 * 2**attempt) * (0.5 + random.random())  # noqa: S311 - jitter, not a secret


def lazily(build: Callable[[], T]) -> Callable[[], T]:
    """One instance per process, made at first use: a forked worker must not inherit its parent's sockets."""
    holder: list[T] = []
    lock = threading.Lock()

    def get() -> T:
        with lock:
            if not holder:
                holder.append(build())
            return holder[0]

    return get
