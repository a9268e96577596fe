"""The sandbox's receiver says of a message what a partner's library would say."""

from __future__ import annotations

import time
import urllib.parse

import pytest

from portal.sandbox.app import Sandbox
from portal.sandbox.web import Request
from portal.webhooks import signing

SECRET = signing.new_secret()


@pytest.fixture
def world(tmp_path):
    """A sandbox with a secret for the name `demo`."""
    made = Sandbox(tmp_path / "world.sqlite")
    form = urllib.parse.urlencode({"name": "demo", "secret": SECRET}).encode()
    kept = send(made, "/partner/secret", form, {"content-type": "application/x-www-form-urlencoded"})
    assert kept.status == 303
    yield made
    made.close()


def send(sandbox, path, body, headers, method="POST"):
    return sandbox.handle(Request(method, path, "", headers, body, "http://127.0.0.1:1", full_path=path))


def verdict(sandbox, *, sent_at=None, body=b'{"type": "order.placed"}', changed=None, secret=SECRET, name="demo"):
    headers = signing.headers(event_id="evt_1", body=body, sent_at=int(sent_at or time.time()), secrets_=[secret])
    small = {key.lower(): value for key, value in headers.items()}
    assert send(sandbox, f"/partner/hooks/{name}", changed or body, small).status == 200
    return sandbox.world.the("SELECT * FROM partner_hooks ORDER BY id DESC LIMIT 1")["verdict"]


def test_a_message_of_ours_fits_and_anything_else_is_named(world):
    assert verdict(world) == "fits"
    assert verdict(world, changed=b'{"type": "order.rejected"}') == "does not fit"
    assert verdict(world, secret=signing.new_secret()) == "does not fit"
    assert verdict(world, sent_at=time.time() - 301) == "too old"
    assert verdict(world, name="other") == "no secret yet"
    send(world, "/partner/hooks/demo", b"x", {})
    assert world.world.the("SELECT * FROM partner_hooks ORDER BY id DESC LIMIT 1")["verdict"] == "not signed"


def test_the_page_shows_what_came_and_runs_nothing_of_it(world):
    verdict(world, body=b'{"type": "<script>alert(1)</script>"}')
    page = send(world, "/partner/", b"", {}, "GET").body.decode()
    assert "fits" in page
    assert "<script>alert" not in page


def test_a_fault_makes_the_receiver_unwell(world):
    fault = b'{"provider": "partner", "mode": "status:500", "times": 1}'
    send(world, "/_control/faults", fault, {"content-type": "application/json"})
    assert send(world, "/partner/hooks/demo", b"x", {}).status == 500
    assert send(world, "/partner/hooks/demo", b"x", {}).status == 200
