import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from portal.sandbox import application
from portal.sandbox.server import Running
from tests.sandbox.api import Caller, Shop


def fault(caller: Caller, mode: str, when: str = "after", **more) -> None:
    wish = {"provider": "fp", "match": {"method": "POST", "path": "/orders/purchase/"}, "when": when, "mode": mode}
    caller.control("POST", "/faults", wish | more)


def orders(caller: Caller) -> int:
    return caller.control("GET", "/ledger/fp")["total"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", ["reset", "close_half_way", "hang"])
def test_faults_on_the_wire_reach_the_socket(shop: Shop, mode, when):
    fault(shop.caller, mode, when, delay_s=0.2)
    with pytest.raises((ConnectionError, http.client.HTTPException)) as caught:
        shop.order()
    if mode == "reset":
        assert isinstance(caught.value, ConnectionResetError)
    if mode == "close_half_way":
        assert isinstance(caught.value, http.client.IncompleteRead)
    assert orders(shop.caller) == (1 if when == "after" else 0)
    assert shop.order().status == 200


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("mode", "status", "start"),
    [
        ("html_200", 200, b"<!doctype html>"),
        ("empty_200", 200, b""),
        ("truncated", 200, b'{"'),
        ("status:500", 500, b'{"error"'),
        ("status:429", 429, b'{"error"'),
        ("timed_out_400", 400, b'{"error"'),
        ("redirect", 302, b""),
    ],
)
def test_faults_in_the_answer(shop: Shop, mode, status, start, when):
    fault(shop.caller, mode, when)
    answer = shop.order()
    assert answer.status == status
    assert answer.body.startswith(start)
    if mode == "truncated":
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.body)
    if mode == "status:429":
        assert answer.headers["Retry-After"] == "2"
    assert orders(shop.caller) == (1 if when == "after" else 0)
    assert shop.order().status == 200


def test_wrong_types_changes_every_type(shop: Shop):
    fault(shop.caller, "wrong_types")
    line = shop.order().json["orders"]["0"]
    assert isinstance(line["id"], str)
    assert isinstance(line["isin"], list)


def test_invisible_hides_what_took_effect_for_a_while(shop: Shop):
    fault(shop.caller, "timed_out_400+invisible:0.6")
    assert shop.order(source_ref_id="late").status == 400
    key = shop.caller.control("GET", "/ledger/fp?ref=late")["orders"][0]["id"]
    listed = lambda: [o["id"] for o in shop.caller.fp("GET", "/api/oms/orders?state=pending").json["amc_orders"]]  # noqa: E731
    assert listed() == []
    assert shop.caller.fp("GET", f"{shop.base}/orders/{key}").status == 404
    assert "orders[0].source_ref_id" in shop.order(source_ref_id="late").fields()
    time.sleep(0.7)
    assert listed() == [key]


def test_faults_count_down_match_by_pattern_and_are_cleared(shop: Shop):
    fault(shop.caller, "status:503", "before", times=2)
    assert [shop.order().status for _ in range(3)] == [503, 503, 200]
    fault(shop.caller, "status:500", "before", times=0, match={"method": "GET", "path": "/api/oms/*/orders/purchase"})
    assert shop.caller.fp("GET", "/api/onb/states").status == 200
    assert [shop.caller.fp("GET", f"{shop.base}/orders/purchase").status for _ in range(3)] == [500] * 3
    assert shop.caller.control("GET", "/faults")["faults"][0]["hits"] == 3
    shop.caller.control("DELETE", "/faults")
    assert shop.caller.fp("GET", f"{shop.base}/orders/purchase").status == 200
    assert shop.caller.raw("POST", "/_control/faults?mode=nonsense&provider=fp").status == 400


def test_arguments_come_as_query_parameters_too(caller: Caller):
    start = caller.control("GET", "/clock")["offset_s"]
    caller.raw("POST", "/_control/clock?advance=P1DT2H")
    assert caller.control("GET", "/clock")["offset_s"] - start == pytest.approx(26 * 3600, abs=1)
    caller.raw("POST", "/_control/clock?at=2026-11-20T10:00:00+05:30")
    assert caller.control("GET", "/clock")["now"].startswith("2026-11-20T10:00:0")
    assert caller.raw("POST", "/_control/clock?advance=tomorrow").status == 400
    assert caller.raw("POST", "/_control/pace?mode=market").json == {"pace": "market"}


def test_json_that_curl_calls_a_form_is_json(shop: Shop):
    curl = {"Content-Type": "application/x-www-form-urlencoded"}
    wish = b'{"provider": "fp", "match": {"method": "GET", "path": "/states"}, "mode": "status:503", "when": "before"}'
    assert shop.caller.raw("POST", "/_control/faults", wish, curl).status == 201
    assert shop.caller.fp("GET", "/api/onb/states").status == 503
    assert shop.caller.raw("POST", "/_control/webhooks", b'{"mode": "louder"}', curl).status == 400


