"""ODIN's request type 1: log in each time, and the basket asked of the publisher (GetOrderDetails)."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from portal.sandbox.odin import publisher
from tests.sandbox.api import Answer, Caller, hidden_fields, wait_for
from tests.sandbox.brokers_api import CALLBACK, ITC, LINE, TCS, Portal, Publisher, carried, press

ECHO = base64.b64encode(b'{"cart": "c-17"}').decode()
VISIT = {
    "nRequestType": "1", "sAppToken": "sandbox-app-token", "sTwoWayToken": "t1", "sProductCode": "BLUE-CHIPS",
    "sTpUserId": "investor-7", "sPartnerId": "0AF1C1",
}  # fmt: skip
QUESTION, TWO_WAY = "/GetOrderDetails", "/TwoWayAuth"


def basket(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A publisher's answer; `lines` are changes to the document's line, `more` to the data."""
    found = [LINE | {"scripTkn": ITC} | line for line in lines or ({},)]
    data = {"productType": "BASKET", "recoId": "R00001", "basketData": found} | more
    return {"success": True, "data": data, "message": "ok", "statusCode": "pub-200-001", "traceId": "t"}


class Shelf:
    """A publisher with one basket on its shelf, and the browser of its user."""

    def __init__(self, caller: Caller, server: Portal) -> None:
        self.caller, self.server = caller, server
        self.holds(basket())

    def holds(self, answer: Any, status: int = 200) -> None:
        self.server.answers[QUESTION] = (status, answer)

    def arrive(self, **changes: str) -> Answer:
        return self.caller.raw("GET", f"/odin/landing/redirect?{urllib.parse.urlencode(VISIT | changes)}")

    def log_in(self, **changes: str) -> Answer:
        """The page behind the login: the basket, or why there is none."""
        return press(self.caller, self.arrive(**changes), "login", user="asha")

    def asked(self, path: str = QUESTION) -> list[dict[str, Any]]:
        return [body for where, body in self.server.heard if where == path]

    def ledger(self) -> list[dict[str, Any]]:
        return list(self.caller.control("GET", "/ledger/odin")["orders"])


@pytest.fixture
def shelf(caller: Caller) -> Iterator[Shelf]:
    server = Portal()
    targets = {
        "odin_callback": CALLBACK, "odin_order_details": server.url + QUESTION, "odin_two_way": server.url + TWO_WAY,
    }  # fmt: skip
    caller.control("POST", "/webhooks", {"targets": targets})
    yield Shelf(caller, server)
    caller.control("POST", "/webhooks", {"targets": dict.fromkeys(targets, "")})
    server.shutdown()
    server.server_close()


# -- the whole way ---------------------------------------------------------------------------------------------------


def test_a_person_logs_in_executes_the_publisher_s_basket_and_comes_back(shelf: Shelf):
    shelf.holds(basket({}, {"scripTkn": TCS, "discQty": 0, "orgQTY": 3}))
    choice = shelf.arrive(sPartnerId="", oEchoBackObject=ECHO)
    assert "Choose your broker" in choice.text
    login = press(shelf.caller, choice, "broker", partner="0B52D7")
    assert shelf.asked() == []
    page = press(shelf.caller, login, "login", user="asha")
    assert "Your basket at Paper Boat Securities" in page.text
    assert "Buy 500 at the market" in page.text
    assert "Buy 3 at the market" in page.text
    fields = carried(press(shelf.caller, page, "place", outcome="placed"))
    assert fields == {
        "sStatusCode": "vasprd-200-820", "sStatusMessage": "Basket executed successfully", "oEcoBackObject": ECHO,
    }  # fmt: skip
    assert shelf.asked() == [
        {"ClientCode": "investor-7", "ProductCode": "BLUE-CHIPS", "AuthCode": "t1", "PartnerId": "0B52D7"}
    ]
    (entry,) = shelf.ledger()
    assert (entry["client"], entry["partner"], entry["reference"]) == ("investor-7", "0B52D7", "R00001")
    wait_for(lambda: {order["state"] for order in shelf.ledger()[0]["orders"]} == {"EXECUTED"})


def test_the_messages_carry_the_publisher_s_own_names(shelf: Shelf):
    press(shelf.caller, shelf.log_in(), "place", outcome="pending")
    (message,) = Publisher(shelf.caller).sync().json["jOrderMessage"]
    names = ("sThirdpartyUserId", "sThirdpartyProductCode", "sThirdpartyRecoId", "sPartnerId")
    assert [message[name] for name in names] == ["investor-7", "BLUE-CHIPS", "R00001", "0AF1C1"]


def test_without_an_object_to_echo_the_callback_shares_the_scrips(shelf: Shelf):
    fields = carried(press(shelf.caller, shelf.log_in(), "place", outcome="pending"))
    shared = json.loads(base64.b64decode(fields["oEcoBackObject"]))
    assert [scrip["scripName"] for scrip in shared["scrips"]] == ["ITC"]


