"""A purchase from the investor's yes to units in the ledger, with the sandbox playing FP over real HTTP."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db import IntegrityError, InternalError, transaction

from investors.models import Consent, KycCheck
from investors.operations import consents
from orders import lifecycle
from orders.gateway import OrderSnapshot
from orders.models import Holding, MfOrder, Transaction
from orders.operations import news, purchases, sending, syncing
from payments import operations as payments
from payments.models import Payment, PaymentLine
from portal import audit, clock, gates
from portal.errors import InvalidInput
from portal.lifecycle import Verdict
from portal.models import Case, GatewayCall, Notice
from portal.notices import writing
from tests import factories
from tests.orders.conftest import ours_at_fp

pytestmark = pytest.mark.django_db


def until_settled(order: MfOrder, sandbox, seconds: float = 60) -> MfOrder:
    """Poll as the worker would until the order is final."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        order.refresh_from_db()
        if order.state not in lifecycle.OPEN:
            return order
        for payment in Payment.objects.filter(lines__order=order, provider_ref__isnull=False):
            payments.refresh(payment_id=payment.pk, at=clock.now())
        syncing.run(at=clock.now())
        time.sleep(0.3)
    raise AssertionError(f"still {order.state}")


def test_goes_from_the_yes_to_allotted_units(asha, place, sandbox):
    order = place(asha)
    assert order.state == "CREATED"
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    assert (order.state, order.attempt) == ("AWAITING_PAYMENT", "")

    payment = payments.start(order_id=order.pk, at=clock.now())
    payments.open_page(payment_id=payment.pk, at=clock.now())
    page = payments.hand_over(order=order, at=clock.now())
    assert page.token_url.startswith(sandbox.url)
    payment.refresh_from_db()
    sandbox.pay(payment.provider_ref, "success")

    until_settled(order, sandbox)
    payment.refresh_from_db()
    holding = Holding.objects.get(investor=asha)
    fact = Transaction.objects.get(order=order)
    assert order.state == "ALLOTTED"
    assert holding.units == fact.units == order.allotted_units > 0
    assert holding.invested == Decimal("5000.00")
    assert order.folio.investor_id == asha.pk
    # 0.005 % of stamp duty leaves 4,999.75 for units.
    assert order.allotted_units == (Decimal("4999.75") / order.allotted_nav).quantize(Decimal("0.001"))
    assert payment.state in ("DEBITED", "TRANSFERRED", "SETTLED")
    assert len(ours_at_fp(sandbox, order)) == 1

    told = Notice.objects.get(event="order.allotted", subject_id=order.pk)
    for _ in range(2):
        writing.deliver(delivery_id=told.deliveries.get(channel="EMAIL").pk, at=clock.now())
    assert len(mail.outbox) == 1
    assert order.code in mail.outbox[0].body


