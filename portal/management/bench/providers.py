"""The clients of the providers against the sandbox, beside a bare keep-alive HTTP client that makes the same call.

Sixteen callers at once, as the threads of a worker: the commit that a write waits for is shared, as in life. Ours does
all that it does in life: pace, breaker, journal, the table of refusals, typed messages. 5paisa's own SDK, a
developer's dependency, makes the same calls in the same rounds. The HTTP client is Python's own (`http.client`). A
socket that only sends the bytes stands beside it, without a target.
"""

from __future__ import annotations

import http.client
import itertools
import re
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from django.db import connection
from django.test import override_settings

from brokers.fivepaisa import client as fivepaisa
from brokers.fivepaisa import requests
from brokers.fivepaisa.auth import Session
from brokers.odin import client as odin
from brokers.smallcase import client as smallcase
from brokers.smallcase import messages as smallcase_messages
from portal.gateway.client import ProviderClient
from portal.gateway.journal import About
from portal.gateway.transport import Request
from portal.gateway.written import written
from portal.management.bench import Row, evidence, investing, load, parsing, row, sdk, waiting
from portal.management.bench.played import Played, addresses, sandbox

ROUNDS = 5
CALLERS, CALLS, ALONE = 16, 20, 50
OF_BARE, OF_SDK = 0.30, 1.3
MEDIAN_MS = 5.0
FEW, MANY = 1_000, 100_000
ITC = requests.Scrip(exchange=requests.Exchange.NSE, code=1660)
# Cheap enough for all the orders of a run: the sandbox's client has ten lakh rupees.
CHEAP = requests.Scrip(exchange=requests.Exchange.NSE, code=sdk.CHEAP)
Call = Callable[[], Any]
# Each caller's own: a kept connection, where it takes one.
Caller = Callable[[], Call]
# Our reference of an order in the bytes of its call.
REFERENCE = re.compile(rb'"b[0-9]{8}"')


class Contest(NamedTuple):
    """One call of a client, and the same call by the SDK where there is one."""

    work: str
    client: ProviderClient
    call: Call
    theirs: Call | None = None


def run() -> list[Row]:
    """Calls a second of each client; the sandbox's own time; what a long history costs; reading an order book."""
    with sandbox() as played:
        session = _session(played)
        contests = [*_fivepaisa(played, session), *_others(played)]
        rows, inside = [], []
        for contest in contests:
            rows += _contest(played, contest)
            inside.append(_median_inside(played, contest))
        person = next(each.call for each in contests if each.work == "FP place an order")
        rows += evidence.run(person)
        late = _bytes_of(played, contests[0])
        rows += waiting.run(played, late, session.client_code, session.access_token)
        rows.append(_ms_row("the sandbox itself, its slowest call", [MEDIAN_MS], [max(inside)], 1.0, "medians"))
    return [*rows, *_history(), *parsing.run()]


# --- the calls --------------------------------------------------------------------------------------------------------


def _session(played: Played) -> Session:
    token = played.control("POST", "/5paisa/request_token", {"client_code": "50000001"})["RequestToken"]
    found = fivepaisa.build().create_access_token(token)
    return Session(found.client_code, found.access_token)


def _fivepaisa(played: Played, session: Session) -> list[Contest]:
    client, theirs = fivepaisa.build(), sdk.signed_in(played)
    numbers = iter(range(10**9))

    def place() -> None:
        reference = f"b{next(numbers):08d}"
        order = requests.NewOrder(scrip=CHEAP, side=requests.Side.BUY, quantity=1, remote_order_id=reference)
        client.create_order(session, order, About(our_ref=reference))

    for _ in range(10):
        place()
    since = datetime(2026, 11, 20, tzinfo=UTC)
    status = [(requests.Exchange.NSE, "b00000001")]
    return [
        Contest("5paisa margin", client, lambda: client.fetch_margin(session), theirs.margin if theirs else None),
        Contest("5paisa holdings", client, lambda: client.fetch_holdings(session), theirs.holdings if theirs else None),
        Contest(
            "5paisa status",
            client,
            lambda: client.fetch_order_statuses(session, status),
            theirs.status if theirs else None,
        ),
        Contest("5paisa feed", client, lambda: client.fetch_feed(session, [ITC], since)),
        Contest("5paisa place an order", client, place, theirs.place if theirs else None),
    ]