def test_leaving_brings_the_object_back_too(shelf: Shelf):
    login = shelf.arrive(oEchoBackObject=ECHO)
    fields = carried(press(shelf.caller, login, "leave"))
    assert (fields["sStatusCode"], fields["oEcoBackObject"]) == ("vasprd-400-804", ECHO)
    left = carried(press(shelf.caller, press(shelf.caller, login, "login", user="asha"), "leave"))
    assert (left["sStatusCode"], left["oEcoBackObject"]) == ("vasprd-400-821", ECHO)
    assert (shelf.ledger()[0]["state"], shelf.ledger()[0]["orders"]) == ("LEFT", [])


def test_the_control_room_executes_it_with_the_same_callback(shelf: Shelf):
    shelf.log_in(oEchoBackObject=ECHO)
    done = shelf.caller.control("POST", "/odin/complete", {"sRecoId": "R00001", "outcome": "filled"})
    assert done["callback"]["oEcoBackObject"] == ECHO
    assert done["orders"][0]["state"] == "EXECUTED"


def test_the_session_of_such_a_login_is_told_to_nobody(shelf: Shelf, served: Any):
    press(shelf.caller, shelf.log_in(), "place", outcome="pending")
    assert served.sandbox.world.scalar("SELECT count(*) FROM odin_sessions") == 0


# -- one visit, one basket -------------------------------------------------------------------------------------------


def test_a_login_that_is_sent_again_brings_no_second_basket(shelf: Shelf):
    login = shelf.arrive()
    press(shelf.caller, login, "login", user="asha")
    shelf.holds(basket(recoId="R00002"))
    again = press(shelf.caller, login, "login", user="asha")
    assert again.status == 400
    assert "has been used" in again.text
    assert [entry["reference"] for entry in shelf.ledger()] == ["R00001"]
    assert len(shelf.asked()) == 1


def test_two_windows_at_once_bring_one_basket(shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    """Both ask the publisher before either has its basket."""
    both, numbers, ask = threading.Barrier(2, timeout=20), itertools.count(1), publisher.order_details

    def together(*wish: Any) -> tuple[str, list[Any]]:
        lines = ask(*wish)[1]
        both.wait()
        return f"R{next(numbers):05}", lines

    monkeypatch.setattr(publisher, "order_details", together)
    login, windows = shelf.arrive(), [Caller(shelf.caller.url) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda window: press(window, login, "login", user="asha"), windows))
    for window in windows:
        window.connection.close()
    assert sorted(answer.status for answer in answers) == [200, 400]
    assert len(shelf.ledger()) == 1


def test_another_visit_shows_the_same_basket_at_the_broker_of_that_visit(shelf: Shelf):
    first, second = shelf.log_in(), shelf.log_in(sPartnerId="0C91E4", oEchoBackObject=ECHO)
    assert "Lantern Capital" in second.text
    assert carried(press(shelf.caller, second, "place", outcome="pending"))["oEcoBackObject"] == ECHO
    (entry,) = shelf.ledger()
    assert (entry["received"], entry["partner"], len(entry["orders"])) == (2, "0C91E4", 1)
    late = press(shelf.caller, first, "place", outcome="placed")
    assert (late.status, "has been executed" in late.text) == (409, True)
    assert "sRecoId is already used" in shelf.log_in().text


def test_a_visit_is_no_address_of_a_basket(shelf: Shelf):
    product = hidden_fields(shelf.log_in().text.split("<form")[1])["product"]
    page = shelf.arrive(nRequestType="3", sProductCode=product, sSession="XYZ")
    assert "vasprd-400-500" in page.text
    assert shelf.ledger()[0]["state"] == "WAITING"


def test_a_publisher_that_was_away_is_asked_again(shelf: Shelf):
    shelf.holds(b"", 503)
    login = shelf.arrive()
    assert "it answered 503" in press(shelf.caller, login, "login", user="asha").text
    shelf.holds(basket())
    assert "Your basket" in press(shelf.caller, login, "login", user="asha").text


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sAppToken": "other"}, "vasprd-400-502"),
        ({"sTwoWayToken": ""}, "sTwoWayToken is mandatory"),
        ({"sProductCode": ""}, "sProductCode is mandatory"),
        ({"sProductCode": "P" * 101}, "sProductCode may have 100 characters"),
        ({"sTpUserId": ""}, "sTpUserId is mandatory"),
        ({"sTpUserId": "u" * 51}, "sTpUserId may have 50 characters"),
        ({"sPartnerId": "0AF1C9"}, "Invalid partner id"),
        ({"oEchoBackObject": "{}"}, "oEchoBackObject must be JSON in Base64"),
        ({"oEchoBackObject": base64.b64encode(b"cart").decode()}, "oEchoBackObject must be JSON in Base64"),
        ({"oEchoBackObject": base64.b64encode(b"[" * 2900).decode()}, "oEchoBackObject must be JSON in Base64"),
        ({"oEchoBackObject": base64.b64encode(b'"' + b"x" * 4000 + b'"').decode()}, "may have 4096 characters"),
    ],
)
def test_a_link_that_is_not_whole_shows_no_login(shelf: Shelf, changes, words):
    page = shelf.arrive(**changes)
    assert page.status == 400
    assert words in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize("said", [{"success": False}, {"success": "true"}, [], b"[" * 60_000, b"", b"\xff"])
