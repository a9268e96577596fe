"""Notices to the portal: signed as documented, retried as documented, kept over a restart, and spoiled on request."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator

import pytest

from portal.sandbox import application, notices
from portal.sandbox.app import Sandbox
from portal.sandbox.server import Running
from portal.sandbox.smallcase.batches import checksum
from tests.sandbox.api import Caller, wait_for
from tests.sandbox.brokers_api import Gateway, Portal, Publisher

PLACED_THEN_DONE = ["PLACED", "COMPLETED"]


@pytest.fixture
def portal() -> Iterator[Portal]:
    one = Portal()
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture
def gateway(caller: Caller, portal: Portal) -> Iterator[Gateway]:
    targets = {"smallcase": f"{portal.url}/hooks/smallcase", "odin": f"{portal.url}/hooks/odin"}
    caller.control("POST", "/webhooks", {"targets": targets})
    yield Gateway(caller)
    caller.control("POST", "/webhooks", {"targets": dict.fromkeys(targets, "")})


def filled(gateway: Gateway, **more: object) -> str:
    key = gateway.new(**more)
    gateway.finish(key, "filled")
    return key


def listed(caller: Caller) -> list[dict]:
    return list(caller.control("GET", "/notices")["notices"])


def test_the_checksum_is_the_documented_one():
    """The test vector of providers.md 10, with this world's API secret and with the vector's."""
    stamp, user = "2024-01-02T03:04:05.000Z", "5f0c0ffee0ddba11ca5e0001"
    wanted = "160bb82bb590b19d6c73915c1b7e7f43e23b07c534814dcf28f34f1f9fbf1441"
    assert hmac.new(b"api-secret", f"{stamp}{user}".encode(), "sha256").hexdigest() == wanted
    assert checksum(stamp, user) == hmac.new(b"sandbox-api-secret", f"{stamp}{user}".encode(), "sha256").hexdigest()


def test_a_batch_is_told_when_it_is_placed_and_when_it_is_final(gateway: Gateway, portal: Portal):
    key = filled(gateway, notes="n1")
    bodies = portal.bodies(2)
    assert [body["status"] for body in bodies] == PLACED_THEN_DONE
    assert {path for path, _ in portal.heard} == {"/hooks/smallcase"}
    for body in bodies:
        assert (body["transactionId"], body["notes"], body["broker"]) == (key, "n1", "kite")
        message = body["timestamp"] + body["smallcaseAuthId"]
        assert body["checksum"] == hmac.new(b"sandbox-api-secret", message.encode(), "sha256").hexdigest()
        assert "orderBatches" not in body
    shared = gateway.batch(key)
    assert {name: bodies[1][name] for name in shared} == shared


def test_imported_holdings_are_told_too(gateway: Gateway, portal: Portal):
    body = {"intent": "HOLDINGS_IMPORT", "assetConfig": {}}
    key = gateway.call("POST", "/gateway/gatewaydemo/transaction", body).json["data"]["transactionId"]
    gateway.finish(key, "filled")
    told = portal.bodies(1)[0]
    assert (told["transactionId"], told["securities"]) == (key, [])
    assert told["checksum"] == checksum(told["timestamp"], told["smallcaseAuthId"])


def test_odin_s_messages_go_to_their_own_address(gateway: Gateway, portal: Portal):
    Publisher(gateway.caller).executed("filled", {})
    bodies = portal.bodies(3)
    assert {path for path, _ in portal.heard} == {"/hooks/odin"}
    assert [body["MessageSequenceNumber"] for body in bodies] == [1, 2, 3]
    assert {body["sInitiatorAppToken"] for body in bodies} == {"sandbox-app-token"}


@pytest.mark.parametrize("refusal", [500, 302, 404])
def test_smallcase_tries_three_times_more_and_then_gives_up(gateway: Gateway, portal: Portal, refusal):
    portal.status = refusal
    gateway.caller.control("POST", "/webhooks", {"mode": "normal"})
    gateway.finish(gateway.new(), "placed")
    for tries, wait in enumerate(["PT0S", "PT15M", "P1D", "P2D"], start=1):
        gateway.caller.control("POST", "/clock", {"advance": wait})
        gateway.caller.control("POST", "/notices/deliver")
        first = listed(gateway.caller)[-1]
        assert first["attempts"] == tries
        assert first["state"] == ("waiting" if tries < 4 else "failed")
        assert first["answer"] == str(refusal)


def test_a_late_portal_hears_what_it_missed(gateway: Gateway, portal: Portal):
    portal.status = 503
    filled(gateway)
    wait_for(lambda: all(notice["attempts"] == 1 for notice in listed(gateway.caller)))
    portal.status = 200
    gateway.caller.control("POST", "/clock", {"advance": "PT16M"})
    assert [body["status"] for body in portal.bodies(4)[2:]] == PLACED_THEN_DONE
    wait_for(lambda: {notice["state"] for notice in listed(gateway.caller)} == {"delivered"})


def test_odin_does_not_try_again(gateway: Gateway, portal: Portal):
    portal.status = 500
    Publisher(gateway.caller).executed("pending", {})
    wait_for(lambda: [notice["state"] for notice in listed(gateway.caller)] == ["failed"])


# -- modes -----------------------------------------------------------------------------------------------------------


def test_off_loses_them(gateway: Gateway, portal: Portal):
    gateway.caller.control("POST", "/webhooks", {"mode": "off"})
    filled(gateway)
    assert {notice["state"] for notice in listed(gateway.caller)} == {"lost"}
    assert gateway.caller.control("POST", "/notices/deliver") == {"sent": 0}
    gateway.caller.control("POST", f"/notices/{listed(gateway.caller)[0]['id']}/resend")
    assert portal.bodies(1)[0]["status"] == "COMPLETED"


def test_duplicate_sends_each_twice_and_alike(gateway: Gateway, portal: Portal):
    gateway.caller.control("POST", "/webhooks", {"mode": "duplicate"})
    filled(gateway)
    bodies = portal.bodies(4)
    assert bodies[0] == bodies[1]
    assert bodies[2] == bodies[3]
    assert bodies[0] != bodies[2]


def test_reorder_sends_the_last_first(gateway: Gateway, portal: Portal):
    gateway.caller.control("POST", "/webhooks", {"mode": "reorder"})
    filled(gateway)
    gateway.caller.control("POST", "/clock", {"advance": "PT3S"})
    assert [body["status"] for body in portal.bodies(2)] == PLACED_THEN_DONE[::-1]


def test_delay_waits(gateway: Gateway, portal: Portal):
    gateway.caller.control("POST", "/webhooks", {"mode": "delay", "delay_s": 600})
    filled(gateway)
    assert gateway.caller.control("POST", "/notices/deliver") == {"sent": 0}
    gateway.caller.control("POST", "/clock", {"advance": "PT10M1S"})
    assert len(portal.bodies(2)) == 2


@pytest.mark.parametrize(
    ("what", "same_body", "same_signature"),
    [("both", False, False), ("body", False, True), ("signature", True, False)],
)
def test_tamper_changes_the_body_the_signature_or_both(gateway, portal, what, same_body, same_signature):
    gateway.caller.control("POST", "/webhooks", {"mode": "tamper", "what": what})
    key = filled(gateway)
    body, truth = portal.bodies(2)[1], gateway.batch(key)
    message = body["timestamp"] + body["smallcaseAuthId"]
    good = hmac.new(b"sandbox-api-secret", message.encode(), "sha256").hexdigest()
    assert (body["checksum"] == good) is same_signature
    assert (body["buyAmount"] == truth["buyAmount"]) is same_body


def test_the_control_room_sets_the_mode_and_sends_again(gateway: Gateway, portal: Portal):
    gateway.caller.form("/_control/act", act="webhooks", mode="off")
    filled(gateway)
    room = gateway.caller.raw("GET", "/_control/").text
    assert "Mode: <b>off</b>" in room
    assert f"They go to {portal.url}/hooks/smallcase" in room
    gateway.caller.form("/_control/act", act="resend", id=listed(gateway.caller)[-1]["id"])
    assert portal.bodies(1)[0]["status"] == "PLACED"


def test_an_unknown_mode_is_refused(caller: Caller):
    assert caller.raw("POST", "/_control/webhooks?mode=loud").status == 400
    assert caller.raw("POST", "/_control/webhooks?mode=duplicate").json["mode"] == "duplicate"


# -- where to --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://127.0.0.1/", "http://10.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1:8000", "http://"],
)
def test_only_this_machine_may_be_told(caller: Caller, url):
    for wish in ({"portal": url}, {"targets": {"smallcase": url}}):
        answer = caller.raw("POST", "/_control/webhooks", json.dumps(wish).encode())
        assert answer.status == 400
    assert caller.control("GET", "/webhooks")["portal"] == ""


def test_the_portal_s_address_outlives_a_reset(tmp_path):
    app = application(tmp_path / "world.sqlite")
    notices.set_portal(app.world, "http://127.0.0.1:8000/")
    app.world.reset()
    assert notices.address(app.world, "smallcase") == "http://127.0.0.1:8000/webhooks/smallcase/"
    app.close()


def test_a_restart_loses_no_notice(tmp_path, portal: Portal):
    first = application(tmp_path / "world.sqlite")
    notices.set_target(first.world, "smallcase", f"{portal.url}/late")
    notices.send(first.world, "smallcase", {"checksum": "x", "n": 1}, "checksum")
    first.close()
    assert portal.heard == []
    running = Running(Sandbox(tmp_path / "world.sqlite"))
    assert portal.bodies(1) == [{"checksum": "x", "n": 1}]
    running.close()


def test_a_portal_that_hangs_does_not_hold_up_the_world(gateway: Gateway, portal: Portal, monkeypatch):
    monkeypatch.setattr(notices, "post", lambda url, body, timeout=0.0: (_ for _ in ()).throw(TimeoutError("slow")))
    filled(gateway)
    wait_for(lambda: {notice["answer"] for notice in listed(gateway.caller)} == {"TimeoutError: slow"})
    assert gateway.create().status == 200
