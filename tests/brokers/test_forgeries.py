"""What nobody may bring about: forged notices, changed bodies, replays, callbacks of others, swapped accounts.

On every route no state changes, at most a fetch follows, and each leaves a trace. The table goes to the artefacts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from django.test import Client

from brokers.models import BrokerAccount
from brokers.smallcase.events import checksum
from orders.models import BasketOrder
from portal import clock, inbox
from portal.models import Case, GatewayCall, InboundEvent
from tests.brokers.final_states import FinalStates
from tests.brokers.fivepaisa import test_pages, trading
from tests.brokers.fivepaisa.conftest import IN_THE_MORNING, opening
from tests.brokers.odin_trading import basket, browser, confirm, go, invest, logged_in, look, ref_of
from tests.brokers.test_linking import ask_two_way, begin, come_back

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["basket", "browser"]
TABLE = FinalStates("forgeries", "what was tried", "broker", "order", "fetches", "trace")
SECRET = "sandbox-api-secret"


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Print what the tests of this file have found, and keep it with the artefacts."""
    yield
    TABLE.keep()


class Attack:
    """An order that waits at its broker, and what was there before somebody meddled."""

    def __init__(self, broker: str, sandbox: Any, investor: Any, browser: Client) -> None:
        self.broker, self.sandbox, self.browser = broker, sandbox, browser
        if broker == "odin":
            logged_in(sandbox, investor)
        self.order = invest(browser, broker=broker)
        go(browser, self.order)
        self.before = self._stands()
        self.calls = GatewayCall.objects.count()

    def _stands(self) -> list[Any]:
        self.order.refresh_from_db()
        lines = self.order.lines.order_by("id").values_list("state", "filled", "average_price", "provider_ref")
        accounts = BrokerAccount.objects.order_by("id").values_list("investor_id", "account_ref", "unlinked_at")
        return [self.order.state, self.order.broker_account_ref, list(lines), list(accounts)]

    def rings(self, body: object) -> tuple[int, list[str]]:
        """The answer, and the words of the log."""
        with structlog.testing.capture_logs() as said:
            answer = Client().post(f"/webhooks/{self.broker}/", json.dumps(body), content_type="application/json")
        return answer.status_code, [each["event"] for each in said if not each["event"].startswith("request_")]

    def holds(self, what: str, trace: str) -> int:
        """Nothing has changed; the number of calls to the broker that followed."""
        inbox.work(clock.now())
        followed = GatewayCall.objects.count() - self.calls
        assert self._stands() == self.before
        assert not GatewayCall.objects.exclude(method="GET").filter(pk__gt=self._last_write()).exists()
        TABLE.add(what, self.broker, self.order.state, followed, trace)
        return followed

    def _last_write(self) -> int:
        return GatewayCall.objects.exclude(method="GET").order_by("-pk").values_list("pk", flat=True).first() or 0

    def notice(self, **changes: object) -> dict[str, object]:
        """smallcase's notice with a right checksum; it covers the time and the account, not the orders."""
        stamp, account = clock.now().isoformat(), "an-account"
        orders = [
            {
                "tradingsymbol": line.security.symbol, "transactionType": line.side, "status": "COMPLETE",
                "quantity": line.quantity, "filledQuantity": line.quantity, "averagePrice": 1.0,
            }
            for line in self.order.lines.select_related("security")
        ]  # fmt: skip
        body: dict[str, object] = {
            "transactionId": self.order.provider_ref, "smallcaseAuthId": account, "notes": self.order.client_ref,
            "broker": "kite", "timestamp": stamp, "checksum": checksum(SECRET, stamp, account), "batchId": "b1",
            "status": "COMPLETED", "orders": orders, "unplaced": [],
        }  # fmt: skip
        return {**body, **changes}


@pytest.fixture
def attack(sandbox, basket, asha, chitra, browser) -> Callable[[str], Attack]:
    # Everybody is there before the clock is set.
    sandbox.set_clock(opening() + IN_THE_MORNING)
    return lambda broker: Attack(broker, sandbox, asha, browser)


def test_a_notice_with_a_wrong_checksum_is_refused_and_logged(attack):
    one = attack("smallcase")
    assert one.rings(one.notice(checksum="0" * 64)) == (401, ["notice_refused"])
    assert not InboundEvent.objects.exists()
    assert one.holds("wrong checksum", "log: notice_refused") == 0


def test_a_right_checksum_under_a_changed_body_brings_a_fetch_and_nothing_else(attack):
    one = attack("smallcase")
    assert one.rings(one.notice())[0] == 204
    assert one.holds("right checksum, changed body", "inbound event, fetch in the journal") > 0
    assert InboundEvent.objects.get().state == "DONE"


