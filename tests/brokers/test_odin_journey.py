"""A basket through ODIN, from the login to the last share: six characters, one page, and news in any order."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.test import Client

from brokers.models import BrokerAccount, NewsCursor, OmexEvent
from brokers.odin import stream
from brokers.operations import accounts, references
from orders.models import BasketOrder, SecurityCode
from orders.operations import baskets
from orders.queries import baskets as queries
from portal import clock, identifiers, inbox
from portal.models import Case, InboundEvent
from tests import factories
from tests.brokers.odin_trading import (
    account,
    basket,
    browser,
    confirm,
    go,
    handed_over,
    invest,
    logged_in,
    look,
    page_of,
    ref_of,
    states,
    truth,
)

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["account", "basket", "browser"]


def test_an_amount_becomes_shares_and_the_shares_are_followed_to_the_last(sandbox, basket, browser, account, recover):
    order = handed_over(browser)
    assert order.broker_account_ref == account.account_ref
    confirm(sandbox, order, "filled")
    look(order, recover)
    assert order.state == "COMPLETE"
    paid = {one["symbol"]: Decimal(one["traded_value_paise"]) / 100 for one in truth(sandbox, order)["orders"]}
    ours = {line.security.symbol: line.average_price * line.filled for line in order.lines.select_related("security")}
    assert {symbol: round(value, 2) for symbol, value in ours.items()} == paid
    assert "Everything was executed" in page_of(browser, order)


def test_prices_of_a_basket_go_out_in_paise(sandbox, basket, browser, account):
    order = invest(browser)
    order.lines.filter(security__symbol="ITC").update(kind="LIMIT", price=Decimal("430.05"))
    go(browser, order)
    asked = {line["symbol"]: line["price"] for line in truth(sandbox, order)["asked"]}
    assert asked == {"ITC": 43_005, "TCS": 0, "IDEA": 0}


def test_the_page_with_the_session_in_its_address_sends_no_referrer(basket, browser, account):
    answer = go(browser, invest(browser))
    assert answer["Referrer-Policy"] == "no-referrer"
    assert account.session in answer["Location"]


def test_a_basket_keeps_its_reference_however_often_it_is_opened(sandbox, basket, browser, account):
    order = handed_over(browser)
    first = ref_of(order)
    go(browser, order)
    assert (ref_of(order), len(first)) == (first, 6)
    assert truth(sandbox, order)["received"] == 2
    assert sandbox.call("GET", "/ledger/odin")["total"] == 1


def test_a_reference_that_somebody_has_is_drawn_anew(basket, browser, account, monkeypatch):
    factories.BrokerOrderRefFactory(ref="TAKEN1")
    drawn = iter(["TAKEN1", "TAKEN1", "FRESH1"])
    monkeypatch.setattr(identifiers, "short_ref", lambda length: next(drawn))
    order = invest(browser)
    assert references.allocate(order=order, length=6, at=clock.now()).ref == "FRESH1"


def test_without_a_session_the_order_waits_and_the_login_leads_back_to_it(sandbox, basket, browser, asha):
    order = invest(browser)
    go(browser, order)
    assert order.state == "CREATED"
    assert "/broker-accounts/?order=" + order.code in page_of(browser, order)
    logged_in(sandbox, asha)
    go(browser, order)
    assert order.state == "HANDED_OVER"


def test_a_session_that_ended_at_the_broker_is_forgotten_and_the_basket_goes_on_under_its_reference(
    sandbox, basket, browser, account, asha
):
    order = handed_over(browser)
    before = ref_of(order)
    BrokerAccount.objects.update(session="ENDED-AT-THE-BROKER")
    page = browser.post(f"/stock-orders/{order.code}/go/", follow=True).content.decode()
    assert "Your session at the broker has ended" in page
    account.refresh_from_db()
    assert account.session is None
    logged_in(sandbox, asha)
    go(browser, order)
    assert ref_of(order) == before
    assert truth(sandbox, order)["received"] == 2


@pytest.mark.parametrize(
    ("outcome", "state", "words"),
    [
        ("partial", "COMPLETE", "Only part of it was executed"),
        ("unfilled", "COMPLETE", "Nobody traded at this price"),
        ("low_funds", "COMPLETE", "not enough money in your broker account"),
        ("rejected", "COMPLETE", "The broker did not execute it"),
        ("pending", "PLACED", "Your broker has the order"),
        ("amo", "PLACED", "Your broker has the order"),
        ("user_cancelled", "HANDED_OVER", "We are asking your broker"),
    ],
)
def test_every_ending_is_told_as_it_is(sandbox, basket, browser, account, recover, outcome, state, words):
    order = handed_over(browser)
    confirm(sandbox, order, outcome)
    look(order, recover)
    assert order.state == state
    assert words in page_of(browser, order)


def test_what_fills_over_two_days_is_followed(sandbox, basket, browser, account, recover, at):
    order = handed_over(browser)
    confirm(sandbox, order, "pending")
    codes = [one["UniqueCode"] for one in truth(sandbox, order)["orders"]]
    for code in codes:
        sandbox.call("POST", "/odin/event", {"order": code, "status": "partial", "quantity": 1})
    look(order, recover)
    assert {state for state, _ in states(order).values()} <= {"PARTLY_FILLED", "FILLED"}
    sandbox.advance("P1D")
    for one in truth(sandbox, order)["orders"]:
        if one["state"] == "PENDING":
            sandbox.call("POST", "/odin/event", {"order": one["UniqueCode"], "status": "executed"})
    look(order, recover)
    filled = [one["traded"] for one in truth(sandbox, order)["orders"]]
    assert sorted(filled) == sorted(count for _, count in states(order).values())


def test_what_did_not_fill_is_ordered_again_under_a_reference_of_its_own(sandbox, basket, browser, account, recover):
    order = handed_over(browser)
    confirm(sandbox, order, "partial")
    look(order, recover)
    missing = {line.security_id: line.quantity - line.filled for line in order.lines.all()}
    form = {"broker": "odin", "form_ref": identifiers.new_client_ref()}
    answer = browser.post(f"/stock-orders/{order.code}/repair/", form)
    repair = BasketOrder.objects.get(code=answer["Location"].split("/")[2])
    go(browser, repair)
    confirm(sandbox, repair, "filled")
    look(repair, recover)
    assert {line.security_id: line.filled for line in repair.lines.all()} == {
        pk: quantity for pk, quantity in missing.items() if quantity
    }
    assert ref_of(repair) != ref_of(order)


def test_what_is_held_is_rebalanced_in_one_mixed_basket_and_sold(sandbox, basket, browser, account, recover, asha):
    bought = handed_over(browser)
    confirm(sandbox, bought, "filled")
    look(bought, recover)
    draft = baskets.copy_version(basket_id=basket.pk, note="Tea.", actor=factories.UserFactory(), at=clock.now())
    draft.constituents.filter(security__symbol="IDEA").update(
        security=factories.SecurityFactory._meta.model.objects.get(symbol="TATACONSUM")
    )
    baskets.publish(version_id=draft.pk, actor=factories.UserFactory(), at=clock.now())
    for address, sides in (("rebalance", {"BUY", "SELL"}), ("sell", {"SELL"})):
        form = {"broker": "odin", "form_ref": identifiers.new_client_ref()}
        answer = browser.post(f"/baskets/three/{address}/", form)
        move = BasketOrder.objects.get(code=answer["Location"].split("/")[2])
        assert sides <= set(move.lines.values_list("side", flat=True)) | {"BUY"}
        go(browser, move)
        confirm(sandbox, move, "filled")
        look(move, recover)
        assert move.state == "COMPLETE"
    assert queries.held(investor=asha, basket=basket) == {}


def test_with_two_accounts_the_investor_says_which(sandbox, basket, browser, account, asha):
    other = logged_in(sandbox, asha, "ASHA2")
    page = browser.get("/baskets/three/invest/").content.decode()
    assert "ODIN Connector, ASHA1" in page
    form = {"amount": "50000", "broker": account.code, "form_ref": identifiers.new_client_ref()}
    answer = browser.post("/baskets/three/invest/", form)
    order = BasketOrder.objects.get(code=answer["Location"].split("/")[2])
    go(browser, order)
    assert (order.broker, order.broker_account_ref) == ("odin", account.account_ref)
    assert truth(sandbox, order)["client"] == account.account_ref != other.account_ref


def test_an_account_of_somebody_else_is_no_choice(basket, browser, account, chitra):
    theirs = factories.BrokerAccountFactory(investor=chitra, broker="odin")
    form = {"amount": "50000", "broker": theirs.code, "form_ref": identifiers.new_client_ref()}
    browser.post("/baskets/three/invest/", form)
    assert not BasketOrder.objects.exists()


def test_an_order_whose_account_was_unlinked_goes_to_no_other(sandbox, basket, browser, account, asha):
    order = handed_over(browser)
    accounts.unlink(account=account, at=clock.now())
    logged_in(sandbox, asha, "ASHA2")
    go(browser, order)
    assert truth(sandbox, order)["received"] == 1
    assert "no longer linked" in page_of(browser, order)


# --- News ---------------------------------------------------------------------------------------------------------


def notices(sandbox) -> list[dict]:
    return [each["body"] for each in sandbox.call("GET", "/notices")["notices"] if each["provider"] == "odin"][::-1]


def ring(body: object) -> int:
    return Client().post("/webhooks/odin/", json.dumps(body), content_type="application/json").status_code


@pytest.mark.parametrize("order_of_arrival", ["as sent", "backwards", "twice", "the last one only"])
def test_notices_in_any_order_lead_to_the_same_end(sandbox, basket, browser, account, order_of_arrival):
    order = handed_over(browser)
    confirm(sandbox, order, "filled")
    sent = notices(sandbox)
    arrived = {"as sent": sent, "backwards": sent[::-1], "twice": sent * 2, "the last one only": sent[-1:]}
    for body in arrived[order_of_arrival]:
        assert ring(body) == 204
    inbox.work(clock.now())
    order.refresh_from_db()
    assert order.state == "COMPLETE"
    assert OmexEvent.objects.filter(basket_order=order).count() == len(sent)


def test_a_made_up_notice_about_a_basket_of_ours_moves_nothing(sandbox, basket, browser, account):
    order = handed_over(browser)
    confirm(sandbox, order, "pending")
    before = dict.fromkeys(states(order), 0)
    forged = [{**body, "OrderStatus": 7, "TradedQTY": body.get("OrderOriginalQty", 1), "PendingQty": 0,
               "MessageSequenceNumber": 900 + n} for n, body in enumerate(notices(sandbox))]  # fmt: skip
    for body in forged:
        assert ring(body) == 204
    inbox.work(clock.now())
    assert {symbol: filled for symbol, (_, filled) in states(order).items()} == before
    assert InboundEvent.objects.filter(state="DONE").count() == len(forged)
    assert NewsCursor.objects.get().sequence < 900


def test_a_notice_of_nobodys_basket_is_answered_and_not_kept(sandbox, basket, browser, account):
    order = handed_over(browser)
    confirm(sandbox, order, "filled")
    foreign = {**notices(sandbox)[0], "sThirdpartyRecoId": "NOBODY"}
    assert ring(foreign) == 204
    assert ring([foreign, foreign]) == 204
    assert not InboundEvent.objects.exists()
    order.refresh_from_db()
    assert order.state == "HANDED_OVER"


@pytest.mark.parametrize("body", [{}, [], "x", {"MessageType": "ORD_NRML"}])
def test_what_is_no_message_is_refused(basket, body):
    assert ring(body) in (204, 400)
    assert not InboundEvent.objects.exists()


def test_a_repeated_notice_is_counted_and_asks_once(sandbox, basket, browser, account):
    order = handed_over(browser)
    confirm(sandbox, order, "filled")
    body = notices(sandbox)[-1]
    assert [ring(body), ring(body)] == [204, 204]
    assert InboundEvent.objects.get().times_seen == 2


def test_an_end_waits_for_its_trades(sandbox, basket, browser, account, recover):
    """An order's own word carries no price: until the trade is here, the share is open."""
    order = handed_over(browser)
    confirm(sandbox, order, "filled")
    stream.catch_up(at=clock.now())
    trade = OmexEvent.objects.filter(kind="TRADE").first()
    kept = {field.name: getattr(trade, field.name) for field in OmexEvent._meta.fields if field.name != "id"}
    from brokers.odin import adapter
    from brokers.operations import journeys

    OmexEvent.objects.filter(pk=trade.pk).delete()
    lines = list(order.lines.select_related("security"))
    journeys.take_in(order=order, said=adapter.told(order, lines), at=clock.now(), source="test")
    order.refresh_from_db()
    assert order.state == "PLACED"
    assert sorted({state for state, _ in states(order).values()}) == ["FILLED", "PLACED"]
    OmexEvent.objects.create(**kept)
    journeys.take_in(order=order, said=adapter.told(order, lines), at=clock.now(), source="test")
    order.refresh_from_db()
    assert order.state == "COMPLETE"


