"""What the database itself enforces for baskets and orders in shares."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, InternalError, transaction

from portal import clock
from tests import factories

pytestmark = pytest.mark.django_db


def _refused(act):
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        act()


def _publish(version, by):
    version.published_by, version.published_at = by, clock.now()
    version.save()


def test_a_version_is_published_by_a_second_person():
    version = factories.BasketVersionFactory()
    _refused(lambda: _publish(version, version.drafted_by))
    _publish(version, factories.UserFactory())


def test_a_published_version_and_its_shares_never_change():
    share = factories.BasketConstituentFactory()
    share.weight_bp = 6_000
    share.save()  # before it is published this is right; without the guard it would be afterwards too
    _publish(share.version, factories.UserFactory())
    share.weight_bp = 7_000
    _refused(share.save)
    _refused(share.delete)
    _refused(lambda: factories.BasketConstituentFactory(version=share.version))
    share.version.change_note = "Something else."
    _refused(share.version.save)


@pytest.mark.parametrize("wrong", [{"weight_bp": None}, {"quantity": 3}, {"weight_bp": 10_001}, {"weight_bp": 0}])
def test_a_constituent_has_a_weight_or_a_quantity(wrong):
    version = factories.BasketVersionFactory()
    _refused(lambda: factories.BasketConstituentFactory(version=version, **wrong))


def test_shares_that_were_filled_stay_filled():
    order = factories.StockOrderFactory()
    order.filled, order.average_price = 4, Decimal("100.0500")
    order.save()
    order.filled = 3
    _refused(order.save)


@pytest.mark.parametrize(
    "wrong",
    [
        {"filled": 11, "average_price": Decimal(1)},
        {"filled": 4},
        {"state": "FILLED", "filled": 4, "average_price": Decimal(1)},
        {"kind": "LIMIT"},
        {"kind": "STOP_LOSS_MARKET"},
        {"kind": "STOP_LOSS", "trigger": Decimal(5)},
        {"quantity": 0},
    ],
)
def test_an_order_in_shares_that_makes_no_sense_is_refused(wrong):
    basket_order = factories.BasketOrderFactory()
    _refused(lambda: factories.StockOrderFactory(basket_order=basket_order, **wrong))


def test_a_broker_account_belongs_to_one_investor_and_a_session_has_an_end():
    account = factories.BrokerAccountFactory()
    _refused(lambda: factories.BrokerAccountFactory(account_ref=account.account_ref))
    account.session_expires_at = None
    _refused(account.save)


def test_a_reference_is_handed_out_once_for_ever():
    ref = factories.BrokerOrderRefFactory()
    _refused(lambda: factories.BrokerOrderRefFactory(ref=ref.ref))
    _refused(lambda: factories.BrokerOrderRefFactory(basket_order=ref.basket_order))
