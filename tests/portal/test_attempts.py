"""The claim of an attempt is on disk with the journal's row of its call, by one wait instead of two."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from orders.models import MfOrder
from portal import clock
from portal.gateway import journal
from portal.gateway.transport import Request

pytestmark = pytest.mark.django_db(transaction=True)


def waits_for_the_disk() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return cursor.fetchone()[0] == "on"


@pytest.fixture(autouse=True)
def a_careful_server():
    """The tests' server waits for nothing; this one connection waits, as in life."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    yield
    connection.close()


def test_the_claim_leaves_the_disk_to_the_journal():
    with transaction.atomic(durable=True):
        MfOrder().open_attempt(clock.now())
        assert not waits_for_the_disk()


def test_the_row_of_the_call_waits_for_the_disk_and_so_for_the_claim_before_it():
    with transaction.atomic(durable=True):
        MfOrder().open_attempt(clock.now())
    with CaptureQueriesContext(connection) as said:
        journal.begin("fp", Request("POST", "/v2/orders"), journal.About(), effect=True)
    assert len(said) == 1
    assert "synchronous_commit" not in said[0]["sql"]
    assert waits_for_the_disk()
