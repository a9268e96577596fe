"""A success after a failure, and a second collection: the money is never lost sight of, and a person is told."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from orders.models import MfOrder
from orders.queries import ways
from payments import operations
from payments.gateway import PaymentSnapshot
from payments.models import Payment, PaymentLine
from payments.operations import attempts
from portal import clock
from portal.models import Case
from tests import factories
from tests.orders.conftest import given, place, scheme  # noqa: F401 - fixtures
from tests.payments.test_payments import open_payment, order  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


def failed(order: MfOrder, sandbox, reason: str = "failure") -> Payment:  # noqa: F811
    payment = open_payment(order)
    operations.hand_over(order=order, at=clock.now())
    sandbox.pay(payment.provider_ref, reason)
    return refreshed(payment)


def refreshed(payment: Payment) -> Payment:
    operations.refresh(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    return payment


def again(order: MfOrder) -> Payment:  # noqa: F811
    payment = operations.start(order_id=order.pk, at=clock.now(), again=True)
    assert payment
    operations.open_page(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    return payment


def kinds() -> list[str]:
    return sorted(Case.objects.values_list("kind", flat=True))


def page_of(order: MfOrder, client_for) -> str:  # noqa: F811
    return client_for(order.investor).get(f"/orders/{order.code}/").content.decode()


def test_a_late_success_pays_the_order_is_shown_and_told_to_a_person(order, sandbox, client_for):  # noqa: F811
    payment = failed(order, sandbox)
    sandbox.pay(payment.provider_ref, "late_success")
    assert refreshed(payment).state == "LATE"
    order.refresh_from_db()
    assert order.state == "PAID"
    assert kinds() == [operations.LATE_SUCCESS_CASE]
    assert "A payment went through after all" in page_of(order, client_for)


def test_the_same_late_success_again_changes_nothing(order, sandbox):  # noqa: F811
    payment = failed(order, sandbox)
    sandbox.pay(payment.provider_ref, "late_success")
    for _ in range(3):
        refreshed(payment)
    assert Case.objects.get().times_reported == 1


def test_a_new_page_that_nobody_opened_is_given_up_before_it_can_be_paid(order, sandbox):  # noqa: F811
    first = failed(order, sandbox)
    second = again(order)
    sandbox.pay(first.provider_ref, "late_success")
    refreshed(first)
    second.refresh_from_db()
    assert (second.state, second.failure_code, second.token_url) == ("EXPIRED", "paid_by_another", "")
    assert PaymentLine.objects.get(is_live=True).payment == first


def test_an_order_that_is_paid_twice_is_a_case_for_a_refund_and_says_so(order, sandbox, client_for):  # noqa: F811
    first = failed(order, sandbox)
    second = again(order)
    operations.hand_over(order=order, at=clock.now())
    sandbox.pay(second.provider_ref)
    refreshed(second)
    sandbox.pay(first.provider_ref, "late_success")
    refreshed(first)
    assert kinds() == sorted([operations.LATE_SUCCESS_CASE, operations.PAID_TWICE_CASE])
    assert "This order was paid twice" in page_of(order, client_for)


def test_the_order_in_which_two_successes_arrive_does_not_matter(order, sandbox):  # noqa: F811
    first = failed(order, sandbox)
    second = again(order)
    operations.hand_over(order=order, at=clock.now())
    sandbox.pay(first.provider_ref, "late_success")
    refreshed(first)
    second.refresh_from_db()
    assert second.state == "AWAITING_INVESTOR"
    sandbox.pay(second.provider_ref)
    refreshed(second)
    assert operations.PAID_TWICE_CASE in kinds()


def test_a_failed_payment_is_watched_for_a_week_ever_more_slowly(order, sandbox):  # noqa: F811
    payment = failed(order, sandbox)
    at, looks = payment.due_at, 0
    while payment.due_at is not None:
        at = payment.due_at
        operations.advance(payment_id=payment.pk, at=at)
        payment.refresh_from_db()
        looks += 1
        assert looks < 40
    assert timedelta(days=7) <= at - payment.state_since <= timedelta(days=8)
    assert 15 <= looks <= 30


def test_the_sweep_finds_a_late_success_by_itself(order, sandbox, recover):  # noqa: F811
    payment = failed(order, sandbox)
    sandbox.pay(payment.provider_ref, "late_success")
    recover(clock.now() + timedelta(minutes=2))
    payment.refresh_from_db()
    assert payment.state == "LATE"


# --- another try --------------------------------------------------------------------------------------------------


def test_another_try_may_go_another_way(order, asha, sandbox, client_for):  # noqa: F811
    failed(order, sandbox)
    client_for(asha).post(f"/orders/{order.code}/pay/", {"method": "CARD"})
    assert [payment.method for payment in Payment.objects.order_by("pk")] == ["UPI", "CARD"]


def test_an_unopened_page_is_replaced_by_one_of_another_way(order, sandbox):  # noqa: F811
    first = open_payment(order)
    assert operations.hand_over(order=order, at=clock.now(), method="NETBANKING") is None
    first.refresh_from_db()
    assert (first.state, first.failure_code) == ("EXPIRED", "another_method")
    assert Payment.objects.get(lines__is_live=True).method == "NETBANKING"


def test_a_way_that_does_not_carry_so_much_is_neither_offered_nor_taken(asha, client_for):
    mine = factories.OrderFactory(
        investor=asha, state="AWAITING_PAYMENT", amount=Decimal("600000.00"), payment_method="NETBANKING"
    )
    factories.PaymentFactory(order=mine, state="FAILED")
    with pytest.raises(operations.NotPayable, match="By UPI at most"):
        operations.hand_over(order=mine, at=clock.now(), method="UPI")
    assert Payment.objects.count() == 1
    assert [method for method, _ in ways.at_pages("RTA", mine.cost, clock.today())] == ["NETBANKING", "CARD"]


def test_money_that_goes_back_after_the_debit_is_a_case(asha):
    payment = factories.PaymentFactory(order__investor=asha, order__state="PAID", state="DEBITED")
    said = PaymentSnapshot(payment.provider_ref, "FAILED", "FAILED", failure_text="returned by the clearing")
    assert operations.absorb(payment_id=payment.pk, snapshot=said, at=clock.now())
    assert operations.REVERSED_CASE in kinds()


@pytest.mark.parametrize("method", ["NACH", "CASH", "", "card"])
def test_a_way_that_is_no_way_is_the_one_of_the_order(order, asha, sandbox, client_for, method):  # noqa: F811
    failed(order, sandbox)
    client_for(asha).post(f"/orders/{order.code}/pay/", {"method": method})
    assert Payment.objects.latest("pk").method == "UPI"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("insufficient_funds", ("the balance was too low", "No money has moved")),
        ("tpv_failed", ("not registered as yours", "comes back", "today is day 0 of 5")),
    ],
    ids=["no-money-moved", "third-party"],
)
def test_the_page_explains_a_failure_and_whether_money_moved(order, sandbox, client_for, outcome, words):  # noqa: F811
    failed(order, sandbox, outcome)
    page = page_of(order, client_for)
    assert all(text in page for text in words)
    assert "The order is kept" in page


def test_money_that_has_arrived_proves_the_account_that_it_came_from(asha):
    payment = factories.PaymentFactory(order__investor=asha, state="TRANSFERRED")
    said = PaymentSnapshot(payment.provider_ref, "SETTLED", "APPROVED")
    assert operations.absorb(payment_id=payment.pk, snapshot=said, at=clock.now())
    assert asha.bankaccounts.get().verified == "PAID_FROM"


def test_an_attempt_that_fp_never_lists_is_not_repeated_for_ever(asha, monkeypatch):
    unknown = {"state": "STARTING", "provider_ref": None, "attempt": "UNKNOWN", "unknown_since": clock.now()}
    payment = factories.PaymentFactory(
        order=factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT"), looks=4, **unknown
    )
    monkeypatch.setattr(attempts.gateway, "find", lambda *_: None)
    for left in (2, 1, 0):
        attempts.settle(payment_id=payment.pk, at=clock.now())
        payment.refresh_from_db()
        assert (payment.state, payment.attempt) == ("STARTING" if left else "FAILED", "")
        if left:
            Payment.objects.filter(pk=payment.pk).update(**unknown, looks=4)
    assert (payment.failure_code, payment.lines.get().is_live) == (attempts.LOST, False)


def test_pages_that_are_lost_time_after_time_are_told_to_a_person_and_not_asked_for_again(asha, monkeypatch):
    mine, nudged = factories.OrderFactory(investor=asha, state="AWAITING_PAYMENT"), []
    lost = [factories.PaymentFactory(order=mine, state="EXPIRED", failure_code="page_lost") for _ in range(2)]
    unknown = {"state": "STARTING", "provider_ref": None, "attempt": "UNKNOWN", "unknown_since": clock.now()}
    last = factories.PaymentFactory(order=mine, **unknown)
    found = PaymentSnapshot("700001", "AWAITING_INVESTOR", "PENDING")
    monkeypatch.setattr(attempts.gateway, "find", lambda *_: found)
    monkeypatch.setattr(attempts.jobs, "nudge", lambda name, **_: nudged.append(name))
    attempts.settle(payment_id=last.pk, at=clock.now())
    last.refresh_from_db()
    assert (len(lost), last.failure_code, kinds()) == (2, "page_lost", [attempts.LOST_PAGES_CASE])
    assert "payments.start" not in nudged
