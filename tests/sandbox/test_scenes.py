"""Each scene is played over HTTP, and what the provider answers afterwards is what the scene says."""

from __future__ import annotations

import datetime as dt
import http.client
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

import portal.sandbox
from portal.sandbox import control_pages, scenes
from portal.sandbox.clock import next_business_day
from portal.sandbox.server import Running
from tests.sandbox.api import BOND, Caller, Shop, hidden_fields
from tests.sandbox.broker import MONDAY, Broker
from tests.sandbox.brokers_api import CALLBACK, ITC, Publisher
from tests.sandbox.test_files_and_kyc import KYC
from tests.sandbox.test_plans_and_sells import approved, mandate, plan

NOON = "2026-11-20T12:00:00+05:30"  # a Friday
VIDEO = "76e18d5f-e84a-478d-a836-4971f38d3814"
README = Path(portal.sandbox.__file__).with_name("README.md")


def play(caller: Caller, name: str) -> str:
    return str(caller.control("POST", f"/scenes/{name}")["note"])


def meant(caller: Caller) -> list[str]:
    return list(caller.control("GET", "/scenes")["next"])


def at_noon(caller: Caller) -> None:
    caller.control("POST", "/clock", {"at": NOON})
    caller.token = ""


def paid_at_the_bank(shop: Shop, started: dict) -> str:
    """The person presses the first button of the bank's page; the page that follows."""
    page = shop.caller.raw("GET", started["token_url"].removeprefix(shop.caller.url)).text
    return shop.caller.form("/fp/bank/pay", **hidden_fields(page), outcome="success").text


# -- what each shows --------------------------------------------------------------------------------------------------


def fp_away(shop: Shop) -> None:
    at_noon(shop.caller)
    shop.caller.fp("GET", "/api/onb/states")
    play(shop.caller, "fp-away")
    assert shop.order().status == 503
    assert [shop.caller.login().status, shop.caller.fp("GET", "/api/onb/states").status] == [503, 503]
    (fault,) = shop.caller.control("GET", "/faults")["faults"]
    assert fault["until"].startswith("2026-11-20T12:10:")
    assert "until 12:10:" in shop.caller.raw("GET", "/_control/").text
    shop.caller.control("POST", "/clock", {"advance": "PT9M"})
    assert shop.order().status == 503
    shop.caller.control("POST", "/clock", {"advance": "PT1M1S"})
    assert shop.order().status == 200
    assert shop.caller.control("GET", "/faults")["faults"] == []


def answer_lost(shop: Shop) -> None:
    play(shop.caller, "answer-lost")
    assert shop.order(source_ref_id="lost").status == 400
    (order,) = shop.caller.control("GET", "/ledger/fp?ref=lost")["orders"]
    assert shop.caller.fp("GET", f"{shop.base}/orders/{order['id']}").status == 404
    assert "orders[0].source_ref_id" in shop.order(source_ref_id="lost").fields()
    assert shop.order().status == 200


def late_payment(shop: Shop) -> None:
    key = shop.buy(5000)
    play(shop.caller, "late-payment")
    started = shop.pay(key)
    assert "pg_timeout" in paid_at_the_bank(shop, started)
    shop.settle(5)
    payment = shop.payment(started["id"])
    assert (bool(payment["failed_at"]), payment["failed_reason"], payment["status"]) == (True, None, "APPROVED")
    assert payment["failed_at"] < payment["debit_confirmed_at"]
    assert shop.read(key)["status"] == "SUCCESSFUL"
    assert "Paid" in paid_at_the_bank(shop, shop.pay(shop.buy(5000)))


def order_refused(shop: Shop) -> None:
    play(shop.caller, "order-refused")
    key = shop.paid(5000)
    order = shop.read(key)
    assert (order["status"], bool(order["submitted_at"]), shop.holdings()) == ("FAILED", True, [])
    assert shop.read(shop.paid(5000))["status"] == "SUCCESSFUL"


def mandate_rejected(shop: Shop) -> None:
    play(shop.caller, "mandate-rejected")
    for state in ("REJECTED", "APPROVED"):
        key = mandate(shop)
        started = shop.caller.fp("POST", "/api/pg/payments/emandate/auth", {"mandate_id": key}).json
        assert "Authorised" in paid_at_the_bank(shop, started)
        shop.settle(1)
        assert shop.caller.fp("GET", f"/api/pg/mandates/{key}").json["mandate_status"] == state


