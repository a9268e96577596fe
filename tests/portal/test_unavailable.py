"""While the database refuses connections: a calm answer, nothing lost, and no word that is not certain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.utils import InterfaceError
from django.test import Client
from psycopg import errors as postgres

from investors.models import Consent
from investors.operations import consents
from orders.models import MfOrder
from portal import unavailable
from portal.sessions import SessionStore
from tests.api.conftest import north  # noqa: F401 - a fixture
from tests.orders.conftest import given, scheme  # noqa: F401 - fixtures

NOTHING_DONE, UNCLEAR = "nothing was ordered, paid or changed", "We cannot say yet what became of this"


@contextmanager
def away() -> Iterator[None]:
    """Nobody listens where the database was."""
    where = connection.settings_dict
    before = {name: where[name] for name in ("HOST", "PORT")}
    connection.close()
    where.update(HOST="127.0.0.1", PORT="1")
    try:
        yield
    finally:
        connection.close()
        where.update(before)


@pytest.fixture
def somebody() -> Client:
    """Nobody's session that a browser carries all the same: its row cannot be read."""
    browser = Client(raise_request_exception=False)
    browser.cookies["sessionid"] = SessionStore()._get_new_session_key()
    return browser


@pytest.fixture
def browser(transactional_db: None, asha: Any, client_for: Any) -> Client:
    found: Client = client_for(asha)
    found.raise_request_exception = False
    return found


@pytest.fixture
def asked(asha: Any, given: Any, monkeypatch: Any) -> str:  # noqa: F811
    """The page on which Asha confirms a purchase; any code is the right one."""
    monkeypatch.setattr(consents, "_matches", lambda consent, otp: True)
    consent = given(asha)
    Consent.objects.filter(pk=consent.pk).update(given_at=None)
    return f"/orders/confirm/{consent.code}/"


def sent(browser: Client, url: str) -> Any:
    return browser.post(url, {"otp": "123456"})


@pytest.mark.parametrize("url", ["/", "/portfolio/", "/accounts/login/", "/admin/", "/nowhere/", "/orders/?page=2"])
@pytest.mark.django_db(transaction=True)
def test_a_page_says_so_calmly_and_when_to_come_again(browser, url):
    before = browser.cookies["sessionid"].value
    with away():
        answer = browser.get(url)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "30"
    assert answer["Cache-Control"] == "no-store"
    assert "We will be back shortly" in answer.content.decode()
    assert browser.cookies["sessionid"].value == before, "nobody is signed out by it"
    assert browser.get("/portfolio/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_partners_get_a_problem(north):  # noqa: F811
    with away():
        answer = Client(raise_request_exception=False).get(
            "/api/v1/orders", headers={"Authorization": f"Bearer {north.token}"}
        )
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "unavailable", "30")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.django_db(transaction=True)
def test_a_process_without_a_database_is_alive_and_not_ready(browser):
    with away():
        for visitor in (Client(), browser):
            assert visitor.get("/healthz").content == b"ok"
            ready = visitor.get("/readyz")
            assert (ready.status_code, ready.json()["missing"]) == (503, ["database"])
    assert "database" not in browser.get("/readyz").json()["missing"]


@pytest.mark.django_db(transaction=True)
def test_a_doorbell_is_not_answered_as_if_it_had_been_kept(somebody):
    with away():
        assert somebody.post("/payments/return/UNKNOWNUNKNOWN12345/", {"success": "true"}).status_code == 503


@pytest.mark.django_db(transaction=True)
def test_an_order_that_was_not_begun_is_said_not_to_be_and_can_be_sent_again_as_it_was(browser, asked):
    with away():
        answer = sent(browser, asked)
    assert answer.status_code == 503
    assert NOTHING_DONE in answer.content.decode()
    assert not MfOrder.objects.exists()
    assert sent(browser, asked).status_code == 302
    assert MfOrder.objects.count() == 1


@pytest.mark.parametrize("is_kept", [False, True], ids=["while-it-is-written", "after-its-commit"])
@pytest.mark.django_db(transaction=True)
def test_of_an_order_that_was_begun_nothing_is_claimed_and_it_is_one_in_the_end(browser, asked, is_kept):
    seen: list[str] = []

    def cut(execute, sql, params, many, context):
        """The connection breaks at the order, or at the first statement after it was committed."""
        seen.append(sql)
        written = any('INSERT INTO "orders_mforder"' in each for each in seen)
        if written and connection.in_atomic_block is not is_kept:
            connection.connection.close()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(cut):
        answer = sent(browser, asked)
    connection.close()  # as at the end of every request
    assert answer.status_code == 503
    assert UNCLEAR in answer.content.decode()
    assert NOTHING_DONE not in answer.content.decode()
    assert MfOrder.objects.count() == is_kept
    sent(browser, asked)
    assert MfOrder.objects.count() == 1


def told(kind: type[Exception], cause: BaseException | None) -> Exception:
    try:
        raise kind("x") from cause
    except kind as error:
        return error


@pytest.mark.parametrize(
    ("error", "is_away"),
    [
        (told(OperationalError, postgres.OperationalError("connection refused")), True),
        (told(InterfaceError, postgres.InterfaceError("the connection is closed")), True),
        (told(OperationalError, postgres.AdminShutdown()), True),
        (told(OperationalError, postgres.CannotConnectNow()), True),
        (told(OperationalError, postgres.TooManyConnections()), True),
        (told(OperationalError, postgres.DiskFull()), True),
        (told(RuntimeError, told(OperationalError, postgres.OperationalError("lost"))), True),
        (told(OperationalError, postgres.QueryCanceled()), False),
        (told(OperationalError, postgres.LockNotAvailable()), False),
        (told(OperationalError, postgres.DeadlockDetected()), False),
        (RuntimeError(), False),
        (None, False),
    ],
)
def test_only_a_database_that_cannot_be_reached_is_away(error, is_away):
    assert unavailable.is_away(error) is is_away
