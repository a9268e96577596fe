"""A sale from the investor's yes to money on its way, with the sandbox playing FP over real HTTP."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from django.core import mail

from orders import lifecycle
from orders.models import Holding, MfOrder, Scheme, Transaction
from orders.operations import notices, redemptions, sending
from orders.redemption_rules import Asked
from payments import operations as payments
from payments.models import Payment
from portal import clock
from tests import factories
from tests.orders.conftest import ISIN, ours_at_fp

pytestmark = pytest.mark.django_db
SELL = "*/orders/sell"


def until_through(order: MfOrder, seconds: float = 20) -> MfOrder:
    """Poll as the worker would until the order is final."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        order.refresh_from_db()
        if order.state not in lifecycle.OPEN:
            return order
        for payment in Payment.objects.filter(lines__order=order, provider_ref__isnull=False):
            payments.refresh(payment_id=payment.pk, at=clock.now())
        sending.poll(at=clock.now())
        time.sleep(0.3)
    raise AssertionError(f"still {order.state}")


@pytest.fixture
def holding(asha, place, sandbox) -> Holding:
    """Units that Asha has really bought in the sandbox."""
    order = place(asha)
    sending.submit(order_id=order.pk, at=clock.now())
    payment = payments.start(order_id=order.pk, at=clock.now())
    payments.open_page(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    sandbox.pay(payment.provider_ref, "success")
    until_through(order)
    Scheme.objects.filter(isin=ISIN).update(nav=order.allotted_nav, nav_on=order.allotted_on)
    return Holding.objects.get(investor=asha)


def sale_of(investor, holding: Holding, asked: Asked, **how: object) -> redemptions.Wish:
    return redemptions.prepare(
        investor=investor,
        isin=holding.scheme.isin,
        folio_number=holding.folio.number,
        asked=asked,
        at=clock.now(),
        **how,
    )


def yes_to(investor, holding: Holding, asked: Asked, **how: object):
    """The investor has said yes to selling so much."""
    wish = sale_of(investor, holding, asked, **how)
    return factories.ConsentFactory(
        investor=investor,
        purpose="REDEMPTION",
        amount=asked.amount,
        units=asked.units,
        isin=wish.scheme.isin,
        folio_number=wish.source.folio_number,
        shown=redemptions.shown(wish),
        asked_at=clock.now(),
    )


def sell(investor, holding: Holding, asked: Asked, *, sell_again: bool = False, consent=None, **how: object) -> MfOrder:
    consent = consent or yes_to(investor, holding, asked, **how)
    return redemptions.confirm(
        investor=investor, code=consent.code, otp="", sell_again=sell_again, ip="127.0.0.1", at=clock.now()
    )


# --- from the yes to the money ------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [Asked(units=Decimal("1.250")), Asked(amount=Decimal(1_000)), Asked(is_all=True)])
def test_goes_from_the_yes_to_money_on_its_way(asked, asha, holding, sandbox):
    held, invested = holding.units, holding.invested
    order = sell(asha, holding, asked)
    assert (order.state, order.kind, order.redemption_mode) == ("CREATED", "REDEMPTION", "NORMAL")
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    assert (order.state, order.attempt) == ("PLACED", "")
    until_through(order)
    assert order.state == "REDEEMED"
    assert order.redeemed_as == "NORMAL"
    fact = Transaction.objects.get(order=order)
    assert (fact.kind, fact.units, fact.amount) == ("REDEMPTION", -order.allotted_units, -order.allotted_amount)
    if asked.units:
        assert order.allotted_units == asked.units
    holding.refresh_from_db()
    assert holding.units == held - order.allotted_units
    left = (invested * holding.units / held).quantize(Decimal("0.01"))
    assert holding.invested == left
    if asked.is_all:
        assert holding.units == holding.invested == 0
    assert order.payout_by > order.allotted_on
    assert len(ours_at_fp(sandbox, order)) == 1

    assert notices.tell_redeemed(order_id=order.pk, at=clock.now())
    assert not notices.tell_redeemed(order_id=order.pk, at=clock.now())
    assert str(order.bank_account) in mail.outbox[-1].body


def test_one_consent_is_one_sale(asha, holding):
    consent = yes_to(asha, holding, Asked(units=Decimal(1)))
    first = sell(asha, holding, Asked(), consent=consent)
    assert sell(asha, holding, Asked(), consent=consent).pk == first.pk
