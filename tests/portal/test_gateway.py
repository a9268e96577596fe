"""The one door to providers: what it refuses to do, what it writes down, when it gives a provider a rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from portal import clock
from portal.fintech_primitives.messages import NewPurchase
from portal.gateway import breaker, errors, journal, transport
from portal.gateway import client as client_module
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


@pytest.mark.parametrize("limit", [timedelta.max, client_module.LEAVES_WITHIN], ids=["guard off", "guard on"])
def test_a_write_that_slept_after_it_was_written_down_does_not_leave(limit, client, at, sandbox, monkeypatch):
    """By then others look whether it arrived."""
    order, sign = factories.OrderFactory(), client.headers

    def sleep_first() -> dict[str, str]:
        found = sign()
        clock.set_offset((clock.now() - datetime.now(UTC)).total_seconds() + 60)
        return found

    monkeypatch.setattr(client_module, "LEAVES_WITHIN", limit)
    monkeypatch.setattr(client, "headers", sleep_first)
    with pytest.raises(errors.GatewayError) as refusal:
        order_call(order, client)
    slept = limit != timedelta.max
    assert isinstance(refusal.value, errors.Unreachable) == slept, "the sandbox knows no account 1"
    assert (GatewayCall.objects.get(our_ref=order.client_ref).outcome == "UNREACHABLE") == slept
    assert journal.was_begun(order, 1) == (not slept)


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


# --- signing in -------------------------------------------------------------------------------------------------

LOGIN = "/api/auth/tenant/login"


def test_a_login_is_in_the_journal_without_its_secrets(client):
    client.renew()
    client.list_amcs()
    row = GatewayCall.objects.get(path=LOGIN)
    assert (row.provider, row.method, row.outcome, row.status) == ("fp", "POST", "OK", 200)
    assert (row.request_body, row.response_body, row.subject_kind) == (None, None, "")


@pytest.mark.parametrize("mode", ["truncated", "html_200", "wrong_types", "status:500", "reset"])
def test_a_failed_login_is_in_the_journal_and_so_is_what_it_kept_from_being_sent(client, sandbox, mode):
    client.renew()
    sandbox.fault(mode, path=f"*{LOGIN}", when="after", times=1)
    order = factories.OrderFactory()
    with pytest.raises(errors.Unreachable, match="sign in"):
        order_call(order, client)
    assert GatewayCall.objects.get(our_ref=order.client_ref).outcome == "UNREACHABLE"
    row = GatewayCall.objects.get(path=LOGIN)
    assert "eyJ" not in str(row.response_body)
    assert not journal.was_begun(order, 1)


def test_a_login_waits_for_its_turn_and_its_trouble_counts_once(client, sandbox, monkeypatch):
    turns: list[str] = []
    monkeypatch.setattr(client.pace, "wait", lambda: turns.append("one"))
    sandbox.fault("status:500", path=f"*{LOGIN}", times=breaker.OPENS_AFTER)
    for number in range(1, breaker.OPENS_AFTER + 1):
        client.renew()
        with pytest.raises(errors.Unreachable, match="sign in"):
            client.write(Request("POST", "/api/kyc/check", json={}), journal.About())
        assert client.breaker._troubles == min(number, breaker.OPENS_AFTER - 1)
    assert len(turns) == 2 * breaker.OPENS_AFTER
    with pytest.raises(errors.Unreachable, match="breaker open"):
        client.login()
