"""A purchase debited by an approved mandate: FP arranges the debit with the order, and we find it there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from investors.models import Mandate
from orders.models import MfOrder
from orders.operations import purchases, sending
from payments import operations
from payments.models import Payment
from portal import clock
from portal.errors import InvalidInput
from portal.fintech_primitives import client as fp
from portal.fintech_primitives.messages import NewEMandate
from portal.gateway.journal import About
from portal.models import Case
from tests import factories
from tests.orders.conftest import ours_at_fp, scheme  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def mandate(asha: Any, sandbox: Any) -> Mandate:
    """Approved, at FP too."""
    bank = asha.bankaccounts.get()
    asked = NewEMandate(bank_account_id=bank.provider_ref, mandate_limit=25_000)
    ref = fp.client().create_e_mandate(asked, About())
    for status in ("SUBMITTED", "APPROVED"):
        sandbox.call("POST", f"/fp/mandates/{ref}", {"status": status})
    return factories.MandateFactory(bank_account=bank, provider_ref=ref)


@pytest.fixture
def order(asha: Any, mandate: Mandate, scheme: Any) -> MfOrder:  # noqa: F811
    """Confirmed and with FP."""
    at = clock.now()
    wish = purchases.prepare(
        investor=asha,
        isin=scheme.isin,
        amount=Decimal("5000.00"),
        bank_account=mandate.bank_account,
        payment_method="NACH",
        mandate=mandate,
        at=at,
    )
    consent = factories.ConsentFactory(
        investor=asha, amount=wish.amount, isin=scheme.isin, shown=purchases.shown(wish), asked_at=at
    )
    made = purchases.confirm(investor=asha, code=consent.code, otp="", buy_again=False, ip="127.0.0.1", at=at)
    sending.submit(order_id=made.pk, at=clock.now())
    made.refresh_from_db()
    return made


def arranged(order: MfOrder) -> Payment:
    payment = operations.start(order_id=order.pk, at=clock.now())
    assert payment
    operations.advance(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    return payment


def test_fp_hears_of_the_mandate_with_the_order(order, mandate, sandbox):
    assert (order.state, order.mandate) == ("AWAITING_PAYMENT", mandate)
    assert len(ours_at_fp(sandbox, order)) == 1
    assert [(each.payment_type, each.amount) for each in fp.client().list_payments([order.provider_ref])] == [
        ("NACH", Decimal(5_000))
    ]


def test_the_debit_is_found_and_never_asked_for_a_second_time(order, sandbox):
    payment = arranged(order)
    assert payment.state == "AWAITING_BANK"
    assert payment.debit_on > clock.today()
    assert len(fp.client().list_payments([order.provider_ref])) == 1
    assert operations.start(order_id=order.pk, at=clock.now(), again=True) is None
    with pytest.raises(operations.NotPayable):
        operations.hand_over(order=order, at=clock.now())


def test_the_page_says_that_there_is_nothing_to_do(order, asha, client_for):
    arranged(order)
    page = client_for(asha).get(f"/orders/{order.code}/").content.decode()
    assert "Your bank is asked for the debit" in page
    assert "/pay/" not in page


def test_the_debit_pays_the_order(order, sandbox):
    payment = arranged(order)
    sandbox.pay(payment.provider_ref)
    operations.refresh(payment_id=payment.pk, at=clock.now())
    order.refresh_from_db()
    assert order.state == "PAID"


def test_a_debit_that_the_bank_refuses_ends_the_order_with_its_reason(order, sandbox):
    payment = arranged(order)
    sandbox.pay(payment.provider_ref, "insufficient_funds")
    operations.refresh(payment_id=payment.pk, at=clock.now())
    sending.refresh(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    payment.refresh_from_db()
    assert (payment.state, payment.failure_code, order.state) == ("FAILED", "insufficient_funds", "REJECTED")


def test_a_debit_that_never_appears_becomes_a_case(order, monkeypatch):
    monkeypatch.setattr("payments.gateway.find", lambda *_: None)
    payment = operations.start(order_id=order.pk, at=clock.now())
    operations.advance(payment_id=payment.pk, at=clock.now())
    assert not Case.objects.exists()
    operations.advance(payment_id=payment.pk, at=clock.now() + timedelta(minutes=15))
    assert Case.objects.get().kind == "no_debit_arranged"


@pytest.mark.parametrize(
    ("mandate", "words"),
    [
        ({"state": "SUBMITTED"}, "not approved"),
        ({"limit": Decimal(4_999)}, "₹4,999.00 a debit"),
        ({"valid_to_in_days": 0}, "not valid today"),
    ],
    ids=["unapproved", "above-limit", "ended"],
)
def test_refuses_a_debit_that_the_bank_would_refuse(asha, mandate, words):
    days = mandate.pop("valid_to_in_days", None)
    if days is not None:
        mandate |= {"valid_from": clock.today() - timedelta(days=9), "valid_to": clock.today()}
    theirs = factories.MandateFactory(bank_account=asha.bankaccounts.get(), **mandate)
    way = purchases.Way(theirs.bank_account, "NACH", theirs)
    with pytest.raises(InvalidInput, match=words):
        purchases.check_way(investor=asha, way=way, amounts=[Decimal(5_000)], at=clock.now())


def test_refuses_somebody_elses_mandate(asha, chitra):
    hers = factories.MandateFactory(bank_account=chitra.bankaccounts.get())
    way = purchases.Way(asha.bankaccounts.get(), "NACH", hers)
    with pytest.raises(InvalidInput, match="your own mandates"):
        purchases.check_way(investor=asha, way=way, amounts=[Decimal(5_000)], at=clock.now())