def test_messages_that_become_readable_later_are_read_all_the_same(sandbox, basket, browser, account, recover):
    first = handed_over(browser)
    confirm(sandbox, first, "filled")
    stream.catch_up(at=clock.now())
    NewsCursor.objects.update(sequence=NewsCursor.objects.get().sequence + 150)
    OmexEvent.objects.all().delete()
    look(first, recover)
    assert first.state == "COMPLETE"


def test_the_reading_from_further_back_begins_at_the_oldest_open_basket(sandbox, basket, browser, account):
    order = handed_over(browser)
    confirm(sandbox, order, "filled")
    NewsCursor.objects.update_or_create(broker="odin", defaults={"sequence": 1_000_000})
    assert stream.catch_up(at=clock.now()) == set()
    assert stream.catch_up(at=clock.now(), whole=True) == {order.pk}


def test_two_orders_for_one_share_are_a_case_and_no_quiet_success(sandbox, basket, browser, account, recover):
    order = handed_over(browser)
    confirm(sandbox, order, "filled")
    stream.catch_up(at=clock.now())
    for event in OmexEvent.objects.filter(symbol="ITC"):
        event.pk, event.order_key, event.sequence = None, "OD-TWICE", event.sequence + 5_000
        event.trade_number = event.trade_number and "another"
        event.save()
    look(order, recover)
    assert Case.objects.filter(kind="stock_news_conflict").exists()
    assert states(order)["ITC"] == ("PENDING", 0)


