"""Every sample answer of the three brokers as our client reads it, whole and spoilt.

A sample means what its document says; a spoilt one ends in an answer or in one of the six errors, and an answer is
only read as success when it still says so itself.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brokers.fivepaisa import client as fivepaisa
from brokers.fivepaisa import requests
from brokers.fivepaisa.auth import Session
from brokers.odin import client as odin
from brokers.odin import messages as odin_messages
from brokers.smallcase import client as smallcase
from brokers.smallcase import messages as smallcase_messages
from portal.gateway import errors
from portal.gateway.journal import About
from portal.gateway.transport import Request, Response
from tests.contracts import endpoints

SAMPLES = Path(__file__).parent.parent / "samples"
# More with MUTATIONS=20000; each sample gets its share.
MUTATIONS = int(os.environ.get("MUTATIONS", "2000"))
SESSION = Session("50000001", "token")
ITC = requests.Scrip(exchange=requests.Exchange.NSE, code=1660)
ONE = smallcase_messages.NewTransaction(
    securities=(smallcase_messages.Security(ticker="TCS", quantity=5, side=smallcase_messages.Side.BUY),)
)
LINE = odin_messages.Line(
    segment=odin_messages.Segment.NSE_CASH, token=12716, side=odin_messages.Side.BUY, quantity=500
)
BASKET = odin_messages.Basket(reco_id="01F5h9", client_code="connector", lines=(LINE,))
ORDER = requests.NewOrder(scrip=ITC, side=requests.Side.BUY, quantity=1, remote_order_id="CustomOrder123")
CHANGE = requests.Change(exch_order_id="1100000018012644", price=Decimal(0))
MARGIN = requests.MarginLine(scrip=ITC, side=requests.Side.BUY, quantity=1)
TRX = "TRX_8fe1f2d6f23c4d0f8a4b6d0ce3a51b77"

# How each method is called so that the samples are answers to it.
CALLS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("smallcase", "create_transaction"): lambda c: c.create_transaction(ONE, about=About()),
    ("smallcase", "fetch_transaction"): lambda c: c.fetch_transaction(TRX),
    ("smallcase", "fetch_orders"): lambda c: c.fetch_orders(TRX),
    ("smallcase", "fetch_holdings"): lambda c: c.fetch_holdings("5f0c"),
    ("odin", "create_button_request"): lambda c: c.create_button_request("XYZ", BASKET, About()),
    ("odin", "list_brokers"): lambda c: c.list_brokers(),
    ("odin", "sync_events"): lambda c: list(c.sync_events()),
    ("5paisa", "create_access_token"): lambda c: c.create_access_token("eyJ"),
    ("5paisa", "create_order"): lambda c: c.create_order(SESSION, ORDER, About()),
    ("5paisa", "update_order"): lambda c: c.update_order(SESSION, CHANGE, About()),
    ("5paisa", "cancel_order"): lambda c: c.cancel_order(SESSION, "1100000018012644", About()),
    ("5paisa", "fetch_multi_order_margin"): lambda c: c.fetch_multi_order_margin(SESSION, [MARGIN]),
    ("5paisa", "fetch_order_statuses"): lambda c: c.fetch_order_statuses(SESSION, [(requests.Exchange.NSE, "1")]),
    ("5paisa", "fetch_order_book"): lambda c: c.fetch_order_book(SESSION),
    ("5paisa", "fetch_trade_book"): lambda c: c.fetch_trade_book(SESSION),
    ("5paisa", "fetch_positions"): lambda c: c.fetch_positions(SESSION),
    ("5paisa", "fetch_holdings"): lambda c: c.fetch_holdings(SESSION),
    ("5paisa", "fetch_margin"): lambda c: c.fetch_margin(SESSION),
    ("5paisa", "fetch_snapshots"): lambda c: c.fetch_snapshots(SESSION, [ITC]),
    ("5paisa", "fetch_feed"): lambda c: c.fetch_feed(SESSION, [ITC], datetime(2026, 11, 20, tzinfo=UTC)),
    ("5paisa", "fetch_depth"): lambda c: c.fetch_depth(SESSION, [ITC]),
}
# Samples that say no, by id; all others are answers.
NOES: dict[str, type[errors.GatewayError]] = dict.fromkeys(
    """create-no-secret create-foreign-token holdings-guest button-invalid-session sync-bad-token token-expired-003
    token-expired place-wrong-key place-wrong-token place-session-over modify-wrong-token modify-wrong-key
    cancel-wrong-key trade-book-session holding-wrong-key holding-session""".split(),
    errors.NotAuthorised,
) | dict.fromkeys(
    """create-without-securities details-unknown place-invalid modify modify-no-order cancel-nothing-named""".split(),
    errors.Refused,
)


def _told(client: Any, status: int, body: bytes) -> Any:
    """The client with an answer in its ear: classified and parsed as ever, but without network, journal and pace."""

    def call(request: Request, about: About = About()) -> Any:
        response = Response(status, {}, body)
        if error := client.classify(request, response):
            raise error
        return client.parse(request, response)

    client.read = client.write = call
    return client


def client_of(provider: str) -> Any:
    """A client from settings; ODIN's pages lie where the document prints them."""
    if provider == "odin":
        client = odin.build()
        client._choices = replace(client._choices, web_url="http://odinconnectoruat.63moons.com")
        return client
    return smallcase.build() if provider == "smallcase" else fivepaisa.build()


