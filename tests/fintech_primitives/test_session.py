"""The token under threads: one login at a time, early renewal, one retry. Races are shown with the guard off first."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from portal import clock
from portal.fintech_primitives import auth, repeats, session
from portal.fintech_primitives.client import FintechPrimitives
from portal.gateway import errors
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response

THREADS = 24
LIFE_S = 1_000


def token(number: int) -> str:
    claims = json.dumps({"iat": 0, "exp": LIFE_S, "n": number}).encode()
    return f"eyJ.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.seal"


class Fp:
    """A transport and the FP behind it: counts logins, knows one valid token, lets the first calls arrive together."""

    def __init__(self, together: int = 1) -> None:
        self.logins, self.calls, self.revoked, self.status = 0, 0, set[str](), 200
        self.together = threading.Barrier(together)
        self.lock = threading.Lock()

    def send(self, request: Request) -> Response:
        if request.path == auth.LOGIN_PATH:
            with self.lock:
                self.logins += 1
                number = self.logins
            time.sleep(0.01)
            return Response(200, {}, json.dumps({"token": token(number)}).encode())
        with self.lock:
            self.calls += 1
        if request.headers["Authorization"].removeprefix("Bearer ") in self.revoked:
            self.together.wait(10)
            return Response(401, {}, b"")
        return Response(self.status, {}, b'{"states": []}')


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[[Fp], FintechPrimitives]:
    """A client of a pretended FP; what it shares with other processes (journal, pace, breaker) is left out."""
    monkeypatch.setattr("portal.gateway.client.journal.begin", lambda *_, **__: None)
    monkeypatch.setattr("portal.gateway.client.journal.end", lambda *_, **__: None)

    def build(fp: Fp) -> FintechPrimitives:
        client = FintechPrimitives(fp, auth.Credentials("acme", "key", "secret"), calls_per_second=1)  # type: ignore[arg-type]
        client.pace = SimpleNamespace(wait=lambda: None)  # type: ignore[assignment]
        client.breaker = SimpleNamespace(check=lambda *_: None, heard=lambda *_: None, release=lambda: None)  # type: ignore[assignment]
        return client

    return build


def at_once(work: Callable[[], Any]) -> None:
    """`work` in many threads that start together; the first failure of any is raised here."""
    start, failures = threading.Barrier(THREADS), []

    def run() -> None:
        start.wait(10)
        try:
            work()
        except Exception as error:  # noqa: BLE001 - carried to the test
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    [thread.start() for thread in threads]
    [thread.join(20) for thread in threads]
    if failures:
        raise failures[0]


# --- many calls, no token yet -----------------------------------------------------------------------------------------


def test_without_the_lock_many_calls_log_in_many_times(make: Any):
    fp = Fp()
    client = make(fp)
    client._login_lock = nullcontext()
    at_once(client.list_states)
    assert fp.logins > 1


def test_many_calls_log_in_once(make: Any):
    fp = Fp()
    at_once(make(fp).list_states)
    assert (fp.logins, fp.calls) == (1, THREADS)


def test_a_clock_that_moves_by_a_day_renews_the_token_before_a_write_is_refused(make: Any, monkeypatch: Any):
    """A machine that slept, or a sandbox whose days are moved: `monotonic` knows of neither."""
    fp, moment = Fp(), clock.now()
    monkeypatch.setattr(session.clock, "now", lambda: moment)
    client = make(fp)
    client.list_states()
    moment += timedelta(seconds=0.7 * LIFE_S)
    client.list_states()
    assert fp.logins == 1
    moment += timedelta(days=1)
    client.list_states()
    client.list_states()
    assert fp.logins == 2


# --- many calls, one token that FP has forgotten ----------------------------------------------------------------------


class Forgetful:
    """The guard off: a client that does not remember which token a call was sent with forgets newer ones too."""

    def __init__(self, client: FintechPrimitives) -> None:
        self.__dict__["client"] = client

    def __setattr__(self, name: str, value: str) -> None:
        pass

    def __getattr__(self, name: str) -> str:
        return str(self.client._token)


def all_refused(make: Any, *, guarded: bool) -> Fp:
    fp = Fp(together=THREADS)
    client = make(fp)
    client.list_states()
    if not guarded:
        client._sent = Forgetful(client)
    fp.revoked.add(token(1))
    at_once(client.list_states)
    assert fp.calls == 1 + 2 * THREADS, "each call was refused once and sent again once"
    return fp


def test_without_remembering_the_token_many_refusals_log_in_again_and_again(make: Any):
    assert all_refused(make, guarded=False).logins > 2


def test_many_refusals_of_one_token_log_in_once_more(make: Any):
    assert all_refused(make, guarded=True).logins == 2


# --- one call ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "calls", "logins"), [(401, 2, 2), (403, 1, 1)])
def test_a_401_is_tried_once_more_with_a_fresh_token_and_a_403_is_not(make: Any, status: int, calls: int, logins: int):
    fp = Fp()
    fp.status = status
    with pytest.raises(errors.NotAuthorised):
        make(fp).list_states()
    assert (fp.calls, fp.logins) == (calls, logins)


def test_a_401_to_what_could_happen_twice_renews_the_token_and_leaves_the_outcome_unknown(make: Any):
    fp = Fp()
    client = make(fp)
    client.list_states()
    fp.revoked.add(token(1))
    with pytest.raises(errors.OutcomeUnknown, match="401"):
        client.create_investment_account("1", About())
    assert (fp.calls, fp.logins) == (2, 1), "not sent once more"
    client.list_states()
    assert (fp.calls, fp.logins) == (3, 2), "what follows has a fresh token"


def test_only_lines_that_all_carry_a_reference_follow_a_401():
    path = "/api/oms/investment_accounts/1/orders/sips"
    named, nameless = {"source_ref_id": "R1"}, {"isin": "INF1"}
    assert repeats.may_follow_a_401(Request("POST", path, json={"orders": [named]}))
    assert not repeats.may_follow_a_401(Request("POST", path, json={"orders": [named, nameless]}))
    assert not repeats.may_follow_a_401(Request("POST", path, json={"orders": []}))


def test_the_token_is_renewed_at_four_fifths_of_its_life(make: Any, monkeypatch: pytest.MonkeyPatch):
    fp, now = Fp(), [50.0]
    client = make(fp)
    monkeypatch.setattr(session.time, "monotonic", lambda: now[0])
    for seconds, logins in ((0, 1), (LIFE_S * 0.8 - 1, 1), (LIFE_S * 0.8, 2)):
        now[0] = 50.0 + seconds
        client.headers()
        assert fp.logins == logins


@pytest.mark.parametrize("text", ["", "no-token", "a.b.c", "eyJ.e30.x", "eyJ.bnVsbA.x"])
def test_a_token_that_cannot_be_read_lives_as_documented(text: str):
    assert session._life_s(text) == session.DEFAULT_LIFE_S