def test_orders_of_another_account_become_a_case_and_move_nothing(sandbox, basket, browser, account, recover):
    order = handed_over(browser)
    BasketOrder.objects.update(broker_account_ref="the-linked-one")
    confirm(sandbox, order, "filled")
    look(order, recover)
    assert order.state == "HANDED_OVER"
    assert Case.objects.filter(kind="broker_account_changed").exists()
    assert BrokerAccount.objects.count() == 1


def test_news_of_an_unlinked_account_link_nothing(sandbox, basket, browser, account, recover):
    order = handed_over(browser)
    accounts.unlink(account=account, at=clock.now())
    confirm(sandbox, order, "filled")
    look(order, recover)
    assert order.state == "COMPLETE"
    assert not BrokerAccount.objects.filter(unlinked_at=None).exists()


def test_a_page_opened_again_after_it_was_confirmed_is_not_called_a_failure(sandbox, basket, browser, account):
    order = handed_over(browser)
    confirm(sandbox, order, "pending")
    page = browser.post(f"/stock-orders/{order.code}/go/", follow=True).content.decode()
    assert "Your broker has this order already" in page
    assert sandbox.call("GET", "/ledger/odin")["total"] == 1


def test_a_share_that_odin_does_not_know_stops_the_basket_before_anything_is_sent(sandbox, basket, browser, account):
    order = invest(browser)
    SecurityCode.objects.filter(security__symbol="IDEA").delete()
    page = browser.post(f"/stock-orders/{order.code}/go/", follow=True).content.decode()
    order.refresh_from_db()
    assert order.state == "CREATED"
    assert "Nothing was bought or sold" in page
    assert sandbox.call("GET", "/ledger/odin")["total"] == 0


def test_the_way_back_from_a_basket_is_not_believed(sandbox, basket, browser, account):
    order = handed_over(browser)
    back = {"sStatusCode": "vasprd-200-820", "sStatusMessage": "Basket executed successfully", "oEcoBackObject": "e30="}
    first = browser.get("/odin/callback/", back)
    assert browser.get(first["Location"])["Location"] == f"/stock-orders/{order.code}/"
    order.refresh_from_db()
    assert order.state == "HANDED_OVER"


def test_a_forged_way_back_of_somebody_else_changes_nothing_of_hers(
    sandbox, basket, browser, account, chitra, client_for
):
    order = handed_over(browser)
    first = client_for(chitra).get("/odin/callback/", {"sStatusCode": "200", "oEcoBackObject": ref_of(order)})
    assert client_for(chitra).get(first["Location"])["Location"] == "/stock-orders/"
    order.refresh_from_db()
    assert order.state == "HANDED_OVER"