def test_is_rejected_when_fp_fails_it(asha, place, sandbox):
    order = place(asha, amount=5_001)
    sending.submit(order_id=order.pk, at=clock.now())
    payment = payments.start(order_id=order.pk, at=clock.now())
    payments.open_page(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    sandbox.pay(payment.provider_ref, "success")
    until_settled(order, sandbox)
    assert order.state == "REJECTED"
    assert not Holding.objects.exists()


def test_the_same_consent_is_one_order(asha, place, given):
    consent = given(asha)
    first = place(asha, consent=consent)
    assert place(asha, consent=consent).pk == first.pk
    assert MfOrder.objects.count() == 1


def test_refuses_a_consent_that_was_not_given(asha, place, given):
    with pytest.raises(consents.WrongCode):
        place(asha, consent=given(asha, given_at=None))
    assert not MfOrder.objects.exists()


def test_refuses_a_consent_to_something_else(asha, place, given):
    consent = given(asha)
    with pytest.raises(purchases.TermsChanged):
        place(asha, consent=given(asha, shown={**consent.shown, "Amount": "₹4,999.00"}))
    assert not MfOrder.objects.exists()


def test_refuses_somebody_elses_consent(asha, chitra, place, given):
    with pytest.raises(Consent.DoesNotExist):
        place(chitra, consent=given(asha))


def test_refuses_a_consent_that_is_older_than_ten_minutes(asha, place, given):
    with pytest.raises(purchases.ConsentMissing):
        place(asha, consent=given(asha, asked_at=clock.now() - timedelta(minutes=11)))


def test_the_database_itself_refuses_an_order_without_its_consent(asha, scheme):
    consent = factories.ConsentFactory(investor=asha, amount=Decimal("1.00"), isin=scheme.isin)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        factories.OrderFactory(investor=asha, scheme=scheme, amount=Decimal("5000.00"), consent=consent)


def test_the_database_itself_refuses_to_exchange_what_was_confirmed(asha, place):
    order = place(asha)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        MfOrder.objects.filter(pk=order.pk).update(amount=Decimal("50000.00"))


@pytest.mark.parametrize(("amount", "accepted"), [(99, False), (100, True)])
def test_holds_the_amount_against_the_schemes_own_bounds(asha, place, scheme, amount, accepted):
    scheme.min_first = Decimal(100)
    scheme.save()
    if accepted:
        assert place(asha, amount=amount).amount == amount
    else:
        with pytest.raises(InvalidInput) as refusal:
            place(asha, amount=amount)
        assert refusal.value.field == "amount"


def test_refuses_an_investor_whose_newest_kyc_answer_is_no(asha, place):
    factories.KycCheckFactory(investor=asha, is_compliant=False, checked_at=clock.now() + timedelta(seconds=1))
    with pytest.raises(purchases.KycStandsInTheWay):
        place(asha)


def test_honours_the_yearly_limit_of_an_ekyc_investor(asha, place):
    KycCheck.objects.create(
        investor=asha,
        pan_index=asha.pan_index,
        provider_ref="limit",
        is_compliant=True,
        investment_limit=Decimal("50000.00"),
        checked_at=clock.now() + timedelta(seconds=1),
    )
    place(asha, amount=30_000)
    with pytest.raises(InvalidInput, match=r"₹20,000\.00"):
        place(asha, amount=30_000)


@pytest.mark.parametrize("change", [{"purchase_allowed": False}, {"plan": "DIRECT"}, {"is_active": False}])
def test_sells_no_scheme_that_is_not_for_sale(asha, place, scheme, change):
    for name, value in change.items():
        setattr(scheme, name, value)
    scheme.save()
    with pytest.raises(purchases.NotForSale):
        place(asha)


def test_waits_while_the_kill_switch_is_on_and_goes_on_afterwards(asha, place, sandbox, recover):
    order = place(asha)
    gates.turn(name=gates.OUTBOUND_MONEY, closed=True, reason="drill", actor="test", at=clock.now())
    with pytest.raises(gates.GateClosed):
        sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    assert order.state == "CREATED"
    assert not ours_at_fp(sandbox, order)
    gates.turn(name=gates.OUTBOUND_MONEY, closed=False, reason="over", actor="test", at=clock.now())
    recover(clock.now() + timedelta(minutes=1))
    order.refresh_from_db()
    assert order.state == "AWAITING_PAYMENT"


def test_a_refusal_in_the_written_table_is_final_and_keeps_their_words(asha, place, sandbox, scheme):
    order = place(asha)
    bank = order.bank_account
    bank.provider_ref = "999999"
    bank.save()
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    assert order.state == "REJECTED"
    assert order.failure_text
    assert not ours_at_fp(sandbox, order)


# --- news ------------------------------------------------------------------------------------------------------


def snapshot_of(order: MfOrder, state: str, **values: object) -> OrderSnapshot:
    facts = {"provider_ref": order.provider_ref, "client_ref": order.client_ref, "state": state, "their_word": state}
    return OrderSnapshot(**{**facts, "amount": order.amount, "isin": order.scheme.isin, **values})


ALLOTMENT = {"units": Decimal("100.000"), "nav": Decimal("49.9975"), "folio_number": "77/1"}


def test_news_past_steps_we_never_heard_of_does_their_duties_too(asha, scheme):
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="AWAITING_PAYMENT")
    facts = {**ALLOTMENT, "traded_on": clock.today()}
    assert (
        news.absorb(order_id=order.pk, snapshot=snapshot_of(order, "ALLOTTED", **facts), at=clock.now(), source="test")
        == Verdict.APPLY
    )
    order.refresh_from_db()
    assert order.state == "ALLOTTED"
    assert Holding.objects.get(investor=asha).units == Decimal("100.000")
    entry = audit.entries_of(order).get(action="order.allotted")
    assert entry.data["skipped"] == ["PAID", "PLACED"]


def test_the_second_delivery_of_the_same_news_moves_nothing(asha, scheme):
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="PLACED")
    snapshot = snapshot_of(order, "ALLOTTED", **ALLOTMENT, traded_on=clock.today())
    verdicts = [news.absorb(order_id=order.pk, snapshot=snapshot, at=clock.now(), source="test") for _ in range(3)]
    assert verdicts == [Verdict.APPLY, Verdict.REPEAT, Verdict.REPEAT]
    assert Transaction.objects.count() == 1


