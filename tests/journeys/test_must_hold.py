"""Every process may be killed and every queue lost: each order still ends right, by itself, within two minutes.

Real processes, real pages, several disasters at once. All orders are placed first and each has a test of its own, so
that the disasters overlap as they do on a bad day. Who looks at the end of each is the sandbox's ledger: exactly one
order, received once.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.journeys.stack import LiveStack, until
from tests.journeys.visitor import Placed, Visitor
from tests.patience import Stopwatch

pytestmark = [pytest.mark.live_stack, pytest.mark.xdist_group("live_stack")]
# HDFC Flexi Cap Fund, regular plan, growth.
ISIN = "INF179K01608"
# The promise of the issue, counted from the disaster.
PROMISE_S = 120
PURCHASE, PAYMENT = "/orders/purchase/", "/payments/netbanking"


@pytest.fixture(scope="session")
def nila(stack: LiveStack) -> Visitor:
    """An investor who is signed in."""
    return Visitor(stack, "nila@journey.example").log_in()


def calls(order: Placed, path: str, outcome: str) -> int:
    """How many writes about an order and its payments the journal holds with this outcome."""
    found = order.stack.rows(
        "SELECT count(*) AS calls FROM portal_gatewaycall WHERE method = 'POST' AND path LIKE %s AND outcome = %s "
        "AND our_ref IN (SELECT client_ref FROM orders_mforder WHERE code = %s UNION SELECT y.code "
        "FROM payments_payment y JOIN payments_paymentline l ON l.payment_id = y.id "
        "JOIN orders_mforder o ON o.id = l.order_id WHERE o.code = %s)",
        f"%{path}%",
        outcome,
        order.code,
        order.code,
    )
    return int(found[0]["calls"])


def is_payable(order: Placed) -> bool:
    """Does a page wait on which the investor pays?"""
    waiting = order.stack.rows(
        "SELECT 1 FROM payments_payment y JOIN payments_paymentline l ON l.payment_id = y.id JOIN orders_mforder o "
        "ON o.id = l.order_id WHERE o.code = %s AND y.state = 'AWAITING_INVESTOR' AND l.is_live",
        order.code,
    )
    return bool(waiting)


def ends_right(order: Placed, *, since: Stopwatch) -> None:
    """Payable within the promise; then paid and allotted. FP has one order, heard of it once, and took money once."""
    stack = order.stack
    left = PROMISE_S - since.seconds()
    until(lambda: is_payable(order), within_s=left, words=f"{order.code} is {stack.operation(order.code)['state']}")
    print(f"{order.code} was payable {since.seconds():.0f} s after the disaster")
    order.pay()
    order.watch_until("allotted", within_s=PROMISE_S)
    (theirs,) = stack.at_fp(order.code)
    assert theirs["received"] == 1
    assert [each["status"] for each in theirs["payments"] if each["status"] not in {"PENDING", "TIMEDOUT"}] == [
        "APPROVED"
    ]


# --- the worker is killed between a call and its record, then the queue is lost ---------------------------------------


@dataclass
class Storm:
    """Orders that were in different stages when disaster struck, and what became of each: `ends[name].result()`."""

    paying: Placed
    in_flight: Placed
    queued: Placed
    unrecorded: list[int]
    ends: dict[str, Future[None]]


@pytest.fixture(scope="session")
def storm(stack: LiveStack, nila: Visitor) -> Storm:
    """kill -9 of the worker while FP works on two calls of it; one more order; every message is lost; a new worker."""
    stack.sandbox.fault("hang", path=PAYMENT, when="after", delay_s=25)
    paying = nila.order(ISIN, 5_010)
    until(lambda: calls(paying, PAYMENT, "SENDING"), within_s=40, words="no payment was being started")
    stack.sandbox.fault("hang", path=PURCHASE, when="after", delay_s=25)
    in_flight = nila.order(ISIN, 5_020)
    until(lambda: stack.at_fp(in_flight.code), within_s=20, words="FP never heard of the order")
    stack.end("worker", signal.SIGKILL)
    since = Stopwatch()
    stack.sandbox.no_faults()
    assert "Your order is being sent" in in_flight.page()
    queued = nila.order(ISIN, 5_030)
    assert stack.queued("orders."), "the order's message was expected in the folder"
    stack.lose_the_queue()
    unrecorded = [calls(in_flight, PURCHASE, "SENDING"), calls(paying, PAYMENT, "SENDING")]
    stack.start_worker()
    orders = {"paying": paying, "in_flight": in_flight, "queued": queued}
    with ThreadPoolExecutor() as people:
        ends = {name: people.submit(ends_right, order, since=since) for name, order in orders.items()}
    # All have ended, one way or another: the next disaster is not theirs.
    return Storm(paying, in_flight, queued, unrecorded, ends)


def test_the_worker_really_died_between_the_calls_and_their_record(storm):
    assert storm.unrecorded == [1, 1], "an answer was recorded, so nothing was shown"


def test_an_order_in_flight_when_the_worker_was_killed_ends_right(storm):
    storm.ends["in_flight"].result()


def test_a_payment_in_flight_when_the_worker_was_killed_ends_right(storm):
    storm.ends["paying"].result()


def test_an_order_whose_message_was_lost_ends_right(storm):
    storm.ends["queued"].result()


# --- FP is away -------------------------------------------------------------------------------------------------------


@pytest.fixture
def fp_is_down(stack: LiveStack) -> Iterator[Callable[[], None]]:
    """FP is not there; calling this brings it back. It is back afterwards in any case."""
    stack.end("sandbox")

    def back() -> None:
        if not stack.runs("sandbox"):
            stack.start_sandbox()

    yield back
    back()
    stack.wait_for(f"{stack.sandbox.url}/_control/health")


def was_not_sent(order: Placed) -> bool:
    """Does the order's record say that an attempt ended before anything was sent?"""
    found = order.stack.rows(
        "SELECT 1 FROM portal_auditentry WHERE action = 'order.not_sent' AND subject_id = "
        "(SELECT id::text FROM orders_mforder WHERE code = %s)",
        order.code,
    )
    return bool(found)