def test_a_token_that_the_publisher_does_not_confirm_ends_the_visit(shelf: Shelf, said):
    shelf.server.answers[TWO_WAY] = (200, said)
    page = shelf.arrive()
    assert (page.status, "vasprd-403-506" in page.text, "<form" in page.text) == (403, True, False)
    (question,) = shelf.asked(TWO_WAY)
    assert (question["sTwoWayToken"], question["nRequestType"]) == ("t1", "1")
    assert shelf.asked() == []


UNREADABLE, LINES = "vasprd-502-512", "vasprd-400-510"
ANSWERS: dict[str, tuple[int, Any, str, str]] = {
    "another status": (500, basket(), UNREADABLE, "it answered 500"),
    "a redirect": (302, basket(), UNREADABLE, "it answered 302"),
    "a page": (200, b"<!doctype html><h1>Hello</h1>", UNREADABLE, "not JSON"),
    "nothing": (200, b"", UNREADABLE, "not JSON"),
    "half": (200, json.dumps(basket()).encode()[:-9], UNREADABLE, "not JSON"),
    "no text": (200, b'{"success": true, "data": "\\ud800"}', UNREADABLE, "not JSON"),
    "too deep": (200, b"[" * 60_000, UNREADABLE, "not JSON"),
    "too long": (200, json.dumps(basket()).encode() + b" " * 65_536, UNREADABLE, "longer than 65536 bytes"),
    "a list": (200, [basket()], UNREADABLE, "not an object"),
    "no success": (200, basket() | {"success": None}, UNREADABLE, "neither true nor false"),
    "success in words": (200, basket() | {"success": "true"}, UNREADABLE, "neither true nor false"),
    "no data": (200, basket() | {"data": None}, UNREADABLE, "data is not an object"),
    "another product": (200, basket(productType="FUND"), UNREADABLE, "productType is not BASKET"),
    "no name": (200, basket(recoId=None), UNREADABLE, "recoId must have"),
    "a long name": (200, basket(recoId="R000001"), UNREADABLE, "recoId must have"),
    "a number for a name": (200, basket(recoId=100001), UNREADABLE, "recoId must have"),
    "declined": (200, {"success": False, "message": "No <b>basket</b>"}, "vasprd-400-513", "No &lt;b&gt;basket"),
    "declined at length": (200, {"success": False, "message": "no " * 900}, "vasprd-400-513", "no no"),
    "declined without words": (200, {"success": False, "message": {}}, "vasprd-400-513", "no reason given"),
    "no lines": (200, basket(basketData=[]), LINES, "basketData is mandatory"),
    "lines as an object": (200, basket(basketData={"0": LINE}), LINES, "basketData is mandatory"),
    "a line of text": (200, basket(basketData=["ITC"]), LINES, "list of objects"),
    "too many lines": (200, basket(*[{}] * 51), LINES, "50 scrips"),
    "a negative quantity": (200, basket({"orgQTY": -5}), LINES, "orgQTY must be a whole number"),
    "half a share": (200, basket({"orgQTY": 0.5}), LINES, "orgQTY must be a whole number"),
    "a quantity without end": (200, basket({"orgQTY": float("inf")}), LINES, "orgQTY must be a whole number"),
    "a quantity that is true": (200, basket({"orgQTY": True}), LINES, "orgQTY must be a whole number"),
    "a huge quantity": (200, basket({"orgQTY": 10**15}), LINES, "orgQTY must be a whole number"),
    "a list for a side": (200, basket({"orderSide": ["BUY"]}), LINES, "orderSide must be one of"),
    "an unknown scrip": (200, basket({"scripTkn": 99}), LINES, "scripTkn 99 is not traded"),
}


@pytest.mark.parametrize(("status", "said", "code", "words"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_no_basket_ends_at_a_page_that_says_why(shelf: Shelf, status, said, code, words):
    shelf.holds(said, status)
    page = shelf.log_in()
    assert page.status == int(code.split("-")[1])
    assert (code in page.text, words in page.text) == (True, True), page.text
    assert "<form" not in page.text
    assert len(page.text) < 2_000
    assert shelf.ledger() == []
    assert {path for path, _ in shelf.server.heard} == {TWO_WAY, QUESTION}


def test_a_publisher_that_is_not_there_or_gave_no_address(shelf: Shelf):
    login = shelf.arrive()
    shelf.caller.control("POST", "/webhooks", {"targets": {"odin_order_details": "http://127.0.0.1:9/GetOrderDetails"}})
    page = press(shelf.caller, login, "login", user="asha")
    assert (page.status, "it did not answer" in page.text) == (502, True)
    shelf.caller.control("POST", "/webhooks", {"targets": {"odin_order_details": ""}})
    page = press(shelf.caller, login, "login", user="asha")
    assert (page.status, "has not said where its baskets are" in page.text) == (400, True)


def test_the_journal_keeps_no_token_of_a_visit(shelf: Shelf):
    shelf.log_in(sTwoWayToken="two-way-secret-4711")
    assert "two-way-secret-4711" not in json.dumps(shelf.caller.control("GET", "/requests"))
