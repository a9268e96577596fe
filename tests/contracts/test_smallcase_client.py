"""Every call of the smallcase client against the sandbox, over real HTTP."""

from __future__ import annotations

import pytest

from brokers.smallcase import auth, events, messages
from brokers.smallcase import client as smallcase
from brokers.smallcase.messages import NewTransaction, OrderStatus, Security, Side, TransactionStatus
from portal import clock
from portal.gateway import errors
from portal.gateway.journal import About
from portal.models import GatewayCall

pytestmark = pytest.mark.django_db

ITC = Security(ticker="ITC", quantity=5, side=Side.BUY)
BASKET = NewTransaction(
    securities=(ITC, Security(ticker="TCS", quantity=1, side=Side.BUY)),
    notes="basket-order-7",
    basket_name="Smart Basket",
    basket_logo="https://portal.example/basket.png",
)


@pytest.fixture
def client(sandbox):
    return smallcase.build()


@pytest.fixture
def finish(sandbox):
    """Stand for the person in the SDK."""

    def complete(transaction_id: str, outcome: str = "filled"):
        body = {"transactionId": transaction_id, "outcome": outcome}
        return sandbox.call("POST", "/smallcase/complete", body)

    return complete


def create(client, transaction=BASKET, **more):
    return client.create_transaction(transaction, about=About(our_ref=transaction.notes), **more).transaction_id


def test_a_basket_becomes_a_transaction_for_the_sdk(client):
    made = client.create_transaction(BASKET, about=About())
    assert made.transaction_id.startswith("TRX_")
    assert made.expire_at > clock.now()


def test_a_single_stock_becomes_a_transaction_too(client):
    assert create(client, NewTransaction(securities=(ITC,)))


def test_a_fresh_transaction_has_come_to_no_end(client):
    found = client.fetch_transaction(create(client))
    assert found.status not in (TransactionStatus.COMPLETED, TransactionStatus.ERRORED, TransactionStatus.UNKNOWN)
    assert not found.smallcase_auth_id


def test_a_filled_basket_is_read_share_by_share(client, finish):
    made = create(client)
    finish(made)
    found = client.fetch_orders(made)
    assert found.notes == "basket-order-7"
    (batch,) = found.batches
    assert {(each.ticker, each.side, each.status, each.filled_quantity) for each in batch.orders} == {
        ("ITC", Side.BUY, OrderStatus.COMPLETE, 5),
        ("TCS", Side.BUY, OrderStatus.COMPLETE, 1),
    }
    assert batch.buy_amount == sum(each.average_price * each.filled_quantity for each in batch.orders)


def test_a_finished_transaction_names_the_broker_account(client, finish, settings):
    made = create(client)
    finish(made)
    found = client.fetch_transaction(made)
    assert found.status is TransactionStatus.COMPLETED
    assert found.broker
    claims = auth.read_token(found.auth_token, settings.SMALLCASE_SECRETS, clock.now())
    assert found.smallcase_auth_id in ("", claims.smallcase_auth_id)
    assert claims.smallcase_auth_id


def test_holdings_show_what_was_bought(client, finish, settings):
    made = create(client)
    finish(made)
    token = client.fetch_transaction(made).auth_token
    account = auth.read_token(token, settings.SMALLCASE_SECRETS, clock.now()).smallcase_auth_id
    found = client.fetch_holdings(account)
    held = {each.ticker: each.quantity for each in found.securities}
    assert held["ITC"] >= 5
    assert held["TCS"] >= 1
    assert found.broker


def test_a_sale_and_a_purchase_go_in_one_basket_of_a_known_account(client, finish, settings):
    first = create(client)
    finish(first)
    token = client.fetch_transaction(first).auth_token
    account = auth.read_token(token, settings.SMALLCASE_SECRETS, clock.now()).smallcase_auth_id
    lines = (Security(ticker="ITC", quantity=2, side=Side.SELL), Security(ticker="INFY", quantity=1, side=Side.BUY))
    second = create(client, NewTransaction(securities=lines, notes="rebalance"), smallcase_auth_id=account)
    finish(second)
    (batch,) = client.fetch_orders(second, smallcase_auth_id=account).batches
    assert {(each.ticker, each.side) for each in batch.orders} == {("ITC", Side.SELL), ("INFY", Side.BUY)}
    assert batch.sell_amount > 0