def test_a_notice_that_is_played_again_is_counted_and_fetches_once(attack):
    one = attack("smallcase")
    body = one.notice()
    one.rings(body)
    fetched = one.holds("a notice", "inbound event, fetch in the journal")
    for _ in range(3):
        assert one.rings(body)[0] == 204
    assert one.holds("the same notice three times more", "inbound event, seen 4 times") == fetched
    assert InboundEvent.objects.get().times_seen == 4


def test_what_odin_never_signs_brings_a_fetch_whatever_it_says(attack):
    one = attack("odin")
    body = {
        "MessageType": "ORD_NRML", "sThirdpartyRecoId": ref_of(one.order), "OrderStatus": 7,
        "MessageSequenceNumber": 900, "UniqueCode": "OD0000000001", "OrderOriginalQty": 1, "TradedQTY": 1,
        "PendingQty": 0,
    }  # fmt: skip
    assert one.rings(body)[0] == 204
    one.holds("made-up notice", "inbound event")
    assert InboundEvent.objects.filter(provider="odin").exists()
    assert one.rings({**body, "sThirdpartyRecoId": "NOBODY"}) == (204, ["omex_notice_of_no_basket_of_ours"])
    one.holds("notice of nobody's basket", "log: omex_notice_of_no_basket_of_ours")


def test_a_way_back_to_somebody_else_s_order_shows_and_changes_nothing_of_it(attack, chitra, client_for):
    one, stranger = attack("odin"), client_for(chitra)
    first = stranger.get("/odin/callback/", {"sStatusCode": "200", "oEcoBackObject": ref_of(one.order)})
    with structlog.testing.capture_logs() as said:
        assert stranger.get(first["Location"])["Location"] == "/stock-orders/"
    assert "way_back_without_an_order" in [each["event"] for each in said]
    assert one.holds("way back of another person", "log: way_back_without_an_order") == 0


def test_a_way_back_from_the_window_to_somebody_else_s_order_is_not_found(attack, chitra, client_for):
    one = attack("smallcase")
    assert client_for(chitra).post(f"/stock-orders/{one.order.code}/back/", {"code": "x"}).status_code == 404
    assert one.holds("way back of another person", "404") == 0


@pytest.mark.parametrize("broker", ["odin", "5paisa"])
def test_a_login_that_somebody_else_began_links_nothing(sandbox, basket, asha, browser, chitra, client_for, broker):
    stranger = client_for(chitra)
    with structlog.testing.capture_logs() as said:
        if broker == "odin":
            assert ask_two_way(begin(browser))
            come_back(stranger, sandbox.call("POST", "/odin/session", {"user": "ASHA1"}))
        else:
            began = browser.post("/broker-accounts/log-in/", {"broker": "5paisa", "house": ""})
            test_pages.come_back(sandbox, stranger, test_pages.state_of(began))
    words = [each["event"] for each in said]
    assert not BrokerAccount.objects.exists()
    assert "login_refused" in words
    TABLE.add("login of another person", broker, "-", 0, "log: login_refused")


@pytest.mark.parametrize("broker", ["smallcase", "odin", "5paisa"])
def test_an_account_that_changed_under_the_same_investor_is_a_case_and_moves_nothing(
    sandbox, basket, asha, browser, recover, broker
):
    if broker == "5paisa":
        sandbox.set_clock(opening() + IN_THE_MORNING)
        trading.log_in(sandbox, asha)
        order = trading.place(trading.journey(asha, symbols=("ITC",)))
    else:
        one = Attack(broker, sandbox, asha, browser)
        order = one.order
    BasketOrder.objects.update(broker_account_ref="the-linked-one")
    before = list(order.lines.values_list("state", "filled"))
    if broker == "smallcase":
        given = {"transactionId": order.provider_ref, "outcome": "filled", "user": "STRANGER"}
        sandbox.call("POST", "/smallcase/complete", given)
    elif broker == "odin":
        confirm(sandbox, order, "filled")
    else:
        BrokerAccount.objects.update(account_ref="the-linked-one")
        trading.log_in(sandbox, asha)
        from brokers.operations import syncing

        other = BrokerAccount.objects.get(account_ref="50000001")
        syncing.sync(account=other, at=clock.now(), source="test", whole=True)
    look(order, recover)
    assert list(order.lines.values_list("state", "filled")) == before
    assert Case.objects.filter(kind="broker_account_changed", subject_id=str(order.pk)).exists()
    TABLE.add("another account answers", broker, order.state, "some", "case: broker_account_changed")
