"""A thousand people look at fifty shares at once: how many calls to the provider that makes. One is the limit.

Pages are those of the watchlist, asked for in threads of this process; whatever a page asks a worker to do is done at
once and sees what a worker sees, so every call that somebody's look causes is made and stands in the journal. The
provider is the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import connection
from django.db.models import F
from django.test import Client, override_settings
from django.urls import reverse

from brokers.fivepaisa import client as fivepaisa
from brokers.models import Broker, BrokerAccount
from brokers.operations import codes
from investors.models import Investor
from orders import market
from orders.models import Quote, SecurityCode, WatchedShare
from orders.operations import securities
from orders.operations.quotes import FRESH_S, REFRESH_TASK
from orders.queries import schemes as scheme_queries
from portal import clock, scope
from portal.management.bench import Row, cast, row
from portal.management.bench.played import Played, sandbox
from portal.models import GatewayCall, User

VIEWERS, SHARES, ROUNDS, THREADS = 1_000, 50, 3, 8


def run() -> list[Row]:
    """One row: calls in a refresh."""
    with sandbox() as played, override_settings(NSE_BASE_URL=f"{played.url}/nse"):
        securities.sync(at=clock.now())
        codes.refresh(at=clock.now())
        house = _house(played)
        browsers = _viewers()
        with override_settings(MARKET_FEED_ACCOUNT=house.code, ALLOWED_HOSTS=["*"]):
            calls = [_calls_of(lambda: _everybody_looks(browsers)) for _ in range(ROUNDS)]
    note = f"{VIEWERS:,} viewers of {SHARES} shares; a round that outlives a price counts as several refreshes"
    work = "prices, calls for one refresh"
    return [row(work=work, unit="calls", limit=[1] * ROUNDS, ours=calls, target=1.0, at_most=True, note=note)]


def _house(played: Played) -> BrokerAccount:
    token = played.control("POST", "/5paisa/request_token", {"client_code": "50000001"})["RequestToken"]
    found, at = fivepaisa.build().create_access_token(token), clock.now()
    return BrokerAccount.objects.create(
        investor=cast.investor(0), broker=Broker.FIVEPAISA, account_ref=found.client_code, linked_at=at,
        session=found.access_token, session_expires_at=at + timedelta(days=3650),
    )  # fmt: skip


def _viewers() -> list[Client]:
    """A browser each, signed in, with the same fifty shares on the watchlist."""
    coded = SecurityCode.objects.filter(broker=Broker.FIVEPAISA).order_by("pk")[:SHARES]
    shares, at = [each.security for each in coded.select_related("security")], clock.now()
    people = User.objects.bulk_create(User(email=f"viewer{number}@portal.example") for number in range(VIEWERS))
    who = Investor.objects.bulk_create(
        Investor(user=user, name=f"Viewer {number}", code=f"VIEW{number}") for number, user in enumerate(people)
    )
    WatchedShare.objects.bulk_create(
        WatchedShare(investor=each, security=share, position=place, added_at=at)
        for each in who
        for place, share in enumerate(shares, start=1)
    )
    return [_signed_in(user) for user in people]


def _signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def _everybody_looks(browsers: list[Client]) -> None:
    address = reverse("orders:watchlist")

    def look(some: list[Client]) -> None:
        try:
            for browser in some:
                answer = browser.get(address, headers={"HX-Request": "true"})
                if answer.status_code != 200:
                    raise RuntimeError(f"the watchlist answered {answer.status_code}")
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(look, [browsers[n::THREADS] for n in range(THREADS)]))


def _calls_of(act: Callable[[], None]) -> float:
    """How many calls for prices an act causes per refresh that falls due, when every price is old as it begins."""
    long_ago = timedelta(hours=1)
    Quote.objects.update(asked_at=F("asked_at") - long_ago, settled_at=F("settled_at") - long_ago)
    before, began = _counted(), clock.now()
    with _workers_at_once():
        act()
    if not (calls := _counted() - before):
        raise RuntimeError("nobody asked the provider for a price")
    fresh_s = FRESH_S[market.is_open(began, scheme_queries.holidays())]
    return calls / (1 + (clock.now() - began).total_seconds() // fresh_s)


@contextmanager
def _workers_at_once() -> Iterator[None]:
    """Tasks are done where they are asked for, with a worker's eyes: the viewer's see no session of the house."""
    task: Any = current_app.tasks[REFRESH_TASK]
    run = task.run

    def as_a_worker(**words: object) -> None:
        with scope.scope(scope.ALL):
            run(**words)

    task.run, current_app.conf.task_always_eager = as_a_worker, True
    try:
        yield
    finally:
        task.run, current_app.conf.task_always_eager = run, False


def _counted() -> int:
    return GatewayCall.objects.filter(provider="5paisa", path__contains="Market").count()
