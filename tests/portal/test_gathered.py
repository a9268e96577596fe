"""Rows of the journal about reads: written together, soon, and never instead of the row of a write."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from portal.admin import timeline
from portal.gateway import gathered, journal
from portal.gateway.client import parse_json
from portal.gateway.transport import Request, Response
from portal.models import GatewayCall
from tests import factories
from tests.portal.test_gateway import PING

pytestmark = pytest.mark.django_db(transaction=True)
FINE = Response(200, {}, b'{"nav": 12.3450, "pan": "ABCPE1234F"}')


@pytest.fixture
def waiting(settings, monkeypatch):
    """The rows of a process that gathers; its thread does not begin by itself."""
    settings.JOURNAL_GATHER_S = 3_600.0
    found = gathered.Gathered()
    monkeypatch.setattr(journal, "gathered", found)
    yield found
    found.end()


def called(*, effect: bool, response: Response = FINE, ref: str = "") -> GatewayCall:
    call = journal.begin("fp", PING, journal.About(our_ref=ref), effect=effect)
    journal.end(call, response, None, call.started_at)
    return call


def test_a_read_is_written_soon_with_all_that_is_known_of_it(waiting):
    called(effect=False, ref="R1")
    assert not GatewayCall.objects.exists()
    waiting.end()
    call = GatewayCall.objects.get()
    assert (call.our_ref, call.outcome, call.status, call.method) == ("R1", "OK", 200, "GET")
    assert call.response_body == {"nav": "12.3450", "pan": "XXXXXX234F"}
    assert call.written_as == "all"


def test_a_write_never_waits(waiting):
    begun = journal.begin("fp", Request("POST", "/orders", json={"a": 1}), journal.About(), effect=True)
    assert GatewayCall.objects.get().outcome == "SENDING"
    journal.end(begun, FINE, None, begun.started_at)
    assert GatewayCall.objects.get().outcome == "OK"


def test_nothing_waits_where_a_request_sees_its_own_rows_only(waiting, settings):
    settings.DB_SCOPE = "none"
    called(effect=False)
    assert GatewayCall.objects.count() == 1


def test_rows_wait_on_while_the_database_is_away_and_the_oldest_go_first(waiting, monkeypatch):
    monkeypatch.setattr(gathered, "MOST", 3)
    insert, away = gathered._insert, [True]

    def broken(rows):
        if away[0]:
            raise OperationalError("away")
        insert(rows)

    monkeypatch.setattr(gathered, "_insert", broken)
    for number in range(5):
        called(effect=False, ref=f"R{number}")
        waiting.write()
    away[0] = False
    waiting.write()
    assert sorted(GatewayCall.objects.values_list("our_ref", flat=True)) == ["R2", "R3", "R4"]


def test_a_row_that_the_database_never_takes_does_not_stop_the_others(waiting):
    for ref in ("R1", "x" * 61, "R2"):
        called(effect=False, ref=ref)
    waiting.write()
    assert sorted(GatewayCall.objects.values_list("our_ref", flat=True)) == ["R1", "R2"]


def test_a_thousand_rows_cost_a_few_statements(waiting, monkeypatch):
    batches = []
    monkeypatch.setattr(gathered, "_insert", lambda rows: batches.append(len(rows)))
    for _ in range(1_000):
        waiting._rows.append(journal.begin("fp", PING, journal.About(), effect=False))
    waiting.write()
    assert batches == [gathered.AT_ONCE] * 5


def test_an_answer_is_read_once_for_all_who_ask(monkeypatch):
    response, reads = Response(200, {}, b'{"a": 1.50}'), []
    loads = __import__("json").loads
    monkeypatch.setattr("portal.gateway.transport.json.loads", lambda *a, **k: reads.append(a) or loads(*a, **k))
    assert str(parse_json("fp", PING, response)["a"]) == "1.50"
    assert journal.readable(response) == {"a": "1.50"}
    assert len(reads) == 1


def test_a_timeline_tells_calls_in_the_order_of_time(waiting):
    order = factories.OrderFactory()
    about = journal.about(order)
    read = journal.begin("fp", PING, about, effect=False)
    write = journal.begin("fp", Request("POST", "/orders"), about, effect=True)
    for call in (write, read):
        journal.end(call, FINE, None, call.started_at)
    waiting.write()
    assert [each.call.method for each in timeline.calls_of([order])] == ["GET", "POST"]
    assert list(GatewayCall.objects.order_by("id").values_list("method", flat=True)) == ["POST", "GET"]
