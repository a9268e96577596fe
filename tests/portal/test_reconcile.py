"""Three ledgers side by side: every planted difference is found, and said where it can be seen (P15)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from orders.models import MfOrder
from payments.models import Payment
from portal import clock
from portal.fintech_primitives.client import client
from portal.fintech_primitives.messages import NewPurchase, PaymentMethod
from portal.gateway.journal import About
from portal.management import reconciliation
from portal.models import Case
from tests import factories
from tests.orders.conftest import ISIN

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(hours=1)


@pytest.fixture
def scheme(sandbox):
    return factories.SchemeFactory(isin=ISIN)


def at_fp(investor, *, ref: str, amount: int = 5_000) -> str:
    """An order that FP took under this reference; returns FP's id."""
    line = NewPurchase(isin=ISIN, amount=Decimal(amount), source_ref_id=ref)
    account = investor.investmentaccounts.get().provider_ref
    bank = investor.bankaccounts.get().provider_ref
    return client().create_purchase(account, bank_account_id=bank, orders=[line], about=About())[0].id


@pytest.fixture
def order(asha, scheme) -> MfOrder:
    """An order on which both sides agree."""
    then = clock.now() - LONG_AGO
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="AWAITING_PAYMENT", placed_at=then, attempt_no=1)
    order.provider_ref = at_fp(asha, ref=order.client_ref)
    order.save(update_fields=["provider_ref"])
    return order


def kinds() -> list[str]:
    return sorted(each.kind for each in reconciliation.run(clock.now()).differences)


def test_finds_nothing_where_both_sides_agree(order):
    report = reconciliation.run(clock.now())
    assert report.differences == []
    assert report.compared["orders at FP"] == report.compared["orders here"] == 1
    assert not Case.objects.exists()


def test_finds_an_order_that_only_fp_has(asha, order):
    at_fp(asha, ref="NEVERSENTFROMHERE")
    assert kinds() == ["order_only_at_fp"]


def test_finds_an_order_that_fp_has_lost(asha, scheme, order):
    lost = factories.OrderFactory(
        investor=asha, scheme=scheme, state="PAID", placed_at=clock.now() - LONG_AGO, provider_ref="999999"
    )
    assert kinds() == ["order_not_at_fp", "order_paid_by_nobody"]
    assert {case.subject_id for case in Case.objects.all()} == {str(lost.pk)}
    assert {case.rupees for case in Case.objects.all()} == {lost.amount}


def test_leaves_an_order_that_was_just_sent_to_the_sweep(asha, scheme, order):
    factories.OrderFactory(investor=asha, scheme=scheme, state="SUBMITTING", attempt="UNKNOWN", attempt_no=1)
    assert kinds() == []


def test_finds_another_amount(asha, scheme):
    then = clock.now() - LONG_AGO
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="AWAITING_PAYMENT", placed_at=then)
    ref = at_fp(asha, ref=order.client_ref, amount=6_000)
    MfOrder.objects.filter(pk=order.pk).update(provider_ref=ref)
    assert kinds() == ["order_amount_differs"]


def test_finds_an_order_under_another_reference(asha, scheme):
    order = factories.OrderFactory(investor=asha, scheme=scheme, state="AWAITING_PAYMENT")
    MfOrder.objects.filter(pk=order.pk).update(provider_ref=at_fp(asha, ref="ECHOEDDIFFERENTLY"))
    assert kinds() == ["order_reference_differs"]


def test_finds_an_order_that_ended_here_and_lives_there(order):
    MfOrder.objects.filter(pk=order.pk).update(state="REJECTED")
    assert "order_state_differs" in kinds()
    order.refresh_from_db()
    assert order.state == "REJECTED", "nothing is overwritten"


def test_finds_a_payment_that_only_fp_has(order):
    client().create_payment(
        order_ids=[order.provider_ref], method=PaymentMethod.UPI, postback_url="http://127.0.0.1:1/x", about=About()
    )
    assert kinds() == ["payment_only_at_fp"]


def test_finds_a_payment_that_fp_has_lost(order):
    payment = factories.PaymentFactory(order=order, provider_ref="888888")
    assert kinds() == ["payment_not_at_fp"]
    assert Case.objects.get().subject_id == str(payment.pk)


def test_finds_units_that_only_we_hold(asha, scheme, order):
    factories.HoldingFactory(investor=asha, scheme=scheme)
    factories.OrderFactory(investor=asha, scheme=scheme, state="ALLOTTED", placed_at=clock.now() - LONG_AGO)
    assert "holding_only_here" in kinds()


def test_closes_its_cases_when_both_sides_agree_again(asha, scheme, order):
    payment = factories.PaymentFactory(order=order, provider_ref="888888")
    kinds()
    payment.lines.all().delete()
    Payment.objects.filter(pk=payment.pk).delete()
    assert kinds() == []
    assert Case.objects.get().state == "CLOSED"


def test_exits_with_an_error_so_that_a_scheduler_notices(asha, order, capsys):
    call_command("reconcile")
    assert "0 differences" in capsys.readouterr().out
    at_fp(asha, ref="NEVERSENTFROMHERE")
    with pytest.raises(CommandError, match="1 differences"):
        call_command("reconcile")
    call_command("reconcile", exit_zero=True)


def test_concludes_nothing_when_fp_cannot_be_asked(sandbox, order):
    sandbox.fault("status:500", method="GET", path="*", times=0)
    with pytest.raises(CommandError, match="nothing was concluded"):
        call_command("reconcile")
    assert not Case.objects.exists()
