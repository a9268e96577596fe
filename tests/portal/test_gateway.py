"""The one door to providers: what it refuses to do, what it writes down, when it gives a provider a rest."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from portal.fintech_primitives.messages import NewPurchase
from portal.gateway import breaker, errors, journal, transport
from portal.gateway.transport import Request, Transport
from portal.models import GatewayCall
from tests import factories

pytestmark = pytest.mark.django_db
PING = Request("GET", "/api/oms/amcs")


@pytest.mark.parametrize(
    "url", ["https://fp.portal.example", "http://10.0.0.1/fp", "http://169.254.169.254/fp", "http://[::]/"]
)
def test_refuses_to_leave_this_machine_in_sandbox_mode(url):
    with pytest.raises(ImproperlyConfigured, match="loopback"):
        Transport("fp", url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8100/fp", "http://localhost/fp", "http://[::1]/fp", "http://127.9.9.9/"]
)
def test_refuses_to_stay_on_this_machine_in_live_mode(settings, url):
    settings.SANDBOX, settings.MODE = False, "live"
    with pytest.raises(ImproperlyConfigured, match="no loopback"):
        Transport("fp", url)


@pytest.mark.django_db(transaction=True)
def test_refuses_to_call_inside_a_transaction(sandbox, settings):
    door = Transport("fp", settings.FP_BASE_URL)
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        door.send(PING)


def test_says_that_nothing_was_sent_when_nobody_listens():
    with pytest.raises(errors.Unreachable):
        Transport("fp", "http://127.0.0.1:9/fp").send(PING)


@pytest.mark.parametrize("mode", ["reset", "close_half_way"])
def test_says_that_the_outcome_is_unknown_when_the_line_breaks(sandbox, settings, mode):
    sandbox.fault(mode, method="GET", path="*", when="after")
    with pytest.raises(errors.OutcomeUnknown):
        Transport("fp", settings.FP_BASE_URL).send(PING)


def test_follows_no_redirect(sandbox, settings):
    sandbox.fault("redirect", method="GET", path="*")
    assert Transport("fp", settings.FP_BASE_URL).send(PING).status in {301, 302, 303, 307, 308}


def test_reads_no_answer_beyond_its_bound(sandbox, settings, monkeypatch):
    monkeypatch.setattr(transport, "MAX_BODY", 20)
    with pytest.raises(errors.OutcomeUnknown):
        Transport("fp", settings.FP_BASE_URL).send(PING)


# --- the journal ------------------------------------------------------------------------------------------------


def order_call(order, client, **fault):
    about = journal.about(order, our_ref=order.client_ref, attempt_no=1)
    line = NewPurchase(isin=order.scheme.isin, amount=order.amount, source_ref_id=order.client_ref)
    return client.create_purchase("1", bank_account_id="1", orders=[line], about=about)


@pytest.fixture
def client(sandbox):
    from portal.fintech_primitives.client import client

    return client()


def test_journals_a_broken_write_as_unknown_and_proves_that_it_was_begun(client, sandbox):
    order = factories.OrderFactory()
    sandbox.fault("reset", path="*/purchase/netbanking", when="after")
    with pytest.raises(errors.OutcomeUnknown):
        order_call(order, client)
    call = GatewayCall.objects.get(our_ref=order.client_ref)
    assert (call.outcome, call.attempt_no, call.method) == ("OUTCOME_UNKNOWN", 1, "POST")
    assert journal.was_begun(order, 1)
    assert not journal.was_begun(order, 2)


def test_sends_a_write_once_whatever_happens(client, sandbox):
    order = factories.OrderFactory()
    sandbox.fault("status:500", path="*/purchase/netbanking", times=5)
    with pytest.raises(errors.GatewayError):
        order_call(order, client)
    assert GatewayCall.objects.filter(our_ref=order.client_ref).count() == 1


def test_tries_a_read_again(client, sandbox):
    sandbox.fault("reset", method="GET", path="*amcs*", times=2)
    assert client.list_amcs()
    assert GatewayCall.objects.filter(path__contains="amcs").count() == 3


def test_keeps_nothing_personal_in_the_journal(client):
    client.check_kyc("ASHPR3751C")
    call = GatewayCall.objects.get(path="/api/kyc/check")
    assert "ASHPR3751C" not in f"{call.request_body} {call.response_body} {call.path}"


def test_keeps_an_unreadable_answer_without_its_secrets():
    page = b"<html>PAN ABCPE1234F at asha@portal.example \x00</html>"
    kept = journal.readable(transport.Response(200, {}, page))
    assert "ABCPE1234F" not in str(kept)
    assert "asha@" not in str(kept)


# --- the breaker ------------------------------------------------------------------------------------------------


def trouble() -> errors.GatewayError:
    return errors.OutcomeUnknown("fp", "GET", "/")


def test_gives_a_provider_a_rest_after_ten_troubles_in_a_row(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])
    guard = breaker.Breaker("fp")
    for _ in range(breaker.OPENS_AFTER):
        guard.check("fp", "GET", "/")
        guard.heard(trouble())
    with pytest.raises(errors.Unreachable, match="breaker open"):
        guard.check("fp", "GET", "/")
    now[0] += breaker.STAYS_OPEN_S
    guard.check("fp", "GET", "/")
    guard.heard(trouble())
    with pytest.raises(errors.Unreachable):
        guard.check("fp", "GET", "/")


def test_forgets_troubles_after_any_answer_also_a_refusal():
    guard = breaker.Breaker("fp")
    for _ in range(3):
        for _ in range(breaker.OPENS_AFTER - 1):
            guard.heard(trouble())
        guard.heard(errors.Refused("fp", "POST", "/"))
    guard.check("fp", "GET", "/")