def kyc_sent_back(shop: Shop) -> None:
    play(shop.caller, "kyc-sent-back")
    for state in ("rejected", "successful"):
        made = shop.caller.fp("POST", "/kyc_requests", KYC | {"ipv_video": VIDEO}).json
        shop.settle(1)
        found = shop.caller.fp("GET", f"/kyc_requests/{made['id']}").json
        assert found["status"] == state
        assert len(found["verification"]["details"] or {}) == (3 if state == "rejected" else 0)


def sip_bounces(shop: Shop) -> None:
    at_noon(shop.caller)
    key = plan(shop, mandate_id=approved(shop)).json["orders"][0]["id"]
    play(shop.caller, "sip-bounces")
    assert shop.caller.control("GET", "/clock")["now"].startswith("2026-12-05T0")
    shop.caller.token = ""
    orders = shop.caller.fp("GET", f"{shop.base}/orders/sips/{key}/installments").json
    assert [(o["status"], o["investment_date"]) for o in orders] == [
        ("FAILED", "2026-12-05"), ("FAILED", "2027-01-05"), ("FAILED", "2027-02-05"),
    ]  # fmt: skip
    payments = shop.caller.fp("GET", f"/api/pg/payments?amc_order_ids={orders[0]['id']}").json["payments"]
    assert [(p["status"], p["failed_reason"]) for p in payments] == [("FAILED", "insufficient_funds")]
    assert shop.caller.fp("GET", f"{shop.base}/orders/sips/{key}").json["active"] is False


def after_cut_off(shop: Shop) -> None:
    at_noon(shop.caller)
    play(shop.caller, "after-cut-off")
    assert shop.caller.control("GET", "/clock")["now"].startswith("2026-11-20T16:3")
    shop.caller.token = ""
    key = shop.buy(5000, BOND)
    shop.caller.control("POST", f"/fp/payments/{shop.pay(key)['id']}", {"outcome": "success"})
    shop.caller.control("POST", "/clock", {"advance": "P7D"})
    shop.caller.token = ""
    order = shop.read(key)
    assert (order["status"], order["trade_date"]) == ("SUCCESSFUL", f"{next_business_day(dt.date(2026, 11, 20))}")
    assert Decimal(str(order["reverse_units"])) > 0


def news_lost(shop: Shop) -> None:
    publisher = Publisher(shop.caller)
    shop.caller.control("POST", "/webhooks", {"targets": {"odin": CALLBACK}})
    play(shop.caller, "news-lost")
    publisher.executed("filled", {"scripTkn": ITC})
    assert {(n["state"], n["attempts"]) for n in shop.caller.control("GET", "/notices")["notices"]} == {("lost", 0)}
    assert publisher.sync().json["jNoOfRecords"] == 3
    shop.caller.control("POST", "/webhooks", {"targets": {"odin": ""}})


def share_order_lost(shop: Shop) -> None:
    shop.caller.control("POST", "/clock", {"at": MONDAY})
    broker = Broker(shop.caller).sign_in()
    play(shop.caller, "share-order-lost")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        broker.place(RemoteOrderID="lost-1")
    assert [line["RemoteOrderID"] for line in broker.book()] == ["lost-1"]
    broker.placed(RemoteOrderID="after-1")


def normal(shop: Shop) -> None:
    for name in ("fp-away", "late-payment", "order-refused", "mandate-rejected", "kyc-sent-back", "news-lost"):
        play(shop.caller, name)
    play(shop.caller, "after-cut-off")
    assert len(meant(shop.caller)) == 4
    play(shop.caller, "normal")
    shop.caller.token = ""
    assert (meant(shop.caller), shop.caller.control("GET", "/faults")["faults"]) == ([], [])
    assert shop.caller.control("GET", "/webhooks")["mode"] == "normal"
    assert shop.caller.control("GET", "/pace")["pace"] == "fast"
    assert shop.read(shop.paid(5000))["status"] == "SUCCESSFUL"


