"""Collecting money: one live payment per order, nothing believed from a browser, never a second collection."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from orders.models import MfOrder
from payments import operations
from payments.gateway import PaymentSnapshot
from payments.models import Payment, PaymentLine
from payments.operations import attempts
from portal import clock, inbox, unknowns
from portal.fintech_primitives import client as fp
from portal.fintech_primitives.messages import PaymentMethod
from portal.gateway.journal import About
from portal.models import Case, InboundEvent
from tests import factories
from tests.orders.conftest import given, place, scheme  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
PAY = "*/payments/netbanking"


@pytest.fixture
def order(asha, place, sandbox) -> MfOrder:  # noqa: F811
    """An order that FP has and that waits for money."""
    from orders.operations import sending

    order = place(asha)
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"
    return order


def open_payment(order: MfOrder) -> Payment:
    payment = operations.start(order_id=order.pk, at=clock.now())
    operations.open_page(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    return payment


def test_starting_twice_is_one_payment(order):
    first = operations.start(order_id=order.pk, at=clock.now())
    assert first is not None
    assert operations.start(order_id=order.pk, at=clock.now()) is None
    assert operations.start(order_id=order.pk, at=clock.now(), again=True) is None
    assert Payment.objects.count() == 1


def test_the_database_itself_refuses_a_second_live_payment_for_an_order(order):
    factories.PaymentFactory(order=order)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.PaymentFactory(order=order)


def test_a_lost_nudge_is_made_good_by_the_sweep(order, recover):
    recover(clock.now() + timedelta(seconds=1))
    recover(clock.now() + timedelta(seconds=40))
    assert Payment.objects.get(lines__order=order).state == "AWAITING_INVESTOR"


def test_the_page_is_handed_out_once_while_it_lives(order, sandbox):
    open_payment(order)
    assert operations.hand_over(order=order, at=clock.now()).token_url.startswith(sandbox.url)
    with pytest.raises(operations.StillOpen):
        operations.hand_over(order=order, at=clock.now())
    assert Payment.objects.count() == 1


def test_after_its_fifteen_minutes_an_unused_page_is_replaced(order):
    first = open_payment(order)
    operations.hand_over(order=order, at=clock.now())
    later = clock.now() + timedelta(minutes=16)
    assert operations.hand_over(order=order, at=later) is None
    first.refresh_from_db()
    assert first.state == "EXPIRED"
    assert Payment.objects.filter(lines__is_live=True).count() == 1


def test_a_declined_payment_leaves_the_order_payable(order, sandbox):
    payment = open_payment(order)
    operations.hand_over(order=order, at=clock.now())
    sandbox.pay(payment.provider_ref, "failure")
    operations.refresh(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, order.state) == ("FAILED", "AWAITING_PAYMENT")
    assert not PaymentLine.objects.get(payment=payment).is_live
    assert operations.hand_over(order=order, at=clock.now()) is None
    assert Payment.objects.count() == 2


def test_a_success_after_we_gave_up_pays_the_order_and_becomes_a_case(order, sandbox):
    payment = open_payment(order)
    operations.expire(payment_id=payment.pk, at=clock.now() + timedelta(minutes=16))
    sandbox.pay(payment.provider_ref, "success")
    operations.refresh(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, order.state) == ("LATE", "PAID")
    assert payment.debited_at
    assert Case.objects.get().kind == operations.LATE_SUCCESS_CASE


@pytest.mark.parametrize(
    "lie",
    [{"amount": Decimal("1")}, {"order_refs": frozenset({"1"})}, {"provider_ref": "9"}],
    ids=lambda lie: next(iter(lie)),
)
def test_a_payment_of_something_else_moves_nothing(order, lie):
    payment = open_payment(order)
    facts = {
        "provider_ref": payment.provider_ref,
        "state": "DEBITED",
        "their_word": "SUCCESS",
        "amount": payment.amount,
    }
    snapshot = PaymentSnapshot(**{**facts, **lie})
    operations.absorb(payment_id=payment.pk, snapshot=snapshot, at=clock.now())
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, order.state) == ("AWAITING_INVESTOR", "AWAITING_PAYMENT")
    assert Case.objects.get().kind == operations.CONFLICT_CASE


@pytest.mark.parametrize("mode", ["reset", "html_200", "truncated", "status:500", "wrong_types"])
def test_a_payment_page_that_was_lost_on_the_way_is_given_up_and_replaced(mode, order, sandbox, recover):
    payment = operations.start(order_id=order.pk, at=clock.now())
    sandbox.fault(mode, path=PAY, when="after")
    operations.open_page(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    assert payment.is_unknown
    at = clock.now()
    for seconds in (3, 6, 40, 80):
        recover(at + timedelta(seconds=seconds))
    payment.refresh_from_db()
    assert payment.state == "EXPIRED"
    operations.start(order_id=order.pk, at=at, again=True)
    live = Payment.objects.get(lines__is_live=True)
    operations.advance(payment_id=live.pk, at=at + timedelta(seconds=90))
    live.refresh_from_db()
    assert live.state == "AWAITING_INVESTOR"
    assert live.token_url


# What keeps a payment from being made twice, taken away: the look-up itself, or what makes a restored row need one.
LOOKED_UP = pytest.mark.parametrize("guard", ["no look-up", "not counted as tried", "on"])


@pytest.fixture
def made_before(order, guard, monkeypatch) -> tuple[Payment, str]:
    """A payment that waited when an older database came back, and the number of what FP has of it."""
    payment = operations.start(order_id=order.pk, at=clock.now())
    if guard != "not counted as tried":
        unknowns.look_first()
    if guard == "no look-up":
        monkeypatch.setattr(attempts, "_was_made", lambda payment, *, at: False)
    wish = {"order_ids": [order.provider_ref], "method": PaymentMethod.UPI, "postback_url": "http://127.0.0.1:1/x"}
    return payment, fp.client().create_payment(**wish, about=About()).id


def at_fp(order) -> list[str]:
    return [each.id for each in fp.client().list_payments([order.provider_ref])]


@LOOKED_UP
def test_a_payment_that_fp_may_have_is_looked_up_before_a_page_is_asked_for_again(made_before, guard, order, sandbox):
    payment, ref = made_before
    sandbox.pay(ref, "success")
    operations.open_page(payment_id=payment.pk, at=clock.now())
    operations.advance(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    order.refresh_from_db()
    if guard != "on":
        assert (len(at_fp(order)), payment.state) == (2, "AWAITING_INVESTOR"), "a paid order is to be paid again"
        return
    assert at_fp(order) == [ref]
    assert (payment.provider_ref, payment.state, order.state) == (ref, "DEBITED", "PAID")
    assert not Case.objects.exists()


@LOOKED_UP
def test_a_page_that_was_lost_and_not_paid_is_given_up(made_before, guard, order):
    payment, ref = made_before
    operations.open_page(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    if guard != "on":
        assert (len(at_fp(order)), payment.provider_ref == ref) == (2, False), "the first is forgotten"
        return
    assert (payment.provider_ref, payment.state, payment.failure_code) == (ref, "EXPIRED", "page_lost")


@LOOKED_UP
def test_nothing_is_asked_for_while_the_look_up_before_it_fails(made_before, guard, order, sandbox):
    payment, ref = made_before
    sandbox.fault("status:500", method="GET", path="*/payments", times=0)
    operations.open_page(payment_id=payment.pk, at=clock.now())
    sandbox.no_faults()
    payment.refresh_from_db()
    if guard != "on":
        assert len(at_fp(order)) == 2
        return
    assert (payment.state, payment.attempt, payment.provider_ref) == ("STARTING", "", None)
    assert at_fp(order) == [ref]


def test_a_page_at_a_foreign_address_is_never_handed_out(order, settings, sandbox):
    settings.PAYMENT_PAGE_ORIGINS = ["https://somewhere.example"]
    payment = operations.start(order_id=order.pk, at=clock.now())
    operations.open_page(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    assert not payment.token_url


# --- the browser's return -------------------------------------------------------------------------------------

# P11 wants forty; each is sent as a form and as an address. `OURS` and `OTHERS` become payments of this order and of
# another investor's.
NUMBERS = ("1", "-1", "0", "OURS", "OTHERS", "1\x00", "x" * 5_000, "1 OR 1=1", "9" * 30, "\u0967")
WORDS = ("success", "SUCCESS", "true", "APPROVED")
FORGERIES = [
    *({"paymentId": number, "status": word, "failureReason": ""} for number in NUMBERS for word in WORDS),
    {"paymentId": ["1", "2"], "status": ["success", "success"]},
    {"paymentId[]": "OURS", "status[]": "success"},
    {"status": "success", "amount": "999999"},
    {"paymentId": "OURS", "status": "success", "amount": "1.00", "order": "OTHERS"},
    {"paymentId": "OURS", "status": "success", "state": "SETTLED", "is_live": "true", "debited_at": "2026-01-01"},
    {},
]


@pytest.mark.parametrize("method", ["post", "get"])
def test_forged_returns_change_no_money_state_and_each_is_on_record(method, order, chitra, client_for):
    assert len(FORGERIES) >= 40
    payment, stranger = open_payment(order), client_for(chitra)
    others = factories.PaymentFactory(order=factories.OrderFactory(investor=chitra, state="AWAITING_PAYMENT"))
    names = {"OURS": str(payment.provider_ref), "OTHERS": str(others.provider_ref)}
    for forged in FORGERIES:
        said = {key: names.get(str(value), value) for key, value in forged.items()}
        answer = getattr(stranger, method)(f"/payments/return/{payment.nonce}/", said)
        assert answer.status_code == 303, said
        assert answer["Location"] == f"/orders/{order.code}/"
    while inbox.work(clock.now()):
        pass
    for row, state in ((payment, "AWAITING_INVESTOR"), (others, "AWAITING_INVESTOR"), (order, "AWAITING_PAYMENT")):
        row.refresh_from_db()
        assert row.state == state
    events = InboundEvent.objects.all()
    assert sum(each.times_seen for each in events) == len(FORGERIES)
    assert {each.state for each in events} == {"DONE"}


def test_a_replayed_return_is_stored_once_and_counted(order, client_for):
    payment = open_payment(order)
    for _ in range(3):
        client_for().post(f"/payments/return/{payment.nonce}/", {"status": "success"})
    assert InboundEvent.objects.get().times_seen == 3


def test_a_return_to_an_address_we_never_gave_is_404(db, client_for):
    assert client_for().post("/payments/return/NOBODYSNONCE00000000/", {"status": "success"}).status_code == 404
    assert not InboundEvent.objects.exists()


def test_a_true_return_only_makes_us_ask(order, sandbox, client_for):
    payment = open_payment(order)
    sandbox.pay(payment.provider_ref, "success")
    client_for().post(f"/payments/return/{payment.nonce}/", {"status": "failure", "paymentId": payment.provider_ref})
    inbox.work(clock.now())
    payment.refresh_from_db()
    order.refresh_from_db()
    assert payment.state in ("DEBITED", "TRANSFERRED", "SETTLED")
    assert order.state in ("PAID", "PLACED", "ALLOTTED")


def test_nobody_pays_for_another_investor(order, chitra, client_for):
    open_payment(order)
    assert client_for(chitra).post(f"/orders/{order.code}/pay/").status_code == 404


def test_the_pay_button_leads_to_the_banks_page_without_a_referrer(order, asha, sandbox, client_for):
    open_payment(order)
    answer = client_for(asha).post(f"/orders/{order.code}/pay/")
    assert answer.status_code == 302
    assert answer["Location"].startswith(sandbox.url)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert client_for(asha).get(f"/orders/{order.code}/pay/").status_code == 405