def test_an_order_placed_while_fp_is_down_ends_right_once_it_is_back(stack, nila, fp_is_down):
    order = nila.order(ISIN, 5_040)
    until(lambda: was_not_sent(order), within_s=40, words="nobody tried")
    assert stack.operation(order.code)["state"] == "submitting"
    assert "Your order is being sent" in order.page()
    fp_is_down()
    ends_right(order, since=Stopwatch())


# --- Redis is killed and comes back empty -----------------------------------------------------------------------------


class Redis:
    """A real server that forgets everything when it dies."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self.start()

    def start(self) -> None:
        """Until it takes connections."""
        words = ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
        until(lambda: self.ask("ping") == "PONG", words="redis-server did not start")

    def ask(self, *words: str) -> str:
        """One command."""
        asked = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, check=False)
        return asked.stdout.strip()

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait(5)


@pytest.fixture
def redis(stack: LiveStack) -> Iterator[Redis]:
    """The same stack with Redis as its queue and cache; with the folder queue again afterwards."""
    server = Redis(stack.ports["redis"])
    _restart(stack, server.url)
    yield server
    server.kill()
    _restart(stack, "")


def _restart(stack: LiveStack, redis_url: str) -> None:
    for name in ("beat", "worker", "web"):
        stack.end(name, signal.SIGKILL)
    stack.environment["REDIS_URL"] = redis_url
    for start in (stack.start_web, stack.start_worker, stack.start_beat):
        start()
    stack.wait_for(f"{stack.url}/healthz")


@pytest.mark.redis
def test_orders_end_right_when_redis_is_flushed_killed_and_comes_back_empty(stack, redis):
    omar = Visitor(stack, "omar@journey.example").log_in()
    stack.end("worker", signal.SIGKILL)
    queued = omar.order(ISIN, 5_050)
    assert "orders." in redis.ask("lrange", "celery", "0", "-1"), "the order's message was expected in Redis"
    redis.ask("flushall")
    redis.kill()
    since = Stopwatch()
    placed_without_a_queue = omar.order(ISIN, 5_060)
    assert "Your order is on record" in queued.page(), "pages answer without Redis"
    redis.start()
    assert "orders." not in redis.ask("lrange", "celery", "0", "-1")
    stack.start_worker()
    with ThreadPoolExecutor() as people:
        list(people.map(lambda order: ends_right(order, since=since), (queued, placed_without_a_queue)))
