"""The harness itself: a factory that makes nonsense would make every other test worthless."""

from __future__ import annotations

import threading
import time
from datetime import date

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from orders.models import Holiday, MfOrder
from portal import clock, roles
from portal.fintech_primitives.client import client
from portal.models import User
from tests import database, emptying, factories

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


def test_a_browser_obeys_the_settings_of_when_it_is_opened(client, settings):
    login = reverse("admin:login")
    assert client.get(login).status_code == 200
    settings.STAFF_NETWORKS = ["10.0.0.0/8"]
    assert Client().get(login).status_code == 404
    settings.STAFF_NETWORKS = []
    assert Client().get(login).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_after_real_transactions_every_table_is_as_migrations_left_it():
    kept = emptying.kept()
    holidays = set(Holiday.objects.values_list("on", flat=True))
    factories.OrderFactory(state="ALLOTTED")
    Holiday.objects.create(on=date(2041, 1, 1), name="Made up")
    Holiday.objects.filter(on=min(holidays)).delete()
    Group.objects.get(name=roles.MAKER).permissions.clear()
    cache.set("left", 1, 60)
    kept.bring_back()
    assert not MfOrder.objects.exists()
    assert not User.objects.exists()
    assert set(Holiday.objects.values_list("on", flat=True)) == holidays
    assert Group.objects.get(name=roles.MAKER).permissions.exists()
    assert cache.get("left") is None


@pytest.mark.django_db(transaction=True)
def test_bringing_back_waits_for_somebody_who_still_writes():
    kept, began = emptying.kept(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            factories.UserFactory(email="late@portal.example")
            began.set()
            time.sleep(0.2)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert began.wait(10)
    kept.bring_back()
    writer.join(10)
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_crowd_waits_for_the_one_before_and_a_few_do_not():
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [database.CROWDS])
        came, done = [], []
        crowd = threading.Thread(target=lambda: done.append(database.at_once(lambda: came.append(1), database.CROWD)))
        crowd.start()
        assert database.at_once(User.objects.count, database.CROWD - 1) == [0] * (database.CROWD - 1)
        time.sleep(0.2)
        assert came == []
    crowd.join(10)
    assert (len(came), done) == (database.CROWD, [[None] * database.CROWD])


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_each_says_what_it_found_or_raised():
    turns = iter(range(4))

    def act():
        return 1 // next(turns)

    assert database.raised_at_once(act, 3) == ["ZeroDivisionError"]
