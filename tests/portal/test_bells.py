"""What a provider's doorbell may see of the database: its one statement, and nobody's rows."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from portal import clock, inbox, scope
from portal.models import InboundEvent
from portal.scope import ALL, ScopeMiddleware, set_scope
from portal.sessions import SessionStore
from tests import factories
from tests.brokers.test_same_bell import notice
from tests.portal.test_sessions import end_the_connection, scope_now

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _a_web_process(settings: Any) -> Iterator[None]:
    """It gives nothing back after a request, so that the next one finds what this one left."""
    settings.DB_SCOPE = "none"
    yield
    set_scope(ALL)


def visit(view: Callable[[], Any]) -> list[Any]:
    """What a view behind the address of a doorbell came to, after a request of somebody who may see all."""
    found: list[Any] = []

    def answer(request: HttpRequest) -> HttpResponse:
        found.append(view())
        return HttpResponse()

    set_scope(ALL)
    request = RequestFactory().post("/webhooks/somebody/")
    request.session = SessionStore()
    ScopeMiddleware(answer)(request)
    return found


def ring(body: str) -> int:
    return Client().post("/webhooks/smallcase/", body, content_type="application/json").status_code


def store() -> tuple[int, bool]:
    return inbox.store(provider="test", kind="bell", body={"id": "1"}, at=clock.now())


def test_a_notice_is_one_statement_and_leaves_nothing_open() -> None:
    body = notice(1)
    set_scope(ALL)
    with CaptureQueriesContext(connection) as asked:
        assert [ring(body), ring(body)] == [204, 204]
    assert len(asked) == 2
    assert scope_now() == "none"
    set_scope(ALL)
    assert InboundEvent.objects.get().times_seen == 2


def test_a_refused_notice_asks_the_database_nothing() -> None:
    forged = json.dumps({**json.loads(notice(1)), "checksum": "0" * 64})
    with CaptureQueriesContext(connection) as asked:
        assert ring(forged) == 401
    assert not asked


def test_a_doorbell_sees_nobody_whatever_the_request_before_left_open() -> None:
    factories.ReadyInvestorFactory()
    store()

    def seen() -> tuple[int, str]:
        return InboundEvent.objects.count(), scope_now()

    assert visit(seen) == [(0, "none")]
    assert visit(lambda: (store()[1], *seen())) == [(False, 0, "none")]


def test_a_doorbell_may_open_what_it_needs_and_closes_it_again() -> None:
    store()

    def view() -> tuple[int, str]:
        with scope.scope(ALL):
            count = InboundEvent.objects.count()
        return count, scope_now()

    assert visit(view) == [(1, "none")]


def test_a_doorbell_that_could_not_be_stored_leaves_nothing_open() -> None:
    def view() -> str:
        with contextlib.suppress(DatabaseError):
            inbox.store(provider="x" * 21, kind="bell", body={}, at=clock.now())
        return scope_now()

    assert visit(view) == ["none"]


def test_the_first_statement_of_a_doorbell_stands_in_no_transaction_that_could_open_it_again() -> None:
    def view() -> None:
        with transaction.atomic():
            scope_now()

    with pytest.raises(RuntimeError, match="stands in a transaction"):
        visit(view)


def test_a_transaction_that_is_rolled_back_opens_nothing() -> None:
    def view() -> str:
        scope_now()
        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            set_scope(ALL)
            raise ZeroDivisionError
        return scope_now()

    assert visit(view) == ["none"]


def test_a_doorbell_outlives_its_database_connection() -> None:
    body = notice(1)
    assert ring(body) == 204
    end_the_connection()
    assert ring(body) == 204
    set_scope(ALL)
    assert InboundEvent.objects.get().times_seen == 2
