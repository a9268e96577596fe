"""The harness itself: a factory that makes nonsense would make every other test worthless."""

from __future__ import annotations

import pytest
from django.db import connection

from portal import clock
from portal.fintech_primitives.client import client
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "state", ["CREATED", "SUBMITTING", "AWAITING_PAYMENT", "PAID", "PLACED", "ALLOTTED", "REJECTED"]
)
def test_makes_an_order_that_the_database_accepts_in_every_state(state):
    order = factories.OrderFactory(state=state)
    assert order.consent.investor == order.investor
    assert order.consent.amount == order.amount


def test_makes_a_payment_that_adds_up():
    payment = factories.PaymentFactory()
    connection.check_constraints()
    assert payment.lines.get().amount == payment.amount


def test_makes_a_holding_that_follows_from_its_transactions():
    holding = factories.HoldingFactory()
    assert holding.folio.transactions.get().units == holding.units


def test_registers_asha_in_the_sandbox(sandbox, asha):
    found = client().search_investors(asha.pan)
    assert [each.id for each in found] == [asha.provider_ref]
    accounts = client().list_investment_accounts(asha.provider_ref)
    assert [each.investment_account_id for each in accounts] == [asha.investmentaccounts.get().provider_ref]


def test_moves_both_clocks(sandbox, at):
    at("2026-11-20T14:59:50")
    assert abs((sandbox.now() - clock.now()).total_seconds()) < 2
    later = sandbox.advance("P1D")
    assert later.date().isoformat() == "2026-11-21"


@pytest.mark.django_db(transaction=True)
def test_empties_the_tables_after_real_transactions():
    factories.OrderFactory()


@pytest.mark.django_db(transaction=True)
def test_brings_back_what_migrations_had_written():
    from orders.models import Holiday

    assert Holiday.objects.exists()