@pytest.mark.parametrize(
    ("outcome", "error"), [("user_cancelled", "user_cancelled"), ("user_mismatch", "user_mismatch")]
)
def test_an_abandoned_journey_tells_why(client, finish, outcome, error):
    made = create(client)
    finish(made, outcome)
    found = client.fetch_transaction(made)
    assert found.status is TransactionStatus.ERRORED
    assert found.error == error
    assert found.error_code.isdigit()


@pytest.mark.parametrize(
    ("outcome", "statuses"),
    [
        ("unfilled", {OrderStatus.CANCELLED, OrderStatus.REJECTED}),
        ("low_funds", {OrderStatus.REJECTED, OrderStatus.ERROR}),
        ("amo", {OrderStatus.PLACED}),
    ],
)
def test_what_was_not_bought_is_not_read_as_bought(client, finish, outcome, statuses):
    made = create(client)
    finish(made, outcome)
    (batch,) = client.fetch_orders(made).batches
    said = {each.status for each in (*batch.orders, *batch.unplaced)}
    assert said
    assert said <= statuses
    assert sum(each.filled_quantity for each in (*batch.orders, *batch.unplaced)) == 0
    if outcome == "amo":
        assert batch.variety is messages.Variety.AMO


def test_a_partly_filled_basket_keeps_its_two_halves_apart(client, finish):
    made = create(client)
    finish(made, "partial")
    (batch,) = client.fetch_orders(made).batches
    filled = sum(each.filled_quantity for each in batch.orders)
    assert 0 < filled < 6


def test_before_the_person_confirmed_there_are_no_orders(client):
    assert client.fetch_orders(create(client)).batches == ()


def test_an_unknown_transaction_is_refused(client):
    with pytest.raises(errors.Refused):
        client.fetch_transaction("TRX_" + "0" * 32)


@pytest.mark.parametrize("wrong", ["SMALLCASE_SECRETS", "SMALLCASE_API_SECRETS"])
def test_wrong_credentials_are_not_authorised(sandbox, settings, wrong):
    setattr(settings, wrong, ["wrong"])
    with pytest.raises(errors.NotAuthorised):
        create(smallcase.build())


@pytest.mark.parametrize(
    ("mode", "when", "error"),
    [
        ("html_200", "before", errors.Garbled),
        ("html_200", "after", errors.Garbled),
        ("empty_200", "after", errors.Garbled),
        ("truncated", "after", errors.Garbled),
        ("status:500", "before", errors.OutcomeUnknown),
        ("status:429", "before", errors.Throttled),
        ("timed_out_400", "after", errors.OutcomeUnknown),
        ("redirect", "before", errors.Garbled),
        ("reset", "after", errors.OutcomeUnknown),
        ("close_half_way", "after", errors.OutcomeUnknown),
    ],
)
def test_a_write_that_goes_wrong_is_sent_once_and_named(client, sandbox, mode, when, error):
    sandbox.fault(mode, path="*transaction*", when=when, provider="smallcase")
    with pytest.raises(error):
        create(client)
    assert GatewayCall.objects.count() == 1


def test_the_journal_keeps_no_secret_and_no_account(client, finish, settings):
    made = create(client)
    finish(made)
    token = client.fetch_transaction(made).auth_token
    account = auth.read_token(token, settings.SMALLCASE_SECRETS, clock.now()).smallcase_auth_id
    client.fetch_orders(made)
    client.fetch_holdings(account)
    kept = str(list(GatewayCall.objects.values()))
    for secret in (token, account, *settings.SMALLCASE_SECRETS, *settings.SMALLCASE_API_SECRETS):
        assert secret not in kept
    assert made in kept


def test_a_webhook_of_the_sandbox_is_genuine_and_says_what_the_api_says(client, finish, portal, settings):
    made = create(client)
    finish(made)
    said = client.fetch_orders(made).batches
    heard = portal.bodies("/webhooks/smallcase/", such=lambda body: b'"COMPLETED"' in body)
    notices = [events.read_webhook(body, settings.SMALLCASE_API_SECRETS, clock.now()) for body in heard]
    assert {(each.transaction_id, each.notes) for each in notices} == {(made, "basket-order-7")}
    # Each step is told by itself: the first notice may still speak of a basket that was only placed.
    assert said in [each.orders.batches for each in notices]


def test_a_tampered_webhook_is_not_believed(client, finish, portal, sandbox, settings):
    sandbox.call("POST", "/webhooks", {"mode": "tamper", "what": "signature"})
    made = create(client)
    finish(made)
    for body in portal.bodies("/webhooks/smallcase/"):
        with pytest.raises(auth.NotGenuine):
            events.read_webhook(body, settings.SMALLCASE_API_SECRETS, clock.now())