def _samples() -> Iterator[Any]:
    methods = {(row.provider, row.name): row.client for row in endpoints.ALL}
    for name in ("smallcase", "odin", "fivepaisa"):
        file = json.loads((SAMPLES / f"{name}.json").read_text())
        for each in file["samples"]:
            method = methods[file["provider"], each["endpoint"]]
            if (file["provider"], method) in CALLS:
                yield pytest.param(file["provider"], method, each, id=f"{name}-{each['id']}")


ALL = list(_samples())


def body_of(sample: dict[str, Any]) -> bytes:
    answer = sample["response"]
    return answer["text"].encode() if "text" in answer else json.dumps(answer["body"]).encode()


@pytest.mark.parametrize(("provider", "method", "sample"), ALL)
def test_a_sample_is_read_as_its_document_means_it(provider, method, sample):
    client = _told(client_of(provider), sample["response"]["status"], body_of(sample))
    no = errors.OutcomeUnknown if sample["id"] == "token-server-003" else NOES.get(sample["id"])
    if no is None:
        assert CALLS[provider, method](client) is not None
        return
    with pytest.raises(no):
        CALLS[provider, method](client)


def test_every_method_that_answers_in_json_has_a_sample():
    assert {(each.values[0], each.values[1]) for each in ALL} == set(CALLS)


# --- spoilt answers ----------------------------------------------------------------------------------------------

ODD = (
    *(None, True, False, 0, 1, -1, 2, 9, 1.5, -0.0, 1e308, 10**30, "", "0", "1", "-1", "x", "NaN", "Infinity"),
    *("é\x00\ud800", "9" * 400, "/Date(99999999999999999)/", "2026-13-45", [], {}, [[]], [{}], [None], {"status": 0}),
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([at] if at else []), *(place for key, each in inner for place in _places(each, (*at, key)))]


def _spoil(value: Any, data: st.DataObject) -> Any:
    """One place of the answer is another value, gone, twice there, or there under another spelling."""
    places = _places(value)
    if not places:
        return data.draw(st.sampled_from(ODD))
    *way, key = data.draw(st.sampled_from(places))
    inside = value
    for step in way:
        inside = inside[step]
    odd = copy.deepcopy(data.draw(st.sampled_from(ODD)))
    how = data.draw(st.sampled_from(("other", "gone", "twice", "spelling")))
    if how == "gone":
        del inside[key]
    elif how == "twice":
        inside[key] = [copy.deepcopy(inside[key])] * 2
    elif how == "spelling" and isinstance(inside, dict):
        inside[key.upper() if data.draw(st.booleans()) else f"{key}_"] = odd
    else:
        inside[key] = odd
    return value


def _says_success(provider: str, body: Any) -> bool:
    """Read by hand, not by the client: does this answer still call itself a success?"""

    def under(value: Any, name: str) -> list[Any]:
        found = value.items() if isinstance(value, dict) else ()
        return [each for key, each in found if key.replace("_", "").lower() == name]

    if provider != "5paisa":
        return any(each is True for each in under(body, "success")) or bool(under(body, "jordermessage"))
    heads = [status for head in under(body, "head") for status in under(head, "status")]
    bodies = [status for inner in under(body, "body") for status in under(inner, "status")]
    nought = all(str(each).strip() == "0" for each in (*heads, *bodies) if each is not None)
    return bool(bodies) and (nought or any(str(each).strip() == "1" for each in bodies))


@pytest.mark.parametrize(("provider", "method", "sample"), [each for each in ALL if each.values[2]["id"] not in NOES])
def test_a_spoilt_answer_ends_in_an_answer_or_a_named_error(provider, method, sample):
    client, good = client_of(provider), json.loads(body_of(sample))

    @settings(
        max_examples=max(20, MUTATIONS // len(ALL)),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data(), st.integers(min_value=1, max_value=3))
    def tell(data: st.DataObject, times: int) -> None:
        body = copy.deepcopy(good)
        for _ in range(times):
            body = _spoil(body, data)
        raw = json.dumps(body).encode()
        cut = data.draw(st.integers(min_value=0, max_value=len(raw) * 20))
        try:
            CALLS[provider, method](_told(client, 200, raw[:cut]))
        except errors.GatewayError:
            return
        assert _says_success(provider, body), raw

    tell()