def test_success_without_units_is_no_evidence_yet(asha, scheme):
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="PLACED")
    news.absorb(order_id=order.pk, snapshot=snapshot_of(order, "ALLOTTED"), at=clock.now(), source="test")
    order.refresh_from_db()
    assert order.state == "PLACED"
    assert not Holding.objects.exists()


def test_stale_news_moves_nothing(asha, scheme):
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="PLACED")
    snapshot = snapshot_of(order, "AWAITING_PAYMENT")
    assert news.absorb(order_id=order.pk, snapshot=snapshot, at=clock.now(), source="test") == Verdict.STALE
    order.refresh_from_db()
    assert order.state == "PLACED"


@pytest.mark.parametrize(
    "lie",
    [
        {"amount": Decimal("1.00")},
        {"isin": "INF000000000"},
        {"client_ref": "SOMEBODY-ELSES"},
        {"provider_ref": "12345"},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_news_about_another_order_becomes_a_case_and_moves_nothing(asha, scheme, lie):
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="PLACED")
    snapshot = snapshot_of(order, "ALLOTTED", **{**ALLOTMENT, "traded_on": clock.today(), **lie})
    assert news.absorb(order_id=order.pk, snapshot=snapshot, at=clock.now(), source="test") == Verdict.CONFLICT
    order.refresh_from_db()
    assert order.state == "PLACED"
    assert Case.objects.get().kind == news.CONFLICT_CASE


def test_units_for_a_rejected_order_become_a_case(asha, scheme):
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="AWAITING_PAYMENT")
    news.absorb(order_id=order.pk, snapshot=snapshot_of(order, "REJECTED"), at=clock.now(), source="test")
    snapshot = snapshot_of(order, "ALLOTTED", **ALLOTMENT, traded_on=clock.today())
    assert news.absorb(order_id=order.pk, snapshot=snapshot, at=clock.now(), source="test") == Verdict.CONFLICT
    order.refresh_from_db()
    assert order.state == "REJECTED"
    assert Case.objects.count() == 1
    assert not Holding.objects.exists()


def test_a_reversal_appends_the_opposite_and_empties_the_holding(asha, scheme):
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="PLACED")
    facts = {**ALLOTMENT, "traded_on": clock.today()}
    for state in ("ALLOTTED", "REVERSED"):
        news.absorb(order_id=order.pk, snapshot=snapshot_of(order, state, **facts), at=clock.now(), source="test")
    assert [fact.units for fact in Transaction.objects.order_by("id")] == [Decimal("100.000"), Decimal("-100.000")]
    assert Holding.objects.get().units == 0
    order.refresh_from_db()
    assert order.state == "REVERSED"


def test_a_folio_of_somebody_else_is_never_filled(asha, chitra, scheme):
    factories.FolioFactory(investor=chitra, fund_house=scheme.fund_house, number="77/1")
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="PLACED")
    snapshot = snapshot_of(order, "ALLOTTED", **ALLOTMENT, traded_on=clock.today())
    assert news.absorb(order_id=order.pk, snapshot=snapshot, at=clock.now(), source="test") == Verdict.CONFLICT
    assert not Transaction.objects.exists()
    assert Case.objects.get().kind == news.CONFLICT_CASE


def test_a_transaction_is_never_changed_or_deleted(asha, scheme):
    fact = factories.TransactionFactory(investor=asha, scheme=scheme)
    for act in (lambda: Transaction.objects.update(units=1), fact.delete):
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            act()


def test_a_payment_is_the_sum_of_its_lines(asha, scheme):
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="AWAITING_PAYMENT")
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        payment = Payment.objects.create(
            investor=asha, amount=Decimal("1.00"), method="UPI", created_at=clock.now(), state_since=clock.now()
        )
        PaymentLine.objects.create(investor=asha, payment=payment, order=order, amount=order.amount)
        transaction.get_connection().check_constraints()


def test_the_journal_holds_the_conversation_without_personal_data(asha, place, sandbox):
    order = place(asha)
    sending.submit(order_id=order.pk, at=clock.now())
    call = GatewayCall.objects.get(subject_id=str(order.pk), path__endswith="/purchase/netbanking")
    kept = f"{call.request_body} {call.response_body} {call.path}"
    assert order.client_ref in kept
    assert (call.outcome, call.status) == ("OK", 200)
    for secret in (asha.pan, asha.user.email, order.bank_account.number):
        assert secret not in kept