def _others(played: Played) -> list[Contest]:
    person = investing.person(played)
    gateway, publisher = smallcase.build(), odin.build()
    share = smallcase_messages.Security(ticker="ITC", quantity=1, side=smallcase_messages.Side.BUY)
    basket = smallcase_messages.NewTransaction(securities=(share,))
    made = gateway.create_transaction(basket, about=About()).transaction_id
    return [
        Contest("FP one order", person.client, person.fetch_order),
        Contest("FP orders of the account", person.client, person.list_orders),
        Contest("FP place an order", person.client, person.place),
        Contest("smallcase transaction", gateway, lambda: gateway.fetch_transaction(made)),
        Contest("smallcase new transaction", gateway, lambda: gateway.create_transaction(basket, about=About())),
        Contest("ODIN brokers", publisher, publisher.list_brokers),
    ]


# --- measuring --------------------------------------------------------------------------------------------------------


def _contest(played: Played, contest: Contest) -> list[Row]:
    """Bare, ours and theirs in turn; the first round warms up and is dropped."""
    raw = _bytes_of(played, contest)
    sides: list[Caller] = [partial(_http, played, raw), partial(_socket, played, raw), lambda: contest.call]
    if theirs := contest.theirs:
        sides.append(lambda: theirs)
    rounds = [[_per_second(side) for side in sides] for _ in range(ROUNDS + 1)][1:]
    limit, socket, ours, *sdks = (list(each) for each in zip(*rounds, strict=True))
    limits = [("bare HTTP client", limit, OF_BARE), ("bare socket", socket, None)]
    limits += [("py5paisa", each, OF_SDK) for each in sdks]
    rows = [
        row(work=contest.work, unit="calls/s", limit=each, ours=ours, target=target, note=f"limit: {name}")
        for name, each, target in limits
    ]
    if contest.work.startswith("5paisa") and not contest.theirs and not sdk.is_there():
        rows[0]["note"] += "; py5paisa is not installed, so it is not beside it"
    return rows


