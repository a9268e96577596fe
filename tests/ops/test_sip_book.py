"""The SIP book of operations: whose next debit may fail and why, and which banks did not debit."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from investors import merged_banks
from investors.models import BankAccount
from orders.models import Plan
from portal import clock, roles
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "admin:orders_plan_changelist"


def _with(**mandate: object) -> Plan:
    plan = factories.PlanFactory()
    for name, value in mandate.items():
        setattr(plan.mandate, name, value)
    plan.mandate.save()
    return plan


def _beside_another() -> Plan:
    """One of two on the same day that are more than the mandate allows together."""
    plan = _with(limit=Decimal(8_000))
    factories.PlanFactory(investor=plan.investor, mandate=plan.mandate)
    return plan


def _kyc_turned() -> Plan:
    plan = factories.PlanFactory()
    later = clock.now() + timedelta(hours=1)
    factories.KycCheckFactory(investor=plan.investor, is_compliant=False, reason="onhold", checked_at=later)
    return plan


def _on_an_ended_ifsc() -> Plan:
    plan = factories.PlanFactory()
    BankAccount.objects.filter(pk=plan.mandate.bank_account_id).update(ifsc=f"{merged_banks.old()[0]}0000001")
    return plan


RISKS = {
    "the mandate is cancelled": (lambda: _with(state="CANCELLED"), "Its mandate is cancelled"),
    "it is not approved yet": (lambda: _with(state="SUBMITTED"), "not approved yet"),
    "it is being cancelled": (lambda: _with(cancel_asked_at=clock.now()), "Its mandate is cancelled"),
    "it ends soon": (lambda: _with(valid_to=clock.today() + timedelta(days=29)), "Its mandate ends"),
    "its IFSC has ended": (_on_an_ended_ifsc, "Debits on the old IFSC may be refused"),
    "its limit is too small": (lambda: _with(limit=Decimal(4_000)), "The mandate allows"),
    "two of a day are too much": (_beside_another, "SIPs of this date total"),
    "the last debit failed": (lambda: factories.PlanFactory(bounces_in_a_row=2), "in a row"),
    "the KYC has turned": (_kyc_turned, "KYC does not allow"),
}


@pytest.mark.parametrize("risk", RISKS)
def test_a_sip_whose_next_debit_may_fail_is_found_with_the_investors_own_words(risk, as_role):
    factories.PlanFactory()
    make, words = RISKS[risk]
    plan = make()
    page = as_role(roles.MAKER).get(reverse(LIST), {"risk": "1"})
    assert plan.pk in {row.pk for row in page.context["cl"].result_list}
    assert {row.investor_id for row in page.context["cl"].result_list} == {plan.investor_id}
    assert words in page.content.decode()


def test_a_sip_that_is_over_is_no_risk(as_role):
    Plan.objects.filter(pk=_with(state="CANCELLED").pk).update(state="CANCELLED")
    page = as_role(roles.MAKER).get(reverse(LIST), {"risk": "1"})
    assert list(page.context["cl"].result_list) == []


def test_the_list_costs_the_same_for_ten_as_for_two(as_role):
    client, counted = as_role(roles.MAKER), []
    for _ in range(2):
        factories.PlanFactory.create_batch(2 + 6 * len(counted), bounces_in_a_row=1)
        with CaptureQueriesContext(connection) as found:
            client.get(reverse(LIST))
        counted.append(len(found))
    assert counted[0] == counted[1]


def test_banks_that_did_not_debit_are_counted_by_bank_and_reason(as_role):
    old = {"state_since": clock.now() - timedelta(days=31)}
    for changed in ({}, {}, old, {"state": "SETTLED"}, {"method": "UPI"}):
        fields = {"state": "FAILED", "method": "NACH", "failure_code": "insufficient_funds", **changed}
        factories.PaymentFactory(**fields)
    page = as_role(roles.MAKER).get("/admin/")
    [panel] = [each for each in page.context["panels"] if each.title == "Debits that banks did not make"]
    [row] = panel.rows
    assert (row[1], row[2]) == ("Your bank says that the balance was too low.", "2")