def test_the_control_room_shows_and_moves_things(shop: Shop):
    key = shop.buy(5005)
    room = shop.caller.raw("GET", "/_control/")
    assert room.status == 200
    assert str(key) in room.text
    assert "<script" not in room.text
    assert "script-src 'self'" in room.headers["Content-Security-Policy"]
    answer = shop.caller.form("/_control/act", act="order", id=key, to="PAYMENT_CONFIRMED")
    assert answer.status == 303
    assert shop.read(key)["status"] == "PAYMENT_CONFIRMED"
    answer = shop.caller.form("/_control/act", act="order", id=key, to="REVERSED")
    assert "cannot%20move" in answer.headers["Location"]
    shop.caller.form("/_control/act", act="fault", provider="fp", mode="status:500", when="before", times="1")
    assert shop.caller.fp("GET", "/api/onb/states").status == 500
    for act in ("advance", "pace", "unfault", "nothing"):
        assert shop.caller.form("/_control/act", act=act, advance="PT1H", mode="market").status == 303


def test_a_step_that_fails_is_not_lost_and_can_be_done_again(shop: Shop, served: Running, monkeypatch):
    world, key = served.sandbox.world, shop.buy(5000)
    shop.caller.control("POST", f"/fp/payments/{shop.pay(key)['id']}", {"outcome": "success"})
    with monkeypatch.context() as patch:
        patch.setitem(world.due_handlers, "fp.order", lambda *_: 1 / 0)
        shop.settle()
    assert shop.read(key)["status"] != "SUCCESSFUL"
    assert shop.caller.control("GET", "/clock")["failed"] == 1
    page = shop.caller.raw("GET", "/_control/").text
    assert "Steps that failed" in page
    assert "ZeroDivisionError" in page
    shop.caller.form("/_control/act", act="stuck_again", id=world.scalar("SELECT id FROM stuck"))
    shop.settle()
    assert shop.read(key)["status"] == "SUCCESSFUL"
    assert shop.caller.control("GET", "/clock")["failed"] == 0


def test_the_journal_keeps_no_secret(shop: Shop):
    shop.caller.control("GET", "/health")
    text = json.dumps(shop.caller.control("GET", "/requests"))
    assert "/api/onb/investors" in text
    assert shop.caller.token not in text
    assert "Bearer" not in text


def test_a_restart_loses_nothing_and_reset_loses_all(tmp_path):
    state = tmp_path / "world.sqlite"
    first = application(state)
    first.world.set_meta("offset", "86400")
    first.world.insert("fp_refs", tenant="t", space="orders", ref="r", times=3)
    first.close()
    second = application(state)
    assert second.world.offset == 86400
    assert second.world.scalar("SELECT times FROM fp_refs") == 3
    second.world.reset()
    assert second.world.offset == 0
    assert second.world.scalar("SELECT count(*) FROM fp_refs") == 0
    second.close()


def test_one_bad_item_does_not_hold_up_the_world(tmp_path):
    app, done = application(tmp_path / "world.sqlite"), []
    app.world.due_handlers |= {"bad": lambda *_: 1 / 0, "good": lambda world, ref, details: done.append((ref, details))}
    app.world.schedule(app.world.now() - 2, "bad", 1)
    app.world.schedule(app.world.now() - 1, "good", 2, to="x")
    assert app.world.settle() == 1
    assert done == [("2", {"to": "x"})]
    assert app.world.settle() == 0
    app.close()


def test_a_late_thread_does_not_take_the_next_step_for_the_one_it_saw(tmp_path):
    app, done = application(tmp_path / "world.sqlite"), []
    app.world.due_handlers["step"] = lambda world, ref, details: done.append(details["to"])
    app.world.schedule(app.world.now() + 60, "step", 1, to="first")
    seen = app.world.the("SELECT * FROM due")
    app.world.run("DELETE FROM due WHERE id = ?", seen["id"])  # by a quicker thread, which goes on with the next step
    app.world.schedule(app.world.now() + 61, "step", 1, to="second")
    following = app.world.the("SELECT * FROM due")
    assert following["id"] == seen["id"], "the race: SQLite gives the id again"
    assert (app.world._do(seen), app.world._do(following), done) == (0, 1, ["second"])
    app.close()


def test_the_same_world_as_a_wsgi_application(tmp_path):
    app = application(tmp_path / "world.sqlite")
    started = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/_control/health", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "wsgi.input": None, "wsgi.url_scheme": "http",
    }  # fmt: skip
    body = b"".join(app(environ, lambda status, headers: started.append(status)))
    assert started == ["200 OK"]
    assert json.loads(body)["status"] == "ok"
    app.close()


def run_command(tmp_path, *more: str) -> subprocess.Popen:
    words = [sys.executable, "-m", "portal.sandbox", "--state", str(tmp_path / "w.sqlite"), *more]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_command_serves_ends_on_sigterm_and_says_what_is_wrong(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = run_command(tmp_path, "--port", port)
    assert "control room at" in process.stdout.readline()
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/_control/health").status == 200
    second = run_command(tmp_path, "--port", port)
    assert second.wait(20) == 3
    assert f"port {port} is in use" in second.stderr.read()
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(10) == 0
    outside = run_command(tmp_path, "--host", "0.0.0.0", "--port", port)
    assert outside.wait(20) == 2
    assert "not loopback" in outside.stderr.read()