def _http(played: Played, raw: bytes) -> Call:
    """The call by Python's own HTTP client over one kept connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    door, named = http.client.HTTPConnection("127.0.0.1", played.port), _numbered()

    def ask() -> None:
        door.request(method, target, named(body) or None, headers)
        answer = door.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the bare client got {answer.status} {said[:200]!r}")

    return ask


def _socket(played: Played, raw: bytes) -> Call:
    """The same bytes again and again."""
    door, named = load.Connection(played.port), _numbered()

    def ask() -> None:
        status, _, answer = door.ask(named(raw))
        if status != 200:
            raise RuntimeError(f"the bare connection got {status} {answer[:200]!r}")

    return ask


_references = itertools.count()


def _numbered() -> Callable[[bytes], bytes]:
    """Each order under a reference of its own: a second one would be refused."""
    return lambda raw: REFERENCE.sub(lambda _: b'"c%08d"' % next(_references), raw)


def _per_second(side: Caller) -> float:
    """Calls a second of all callers, until the last has its answer."""
    ready = threading.Barrier(CALLERS + 1)
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(_make_calls, side, ready) for _ in range(CALLERS)]
        with suppress(threading.BrokenBarrierError):  # a caller failed: its own words come below
            ready.wait()
        began = time.perf_counter()
        for caller in callers:
            caller.result()
        return CALLERS * CALLS / (time.perf_counter() - began)


def _make_calls(side: Caller, ready: threading.Barrier) -> None:
    """One call to open the connections, unmeasured, then the calls that count."""
    try:
        call = side()
        call()
    except Exception:
        ready.abort()
        raise
    ready.wait()
    for _ in range(CALLS):
        call()
    connection.close()


def _bytes_of(played: Played, contest: Contest) -> bytes:
    """The bytes of the call that the client makes, caught on their way."""
    sent: list[Request] = []
    transport = contest.client.transport
    send = transport.send

    def listen(request: Request) -> Any:
        sent.append(request)
        return send(request)

    transport.send = listen  # type: ignore[method-assign]
    contest.call()
    del transport.send
    request = sent[-1]
    return written(request, transport.base_url)


def _median_inside(played: Played, contest: Contest) -> float:
    """Milliseconds inside the sandbox, as its own journal has them, of calls one after the other: of many at once each
    would also count its turn at the one processor."""
    for _ in range(ALONE):
        contest.call()
    told = played.control("GET", "/requests")["requests"]
    return statistics.median(each["ms"] for each in told[:ALONE])


def _ms_row(work: str, limit: Sequence[float], ours: Sequence[float], target: float, note: str = "") -> Row:
    found = row(work=work, unit="ms", limit=limit, ours=ours, target=target, at_most=True, note=note)
    shown = {"limit": f"{statistics.median(limit):.2f} ms", "ours": f"{statistics.median(ours):.2f} ms"}
    return found | shown


def _history() -> list[Row]:
    """The same lists in a world with a thousand and in one with a hundred thousand orders, in turn."""
    with sandbox() as young, sandbox() as old:
        fresh, aged = _lists(young), _lists(old)
        for played, size in ((young, FEW), (old, MANY)):
            _grow(played, size)
        doors = load.Connection(young.port), load.Connection(old.port)
        return [_side_by_side(name, doors, (fresh[name], aged[name])) for name in fresh]


def _lists(played: Played) -> dict[str, bytes]:
    """The bytes of each call, signed for this world."""
    with override_settings(**addresses(played.url)):
        person, client, session = investing.person(played), fivepaisa.build(), _session(played)
        calls: dict[str, tuple[ProviderClient, Call]] = {
            "FP orders of the tenant": (person.client, person.list_tenant),
            "FP orders of an account": (person.client, person.list_orders),
            "5paisa order book": (client, lambda: client.fetch_order_book(session)),
        }
        client.create_order(session, requests.NewOrder(scrip=ITC, side=requests.Side.BUY, quantity=1,
                                                       remote_order_id="first"), About())  # fmt: skip
        return {name: _bytes_of(played, Contest(name, *each)) for name, each in calls.items()}


def _side_by_side(name: str, doors: tuple[load.Connection, load.Connection], raw: tuple[bytes, bytes]) -> Row:
    rounds = [[_ms(door, each) for door, each in zip(doors, raw, strict=True)] for _ in range(3 + ROUNDS * 5)][3:]
    limit, ours = ([pair[side] for pair in rounds] for side in (0, 1))
    note = f"limit: with {FEW:,} orders in the world, ours: with {MANY:,}"
    return _ms_row(name, limit, ours, 2.0, note)


def _ms(door: load.Connection, raw: bytes) -> float:
    began = time.perf_counter()
    status, _, answer = door.ask(raw)
    if status != 200:
        raise RuntimeError(f"{status} {answer[:200]!r}")
    return 1000 * (time.perf_counter() - began)


def _grow(played: Played, more: int) -> None:
    """More orders of somebody else at FP, and of the same client in the past at 5paisa."""
    with override_settings(**addresses(played.url)):
        busy = investing.person(played).account
    start = "(SELECT max(id) FROM fp_orders) + n"
    played.copy_rows(
        "fp_orders",
        more,
        id=start,
        source_ref_id="NULL",
        seq="(SELECT max(seq) FROM fp_orders) + n",
        account_id=str(busy),
    )
    past = {"id": "NULL", "remote_id": "'old' || n", "day": "'2025-' || printf('%02d', n % 12 + 1) || '-01'"}
    past |= {"updated_at": "updated_at - 900000", "live": "0", "status": "'Cancelled'"}
    played.copy_rows("fivepaisa_orders", more, **past)