SHOWN: dict[str, Callable[[Shop], None]] = {
    "fp-away": fp_away, "answer-lost": answer_lost, "late-payment": late_payment, "order-refused": order_refused,
    "mandate-rejected": mandate_rejected, "kyc-sent-back": kyc_sent_back, "sip-bounces": sip_bounces,
    "after-cut-off": after_cut_off, "news-lost": news_lost, "share-order-lost": share_order_lost, "normal": normal,
}  # fmt: skip


@pytest.mark.parametrize("name", scenes.SCENES)
def test_a_scene_shows_what_it_says(shop: Shop, name: str):
    SHOWN[name](shop)


# -- the library ------------------------------------------------------------------------------------------------------


def test_every_scene_is_made_of_acts_and_things_that_there_are(caller: Caller):
    for scene in scenes.SCENES.values():
        assert {act for act, _ in scene.steps} <= set(control_pages.ACTS)
        words = {value for _, fields in scene.steps for value in fields.values() if value.startswith("{")}
        assert words <= set(scenes.PICKS)
    listed = caller.control("GET", "/scenes")["scenes"]
    assert [scene["name"] for scene in listed] == list(scenes.SCENES)
    assert listed[7]["acts"] == [{"act": "pace", "mode": "market"}, {"act": "at", "at": "{evening}"}]


def test_the_readme_names_every_scene():
    text = README.read_text(encoding="utf-8")
    assert [name for name in scenes.SCENES if f"| `{name}` |" not in text] == []


def test_the_control_room_plays_a_scene_at_a_press_and_says_what_is_still_meant(shop: Shop):
    page = shop.caller.raw("GET", "/_control/").text
    assert [scene.title for scene in scenes.SCENES.values() if scene.title.replace("'", "&#x27;") not in page] == []
    assert "Waiting to happen" not in page
    answer = shop.caller.form("/_control/act", act="scene", name="kyc-sent-back")
    assert answer.headers["Location"].startswith("/_control/?note=A%20fresh%20KYC%20is%20sent%20back")
    assert "<li>the next fresh KYC is sent back</li>" in shop.caller.raw("GET", "/_control/").text
    shop.caller.control("POST", "/reset")
    assert meant(shop.caller) == []


def test_a_scene_without_what_it_needs_is_refused_and_changes_nothing(shop: Shop):
    answer = shop.caller.raw("POST", "/_control/scenes/sip-bounces")
    assert (answer.status, "start one in the portal first" in answer.text) == (400, True)
    short = plan(shop, mandate_id=approved(shop), installments=12).json["orders"][0]["id"]
    for _ in range(10):
        shop.caller.form("/_control/act", act="instalment", id=short)
    assert shop.caller.raw("POST", "/_control/scenes/sip-bounces").status == 400
    assert shop.caller.raw("POST", "/_control/scenes/nothing").status == 404
    assert "scenes%20are" in shop.caller.form("/_control/act", act="scene").headers["Location"]


def test_a_sip_that_has_bounced_once_is_left_to_its_fate(shop: Shop):
    well, ill = (
        plan(shop, mandate_id=approved(shop), source_ref_id=name).json["orders"][0]["id"] for name in ("well", "ill")
    )
    shop.caller.form("/_control/act", act="bounce", id=ill)
    play(shop.caller, "sip-bounces")
    shop.caller.token = ""
    active = {key: shop.caller.fp("GET", f"{shop.base}/orders/sips/{key}").json["active"] for key in (well, ill)}
    assert active == {well: False, ill: True}


def test_the_end_of_a_fault_goes_with_the_fault(caller: Caller, served: Running):
    """SQLite gives the id of a fault that is gone to the next one, which must not end with it."""
    wish = {"provider": "fp", "match": {"path": "/states"}, "when": "before", "mode": "status:503", "times": 0}
    first = caller.control("POST", "/faults", wish | {"for": "PT1H"})["id"]
    caller.form("/_control/act", act="unfault", id=first)
    assert caller.control("POST", "/faults", wish)["id"] == first
    caller.control("POST", "/clock", {"advance": "PT2H"})
    caller.token = ""
    assert caller.fp("GET", "/api/onb/states").status == 503
    assert caller.raw("POST", "/_control/faults?mode=status:503&for=soon").status == 400
    assert len(caller.control("GET", "/faults")["faults"]) == 1
    caller.control("DELETE", "/faults")
    assert served.sandbox.world.scalar("SELECT count(*) FROM due WHERE kind = 'fault.expire'") == 0
