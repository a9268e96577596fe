"""A basket of twenty shares at 5paisa, share by share: the time that the allowed pace leaves no choice about, and ours.

The limit is arithmetic: twenty orders at ten a second (the most without an AlgoID, providers.md 4.3) begin within 1.9
seconds, and the last one takes as long as a bare order. Ours claims, commits, calls and records each share.
"""

from __future__ import annotations

import time
from decimal import Decimal
from unittest import mock

from django.test import override_settings

from brokers.fivepaisa import adapter, requests
from brokers.fivepaisa import client as fivepaisa
from brokers.fivepaisa.auth import ends_at
from brokers.models import Broker, BrokerAccount
from brokers.operations import accounts, journeys, placing
from investors.models import Investor
from orders.models import BasketOrder, Security, StockOrder
from orders.operations import baskets
from orders.operations.baskets import Line
from portal import clock, identifiers
from portal.gateway.journal import About
from portal.management.bench import Row, cast, row
from portal.management.bench.played import Played, sandbox

SHARES = (
    "ITC TCS INFY RELIANCE HDFCBANK ICICIBANK SBIN LT AXISBANK KOTAKBANK BHARTIARTL HINDUNILVR ASIANPAINT TITAN"
    " SUNPHARMA WIPRO TATASTEEL NTPC ONGC IDEA"
).split()
PER_SECOND, ROUNDS, MOST = 10, 3, 1.05


def run() -> list[Row]:
    """One row: milliseconds until the last of twenty shares is placed and recorded."""
    limit: list[float] = []
    ours: list[float] = []
    with sandbox() as played, override_settings(FIVEPAISA_CALLS_PER_SECOND=PER_SECOND):
        client = fivepaisa.build()
        with mock.patch.object(adapter, "client", return_value=client):
            who = cast.investor(7_777)
            account = _account(played, who, client)
            for _ in range(ROUNDS):
                limit.append((len(SHARES) - 1) / PER_SECOND * 1000 + _bare(account, client))
                ours.append(_placed(who))
    work = f"place {len(SHARES)} shares at 5paisa, {PER_SECOND} a second"
    return [row(work=work, unit="ms", limit=limit, ours=ours, target=MOST, at_most=True, note="limit: arithmetic")]


def _account(played: Played, who: Investor, client: fivepaisa.FivePaisa) -> BrokerAccount:
    token = played.control("POST", "/5paisa/request_token", {"client_code": "50000001"})["RequestToken"]
    said, at = client.create_access_token(token), clock.now()
    account = accounts.link(
        investor=who,
        broker=Broker.FIVEPAISA,
        account_ref=said.client_code,
        session=said.access_token,
        session_expires_at=max(ends_at(said.access_token, at), clock.now().replace(hour=23, minute=59)),
        at=at,
    )
    if account is None:
        raise RuntimeError("the account was not linked")
    return account


def _bare(account: BrokerAccount, client: fivepaisa.FivePaisa) -> float:
    """Milliseconds of one order without anything of ours around it."""
    order = requests.NewOrder(
        scrip=requests.Scrip(exchange=requests.Exchange.NSE, symbol="ITC_EQ"),
        side=requests.Side.BUY,
        quantity=1,
        remote_order_id=identifiers.new_client_ref(),
    )
    # The pace is waited for before the clock runs.
    client.pace.wait()
    time.sleep(1 / PER_SECOND)
    began = time.perf_counter()
    client.create_order(adapter.session_of(account), order, About())
    return (time.perf_counter() - began) * 1000


def _placed(who: Investor) -> float:
    """Milliseconds from the first claim to the last record. Raises RuntimeError unless every share is placed."""
    order = baskets.open_journey(
        investor=who,
        broker=Broker.FIVEPAISA,
        intent=BasketOrder.Intent.SINGLE,
        lines=[Line(_share(symbol).pk, StockOrder.Side.BUY, 1) for symbol in SHARES],
        form_ref=identifiers.new_client_ref(),
        at=clock.now(),
    )
    journeys.place(order_id=order.pk, at=clock.now())
    time.sleep(1)
    began = time.perf_counter()
    placing.place_all(order_id=order.pk, now=clock.now)
    took = (time.perf_counter() - began) * 1000
    states = set(order.lines.values_list("state", flat=True))
    if states != {"PLACED"}:
        raise RuntimeError(f"not every share was placed: {states}")
    return took


def _share(symbol: str) -> Security:
    found, _ = Security.objects.get_or_create(
        symbol=symbol,
        defaults={
            "isin": f"INB{SHARES.index(symbol):06d}B10",
            "name": symbol,
            "last_price": Decimal(100),
            "priced_at": clock.now(),
        },
    )
    return found
