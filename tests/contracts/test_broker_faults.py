"""Sixteen ways to go wrong, before and after taking effect, for every writing call of the three brokers.

`pytest -s` prints the table. A cell names the error; "answer" is a call that went well after all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from brokers.fivepaisa import client as fivepaisa
from brokers.fivepaisa import requests
from brokers.fivepaisa.auth import Session
from brokers.odin import client as odin
from brokers.odin import messages as odin_messages
from brokers.smallcase import client as smallcase
from brokers.smallcase import messages as smallcase_messages
from portal.gateway import errors
from portal.gateway.journal import About

pytestmark = pytest.mark.django_db

ANSWER, TRADING = "answer", "2026-11-20T11:00"
# What each fault must become, whether the call took effect or not: the caller cannot know.
FAULTS = {
    "hang": "OutcomeUnknown",
    "reset": "OutcomeUnknown",
    "close_half_way": "OutcomeUnknown",
    "html_200": "Garbled",
    "empty_200": "Garbled",
    "truncated": "Garbled",
    "wrong_types": "Garbled",
    "status:500": "OutcomeUnknown",
    "status:502": "OutcomeUnknown",
    "status:503": "OutcomeUnknown",
    "status:429": "Throttled",
    "status:401": "NotAuthorised",
    "timed_out_400": "OutcomeUnknown",
    "redirect": "Garbled",
    "slow": ANSWER,
    "invisible:30": ANSWER,
}
DELAYS_S = {"hang": 4, "slow": 0.1}
ITC = requests.Scrip(exchange=requests.Exchange.NSE, code=1660)
LINE = odin_messages.Line(segment=odin_messages.Segment.NSE_CASH, token=1660, side=odin_messages.Side.BUY, quantity=1)
SECURITY = smallcase_messages.Security(ticker="ITC", quantity=1, side=smallcase_messages.Side.BUY)
_numbers = itertools.count(100_000)
Call = Callable[[], Any]


def _token(sandbox: Any) -> str:
    return sandbox.call("POST", "/5paisa/request_token", {"client_code": "50000001"})["RequestToken"]


def _session(client: Any, sandbox: Any) -> Session:
    found = client.create_access_token(_token(sandbox))
    return Session(found.client_code, found.access_token)


def _order(price: Decimal = Decimal(0)) -> requests.NewOrder:
    reference = f"F{next(_numbers)}"
    return requests.NewOrder(scrip=ITC, side=requests.Side.BUY, quantity=1, price=price, remote_order_id=reference)


def _open_order(client: Any, session: Session) -> tuple[str, Decimal]:
    """An order that waits: (the exchange's id, its price)."""
    (snapshot,) = client.fetch_snapshots(session, [ITC])
    order = _order(snapshot.lower_circuit_limit)
    client.create_order(session, order, About())
    (found,) = client.fetch_order_statuses(session, [(requests.Exchange.NSE, order.remote_order_id)])
    return found.exch_order_id, order.price


def _create_transaction(sandbox: Any) -> Call:
    client = smallcase.build()
    new = smallcase_messages.NewTransaction(securities=(SECURITY,))
    return lambda: client.create_transaction(new, about=About())


def _press_button(sandbox: Any) -> Call:
    client = odin.build()
    basket = odin_messages.Basket(reco_id=str(next(_numbers)), client_code="connector", lines=(LINE,))
    return lambda: client.create_button_request("XYZ", basket, About())


def _log_in(sandbox: Any) -> Call:
    client, token = fivepaisa.build(), _token(sandbox)
    return lambda: client.create_access_token(token)


def _place(sandbox: Any) -> Call:
    client = fivepaisa.build()
    session = _session(client, sandbox)
    return lambda: client.create_order(session, _order(), About())


def _modify(sandbox: Any) -> Call:
    client = fivepaisa.build()
    session = _session(client, sandbox)
    exchange_id, price = _open_order(client, session)
    change = requests.Change(exch_order_id=exchange_id, price=price, quantity=2)
    return lambda: client.update_order(session, change, About())


def _cancel(sandbox: Any) -> Call:
    client = fivepaisa.build()
    session = _session(client, sandbox)
    exchange_id, _ = _open_order(client, session)
    return lambda: client.cancel_order(session, exchange_id, About())


WRITES: dict[tuple[str, str], Callable[[Any], Call]] = {
    ("smallcase", "*/transaction"): _create_transaction,
    ("odin", "*apiButtonRequest"): _press_button,
    ("5paisa", "*GetAccessToken"): _log_in,
    ("5paisa", "*PlaceOrderRequest"): _place,
    ("5paisa", "*ModifyOrderRequest"): _modify,
    ("5paisa", "*CancelOrderRequest"): _cancel,
}


def outcome(call: Call) -> str:
    try:
        call()
    except errors.GatewayError as error:
        return type(error).__name__
    return ANSWER


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("provider", "path"), list(WRITES))
def test_every_fault_of_a_write_is_the_right_error(sandbox, at, settings, provider, path, when):
    at(TRADING)
    settings.PROVIDER_READ_TIMEOUT_S = 1.5
    found = {}
    for mode in FAULTS:
        call = WRITES[provider, path](sandbox)
        sandbox.fault(mode, path=path, when=when, provider=provider, delay_s=DELAYS_S.get(mode, 0))
        found[mode] = outcome(call)
        sandbox.no_faults()
    print(f"\n{provider} {path} {when}")
    print(
        "\n".join(f"  {mode:16}{word:16}{'' if word == FAULTS[mode] else FAULTS[mode]}" for mode, word in found.items())
    )
    assert found == FAULTS
