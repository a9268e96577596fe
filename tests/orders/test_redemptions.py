"""A sale from the investor's yes to money on its way, with the sandbox playing FP over real HTTP."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail

from orders import lifecycle
from orders.gateway import OrderSnapshot
from orders.models import Holding, MfOrder, Scheme, Transaction
from orders.operations import news, redemptions, sending, syncing
from orders.redemption_rules import Asked
from payments import operations as payments
from payments.models import Payment
from portal import clock
from portal.errors import InvalidInput
from portal.lifecycle import Verdict
from portal.models import Case, Notice
from portal.notices import writing
from tests import factories
from tests.orders.conftest import ISIN, ours_at_fp

pytestmark = pytest.mark.django_db
SELL = "*/orders/sell"


def until_through(order: MfOrder, seconds: float = 60) -> MfOrder:
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


@pytest.fixture
def holding(asha, place, sandbox) -> Holding:
    """Units that Asha has really bought in the sandbox."""
    return bought(place(asha), sandbox)


def bought(order: MfOrder, sandbox) -> Holding:
    """The order, sent, paid and allotted; the scheme's NAV is the one it got."""
    sending.submit(order_id=order.pk, at=clock.now())
    payment = payments.start(order_id=order.pk, at=clock.now())
    payments.open_page(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    sandbox.pay(payment.provider_ref, "success")
    until_through(order)
    Scheme.objects.filter(isin=ISIN).update(nav=order.allotted_nav, nav_on=order.allotted_on)
    return Holding.objects.get(investor=order.investor)


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

    told = Notice.objects.get(event="order.redeemed", subject_id=order.pk)
    for _ in range(2):
        writing.deliver(delivery_id=told.deliveries.get(channel="EMAIL").pk, at=clock.now())
    assert str(order.bank_account) in mail.outbox[-1].body


def test_one_consent_is_one_sale(asha, holding):
    consent = yes_to(asha, holding, Asked(units=Decimal(1)))
    first = sell(asha, holding, Asked(), consent=consent)
    assert sell(asha, holding, Asked(), consent=consent).pk == first.pk


# --- what FP says -------------------------------------------------------------------------------------------------


@pytest.fixture
def small(asha) -> Holding:
    """A hundred units, of which FP knows nothing: for news that tests make up."""
    return factories.HoldingFactory(investor=asha, units=Decimal("100.000"), invested=Decimal("4000.00"))


def placed(asha, small: Holding, asked: Asked = Asked(units=Decimal(10))) -> MfOrder:  # noqa: B008 - frozen
    order = sell(asha, small, asked)
    MfOrder.objects.filter(pk=order.pk).update(state="PLACED", provider_ref="77")
    order.refresh_from_db()
    return order


def says(order: MfOrder, state: str, **facts: object) -> Verdict | None:
    redeemed = {"units": Decimal("10.000"), "nav": Decimal("50.0000"), "net_amount": Decimal("499.99")}
    told = {**redeemed, "traded_on": clock.today(), "folio_number": order.folio.number, "redeemed_as": "NORMAL"}
    snapshot = OrderSnapshot("77", order.client_ref, state, state, kind="REDEMPTION", **{**told, **facts})
    verdict = news.absorb(order_id=order.pk, snapshot=snapshot, at=clock.now(), source="test")
    order.refresh_from_db()
    return verdict


def test_the_second_delivery_of_the_same_news_takes_no_more_units(asha, small):
    order = placed(asha, small)
    assert [says(order, "REDEEMED") for _ in range(3)] == [Verdict.APPLY, Verdict.REPEAT, Verdict.REPEAT]
    small.refresh_from_db()
    assert (small.units, small.invested) == (Decimal("90.000"), Decimal("3600.00"))


def test_the_same_sale_for_other_rupees_is_a_case_and_moves_nothing(asha, small):
    order = placed(asha, small)
    says(order, "REDEEMED")
    says(order, "REDEEMED", net_amount=None)
    assert not Case.objects.exists(), "FP leaves it out in some of its lists"
    says(order, "REDEEMED", net_amount=Decimal("399.99"))
    assert order.allotted_amount == Decimal("499.99")
    assert Case.objects.get().kind == news.CONFLICT_CASE


@pytest.mark.parametrize(
    "lie",
    [
        {"units": Decimal("10.001")},
        {"folio_number": "somebody/else"},
        {"kind": "PURCHASE"},
        {"isin": "INF000000000"},
    ],
)
def test_what_cannot_be_about_this_sale_is_a_case_and_moves_nothing(lie, asha, small):
    order = placed(asha, small)
    told = {"kind": "REDEMPTION", "units": Decimal("10.000"), "folio_number": order.folio.number, **lie}
    about = {"nav": Decimal(50), "net_amount": Decimal(500), "traded_on": clock.today()}
    snapshot = OrderSnapshot("77", order.client_ref, "REDEEMED", "SUCCESSFUL", **about, **told)
    assert news.absorb(order_id=order.pk, snapshot=snapshot, at=clock.now(), source="test") == Verdict.CONFLICT
    order.refresh_from_db()
    assert order.state == "PLACED"
    assert Case.objects.get().kind == news.CONFLICT_CASE


def test_more_units_than_we_hold_is_a_case_and_leaves_the_ledger_alone(asha, small):
    order = placed(asha, small, Asked(is_all=True))
    says(order, "REDEEMED", units=Decimal("100.001"))
    assert order.state == "PLACED"
    assert Case.objects.get().kind == news.CONFLICT_CASE
    assert Transaction.objects.count() == 1


def test_success_without_rupees_is_no_evidence_yet(asha, small):
    order = placed(asha, small)
    says(order, "REDEEMED", net_amount=None)
    assert order.state == "PLACED"


def test_a_reversed_sale_puts_the_units_back_at_their_cost(asha, small):
    order = placed(asha, small)
    says(order, "REDEEMED")
    says(order, "REVERSED")
    small.refresh_from_db()
    assert order.state == "REVERSED"
    assert (small.units, small.invested) == (Decimal("100.000"), Decimal("4000.00"))
    assert Case.objects.get().kind == news.REVERSED_CASE


def test_a_rejected_sale_frees_its_units_again(asha, small):
    order = placed(asha, small, Asked(is_all=True))
    with pytest.raises(InvalidInput, match="on its way"):
        sale_of(asha, small, Asked(units=Decimal(1)))
    says(order, "REJECTED", failure_code="order_gateway_failure")
    assert sale_of(asha, small, Asked(units=Decimal(1)))


# --- faults -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reset", "status:502", "empty_200"])
def test_a_sale_behind_an_unclear_answer_is_found_and_never_sent_again(mode, asha, holding, sandbox, recover):
    order = sell(asha, holding, Asked(units=Decimal(1)))
    sandbox.fault(mode, path=SELL, when="after")
    sending.submit(order_id=order.pk, at=clock.now())
    order.refresh_from_db()
    assert (order.state, order.attempt) == ("SUBMITTING", "UNKNOWN")
    recover(clock.now() + timedelta(seconds=3))
    order.refresh_from_db()
    assert order.state in ("PLACED", "REDEEMED")
    assert [each["received"] for each in ours_at_fp(sandbox, order)] == [1]
